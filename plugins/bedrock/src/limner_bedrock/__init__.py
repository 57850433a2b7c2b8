"""limner-bedrock: what every Amazon Bedrock model plugin shares. It offers no model of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limner_bedrock.model import BedrockModel
from limner_bedrock.settings import BedrockSettings

if TYPE_CHECKING:
    from limner_bedrock.payloads import dump_json, parse_json, picture_from_base64

__all__ = ["BedrockModel", "BedrockSettings", "dump_json", "parse_json", "picture_from_base64"]


def __getattr__(name: str) -> Any:
    """Import what only calls need when it is first used: the module of a plugin is loaded in every run of limner."""
    if name not in __all__:
        raise AttributeError(f"module 'limner_bedrock' has no attribute {name!r}")
    from limner_bedrock import payloads

    return getattr(payloads, name)
