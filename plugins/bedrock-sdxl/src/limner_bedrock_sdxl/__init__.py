"""limner-bedrock-sdxl: Stability SDXL 1.0 on Amazon Bedrock."""
