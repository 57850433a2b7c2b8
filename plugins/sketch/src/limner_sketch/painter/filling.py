"""Filling holes from their surroundings, and the masks this takes."""

import math

from PIL import Image, ImageChops, ImageFilter, ImageOps


def flatten(picture: Image.Image) -> Image.Image:
    """Return the picture as "RGB"; what is transparent lies on white."""
    if picture.mode == "RGB":
        return picture.copy()
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture.convert("RGB")


def diffuse(picture: Image.Image, hole: Image.Image) -> Image.Image:
    """Fill `hole` (white) of an "RGB" picture smoothly from what surrounds it; nothing known at all becomes grey.

    The known colours are averaged into ever smaller pictures until no hole is left, and come back up from there:
    the "push-pull" of Gortler et al., The Lumigraph (1996).
    """
    known = picture.copy()
    known.putalpha(ImageOps.invert(hole.convert("L")))
    return _pull(known)


def _pull(known: Image.Image) -> Image.Image:
    alpha = known.getchannel("A")
    least, most = alpha.getextrema()
    if most == 0:
        return Image.new("RGB", known.size, (128, 128, 128))
    if least == 255 or known.size == (1, 1):
        return known.convert("RGB")
    half = (math.ceil(known.width / 2), math.ceil(known.height / 2))
    smaller = known.convert("RGBa").resize(half, Image.Resampling.BOX).convert("RGBA")
    smaller.putalpha(smaller.getchannel("A").point(lambda value: min(255, value * 4)))
    filled = _pull(smaller).resize(known.size, Image.Resampling.BICUBIC)
    filled.paste(known.convert("RGB"), (0, 0), alpha)
    return filled


def feather(mask: Image.Image, radius: float) -> Image.Image:
    """Return a mask that rises inwards from 0 at the edge of `mask` to 255 about `radius` pixels inside.

    The picture's own border is no edge: a mask that touches it stays full there.
    """
    scale = max(1.0, radius / _STEPS)
    small = mask.resize([max(1, math.ceil(side / scale)) for side in mask.size], Image.Resampling.BOX)
    eroded = small.point(lambda value: 255 if value == 255 else 0)
    rising = Image.new("L", small.size)
    for step in range(_STEPS):
        eroded = eroded.filter(ImageFilter.MinFilter(3))
        rising = ImageChops.add(rising, eroded.point(lambda value, step=step: value * _share(step) // 255))
    return rising.filter(ImageFilter.BoxBlur(1)).resize(mask.size, Image.Resampling.BICUBIC)


_STEPS = 15


def _share(step: int) -> int:
    """Return what one step of erosion adds: shares of 255 that are small at both ends."""
    edges = [round(255 * t * t * (3 - 2 * t)) for t in (step / _STEPS, (step + 1) / _STEPS)]
    return edges[1] - edges[0]
