"""Pictures of a body: read strictly according to the documents, written as PNG."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw

from limner_bedrock_emulator.refusals import RequestRefused, malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Size = tuple[int, int]

MOST_PIXELS = 40_000_000
"""The emulator's own limit against decompression bombs, far above every documented limit."""
_TOO_LARGE = f"expected at most {MOST_PIXELS} pixels (a limit of limner-bedrock-emulator)"
OPAQUE = 255


def read(
    text: str,
    pointer: str,
    *,
    check: Callable[[Size], Iterable[str]] = lambda _: (),
    heaviest: int | None = None,
    formats: tuple[str, ...] = ("PNG", "JPEG"),
) -> Image.Image:
    """Read a picture from base64.

    Args:
        text: the base64 text: standard alphabet, padded, nothing else.
        pointer: its JSON pointer in the body, for the message.
        check: returns a problem with the size, before any pixel is decoded.
        heaviest: the maximum size of the file in bytes.
        formats: the allowed formats, by Pillow's names; no other decoder is used.

    Raises:
        RequestRefused: not base64, not a complete picture in one of these formats, or an unsupported size.
    """
    picture = _opened(text, pointer, heaviest, formats)
    if picture.width * picture.height > MOST_PIXELS:
        raise malformed(f"{pointer}: {_TOO_LARGE}")
    if problems := [f"{pointer}: {problem}" for problem in check(picture.size)]:
        raise malformed(*problems)
    try:
        picture.load()
    except Exception:  # Pillow raises many kinds for damaged files
        raise _no_picture(pointer, formats) from None
    return picture


def size_of(text: str) -> Size | None:
    """Return the size of a PNG or JPEG in base64 without decoding its pixels; ``None`` if it is neither."""
    try:
        return _opened(text, "", None, ("PNG", "JPEG")).size
    except RequestRefused:
        return None


def _opened(text: str, pointer: str, heaviest: int | None, formats: tuple[str, ...]) -> Image.Image:
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise malformed(f"{pointer}: expected base64") from None
    if heaviest is not None and len(data) > heaviest:
        raise malformed(f"{pointer}: expected maximum bytes: {heaviest}, actual: {len(data)}")
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise malformed(f"{pointer}: {_TOO_LARGE}") from None
    except Exception:
        raise _no_picture(pointer, formats) from None


def _no_picture(pointer: str, formats: tuple[str, ...]) -> RequestRefused:
    return malformed(f"{pointer}: expected a {' or '.join(formats)} picture")


def write(picture: Image.Image, kind: str = "PNG") -> str:
    """Write a picture in base64, as PNG or as another format by Pillow's name."""
    file = io.BytesIO()
    (picture.convert("RGB") if kind == "JPEG" else picture).save(file, kind, compress_level=1)
    return base64.b64encode(file.getvalue()).decode()


def same_size(mask: Image.Image, picture: Image.Image, pointer: str) -> None:
    """Refuse a mask whose size differs from its picture."""
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
    """Composite the painted picture over the picture: opening 255 replaces, 0 keeps, grey blends linearly."""
    return Image.composite(painted.convert("RGB"), picture.convert("RGB"), opening)


def find(prompt: str, size: tuple[int, int]) -> Image.Image:
    """Simulate selection by prompt: a centred black ellipse whose width and height depend on the prompt."""
    digest = hashlib.sha256(prompt.encode("utf-8", "replace")).digest()
    mask = Image.new("L", size, 255)
    margins = [round(side * (0.15 + 0.2 * byte / 255)) for side, byte in zip(size, digest, strict=False)]
    box = (margins[0], margins[1], size[0] - 1 - margins[0], size[1] - 1 - margins[1])
    ImageDraw.Draw(mask).ellipse(box, fill=0)
    return mask


def _pixels(picture: Image.Image) -> str:
    return f"{picture.width}x{picture.height}"
