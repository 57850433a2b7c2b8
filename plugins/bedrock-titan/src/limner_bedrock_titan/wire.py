"""Titan's JSON under its own names, and the converter between it and Python. What is None is not sent."""

# ruff: noqa: N815 - the names are the provider's

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from limner import BadResponse, Image, Mask
from limner_bedrock import to_base64

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class TextToImageParams:
    """TEXT_IMAGE; the last three are v2's conditioning."""

    text: str
    negativeText: str | None = None
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

    images: list[str] | None = None
    maskImage: str | None = None
    error: str | None = None


def to_json(body: Body) -> dict[str, Any]:
    """Write a body as JSON values; pictures become base64."""
    document: dict[str, Any] = _converter().unstructure(body)
    return document


def from_json(document: Mapping[str, Any]) -> Answer:
    """Read an answer; unknown keys are passed over, wrong types are not.

    Raises:
        BadResponse: it is not what is documented.
    """
    try:
        return _converter().structure(document, Answer)
    except Exception as error:
        raise BadResponse(f"the answer is not as documented: {_innermost(error)}") from error


@functools.cache
def _converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(Image, lambda image: to_base64(image.data))
    converter.register_unstructure_hook(Mask, lambda mask: to_base64(mask.png()))

    @converter.register_unstructure_hook_factory(attrs.has)
    def write(cls: type[Any]) -> Callable[[Any], Any]:
        unsaid = {field.name: override(omit_if_default=True) for field in attrs.fields(cls) if field.default is None}
        return make_dict_unstructure_fn(cls, converter, **unsaid)  # type: ignore[arg-type]

    @converter.register_structure_hook_factory(attrs.has)
    def read(cls: type[T]) -> Callable[[Any, Any], T]:
        structure = make_dict_structure_fn(cls, converter)
        return lambda value, kind: structure(_exactly(value, dict), kind)

    @converter.register_structure_hook_factory(_is_list)
    def read_list(kind: Any) -> Callable[[Any, Any], list[Any]]:
        (item,) = get_args(kind)
        return lambda value, _: [converter.structure(inner, item) for inner in _exactly(value, list)]

    converter.register_structure_hook(str, _exactly)
    return converter


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list


def _exactly(value: Any, kind: Any) -> Any:
    """Cattrs would make a text of anything, and a list of a text."""
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} expected, {type(value).__name__} found")
    return value


def _innermost(error: BaseException) -> BaseException:
    """Cattrs gathers errors into groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
