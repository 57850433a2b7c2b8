"""The framing of ``application/vnd.amazon.eventstream``: prelude, headers, payload, checksums.

Source: AWS, "Amazon event stream encoding" (Smithy specification): total length, header length, CRC-32 of the two,
headers (name length, name, type 7 = text, value length, value), payload, CRC-32 of all before it; big-endian.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONTENT_TYPE = "application/vnd.amazon.eventstream"
PART = 1_000_000
"""The maximum bytes of the response in one ``chunk`` event (Amazon Bedrock API Reference, PayloadPart)."""


def chunks(data: bytes) -> Iterator[bytes]:
    """Split a response into ``chunk`` events."""
    for at in range(0, len(data), PART):
        part = base64.b64encode(data[at : at + PART]).decode()
        yield _message({":message-type": "event", ":event-type": "chunk"}, {"bytes": part})


def exception(name: str, body: Mapping[str, Any]) -> bytes:
    """Return an exception event; ``name`` is the name of the member, such as ``throttlingException``."""
    return _message({":message-type": "exception", ":exception-type": name}, body)


def _message(headers: Mapping[str, str], body: Mapping[str, Any]) -> bytes:
    payload = json.dumps(body).encode()
    head = b"".join(_header(name, value) for name, value in {**headers, ":content-type": "application/json"}.items())
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return message + struct.pack(">I", crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
