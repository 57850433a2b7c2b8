"""PNG, JPEG and WebP as sequences of blocks: what is needed to write, read and remove metadata without re-encoding.

Sources: PNG specification (W3C, third edition), 5; JPEG (ITU-T T.81), annex B; WebP container (RFC 9649), 2.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

from limner.pixels import open_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KNOWN = ("image/png", "image/jpeg", "image/webp")

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB\x60\x82"  # the last chunk's type and checksum; it has no body
_PNG_KEYWORD = b"limner\0\0\0\0\0"  # iTXt: keyword, not compressed, no language, no translated keyword
_PNG_METADATA = {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"}

_JPEG_PREFIX = b"limner\0"
_JPEG_COMMENT, _JPEG_SCAN, _JPEG_END = b"\xfe", b"\xda", b"\xd9"
_JPEG_BEHIND_SCAN = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_JPEG_NO_SEGMENT = {b"\x00", b"\x01", b"\xff", *(bytes((restart,)) for restart in range(0xD0, 0xD8))}
_JPEG_METADATA = {b"\xe1", b"\xed", _JPEG_COMMENT}  # EXIF and XMP, IPTC, comments
_JPEG_SEGMENT = 65_533 - len(_JPEG_PREFIX)

_WEBP_KEY = b"lmnr"
_WEBP_METADATA = {b"EXIF": 0x08, b"XMP ": 0x04}  # chunk: its flag in VP8X
_WEBP_ALPHA = 0x10

Block = tuple[bytes, bytes]  # tag, body

_TRAILER = b""
"""The tag of what stands behind the picture's own end, such as the video of a motion photo."""


def embed(data: bytes, media_type: str, payload: bytes) -> bytes:
    """Return the picture with limner's payload in it, in place of an earlier one; other formats as they are."""
    match media_type:
        case "image/png":
            first, *rest = _without(_png_blocks(data), _is_ours_in_png)
            return _join_png([first, (b"iTXt", _PNG_KEYWORD + payload), *rest])
        case "image/jpeg":
            parts = [payload[at : at + _JPEG_SEGMENT] for at in range(0, len(payload), _JPEG_SEGMENT)]
            ours: list[Block] = [(_JPEG_COMMENT, _JPEG_PREFIX + part) for part in parts]
            return _join_jpeg(_after_application_data(_without(_jpeg_blocks(data), _is_ours_in_jpeg), ours))
        case "image/webp":
            blocks = _extended(_without(_webp_blocks(data), _is_ours_in_webp), data)
            at = len(blocks) - (blocks[-1][0] == _TRAILER)
            return _join_webp([*blocks[:at], (_WEBP_KEY, payload), *blocks[at:]])
    return data


def extract(data: bytes, media_type: str) -> bytes | None:
    """Return limner's payload, or ``None`` where the picture carries none."""
    match media_type:
        case "image/png":
            found = [body[len(_PNG_KEYWORD) :] for tag, body in _png_blocks(data) if _is_ours_in_png((tag, body))]
        case "image/jpeg":
            found = [body[len(_JPEG_PREFIX) :] for tag, body in _jpeg_blocks(data) if _is_ours_in_jpeg((tag, body))]
        case "image/webp":
            found = [body for tag, body in _webp_blocks(data) if tag == _WEBP_KEY]
        case _:
            found = []
    return b"".join(found) if found else None


def strip(data: bytes, media_type: str) -> bytes:
    """Return the picture without EXIF (GPS with it), XMP, IPTC, texts, dates, and whatever stands behind its end.

    The pixels' own bytes are not touched.
    """
    match media_type:
        case "image/png":
            return _join_png(_without(_png_blocks(data), _has_tag(_PNG_METADATA)))
        case "image/jpeg":
            return _join_jpeg(_without(_jpeg_blocks(data), _has_tag(_JPEG_METADATA)))
        case "image/webp":
            return _join_webp(_unflagged(_without(_webp_blocks(data), _has_tag([*_WEBP_METADATA, _WEBP_KEY]))))
    return data


def is_complete(data: bytes, media_type: str) -> bool:
    """Tell whether the file reaches its own end; formats other than these three are taken as complete."""
    match media_type:
        case "image/png":
            return data.rfind(_PNG_END) > 0
        case "image/jpeg":
            return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
        case "image/webp":
            return int.from_bytes(data[4:8], "little") + 8 <= len(data)
    return True


def _without(blocks: Iterator[Block], unwanted: Callable[[Block], bool]) -> list[Block]:
    return [block for block in blocks if not unwanted(block)]


def _has_tag(metadata: Iterable[bytes]) -> Callable[[Block], bool]:
    unwanted = {*metadata, _TRAILER}
    return lambda block: block[0] in unwanted


def _is_ours_in_png(block: Block) -> bool:
    return block[0] == b"iTXt" and block[1].startswith(_PNG_KEYWORD)


def _is_ours_in_jpeg(block: Block) -> bool:
    return block[0] == _JPEG_COMMENT and block[1].startswith(_JPEG_PREFIX)


def _is_ours_in_webp(block: Block) -> bool:
    return block[0] == _WEBP_KEY


# PNG: signature, then length, type, body, CRC of type and body.


def _png_blocks(data: bytes) -> Iterator[Block]:
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, tag = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            return
        yield tag, data[at + 8 : at + 8 + length]
        at += 12 + length
        if tag == b"IEND":
            break
    else:
        return
    if at < len(data):
        yield _TRAILER, data[at:]


def _join_png(blocks: list[Block]) -> bytes:
    parts = [_PNG_SIGNATURE]
    for tag, body in blocks:
        if tag == _TRAILER:
            parts.append(body)
        else:
            parts += [struct.pack(">I", len(body)), tag, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(tag)))]
    return b"".join(parts)


# JPEG: 0xFF and a marker, then a length that counts itself and the body. Behind a scan's head comes what is coded, without a
# length; no marker but those that belong to it can stand in there.


def _jpeg_blocks(data: bytes) -> Iterator[Block]:
    at = 2
    while at + 2 <= len(data):
        marker = data[at + 1 : at + 2]
        if data[at] != 0xFF or marker in _JPEG_NO_SEGMENT:  # as decoders do: on to the next marker
            at += 1
            continue
        if marker == _JPEG_END:
            yield marker, b""
            at += 2
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _JPEG_SCAN:
            behind = _JPEG_BEHIND_SCAN.search(data, end)
            end = behind.start() if behind else len(data)
        yield marker, data[at + (2 if marker == _JPEG_SCAN else 4) : end]
        at = end
    if at < len(data):
        yield _TRAILER, data[at:]


def _join_jpeg(blocks: list[Block]) -> bytes:
    parts = [b"\xff\xd8"]
    for marker, body in blocks:
        if marker == _TRAILER:
            parts.append(body)
        else:
            length = b"" if marker in {_JPEG_SCAN, _JPEG_END} else struct.pack(">H", len(body) + 2)
            parts += [b"\xff" + marker, length, body]
    return b"".join(parts)


def _after_application_data(blocks: list[Block], ours: list[Block]) -> list[Block]:
    """Put comments behind the APPn segments: JFIF and EXIF want to be first."""
    at = next((i for i, (marker, _) in enumerate(blocks) if not b"\xe0" <= marker <= b"\xef"), 0)
    return blocks[:at] + ours + blocks[at:]


# WebP: RIFF, length, WEBP, then chunks of type, length, body, padded to even. Only the extended form may hold unknown ones.


def _webp_blocks(data: bytes) -> Iterator[Block]:
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        tag, length = struct.unpack_from("<4sI", data, at)
        yield tag, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    if end < len(data):
        yield _TRAILER, data[end:]


def _join_webp(blocks: list[Block]) -> bytes:
    parts, trailer = [b"WEBP"], b""
    for tag, body in blocks:
        if tag == _TRAILER:
            trailer = body
        else:
            parts += [tag, struct.pack("<I", len(body)), body, b"\0" * (len(body) % 2)]
    content = b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(content)) + content + trailer


def _extended(blocks: list[Block], data: bytes) -> list[Block]:
    if blocks[0][0] == b"VP8X":
        return blocks
    with open_picture(data) as picture:
        width, height, alpha = picture.width, picture.height, picture.mode == "RGBA"
    flags = _WEBP_ALPHA if alpha else 0
    header = struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return [(b"VP8X", header), *blocks]


def _unflagged(blocks: list[Block]) -> list[Block]:
    tag, body = blocks[0]
    if tag != b"VP8X":
        return blocks
    return [(tag, bytes((body[0] & ~sum(_WEBP_METADATA.values()),)) + body[1:]), *blocks[1:]]
