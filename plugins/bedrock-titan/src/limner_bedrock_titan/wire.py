"""Titan's and Nova Canvas's JSON under its own names. What is None is not sent."""

# ruff: noqa: N815 - the names are the provider's

from __future__ import annotations

import attrs
from limner import Image, Mask
from limner_bedrock.payloads import Base64


@attrs.frozen(kw_only=True)
class TextToImageParams:
    """TEXT_IMAGE; the last three are the conditioning of Titan v2 and Nova Canvas, the style is Nova Canvas's."""

    text: str
    negativeText: str | None = None
    style: str | None = None
    conditionImage: Image | None = None
    controlMode: str | None = None
    controlStrength: float | None = None


@attrs.frozen(kw_only=True)
class InPaintingParams:
    """INPAINTING; inside the mask, where it is black, the picture is changed."""

    image: Image
    maskPrompt: str | None = None
    maskImage: Mask | None = None
    text: str | None = None
    negativeText: str | None = None
    returnMask: bool | None = None


@attrs.frozen(kw_only=True)
class OutPaintingParams:
    """OUTPAINTING; inside the mask, where it is black, the picture is kept."""

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
    """What every task but BACKGROUND_REMOVAL takes."""

    numberOfImages: int | None = None
    quality: str | None = None
    width: int | None = None
    height: int | None = None
    cfgScale: float | None = None
    seed: int | None = None


@attrs.frozen(kw_only=True)
class Body:
    """A request; ``taskType`` says which of the parameters is there."""

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
    """An answer; ``images`` and ``error`` may both be there."""

    images: list[Base64] | None = None
    maskImage: Base64 | None = None
    error: str | None = None
