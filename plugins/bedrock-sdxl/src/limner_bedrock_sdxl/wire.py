"""SDXL's JSON under its own names, and the converter between it and Python. What is None is not sent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from limner import BadResponse, Image, Mask, Options
from limner_bedrock import to_base64

T = TypeVar("T")


@attrs.frozen
class TextPrompt:
    """One text and its weight; the weight is 1 where it is not said."""

    text: str
    weight: float | None = None


@attrs.frozen(kw_only=True)
class Body:
    """A request. The mode follows from the keys: ``init_image`` makes it image to image, ``mask_source`` masking."""

    text_prompts: list[TextPrompt]
    height: int | None = None
    width: int | None = None
    cfg_scale: float | None = None
    clip_guidance_preset: str | None = None
    sampler: str | None = None
    samples: int | None = None
    seed: int | None = None
    steps: int | None = None
    style_preset: str | None = None
    extras: Options | None = None
    init_image: Image | None = None
    init_image_mode: str | None = None
    image_strength: float | None = None
    step_schedule_start: float | None = None
    step_schedule_end: float | None = None
    mask_source: str | None = None
    mask_image: Mask | None = None


@attrs.frozen(kw_only=True)
class Artifact:
    """One picture of an answer. ``finishedReason`` is how the guide's text, but not its JSON, spells it."""

    seed: int | None = None
    base64: str | None = None
    finishReason: str | None = None  # noqa: N815
    finishedReason: str | None = None  # noqa: N815


@attrs.frozen(kw_only=True)
class Error:
    """Why there are no pictures."""

    id: str | None = None
    name: str | None = None
    message: str | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """An answer."""

    result: str | None = None
    artifacts: list[Artifact] | None = None
    error: Error | None = None


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
    converter.register_unstructure_hook(Options, lambda options: {k: converter.unstructure(v) for k, v in options.items()})

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

    for plain in (str, int):
        converter.register_structure_hook(plain, _exactly)
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
