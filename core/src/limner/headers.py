"""What the head of a picture file tells, without a pixel decoded."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from limner.errors import Problem, TaskRefused, shorten

_ORIENTATION = 0x0112

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
    import PIL.Image

    bombs = (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning)
    try:
        with PIL.Image.open(BytesIO(data)) as opened:
            size, mode, info, has_alpha = opened.size, opened.mode, opened.info, opened.has_transparency_data
            media_type = PIL.Image.MIME.get(opened.format or "", "application/octet-stream")
            # A PNG is decoded in search of an EXIF block behind the pixels: only one before them counts.
            orientation = opened.getexif().get(_ORIENTATION, 1) if media_type != "image/png" or "exif" in info else 1
    except bombs as error:
        raise refused(f"{len(data)} bytes", f"too many pixels to be decoded safely: {error}") from error
    except Exception as error:
        raise refused(f"{len(data)} bytes", "not a picture of a known format") from error
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
