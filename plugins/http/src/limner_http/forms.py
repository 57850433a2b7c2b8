"""multipart/form-data (RFC 7578), written by a pure function: the same parts always make the same bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import attrs

_NAME = re.compile(r"[ !#-\[\]-~]+")
"""Printable ASCII without quote and backslash, which clients and servers escape in different ways."""

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def _check_name(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    if (value or attribute.name == "name") and not _NAME.fullmatch(value):
        raise ValueError(f"the {attribute.name} of a part must be printable ASCII without quotes and backslashes")


def _check_media_type(_: object, __: object, value: str) -> None:
    if value and not _MEDIA_TYPE.fullmatch(value):
        raise ValueError("the content_type of a part must be like image/png")


def _to_bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


@attrs.frozen
class Part:
    """One field of a form.

    Args:
        name: of the field.
        content: bytes, or a text, which is sent in UTF-8.
        filename: makes it a file.
        content_type: media type; always give one for a file, since servers refuse ``application/octet-stream``.
    """

    name: str = attrs.field(validator=_check_name)
    content: bytes = attrs.field(converter=_to_bytes, repr=lambda content: f"<{len(content)} bytes>")
    filename: str = attrs.field(default="", validator=_check_name)
    content_type: str = attrs.field(default="", validator=_check_media_type)

    def _head(self) -> bytes:
        filename = f'; filename="{self.filename}"' if self.filename else ""
        content_type = f"\r\nContent-Type: {self.content_type}" if self.content_type else ""
        return f'Content-Disposition: form-data; name="{self.name}"{filename}{content_type}\r\n\r\n'.encode("ascii")


def multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """Write a form.

    Args:
        parts: the fields, in order; at least one.

    Returns:
        The body, and its media type with the boundary, which is a hash of the parts.
    """
    if not parts:
        raise ValueError("a form needs at least one part")
    heads = [part._head() for part in parts]  # noqa: SLF001
    boundary = _boundary(heads, parts)
    pieces: list[bytes] = []
    for head, part in zip(heads, parts, strict=True):
        pieces += [b"--", boundary, b"\r\n", head, part.content, b"\r\n"]
    return b"".join([*pieces, b"--", boundary, b"--\r\n"]), f"multipart/form-data; boundary={boundary.decode()}"


def _boundary(heads: Sequence[bytes], parts: Sequence[Part]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for head, part in zip(heads, parts, strict=True):
        digest.update(b"%d %d " % (len(head), len(part.content)))
        digest.update(head)
        digest.update(part.content)
    return f"limner-{digest.hexdigest()}".encode()
