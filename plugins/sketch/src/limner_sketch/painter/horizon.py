"""Finding the horizon of a picture, so that what is painted beside it lies level with it."""

from PIL import Image, ImageFilter

from limner_sketch.painter import noise

_LEAST_HEIGHT = 16
"""In pixels; a lower picture counts as having its horizon in the middle."""


def find_horizon(picture: Image.Image, hole: Image.Image | None = None) -> int:
    """Return the y of the row between 30 and 80 % of the height where the colours change most; the middle is preferred.

    Args:
        picture: An "RGB" picture.
        hole: White where the picture is not known. None: everything is known.
    """
    height = picture.height
    if height < _LEAST_HEIGHT:
        return height // 2
    known = Image.new("L", picture.size, 255) if hole is None else hole.point(lambda value: 255 - value)
    cut = picture.copy()
    cut.putalpha(known)
    rows = cut.convert("RGBa").resize((1, picture.height), Image.Resampling.BOX).convert("RGBA").convert("RGB")
    rows = rows.filter(ImageFilter.BoxBlur(1))
    channels = [list(noise.numbers(channel.convert("F"))) for channel in rows.split()]
    reach = max(2, height // 20)

    def divides(y: int) -> float:
        step = sum(abs(sum(rows[y - reach : y]) - sum(rows[y : y + reach])) for rows in channels)
        return step * (1 - 2 * abs(y / height - 0.55))

    return max(range(height * 30 // 100, height * 80 // 100), key=divides)
