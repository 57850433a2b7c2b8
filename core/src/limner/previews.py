"""Requests as people read them: JSON bodies and multipart parts, pictures shortened."""

from __future__ import annotations

import email.parser
import email.policy
import json
import re
from typing import Any

from limner.interface import Request

_LONG = 100
_BASE64 = re.compile(r"(data:[\w/+.;=-]*,)?[A-Za-z0-9+/_-]+=*")


def preview(request: Request) -> dict[str, Any]:
    """Return a request as JSON values, with pictures shortened: what ``--dry-run`` prints.

    Args:
        request: one of a plan's requests.

    Returns:
        ``model_id``, ``body`` and, where the request has them, ``path``, ``headers`` and ``content_type``. A multipart body
        is a list of its parts; a body that is neither JSON nor multipart is its size in words.
    """
    document: dict[str, Any] = {"model_id": request.model_id}
    if request.path:
        document["path"] = request.path
    if request.headers:
        document["headers"] = dict(request.headers)
    if request.content_type != "application/json":
        document["content_type"] = request.content_type
    return {**document, "body": _body(request)}


def _body(request: Request) -> Any:
    if request.content_type.startswith("multipart/"):
        return _parts(request)
    try:
        return _shortened(json.loads(request.body))
    except ValueError:
        return _size(request.body)


def _parts(request: Request) -> list[dict[str, Any]]:
    head = f"Content-Type: {request.content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    return [_part(part) for part in message.iter_parts()]


def _part(part: Any) -> dict[str, Any]:
    content = part.get_payload(decode=True) or b""
    name, filename = part.get_param("name", header="content-disposition"), part.get_filename()
    if filename is None and part.get_content_maintype() == "text":
        return {"name": name, "value": _shortened(content.decode("utf-8", "replace"))}
    return {"name": name, "filename": filename, "content_type": part.get_content_type(), "content": _size(content)}


def _shortened(value: Any) -> Any:
    """Shorten long texts of nothing but base64, also as data URLs."""
    match value:
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case list():
            return [_shortened(item) for item in value]
        case str() if len(value) > _LONG and _BASE64.fullmatch(value):
            return f"{value[:40]}... ({len(value):,} characters)"
    return value


def _size(content: bytes) -> str:
    return f"({len(content):,} bytes)"
