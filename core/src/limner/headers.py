"""What the head of a picture file tells, without a pixel decoded."""

from __future__ import annotations

import struct
import sys
import zlib
from typing import Any

from limner.errors import Problem, TaskRefused, shorten
from limner.pixels import FORMATS, open_picture

_ORIENTATION = 0x0112

_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_PLAIN_MODES = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}  # by colour type, at 8 bits
_PLAIN_CHUNKS = {b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"sBIT", b"tIME", b"tEXt", b"iTXt", b"caBX"}
_PLAIN_PIXELS = 1 << 26
"""What is larger is left to Pillow, whose own limit begins above."""

TURNED_BY_PILLOW = {"image/tiff"}
"""Media types whose pictures Pillow turns upright as it decodes them, and whose upright size it tells."""


def refused(value: object, why: str, parameter: str = "image") -> TaskRefused:
    """Make the error that refuses a picture or what belongs to one."""
    return TaskRefused([Problem(parameter, value if isinstance(value, str) else shorten(value), why)])


def read_header(data: bytes) -> dict[str, Any]:
    """Read media type, upright size, EXIF orientation, pixel format and whether there is transparency.

    Raises:
        TaskRefused: the bytes are empty, no picture, or would decode to more pixels than ``PIL.Image.MAX_IMAGE_PIXELS``.
    """
    if not data:
        raise refused("0 bytes", "the picture is empty")
    return _plain_png(data) or _by_pillow(data)


def _plain_png(data: bytes) -> dict[str, Any] | None:
    """Read a PNG such as models make them, without the time that loading Pillow takes; ``None`` where that is not enough.

    Source: PNG specification (W3C, third edition), 5.3 and 11.2.
    """
    if not data.startswith(_PNG) or len(data) < 33:
        return None
    width, height, depth, colour, methods = struct.unpack_from(">IIBB3s", data, 16)
    pillow_takes = getattr(sys.modules.get("PIL.Image"), "MAX_IMAGE_PIXELS", None) or _PLAIN_PIXELS
    if not 0 < width * height <= min(pillow_takes, _PLAIN_PIXELS) or (depth, methods[:2]) != (8, b"\0\0"):
        return None
    if colour not in _PLAIN_MODES or not _is_plain_before_pixels(data):
        return None
    return {
        "media_type": "image/png",
        "size": (width, height),
        "orientation": 1,
        "mode": _PLAIN_MODES[colour],
        "has_alpha": colour in {4, 6},
    }


def _is_plain_before_pixels(data: bytes) -> bool:
    """Tell whether nothing before a PNG's pixels is damaged, or says anything about orientation or transparency."""
    at, expected = 8, {b"IHDR"}
    while at + 12 <= len(data):
        length, tag = struct.unpack_from(">I4s", data, at)
        if tag == b"IDAT":
            return True
        end = at + 8 + length
        if tag not in expected or data[end : end + 4] != zlib.crc32(data[at + 4 : end]).to_bytes(4, "big"):
            return False
        at, expected = end + 4, _PLAIN_CHUNKS
    return False


def _by_pillow(data: bytes) -> dict[str, Any]:
    import PIL.Image

    bombs = (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning)
    try:
        with open_picture(data) as opened:
            size, mode, info, has_alpha = opened.size, opened.mode, opened.info, opened.has_transparency_data
            media_type = PIL.Image.MIME.get(opened.format or "", "application/octet-stream")
            # A PNG is decoded in search of an EXIF block behind the pixels: only one before them counts.
            orientation = opened.getexif().get(_ORIENTATION, 1) if media_type != "image/png" or "exif" in info else 1
    except bombs as error:
        raise refused(f"{len(data)} bytes", f"too many pixels to be decoded safely: {error}") from error
    except Exception as error:
        known = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        raise refused(f"{len(data)} bytes", f"not a picture of a known format: {known}") from error
    if PIL.Image.MAX_IMAGE_PIXELS is not None and size[0] * size[1] > PIL.Image.MAX_IMAGE_PIXELS:
        limit = f"at most {PIL.Image.MAX_IMAGE_PIXELS:,} pixels are decoded"
        raise refused(f"{size[0]}x{size[1]}", limit)
    if media_type == "image/png" and data[24] == 16 and mode in {"RGB", "RGBA"}:
        mode += ";16"
    if orientation not in range(1, 9):
        orientation = 1
    upright_size = size if orientation < 5 or media_type in TURNED_BY_PILLOW else (size[1], size[0])
    return {
        "media_type": media_type,
        "size": upright_size,
        "orientation": orientation,
        "mode": mode,
        "has_alpha": has_alpha,
    }
