"""limner-bedrock-titan: Amazon Titan Image Generator G1, v1 and v2, on Amazon Bedrock."""
