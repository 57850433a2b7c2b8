"""Server-sent events (WHATWG HTML, "Server-sent events"), read from chunks of bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import attrs

_LINE_END = re.compile(rb"\r\n|\n|\r")


@attrs.frozen
class Event:
    """One event.

    Args:
        name: its type; ``message`` where the stream says none.
        data: its data, lines joined by line feeds.
    """

    name: str
    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")


def events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Read events; what stands behind the last blank line is cut off, and dropped."""
    name, data = "", list[bytes]()
    for line in lines(chunks):
        if not line:
            if data:
                yield Event(name or "message", b"\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split chunks into lines that end in CR LF, LF or CR; an unfinished last line is dropped."""
    pending = bytearray()  # a picture is one line of megabytes: nothing of it is looked at twice
    seen_cr, first = False, True
    for chunk in chunks:
        if first and chunk:
            chunk, first = chunk.removeprefix(b"\xef\xbb\xbf"), False  # noqa: PLW2901
        if seen_cr and chunk:
            chunk, seen_cr = chunk.removeprefix(b"\n"), False  # noqa: PLW2901
        start = 0
        for end in _LINE_END.finditer(chunk):
            pending += memoryview(chunk)[start : end.start()]
            yield bytes(pending)
            pending.clear()
            start = end.end()
        seen_cr = chunk.endswith(b"\r") or (seen_cr and not chunk)
        pending += memoryview(chunk)[start:]
