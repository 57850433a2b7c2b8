"""Small operations on whole pictures that several edits share."""

from PIL import Image, ImageChops, ImageStat

Size = tuple[int, int]
Box = tuple[int, int, int, int]


def flatten(picture: Image.Image) -> Image.Image:
    """Return the picture as "RGB". Transparent parts become white."""
    if picture.mode == "RGB":
        return picture.copy()
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture.convert("RGB")


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the mean absolute difference of two "RGB" pictures, 0..255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def distance(first: Image.Image, second: Image.Image) -> Image.Image:
    """Return the largest channel difference of two "RGB" pictures at every pixel, as "L"."""
    red, green, blue = ImageChops.difference(first, second).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def shifted(picture: Image.Image, across: int, down: int = 0) -> Image.Image:
    """Return the picture moved by an offset in pixels; the uncovered area is black."""
    moved = Image.new(picture.mode, picture.size)
    moved.paste(picture, (across, down))
    return moved


def edges(picture: Image.Image) -> Image.Image:
    """Return how far every pixel differs from its right and its lower neighbour, as "L"."""
    right = distance(picture, ImageChops.offset(picture, -1, 0))
    lower = distance(picture, ImageChops.offset(picture, 0, -1))
    right.paste(0, (picture.width - 1, 0, *picture.size))
    lower.paste(0, (0, picture.height - 1, *picture.size))
    return ImageChops.lighter(right, lower)


def binary(mask: Image.Image) -> Image.Image:
    """Return the mask with everything that is not black turned white."""
    return mask.point(lambda value: 255 if value else 0)


def thumbnail(picture: Image.Image, longest: int) -> Image.Image:
    """Return the picture reduced so that neither side exceeds `longest` pixels."""
    scale = max(1.0, max(picture.size) / longest)
    return picture.resize([max(2, round(side / scale)) for side in picture.size], Image.Resampling.BOX)
