"""Amazon Nova Canvas: Titan v2's body with the option ``style``, and its own limits."""

from __future__ import annotations

from limner_bedrock_titan import nova_limits
from limner_bedrock_titan.family import TitanFamilyModel


class NovaCanvas(TitanFamilyModel):
    """Amazon Nova Canvas on Amazon Bedrock."""

    id = "amazon.nova-canvas-v1:0"
    aliases = ("nova",)
    limits = nova_limits.LIMITS
    lifecycle = nova_limits.LIFECYCLE
    parameters_page = nova_limits.PARAMETERS
