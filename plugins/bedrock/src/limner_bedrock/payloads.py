"""JSON and base64 in the bodies of InvokeModel, without copies of the images in them.

Nearly all of a body is base64. ``json`` and ``orjson`` convert it to a string first, which costs more time and memory than
everything else in a call (docs/benchmarks.md has the figures). :func:`dump_json` therefore encodes images directly into the
body, and :func:`parse_json` leaves long strings where they are: it cuts them out, parses the rest with ``orjson``, and puts
references to the bytes in their place. A property test compares the result with ``json``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import BytesIO
from itertools import zip_longest
from typing import Any

import orjson
import pybase64
from limner import BadResponse, Image, TaskRefused

_CHUNK_BYTES = 3 << 16
"""How many bytes are encoded at a time; a multiple of 3, so that no chunk but the last is padded."""

_LONG_BYTES = 4096
"""Longer strings are not parsed."""

_MAX_STRINGS = 256
"""How many strings are examined. A response has about a dozen; the rest of a larger one is left to orjson."""

_QUOTE, _BACKSLASH = b'"', b"\\"
_PLACEHOLDER = os.urandom(16).hex()  # random, so that no response can contain it


class Base64:
    """A base64 string of a response.

    Args:
        text: the string, or a view of the bytes that contain it.
    """

    __slots__ = ("text",)

    def __init__(self, text: str | memoryview) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text if isinstance(self.text, str) else str(self.text, "utf-8")


# ---------------------------------------------------------------------------------------------- write


def dump_json(content: Mapping[str, Any]) -> bytes:
    """Encode a request body as UTF-8 JSON; bytes become standard base64, padded, without line breaks."""
    images: list[bytes] = []

    def replace_bytes(value: object) -> str:
        if not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} cannot be encoded as JSON")
        images.append(value)
        return _PLACEHOLDER

    parts = orjson.dumps(content, default=replace_bytes).split(_PLACEHOLDER.encode())
    size = sum(map(len, parts)) + sum((len(image) + 2) // 3 * 4 for image in images)
    body = BytesIO(bytes(size))  # allocated once
    for part, image in zip_longest(parts, images, fillvalue=b""):
        body.write(part)
        view = memoryview(image)
        for start in range(0, len(view), _CHUNK_BYTES):
            body.write(pybase64.b64encode(view[start : start + _CHUNK_BYTES]))
    return body.getvalue()


# ---------------------------------------------------------------------------------------------- read


def parse_json(body: bytes) -> dict[str, Any]:
    """Parse a response body; a long string becomes ``Base64``.

    Raises:
        BadResponse: the body is not a JSON object.
    """
    shortened, strings = _cut_long_strings(body)
    try:
        content = orjson.loads(shortened)
    except orjson.JSONDecodeError as error:
        raise BadResponse(f"the response is not JSON: {error.msg}, at byte {error.pos} of {len(body)}") from None
    if not isinstance(content, dict):
        raise BadResponse(f"the response is a JSON {type(content).__name__}, not an object")
    try:
        return _restore(content, strings) if strings else content
    except (RecursionError, UnicodeDecodeError) as error:
        raise BadResponse(f"the response is invalid JSON: {type(error).__name__}") from None


def _cut_long_strings(body: bytes) -> tuple[bytes, dict[str, Base64]]:
    """Replace each long string without escapes by a placeholder.

    Everything between the quotes of a JSON string is part of it, and outside of strings there are no quotes. So it is enough
    to go from quote to quote.
    """
    view = memoryview(body)
    parts: list[bytes | memoryview] = []
    strings: dict[str, Base64] = {}
    copied = 0
    opening = body.find(_QUOTE)
    for _ in range(_MAX_STRINGS):
        closing = body.find(_QUOTE, opening + 1)
        if opening < 0 or closing < 0:
            break
        if body.find(_BACKSLASH, opening, closing) >= 0:
            closing = _closing_quote(body, opening + 1)
        elif closing - opening > _LONG_BYTES:
            placeholder = f"{_PLACEHOLDER}{len(strings)}"
            strings[placeholder] = Base64(view[opening + 1 : closing])
            parts += [view[copied : opening + 1], placeholder.encode()]
            copied = closing
        opening = body.find(_QUOTE, closing + 1) if closing >= 0 else -1
    return (b"".join([*parts, view[copied:]]), strings) if strings else (body, strings)


def _closing_quote(body: bytes, start: int) -> int:
    """Find the quote that ends a string with escapes: the first one after an even number of backslashes; -1 if none."""
    while (quote := body.find(_QUOTE, start)) >= 0:
        text = body[start:quote]
        if (len(text) - len(text.rstrip(_BACKSLASH))) % 2 == 0:
            return quote
        start = quote + 1
    return -1


def _restore(value: Any, strings: Mapping[str, Base64]) -> Any:
    """Replace placeholders by their strings; an object's key becomes an ordinary string, however long it is."""
    match value:
        case str():
            return strings.get(value, value)
        case list():
            return [_restore(item, strings) for item in value]
        case dict():
            return {str(_restore(name, strings)): _restore(item, strings) for name, item in value.items()}
    return value


def picture_from_base64(text: object, what: str = "the picture") -> Image:
    """Decode an image of a response.

    Args:
        text: untrusted; a string or ``Base64`` with standard base64, padded, without anything else.
        what: how error messages call the image.

    Raises:
        BadResponse: the text is not strict base64, or not a complete image of a safe size.
    """
    if isinstance(text, Base64):
        text = text.text
    if not isinstance(text, str | memoryview):
        raise BadResponse(f"{what} is {type(text).__name__}, not base64 text")
    try:
        return Image(pybase64.b64decode(text, validate=True))
    except TaskRefused as error:
        raise BadResponse(f"{what} cannot be read: {error.problems[0].limit}") from error
    except ValueError as error:  # includes binascii.Error
        raise BadResponse(f"{what} cannot be read: not base64") from error
