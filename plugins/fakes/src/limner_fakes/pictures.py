"""Reading, writing and blending pictures."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image, ImageChops

Size = tuple[int, int]

BACKGROUND = 32
"""The maximum difference between a background pixel's levels and the colour of the corner."""

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
"""Pillow's format names by media type."""


class BadPicture(ValueError):
    """The data is not a valid picture."""


def opened(data: bytes) -> Image.Image:
    """Read a PNG, JPEG or WebP.

    Raises:
        BadPicture: the data is not a picture, or is damaged.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=tuple(FORMATS.values()))
        picture.load()
    except Exception:  # Pillow raises many kinds for damaged files
        raise BadPicture("not a PNG, JPEG or WebP picture") from None
    return picture


def decoded(text: str) -> Image.Image:
    """Read a picture from base64, with or without the prefix ``data:...;base64,``.

    Raises:
        BadPicture: the text is not a picture.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return opened(base64.b64decode(text, validate=True))
    except binascii.Error:
        raise BadPicture("not base64") from None


def written(picture: Image.Image, kind: str = "PNG") -> bytes:
    """Write a picture as PNG, JPEG or WEBP."""
    file = io.BytesIO()
    (picture.convert("RGB") if kind == "JPEG" else picture).save(file, kind, compress_level=1)
    return file.getvalue()


def encoded(data: bytes) -> str:
    """Encode bytes as base64."""
    return base64.b64encode(data).decode()


def cut_out(picture: Image.Image) -> Image.Image:
    """Make all pixels transparent whose colour is close to the top left corner."""
    opaque = picture.convert("RGB")
    corner = Image.new("RGB", opaque.size, opaque.getpixel((0, 0)))
    far = ImageChops.difference(opaque, corner).point(lambda level: 255 if level > BACKGROUND else 0)
    red, green, blue = far.split()
    opaque.putalpha(ImageChops.lighter(ImageChops.lighter(red, green), blue))
    return opaque
