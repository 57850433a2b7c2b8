"""Filling holes from their surroundings, and fitting new content into them without a visible seam."""

import math

from PIL import Image, ImageChops, ImageFilter, ImageOps

_STRIP = 3
"""How many pixels beside a hole say which colours its content has to meet."""

_DETAIL_DEPTH = 8.0
"""How many pixels inside a hole its content shows all its detail; at the edge it has only the surrounding colours."""

_LEVEL_HALVINGS = 2
"""A level filling halves the height only once for so many halvings of the width."""

_STEPS = 15
"""The number of erosions that make a feathered edge."""


def diffuse(picture: Image.Image, hole: Image.Image, *, level: bool = False) -> Image.Image:
    """Fill `hole` (white) of an "RGB" picture smoothly from what surrounds it; a picture that is all hole becomes grey.

    The known colours are averaged into ever smaller pictures until no hole is left, and come back up from there:
    the "push-pull" of Gortler et al., The Lumigraph (1996).

    Args:
        picture: An "RGB" picture.
        hole: White where nothing is known.
        level: Look further to the sides than up and down, so that horizons and shores carry on.
    """
    known = picture.copy()
    known.putalpha(ImageOps.invert(hole.convert("L")))
    return _pull(known, level, 1)


def _pull(known: Image.Image, level: bool, halvings: int = 0) -> Image.Image:
    alpha = known.getchannel("A")
    least, most = alpha.getextrema()
    if most == 0:
        return Image.new("RGB", known.size, (128, 128, 128))
    if least == 255 or known.size == (1, 1):
        return known.convert("RGB")
    factors = (2, 1) if level and halvings % _LEVEL_HALVINGS and known.width > 1 else (2, 2)
    half = (math.ceil(known.width / factors[0]), math.ceil(known.height / factors[1]))
    smaller = known.convert("RGBa").resize(half, Image.Resampling.BOX).convert("RGBA")
    growth = factors[0] * factors[1]
    smaller.putalpha(smaller.getchannel("A").point(lambda value: min(255, value * growth)))
    filled = _pull(smaller, level, halvings + 1).resize(known.size, Image.Resampling.BICUBIC)
    filled.paste(known.convert("RGB"), (0, 0), alpha)
    return filled


def blend_in(
    content: Image.Image, base: Image.Image, hole: Image.Image, keep: float, depth: float, *, level: bool = False
) -> Image.Image:
    """Return `content` with its colours shifted so that it meets `base` all along the edge of `hole`.

    Only the difference of the two along the edge spreads into the hole, smoothly, so no shape of `base` is repeated
    there (a coarse form of Perez et al., Poisson Image Editing, 2003).

    Args:
        content: What fills the hole, an "RGB" picture of the size of `base`.
        base: The picture with the hole.
        hole: White where the content goes, black elsewhere.
        keep: The share (0..1) of the shift that is left `depth` pixels inside the hole.
        depth: In pixels.
        level: Spread the difference further to the sides than up and down.
    """
    grown = hole
    for _ in range(_STRIP):
        grown = grown.filter(ImageFilter.MaxFilter(3))
    beyond = ImageChops.invert(ImageChops.subtract(grown, hole))
    ours, theirs = (diffuse(picture, beyond, level=level) for picture in (content, base))
    share = feather(hole, depth).point(lambda value: round(255 - value * (1 - keep)))
    lighter, darker = (
        ImageChops.multiply(ImageChops.subtract(first, second), Image.merge("RGB", [share] * 3))
        for first, second in ((theirs, ours), (ours, theirs))
    )
    matched = ImageChops.subtract(ImageChops.add(content, lighter), darker)
    return Image.composite(matched, theirs, feather(hole, _DETAIL_DEPTH))


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


def _share(step: int) -> int:
    """Return what one erosion adds: shares of 255 that are small at both ends."""
    edges = [round(255 * t * t * (3 - 2 * t)) for t in (step / _STEPS, (step + 1) / _STEPS)]
    return edges[1] - edges[0]
