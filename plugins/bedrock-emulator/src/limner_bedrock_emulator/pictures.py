"""Pictures of a body: read strictly, as the documents ask; written as PNG."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image, ImageChops

from limner_bedrock_emulator.refusals import malformed

OPAQUE = 255


def read(text: str, pointer: str, *, longest: int | None = None, heaviest: int | None = None) -> Image.Image:
    """Read a picture from base64.

    Args:
        text: the base64 text: standard alphabet, padded, nothing else.
        pointer: where it stands in the body, for the message.
        longest: the longer side may have this many pixels.
        heaviest: the file may have this many bytes.

    Raises:
        RequestRefused: not base64, not a whole PNG or JPEG, or larger than allowed.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise malformed(f"{pointer}: expected base64") from None
    if heaviest is not None and len(data) > heaviest:
        raise malformed(f"{pointer}: expected maximum bytes: {heaviest}, actual: {len(data)}")
    try:
        picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        if longest is None or max(picture.size) <= longest:
            picture.load()
            return picture
    except Exception:  # Pillow raises many kinds for damaged files
        raise malformed(f"{pointer}: expected a PNG or JPEG picture") from None
    raise malformed(f"{pointer}: expected longer side: {longest}, actual: {max(picture.size)}")


def write(picture: Image.Image) -> str:
    """Write a picture as PNG in base64."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode()


def same_size(mask: Image.Image, picture: Image.Image, pointer: str) -> None:
    """Refuse a mask that has another size than its picture."""
    if mask.size != picture.size:
        raise malformed(f"{pointer}: expected size: {_pixels(picture)}, actual: {_pixels(mask)}")


def black_and_white(mask: Image.Image, pointer: str) -> Image.Image:
    """Return a mask as grey levels 0 and 255; refuse any other colour and any transparency."""
    red, green, blue, alpha = mask.convert("RGBA").split()
    pure = sum(red.histogram()[1:OPAQUE]) == 0 and alpha.getextrema() == (OPAQUE, OPAQUE)
    grey = not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(red, blue).getbbox()
    if not (pure and grey):
        raise malformed(f"{pointer}: expected only pure black and pure white pixels")
    return red


def mix(picture: Image.Image, painted: Image.Image, opening: Image.Image) -> Image.Image:
    """Lay the painted picture over the picture: opening 255 takes it, 0 keeps the picture, grey mixes linearly."""
    return Image.composite(painted.convert("RGB"), picture.convert("RGB"), opening)


def _pixels(picture: Image.Image) -> str:
    return f"{picture.width}x{picture.height}"
