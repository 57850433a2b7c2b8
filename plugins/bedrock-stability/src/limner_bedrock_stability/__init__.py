"""limner-bedrock-stability: Stability AI's Stable Image models and image services on Amazon Bedrock, for limner."""
