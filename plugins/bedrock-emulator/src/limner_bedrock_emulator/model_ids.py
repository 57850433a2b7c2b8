"""Which model an identifier names: ids, foundation-model ARNs, inference profiles, and what the user maps.

Source: Amazon Bedrock API Reference, InvokeModel, ``modelId``; Amazon Bedrock User Guide, model pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from limner_bedrock_emulator.refusals import END_OF_LIFE, INVALID_MODEL_ID, UNKNOWN_MODEL, RequestRefused, profile_needed

if TYPE_CHECKING:
    from collections.abc import Mapping

SDXL, TITAN_V1, TITAN_V2, NOVA_CANVAS = "sdxl", "titan-v1", "titan-v2", "nova-canvas"
STABILITY = "stability-"
"""What the contracts of Stability AI's newer models begin with."""

_IMAGE_SERVICES = {
    "stable-image-control-sketch": "control-sketch",
    "stable-image-control-structure": "control-structure",
    "stable-image-style-guide": "style-guide",
    "stable-style-transfer": "style-transfer",
    "stable-image-inpaint": "inpaint",
    "stable-image-erase-object": "erase-object",
    "stable-image-search-replace": "search-replace",
    "stable-image-search-recolor": "search-recolor",
    "stable-outpaint": "outpaint",
    "stable-image-remove-background": "remove-background",
    "stable-fast-upscale": "fast-upscale",
    "stable-conservative-upscale": "conservative-upscale",
    "stable-creative-upscale": "creative-upscale",
}
"""Stability AI Image Services, each id without provider and version."""

CONTRACTS = {
    "stability.stable-diffusion-xl-v1": SDXL,
    "stability.stable-diffusion-xl-v1:0": SDXL,
    "amazon.titan-image-generator-v1": TITAN_V1,
    "amazon.titan-image-generator-v1:0": TITAN_V1,
    "amazon.titan-image-generator-v2:0": TITAN_V2,
    "amazon.nova-canvas-v1:0": NOVA_CANVAS,
    "stability.stable-image-core-v1:0": f"{STABILITY}core",
    "stability.stable-image-core-v1:1": f"{STABILITY}core",
    "stability.stable-image-ultra-v1:0": f"{STABILITY}ultra",
    "stability.stable-image-ultra-v1:1": f"{STABILITY}ultra",
    "stability.sd3-large-v1:0": f"{STABILITY}sd3-large",
    "stability.sd3-5-large-v1:0": f"{STABILITY}sd3-5-large",
    **{f"stability.{model}-v1:0": STABILITY + service for model, service in _IMAGE_SERVICES.items()},
}
"""Served model ids, each with the name of its contract (the schema file of that name)."""

PROFILE = "us."
ONLY_BY_PROFILE = {f"stability.{model}-v1:0" for model in _IMAGE_SERVICES}
"""The image services, which only their inference profiles reach: ``us.`` and the id."""

RETIRED = {"stability.stable-diffusion-xl", "stability.stable-diffusion-xl-v0"}
"""SDXL 0.8: an earlier contract, gone from Bedrock in 2024."""

_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)/(?P<name>.+)")
_NAME = re.compile(r"(?:[a-z]{2,10}(?:-[a-z]+)?\.)?(?P<model>[a-z0-9-]+\.[a-z0-9][a-z0-9.:-]*)")


def check_callable(model_id: str) -> None:
    """Refuse a bare id of an image service: only its inference profile can be called.

    Source: Amazon Bedrock User Guide, "Stability AI Image Services", whose every sample sends the ``us.`` profile, and
    "Supported foundation models in Amazon Bedrock", which gives the bare ids through cross-region inference alone.

    Raises:
        RequestRefused: in Bedrock's words.
    """
    arn = _ARN.fullmatch(model_id)
    name = arn["name"] if arn else model_id
    if name in ONLY_BY_PROFILE:
        raise profile_needed(model_id)
    if name.partition(".")[2] in ONLY_BY_PROFILE and not name.startswith(PROFILE):
        raise RequestRefused(INVALID_MODEL_ID)


def contract_of(model_id: str, served: Mapping[str, str] | None = None) -> str:
    """Return the contract that a model identifier names, such as ``sdxl``, ``titan-v2`` or ``stability-core``.

    Args:
        model_id: an id, a foundation-model ARN, or an inference-profile id or ARN that names the model.
        served: further identifiers (opaque ARNs), each with the model id it stands for.

    Raises:
        RequestRefused: no such model, in Bedrock's words.
    """
    model_id = (served or {}).get(model_id, model_id)
    arn = _ARN.fullmatch(model_id)
    name = arn["name"] if arn else model_id
    if name in CONTRACTS:
        return CONTRACTS[name]
    if name in RETIRED:
        raise RequestRefused(END_OF_LIFE)
    named = _NAME.fullmatch(name)
    if named is not None and named["model"] in CONTRACTS:
        return CONTRACTS[named["model"]]
    known_form = named is not None or model_id.startswith("arn:")
    raise RequestRefused(UNKNOWN_MODEL if known_form else INVALID_MODEL_ID)
