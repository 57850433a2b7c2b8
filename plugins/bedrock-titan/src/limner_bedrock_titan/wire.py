"""The JSON of Titan and Nova Canvas with its own names. Attributes that are ``None`` are not sent."""

# ruff: noqa: N815 - the names are the provider's

from __future__ import annotations

import attrs
from limner import Image, Mask
from limner_bedrock.payloads import Base64


@attrs.frozen(kw_only=True)
class TextToImageParams:
    """TEXT_IMAGE. Only Nova Canvas takes ``style``; only Titan v2 and Nova Canvas take the three attributes after it."""

    text: str
    negativeText: str | None = None
    style: str | None = None
    conditionImage: Image | None = None
    controlMode: str | None = None
    controlStrength: float | None = None


@attrs.frozen(kw_only=True)
class InPaintingParams:
    """INPAINTING: black areas of the mask are repainted."""

    image: Image
    maskPrompt: str | None = None
    maskImage: Mask | None = None
    text: str | None = None
    negativeText: str | None = None
    returnMask: bool | None = None


@attrs.frozen(kw_only=True)
class OutPaintingParams:
    """OUTPAINTING: black areas of the mask are kept."""

    image: Image
    text: str
    maskPrompt: str | None = None
    maskImage: Mask | None = None
    negativeText: str | None = None
    outPaintingMode: str | None = None
    returnMask: bool | None = None


@attrs.frozen(kw_only=True)
class ImageVariationParams:
    """IMAGE_VARIATION."""

    images: list[Image]
    text: str | None = None
    negativeText: str | None = None
    similarityStrength: float | None = None


@attrs.frozen(kw_only=True)
class ColorGuidedGenerationParams:
    """COLOR_GUIDED_GENERATION."""

    text: str
    colors: list[str]
    negativeText: str | None = None
    referenceImage: Image | None = None


@attrs.frozen(kw_only=True)
class BackgroundRemovalParams:
    """BACKGROUND_REMOVAL."""

    image: Image


@attrs.frozen(kw_only=True)
class ImageGenerationConfig:
    """The parameters of every task type except BACKGROUND_REMOVAL."""

    numberOfImages: int | None = None
    quality: str | None = None
    width: int | None = None
    height: int | None = None
    cfgScale: float | None = None
    seed: int | None = None


@attrs.frozen(kw_only=True)
class Body:
    """A request body; ``taskType`` determines which of the parameter objects is present."""

    taskType: str
    textToImageParams: TextToImageParams | None = None
    inPaintingParams: InPaintingParams | None = None
    outPaintingParams: OutPaintingParams | None = None
    imageVariationParams: ImageVariationParams | None = None
    colorGuidedGenerationParams: ColorGuidedGenerationParams | None = None
    backgroundRemovalParams: BackgroundRemovalParams | None = None
    imageGenerationConfig: ImageGenerationConfig | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """A response body; ``images`` and ``error`` may both be present."""

    images: list[Base64] | None = None
    maskImage: Base64 | None = None
    error: str | None = None
