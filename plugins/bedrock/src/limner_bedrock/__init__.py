"""limner-bedrock: what every Amazon Bedrock model plugin shares. It offers no model of its own."""

from limner_bedrock.model import BedrockModel
from limner_bedrock.payloads import dump_json, parse_json, picture_from_base64
from limner_bedrock.settings import BedrockSettings

__all__ = ["BedrockModel", "BedrockSettings", "dump_json", "parse_json", "picture_from_base64"]
