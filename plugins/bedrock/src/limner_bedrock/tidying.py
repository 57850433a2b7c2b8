"""The body of an error made plain before botocore reads it: botocore trusts it to be UTF-8, and an object of texts."""

from __future__ import annotations

from typing import Any

import orjson

_MAX_TEXT = 2000
"""Characters of a body that is no JSON, such as a gateway's page."""


def tidy_error(body: bytes) -> bytes:
    """Make a JSON object out of an error's body, with texts and whole numbers alone."""
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = {"message": body[: _MAX_TEXT * 4].decode("utf-8", "replace")[:_MAX_TEXT]}
    members = content.items() if isinstance(content, dict) else ()
    return orjson.dumps({name: value for name, value in members if _is_plain(name, value)})


def _is_plain(name: str, value: object) -> bool:
    return type(value) is (int if name == "originalStatusCode" else str)
