"""What is done to the pixels of pictures on the way in and out: a larger canvas, and what a mask keeps."""

from __future__ import annotations

from limner.errors import Problem, TaskRefused
from limner.images import Box, Image, Mask
from limner.pixels import eight_bit, most_pixels, png_bytes, scaled


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


def keep_outside(original: Image, mask: Mask, painted: Image) -> Image:
    """Lay the original back over a painted picture, exactly, wherever the mask is black.

    Grey is left as it was painted: whoever painted mixed it by the same mask already.

    Returns:
        A PNG of the original's size.
    """
    below = eight_bit(original.pil())
    above = eight_bit(painted.pil())
    mode = "RGBA" if "A" in below.getbands() + above.getbands() else "RGB"
    if above.size != below.size:
        above = scaled(above, below.size)
    below = below.convert(mode)
    below.paste(above.convert(mode), None, mask.pil().point([0] + [255] * 255))
    return Image(png_bytes(below))
