"""A larger canvas, and pixels that a mask preserves."""

from __future__ import annotations

from limner.errors import Problem, TaskRefused
from limner.images.geometry import Box, Size
from limner.images.image import Image
from limner.images.mask import Mask
from limner.images.pixels import eight_bit, most_pixels, png_bytes, scaled


def expand_canvas(image: Image, expand: Box) -> tuple[Image, Mask]:
    """Put a picture on a larger canvas, its border colours drawn outwards.

    Args:
        image: the picture.
        expand: pixels to add on the left, top, right and bottom.

    Returns:
        The canvas as PNG, and the mask that opens what was added.

    Raises:
        TaskRefused: the canvas would have more pixels than ``PIL.Image.MAX_IMAGE_PIXELS``.
    """
    import PIL.Image

    left, top, right, bottom = expand
    width, height = image.size
    pixels, most = (left + width + right) * (top + height + bottom), most_pixels()
    if most is not None and pixels > most:
        raise TaskRefused([Problem.of("expand", expand, f"makes a canvas of {pixels:,} pixels, must be at most {most:,}")])
    picture = eight_bit(image.pil())
    canvas = PIL.Image.new(picture.mode, (left + width + right, top + height + bottom))
    inner = (left, top, left + width, top + height)
    canvas.paste(picture, inner)
    if left:
        canvas.paste(picture.crop((0, 0, 1, height)).resize((left, height)), (0, top))
    if right:
        canvas.paste(picture.crop((width - 1, 0, width, height)).resize((right, height)), (left + width, top))
    if top:
        canvas.paste(canvas.crop((0, top, canvas.width, top + 1)).resize((canvas.width, top)), (0, 0))
    if bottom:
        last = top + height
        canvas.paste(canvas.crop((0, last - 1, canvas.width, last)).resize((canvas.width, bottom)), (0, last))
    mask = PIL.Image.new("L", canvas.size, 255)
    mask.paste(0, inner)
    return Image(png_bytes(canvas)), Mask(mask.size, mask.tobytes())


def cut(image: Image, box: Box, size: Size) -> Image:
    """Cut a box out of a picture and scale it, as PNG; beyond the picture its border colours are drawn outwards.

    Args:
        image: the picture.
        box: left, top, right and bottom in pixels; it may reach beyond the picture.
        size: width and height in pixels of the result.
    """
    left, top, right, bottom = box
    width, height = image.size
    beyond = (max(0, -left), max(0, -top), max(0, right - width), max(0, bottom - height))
    if any(beyond):
        image, _ = expand_canvas(image, beyond)
    x, y = left + beyond[0], top + beyond[1]
    part = eight_bit(image.pil()).crop((x, y, x + right - left, y + bottom - top))
    return Image(png_bytes(part if part.size == size else scaled(part, size)))


def keep_outside(original: Image, mask: Mask, painted: Image, box: Box | None = None) -> Image:
    """Lay the original back over a painted picture, exactly, wherever the mask is black.

    Grey is left as it was painted: whoever painted mixed it by the same mask already.

    Args:
        original: the picture.
        mask: of the original's size.
        painted: the painted picture; it is scaled to the box.
        box: the part of the original that was painted; by default all of it.

    Returns:
        A PNG of the original's size.
    """
    below = eight_bit(original.pil())
    above = eight_bit(painted.pil())
    mode = "RGBA" if "A" in below.getbands() + above.getbands() else "RGB"
    left, top, right, bottom = box or (0, 0, *below.size)
    if above.size != (right - left, bottom - top):
        above = scaled(above, (right - left, bottom - top))
    below = below.convert(mode)
    opened = mask.pil().point([0] + [255] * 255).crop((left, top, right, bottom))
    below.paste(above.convert(mode), (left, top), opened)
    return Image(png_bytes(below))
