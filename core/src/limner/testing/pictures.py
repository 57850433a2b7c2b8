"""Small pictures and masks for tests, made once each."""

from __future__ import annotations

import functools
import struct
import zlib
from io import BytesIO

import PIL.Image

from limner import Image, Mask
from limner.images import Box, Size
from limner.images.pixels import png_bytes

TINY: tuple[Size, ...] = ((16, 16), (24, 16), (9, 17), (1, 1), (40, 30))
"""Sizes that cost nothing."""

COLOURS = ("tomato", "navy", "gold", "black", "white")

MODES: dict[str, tuple[str, ...]] = {
    "image/png": ("RGB", "RGBA", "L", "LA", "P", "1"),
    "image/jpeg": ("RGB", "L", "CMYK"),
    "image/webp": ("RGB", "RGBA"),
}
"""The pixel formats that each file format is made with, by Pillow's names."""

WITH_ALPHA = ("RGBA", "LA")


@functools.lru_cache(4096)
def picture(size: Size = (16, 16), mode: str = "RGB", media_type: str = "image/png", colour: str = "tomato") -> Image:
    """Make a picture of two colours, the left half transparent where the mode knows transparency.

    Args:
        size: width and height in pixels.
        mode: the pixel format, by Pillow's name; one that the file format knows.
        media_type: ``image/png``, ``image/jpeg`` or ``image/webp``.
        colour: of the right half, by CSS name.
    """
    width, height = size
    canvas = PIL.Image.new("RGBA", size, colour)
    canvas.paste((90, 120, 30, 0), (0, 0, width // 2, height))
    if mode not in WITH_ALPHA:
        canvas.putalpha(255)
    painted = canvas.convert("RGB").convert(mode) if mode in {"P", "CMYK", "1"} else canvas.convert(mode)
    if media_type == "image/png":
        return Image(png_bytes(painted))
    buffer = BytesIO()
    painted.save(buffer, media_type.removeprefix("image/").upper())
    return Image(buffer.getvalue())


@functools.lru_cache(4096)
def mask(size: Size, box: Box, level: int = 255) -> Mask:
    """Make a mask that is black but for a box.

    Args:
        size: width and height in pixels.
        box: left, top, right, bottom in pixels; right and bottom are not included.
        level: how far the box is opened, from 0 to 255 (white).
    """
    canvas = PIL.Image.new("L", size, 0)
    canvas.paste(level, box)
    return Mask(size, canvas.tobytes())


def padded(image: Image, size: int) -> Image:
    """Make a PNG heavier, its pixels unchanged: up to ``size`` bytes, with a chunk that readers pass over."""
    room = size - len(image.data) - 12
    if room <= 0:
        return image
    content = b"weHy" + bytes(room)
    chunk = struct.pack(">I", room) + content + struct.pack(">I", zlib.crc32(content))
    return Image(image.data[:-12] + chunk + image.data[-12:])
