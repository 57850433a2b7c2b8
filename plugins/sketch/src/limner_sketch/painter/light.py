"""The light of a picture: an edit that names no hour is painted in that of the picture."""

from PIL import Image, ImageStat

from limner_sketch.painter.lexicon import read

_SHARE = 0.4
"""The upper part of a picture that shows its light, as a share of its height."""

_DARK, _WARM = 75, 20
"""Lightness below which it is night, and red minus blue above which the sun is setting; levels of 255."""


def in_light_of(picture: Image.Image, known: Image.Image, prompt: str) -> str:
    """Return a prompt that names the hour of a picture, where it names none itself.

    Args:
        picture: An "RGB" picture.
        known: White where the picture is known.
        prompt: The prompt.
    """
    if any(word.kind == "hour" for word in read(prompt).known) or read(prompt).has("moon", "star", "aurora", "planet"):
        return prompt
    left, top, right, bottom = known.getbbox() or (0, 0, *picture.size)
    upper = (left, top, right, top + max(1, round((bottom - top) * _SHARE)))
    seen = known.crop(upper)
    if seen.getbbox() is None:
        return prompt
    red, green, blue = ImageStat.Stat(picture.crop(upper), seen).mean
    if 0.299 * red + 0.587 * green + 0.114 * blue < _DARK:
        return f"{prompt} night"
    return f"{prompt} sunset" if red - blue > _WARM else prompt
