"""Sanitize the body of an error before botocore parses it: botocore expects valid UTF-8 and an object with text values."""

from __future__ import annotations

from typing import Any

import orjson

_MAX_TEXT = 2000
"""The number of characters kept of a body that is not JSON, such as a gateway's HTML page."""


def sanitize_error(body: bytes) -> bytes:
    """Return an error's body as a JSON object with only the members that botocore can parse."""
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = {"message": body[: _MAX_TEXT * 4].decode("utf-8", "replace")[:_MAX_TEXT]}
    members = content.items() if isinstance(content, dict) else ()
    return orjson.dumps({name: value for name, value in members if _is_plain(name, value)})


def _is_plain(name: str, value: object) -> bool:
    return type(value) is (int if name == "originalStatusCode" else str)
