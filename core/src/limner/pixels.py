"""Pillow images: opened, upright, of 8 bits, on white, as PNG. Pillow is imported when a pixel is touched, not before."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import PIL.Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""The raster formats that are opened, by Pillow's names; AVIF and HEIF where Pillow has them.

Pillow opens many more. Some start another program (EPS: Ghostscript), and no provider takes any of them.
"""

EIGHT_BIT_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}

_PNG_COMPRESSION = 2  # level 6 takes four times as long for a tenth fewer bytes


def open_picture(data: bytes) -> PIL.Image.Image:
    """Open a picture file of one of :data:`FORMATS`, its pixels not yet decoded. Nothing else in limner opens pictures.

    Raises:
        PIL.UnidentifiedImageError: it is of another format; Pillow raises many other errors for damaged files.
    """
    import PIL.Image

    PIL.Image.preinit()  # the common formats, quickly
    try:
        return PIL.Image.open(BytesIO(data), formats=[name for name in FORMATS if name in PIL.Image.OPEN])
    except PIL.UnidentifiedImageError:
        PIL.Image.init()  # all others
        return PIL.Image.open(BytesIO(data), formats=[name for name in FORMATS if name in PIL.Image.OPEN])


def most_pixels() -> int | None:
    """The most pixels that a picture may have: Pillow's own limit, which a program may set; ``None`` is no limit."""
    import PIL.Image

    return PIL.Image.MAX_IMAGE_PIXELS


def scaled(picture: PIL.Image.Image, size: tuple[int, int]) -> PIL.Image.Image:
    """Scale to another size; what Pillow holds on the way has no more than :func:`most_pixels` either."""
    width, height = size
    most = most_pixels()
    if most is not None and width * picture.height > most:  # Pillow scales the rows first, all of them
        picture = picture.resize((picture.width, height))
    return picture.resize(size)


def png_bytes(picture: PIL.Image.Image) -> bytes:
    """Encode a Pillow image of any mode as PNG; modes that PNG does not know become RGB, RGBA or grey."""
    encoded = picture if picture.mode in EIGHT_BIT_MODES | {"I;16"} else eight_bit(picture)
    buffer = BytesIO()
    encoded.save(buffer, "PNG", compress_level=_PNG_COMPRESSION, icc_profile=_profile(encoded))
    return buffer.getvalue()


def _profile(picture: PIL.Image.Image) -> bytes | None:
    """The colour profile, where it is for the colours that the picture has by now (ICC.1, 7.2.6: bytes 16 to 19)."""
    profile: bytes = picture.info.get("icc_profile") or b""
    grey = picture.mode in {"1", "L", "LA", "I;16"}
    return profile if profile[16:20] == (b"GRAY" if grey else b"RGB ") else None


def turned(picture: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """Turn by an EXIF orientation, 1 to 8; always a new image."""
    import PIL.Image

    turn = PIL.Image.Transpose
    turns: dict[int, Any] = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    return picture.transpose(turns[orientation]) if orientation in turns else picture.copy()


def upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Turn by the EXIF orientation that a Pillow image carries."""
    from PIL import ImageOps

    return ImageOps.exif_transpose(picture)


def eight_bit(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Convert to RGB, RGBA or L, whatever the mode."""
    if picture.has_transparency_data and picture.mode in {"1", "L", "P", "RGB"}:  # a colour that counts as transparent
        return picture.convert("RGBA")
    match picture.mode:
        case "L" | "RGB" | "RGBA":
            return picture
        case "1" | "F":
            return picture.convert("L")
        case mode if mode.startswith("I"):
            return picture.convert("I").point(lambda value: value / 256).convert("L")
        case "LA" | "La" | "PA" | "RGBa":
            return picture.convert("LA").convert("RGBA") if picture.mode == "La" else picture.convert("RGBA")
    return picture.convert("RGB")


def on_white(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Lay a picture with transparency on white; others as they are."""
    import PIL.Image

    if "A" not in picture.getbands():
        return picture
    white = PIL.Image.new("RGBA", picture.size, "white")
    return PIL.Image.alpha_composite(white, picture).convert("RGB")
