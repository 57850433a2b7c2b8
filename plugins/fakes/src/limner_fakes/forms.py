"""A parser for forms (``multipart/form-data``, RFC 7578) that shares no library with the clients."""

from __future__ import annotations

import re

import attrs


@attrs.frozen
class Uploaded:
    """A file of a form.

    Attributes:
        name: the name of the field.
        filename: the file name that the client sent.
        content_type: the content type that the client sent; empty if there is none.
        data: the bytes of the file.
    """

    name: str
    filename: str
    content_type: str
    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")


@attrs.frozen
class Form:
    """A form: text fields by name, and files."""

    fields: dict[str, str]
    files: tuple[Uploaded, ...]


def read_form(content_type: str, body: bytes) -> Form:
    """Read a form.

    Raises:
        ValueError: the form is malformed, or a name occurs twice.
    """
    found = re.search(r'boundary=(?:"([^"]+)"|([^;\s]+))', content_type)
    if found is None:
        raise ValueError("the form has no boundary")
    before, *parts = body.split(b"--" + (found[1] or found[2]).encode())
    if before or not parts or parts.pop() not in {b"--\r\n", b"--"}:
        raise ValueError("the form is damaged")
    fields: dict[str, str] = {}
    files = []
    for part in parts:
        head, separator, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator or not content.endswith(b"\r\n"):
            raise ValueError("a part of the form is damaged")
        name, filename, kind = _head(head.decode("utf-8", "replace"))
        if filename is not None:
            files.append(Uploaded(name, filename, kind, content[:-2]))
        elif name in fields:
            raise ValueError(f"{name} comes twice in the form")
        else:
            fields[name] = content[:-2].decode("utf-8", "replace")
    return Form(fields, tuple(files))


def _head(head: str) -> tuple[str, str | None, str]:
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n"))}
    disposition = headers.get("content-disposition", "")
    name = re.search(r'[; ]name="?([^";]*)', disposition)
    if name is None:
        raise ValueError("a part of the form has no name")
    filename = re.search(r'[; ]filename="?([^";]*)', disposition)
    return name[1], filename[1] if filename else None, headers.get("content-type", "")
