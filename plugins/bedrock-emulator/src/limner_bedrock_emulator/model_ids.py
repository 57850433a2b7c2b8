"""Model identifiers: ids, foundation model ARNs, inference profiles, and identifiers that the user maps.

Source: Amazon Bedrock API Reference, InvokeModel, ``modelId``; Amazon Bedrock User Guide, model pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from limner_bedrock_emulator.refusals import END_OF_LIFE, INVALID_MODEL_ID, UNKNOWN_MODEL, RequestRefused, profile_needed

if TYPE_CHECKING:
    from collections.abc import Mapping

SDXL, TITAN_V1, TITAN_V2, NOVA_CANVAS = "sdxl", "titan-v1", "titan-v2", "nova-canvas"
STABILITY = "stability-"
"""The prefix of the contracts of Stability AI's newer models."""

PROFILE = "us."
"""The prefix of the inference profiles of the image services."""


class Entry(NamedTuple):
    """How a model id is served.

    Attributes:
        contract: the name of its contract, which is the name of a schema file; ``None`` for a retired model.
        by_profile: whether only the inference profile, ``us.`` and the id, can be called.
    """

    contract: str | None
    by_profile: bool = False


MODELS = {
    "stability.stable-diffusion-xl": Entry(None),  # SDXL 0.8, an earlier contract, retired in 2024
    "stability.stable-diffusion-xl-v0": Entry(None),
    "stability.stable-diffusion-xl-v1": Entry(SDXL),
    "stability.stable-diffusion-xl-v1:0": Entry(SDXL),
    "amazon.titan-image-generator-v1": Entry(TITAN_V1),
    "amazon.titan-image-generator-v1:0": Entry(TITAN_V1),
    "amazon.titan-image-generator-v2:0": Entry(TITAN_V2),
    "amazon.nova-canvas-v1:0": Entry(NOVA_CANVAS),
    "stability.stable-image-core-v1:0": Entry("stability-core"),
    "stability.stable-image-core-v1:1": Entry("stability-core"),
    "stability.stable-image-ultra-v1:0": Entry("stability-ultra"),
    "stability.stable-image-ultra-v1:1": Entry("stability-ultra"),
    "stability.sd3-large-v1:0": Entry("stability-sd3-large"),
    "stability.sd3-5-large-v1:0": Entry("stability-sd3-5-large"),
    "stability.stable-image-control-sketch-v1:0": Entry("stability-control-sketch", by_profile=True),
    "stability.stable-image-control-structure-v1:0": Entry("stability-control-structure", by_profile=True),
    "stability.stable-image-style-guide-v1:0": Entry("stability-style-guide", by_profile=True),
    "stability.stable-style-transfer-v1:0": Entry("stability-style-transfer", by_profile=True),
    "stability.stable-image-inpaint-v1:0": Entry("stability-inpaint", by_profile=True),
    "stability.stable-image-erase-object-v1:0": Entry("stability-erase-object", by_profile=True),
    "stability.stable-image-search-replace-v1:0": Entry("stability-search-replace", by_profile=True),
    "stability.stable-image-search-recolor-v1:0": Entry("stability-search-recolor", by_profile=True),
    "stability.stable-outpaint-v1:0": Entry("stability-outpaint", by_profile=True),
    "stability.stable-image-remove-background-v1:0": Entry("stability-remove-background", by_profile=True),
    "stability.stable-fast-upscale-v1:0": Entry("stability-fast-upscale", by_profile=True),
    "stability.stable-conservative-upscale-v1:0": Entry("stability-conservative-upscale", by_profile=True),
    "stability.stable-creative-upscale-v1:0": Entry("stability-creative-upscale", by_profile=True),
}
"""Every known model id."""

_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)/(?P<name>.+)")
_NAME = re.compile(r"(?:[a-z]{2,10}(?:-[a-z]+)?\.)?(?P<model>[a-z0-9-]+\.[a-z0-9][a-z0-9.:-]*)")


def check_callable(model_id: str) -> None:
    """Refuse the id of an image service: only its inference profile can be called.

    Source: Amazon Bedrock User Guide, "Stability AI Image Services", whose every sample sends the ``us.`` profile, and
    "Supported foundation models in Amazon Bedrock", which gives the bare ids through cross-region inference alone.

    Raises:
        RequestRefused: with Bedrock's message.
    """
    name = _name_in(model_id)
    if _is_by_profile(name):
        raise profile_needed(model_id)
    if _is_by_profile(name.partition(".")[2]) and not name.startswith(PROFILE):
        raise RequestRefused(INVALID_MODEL_ID)


def contract_of(model_id: str, served: Mapping[str, str] | None = None) -> str:
    """Return the contract of a model identifier, such as ``sdxl``, ``titan-v2`` or ``stability-core``.

    Args:
        model_id: an id, a foundation model ARN, or the id or ARN of an inference profile that contains the model's id.
        served: additional identifiers (opaque ARNs), each with the model id it stands for.

    Raises:
        RequestRefused: the model is unknown or retired; with Bedrock's message.
    """
    model_id = (served or {}).get(model_id, model_id)
    name = _name_in(model_id)
    profile = _NAME.fullmatch(name)
    entry = MODELS.get(name) or (MODELS.get(profile["model"]) if profile else None)
    if entry is None:
        is_well_formed = profile is not None or model_id.startswith("arn:")
        raise RequestRefused(UNKNOWN_MODEL if is_well_formed else INVALID_MODEL_ID)
    if entry.contract is None:
        raise RequestRefused(END_OF_LIFE)
    return entry.contract


def _name_in(model_id: str) -> str:
    arn = _ARN.fullmatch(model_id)
    return arn["name"] if arn else model_id


def _is_by_profile(name: str) -> bool:
    return name in MODELS and MODELS[name].by_profile
