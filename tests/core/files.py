"""Encoded pictures to read."""

from __future__ import annotations

import random
from io import BytesIO

import PIL.Image


def encoded(picture: PIL.Image.Image, kind: str = "PNG", **more: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **more)
    return buffer.getvalue()


def corners(size=(6, 4), mode="RGB") -> PIL.Image.Image:
    """A picture whose corners differ, so that every turn shows."""
    picture = PIL.Image.new("RGB", size, "white")
    for at, colour in (
        ((0, 0), "red"),
        ((size[0] - 1, 0), "lime"),
        ((0, size[1] - 1), "blue"),
        ((size[0] - 1, size[1] - 1), "black"),
    ):
        picture.putpixel(at, PIL.ImageColor.getrgb(colour))
    return picture.convert(mode)


def scene(size=(40, 30)) -> PIL.Image.Image:
    """Enough content that a cut file lacks some, and always the same: Pillow's own noise is drawn anew."""
    levels = random.Random(7).randbytes(size[0] * size[1])
    return PIL.Image.frombytes("L", size, levels).convert("RGB")


def exif(orientation: int) -> PIL.Image.Exif:
    tags = PIL.Image.Exif()
    tags[0x0112] = orientation
    return tags
