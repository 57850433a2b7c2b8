"""Write and read wire classes: attrs classes that mirror a model's JSON and use its names.

Writing omits an attribute whose value and default are both ``None``, and encodes images and masks as base64.
Reading ignores unknown keys and rejects wrong types (cattrs alone would convert any value to ``str``).
cattrs is imported with the first response, because planning does not need it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

import attrs
from limner import BadResponse, Image, Mask

from limner_bedrock.payloads import Base64, dump_json, parse_json

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


def write_body(body: attrs.AttrsInstance | Mapping[str, Any]) -> bytes:
    """Write a request body, a wire object or a mapping, as JSON."""
    if isinstance(body, Mapping):
        return dump_json({name: _as_json(None, None, value) for name, value in body.items()})
    return dump_json(attrs.asdict(body, filter=_is_sent, value_serializer=_as_json))


def _is_sent(field: attrs.Attribute[Any], value: object) -> bool:
    return value is not None or field.default is not None


def _as_json(_instance: object, _field: object, value: object) -> object:
    match value:
        case Image():
            return value.data
        case Mask():
            return value.png()
        case Mapping():
            return {name: _as_json(None, None, inner) for name, inner in value.items()}
        case list() | tuple():  # attrs would treat an image inside as another wire object
            return [_as_json(None, None, item) for item in value]
    return value


def read_answer(body: bytes, kind: type[T]) -> T:
    """Read a response body as a wire class, in which an encoded image is an attribute of type Base64.

    Raises:
        BadResponse: the body does not match the class.
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
    """Return the first leaf of the groups in which cattrs collects errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
