"""From and to wire classes: attrs classes that mirror a model's JSON under its own names.

Going out, a field whose default is ``None`` is left out where it is ``None``, and pictures and masks become base64.
Coming in, unknown keys are passed over and wrong types are not: cattrs by itself makes a text of anything.
cattrs is loaded with the first answer; a plan does without it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import attrs
from limner import BadResponse, Image, Mask, Options

from limner_bedrock.payloads import Base64, dump_json, parse_json

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


def write_body(body: attrs.AttrsInstance) -> bytes:
    """Write a request's wire object as JSON."""
    return dump_json(attrs.asdict(body, filter=_is_said, value_serializer=_as_json))


def _is_said(field: attrs.Attribute[Any], value: object) -> bool:
    return value is not None or field.default is not None


def _as_json(_instance: object, _field: object, value: object) -> object:
    match value:
        case Image():
            return value.data
        case Mask():
            return value.png()
        case Options():
            return {name: _as_json(None, None, inner) for name, inner in value.items()}
        case list() | tuple():  # attrs takes a picture in it for one more wire object
            return [_as_json(None, None, item) for item in value]
    return value


def read_answer(body: bytes, kind: type[T]) -> T:
    """Read an answer's body as a wire class; a picture in it is a field of the type Base64.

    Raises:
        BadResponse: it is not what is documented.
    """
    document = parse_json(body)
    try:
        return _converter().structure(document, kind)
    except Exception as error:
        raise BadResponse(f"the answer is not as documented: {_innermost(error)}") from error


@functools.cache
def _converter() -> Converter:
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn

    converter = Converter()

    @converter.register_structure_hook_factory(attrs.has)
    def read(cls: type[T]) -> Callable[[Any, Any], T]:
        structure = make_dict_structure_fn(cls, converter)
        return lambda value, kind: structure(_exactly(value, dict), kind)

    @converter.register_structure_hook_factory(_is_list)
    def read_list(kind: Any) -> Callable[[Any, Any], list[Any]]:
        (item,) = get_args(kind)
        return lambda value, _: [converter.structure(inner, item) for inner in _exactly(value, list)]

    converter.register_structure_hook(int, _exactly)
    converter.register_structure_hook(
        str, lambda value, _: str(value) if isinstance(value, Base64) else _exactly(value, str)
    )
    converter.register_structure_hook(
        Base64, lambda value, _: value if isinstance(value, Base64) else Base64(_exactly(value, str))
    )
    return converter


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is list


def _exactly(value: Any, kind: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} expected, {type(value).__name__} found")
    return value


def _innermost(error: BaseException) -> BaseException:
    """Cattrs gathers errors into groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
