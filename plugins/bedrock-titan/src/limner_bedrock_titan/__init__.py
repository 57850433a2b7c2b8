"""limner-bedrock-titan: Amazon Titan Image Generator G1, v1 and v2, and Amazon Nova Canvas, on Amazon Bedrock."""
