"""JSON and base64 in request bodies and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pybase64
from limner import BadResponse, Image, TaskRefused


def dump_json(content: Mapping[str, Any]) -> bytes:
    """Encode a request's body as JSON in UTF-8; bytes in it become standard base64, padded, in one line."""
    return orjson.dumps(content, default=_base64)


def _base64(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return pybase64.b64encode_as_string(value)


def parse_json(body: bytes | str) -> dict[str, Any]:
    """Decode an answer's body.

    Raises:
        BadResponse: it is anything but a JSON object.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadResponse(f"the answer is not JSON: {error.msg}, at byte {error.pos} of {len(body)}") from None
    if not isinstance(content, dict):
        raise BadResponse(f"the answer is a JSON {type(content).__name__}, not an object")
    return content


def picture_from_base64(text: object, what: str = "the picture") -> Image:
    """Read a picture out of an answer, trusting nothing.

    Args:
        text: standard base64, padded; a data URL is taken too.
        what: how an error calls it.

    Raises:
        BadResponse: it is no text, not strict base64, or no whole picture of a safe size.
    """
    if not isinstance(text, str):
        raise BadResponse(f"{what} is {type(text).__name__}, not base64 text")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return Image(pybase64.b64decode(text, validate=True))
    except TaskRefused as error:
        raise BadResponse(f"{what} cannot be read: {error.problems[0].limit}") from error
    except ValueError as error:  # binascii.Error is one
        raise BadResponse(f"{what} cannot be read: not base64") from error
