"""JSON and base64, as InvokeModel's bodies carry them.

A body with a picture is nearly all base64: making texts of it takes as long and as much memory as all the rest.
So pictures are encoded straight into the body that is sent, and stay where they are in the bytes of the answer; only what
is around them is written and read as JSON.
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

_SLICE = 3 << 16
"""Bytes that are encoded at a time; three of them become four letters."""

_LONG = 4096
"""Bytes from which a text stays where it is."""

_MOST_TEXTS = 256
"""An answer has a dozen texts; behind so many the rest is read as JSON as a whole."""

_QUOTE, _BACKSLASH = b'"', b"\\"
_MARK = os.urandom(16).hex()  # no answer can hold it by intent


class Base64:
    """A base64 text of an answer.

    Args:
        text: the text, or the bytes that hold it.
    """

    __slots__ = ("text",)

    def __init__(self, text: str | memoryview) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text if isinstance(self.text, str) else str(self.text, "utf-8")


def dump_json(content: Mapping[str, Any]) -> bytes:
    """Encode a request's body as JSON in UTF-8; bytes in it become standard base64, padded, in one line."""
    pictures: list[bytes] = []

    def lay_aside(value: object) -> str:
        if not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} is no JSON")
        pictures.append(value)
        return _MARK

    around = orjson.dumps(content, default=lay_aside).split(_MARK.encode())
    body = BytesIO(bytes(sum(map(len, around)) + sum((len(picture) + 2) // 3 * 4 for picture in pictures)))
    for text, picture in zip_longest(around, pictures, fillvalue=b""):
        body.write(text)
        view = memoryview(picture)
        for at in range(0, len(view), _SLICE):
            body.write(pybase64.b64encode(view[at : at + _SLICE]))
    return body.getvalue()


def parse_json(body: bytes) -> dict[str, Any]:
    """Decode an answer's body; a long text comes as :class:`Base64`.

    Raises:
        BadResponse: it is anything but a JSON object.
    """
    around, texts = _lift(body)
    try:
        content = orjson.loads(around)
    except orjson.JSONDecodeError as error:
        raise BadResponse(f"the answer is not JSON: {error.msg}, at byte {error.pos} of {len(body)}") from None
    if not isinstance(content, dict):
        raise BadResponse(f"the answer is a JSON {type(content).__name__}, not an object")
    try:
        return _put_back(content, texts) if texts else content
    except (RecursionError, UnicodeDecodeError) as error:
        raise BadResponse(f"the answer is no sensible JSON: {type(error).__name__}") from None


def _lift(body: bytes) -> tuple[bytes, dict[str, Base64]]:
    """Take long texts without escapes out of JSON, a mark in the place of each."""
    view = memoryview(body)
    parts: list[bytes | memoryview] = []
    texts: dict[str, Base64] = {}
    start, quote = 0, body.find(_QUOTE)
    for _ in range(_MOST_TEXTS):
        end = body.find(_QUOTE, quote + 1)
        if quote < 0 or end < 0:
            break
        escaped = body.find(_BACKSLASH, quote, end) >= 0
        if end - quote > _LONG and not escaped:
            mark = f"{_MARK}{len(texts)}"
            texts[mark] = Base64(view[quote + 1 : end])
            parts += [view[start : quote + 1], mark.encode()]
            start = end
        elif escaped:
            end = _end_of_escaped(body, quote + 1)
        quote = body.find(_QUOTE, end + 1) if end >= 0 else -1
    return (b"".join([*parts, view[start:]]), texts) if texts else (body, texts)


def _end_of_escaped(body: bytes, at: int) -> int:
    """Find the quote that ends a text: the first one behind an even number of backslashes; -1 where there is none."""
    while (end := body.find(_QUOTE, at)) >= 0:
        head = body[at:end]
        if (len(head) - len(head.rstrip(_BACKSLASH))) % 2 == 0:
            return end
        at = end + 1
    return -1


def _put_back(value: Any, texts: Mapping[str, Base64]) -> Any:
    """Put the texts where their marks are; a name is a text of its own whatever its length."""
    match value:
        case str():
            return texts.get(value, value)
        case list():
            return [_put_back(item, texts) for item in value]
        case dict():
            return {str(_put_back(name, texts)): _put_back(item, texts) for name, item in value.items()}
    return value


def picture_from_base64(text: object, what: str = "the picture") -> Image:
    """Read a picture out of an answer, trusting nothing.

    Args:
        text: standard base64, padded, nothing else between; a text or :class:`Base64`.
        what: how an error calls it.

    Raises:
        BadResponse: it is no text, not strict base64, or no whole picture of a safe size.
    """
    if isinstance(text, Base64):
        text = text.text
    if not isinstance(text, str | memoryview):
        raise BadResponse(f"{what} is {type(text).__name__}, not base64 text")
    try:
        return Image(pybase64.b64decode(text, validate=True))
    except TaskRefused as error:
        raise BadResponse(f"{what} cannot be read: {error.problems[0].limit}") from error
    except ValueError as error:  # binascii.Error is one
        raise BadResponse(f"{what} cannot be read: not base64") from error
