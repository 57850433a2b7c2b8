"""Variations: a picture turns into another scene region by region, never by showing one through the other."""

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from limner_sketch.painter import noise, subjects
from limner_sketch.painter.matting import subject
from limner_sketch.painter.paths import path_costs
from limner_sketch.painter.pixels import Size, difference, edges, flatten, thumbnail
from limner_sketch.painter.scene import paint, set_stage

LEAST_CHANGE = 12
"""The mean absolute difference (0..255) between a picture and its variation at strength 1 is at least this."""

_TONE = 0.88
"""The contrast of a dark and a light tone of a scene: they lie 255 * (1 - _TONE) > 2 * LEAST_CHANGE apart."""

_COARSE = 128
"""Longest side, in pixels, of the picture on which the order of replacement is worked out."""

_TRANSITION = 0.08
"""The width of the transition between old and new, as a share of the longest path."""

_CALM = 13
"""The width of the smallest scrap, in pixels of the small picture, that is replaced or kept by itself."""

_THINGS_REPLACED = 0.6
"""The strength from which on the scene's subject is shown."""

_AROUND = 15
"""The width of a filter that reaches the surroundings of a subject, in pixels."""

_SURROUNDED = 0.7
"""The share of a subject's surroundings that is replaced before the subject is."""

_LEAST_THING, _LARGEST_THING = 0.03, 0.35
"""The area of what is taken for a picture's subject, as a share of the picture."""

_EDGE_COST = 0.5
"""How much an edge of one level (of 255) slows replacement down, in pixels of plain area."""


def vary(picture: Image.Image, prompt: str, strength: float, seed: int, size: Size | None = None) -> Image.Image:
    """Turn a picture into a scene for the prompt, as far as `strength` says.

    Replacement starts at the top and spreads downwards. It slows down at the edges of both pictures, so that regions
    (the sky, a hillside, an animal) are replaced whole, one after another.

    Args:
        picture: Any picture. Transparent parts count as white.
        prompt: What to paint; may be empty.
        strength: From 0 (the picture itself, only resized) to 1 (the scene alone).
        seed: Any integer.
        size: Width and height of the result in pixels; None keeps the picture's.

    Returns:
        An "RGB" picture. Its mean absolute difference to the (resized) input never falls as the strength rises.
    """
    base = flatten(picture)
    if size is not None and size != base.size:
        base = ImageOps.fit(base, size, Image.Resampling.LANCZOS)
    if strength <= 0:
        return base
    scene = _scene_unlike(base, prompt, seed)
    if strength >= 1:
        return scene
    has_thing = bool(subjects.asked(set_stage(prompt, base.size, seed)))
    return Image.composite(scene, base, replaced(base, scene, strength, has_thing=has_thing))


def replaced(base: Image.Image, scene: Image.Image, strength: float, *, has_thing: bool = True) -> Image.Image:
    """Return the mask ("L") of what `scene` replaces; at every pixel it rises with `strength`.

    `has_thing` says whether the scene shows a thing, which then appears as a whole.
    """
    costs = path_costs(_costs(base, scene), [(x, 0) for x in range(thumbnail(base, _COARSE).width)])
    order = _without_islands(noise.stretch(costs))
    levels = sorted(noise.numbers(order))
    reached = levels[round(strength * (len(levels) - 1))] + _TRANSITION * strength
    smooth = order.resize(base.size, Image.Resampling.BILINEAR)
    mask = noise.mask(smooth.point(lambda cost: cost * (-1 / _TRANSITION) + reached / _TRANSITION))
    appearing = _thing(scene) if has_thing else Image.new("L", base.size)
    return _things_whole(mask, _thing(base), appearing, strength)


def _without_islands(order: Image.Image) -> Image.Image:
    """Smooth the order of replacement, so that what is replaced has one calm outline and leaves no scraps behind."""
    coarse = noise.mask(order)
    return coarse.filter(ImageFilter.MedianFilter(_CALM)).filter(ImageFilter.GaussianBlur(_CALM / 3)).convert("F").point(
        lambda value: value * (1 / 255) + 0
    )  # fmt: skip


def _things_whole(mask: Image.Image, old: Image.Image, new: Image.Image, strength: float) -> Image.Image:
    """Return the mask with both subjects whole: the old one gives way with its surroundings, the new one comes late."""
    around = ImageChops.subtract(old.filter(ImageFilter.MaxFilter(_AROUND)), old)
    gives_way = around.getbbox() is not None and ImageStat.Stat(mask, around).mean[0] > 255 * _SURROUNDED
    mask = ImageChops.lighter(mask, old) if gives_way else ImageChops.darker(mask, ImageChops.invert(old))
    if strength < _THINGS_REPLACED:
        return ImageChops.darker(mask, ImageChops.invert(new))
    return ImageChops.lighter(mask, new)


def _thing(picture: Image.Image) -> Image.Image:
    """Return the mask of a picture's subject, with its outline; black where none of some size is found."""
    found = subject(picture)
    share = ImageStat.Stat(found).mean[0] / 255
    if not _LEAST_THING <= share <= _LARGEST_THING:
        return Image.new("L", picture.size)
    return found.filter(ImageFilter.MaxFilter(3))


def _costs(base: Image.Image, scene: Image.Image) -> Image.Image:
    """Return what replacing costs at every pixel of the coarse picture: little in plain areas, much at edges."""
    old, new = (
        edges(thumbnail(picture, _COARSE)).filter(ImageFilter.MaxFilter(3)).convert("F") for picture in (base, scene)
    )
    return noise.compute(lambda e: 1 + e["max"](e["old"] - 12, 0) * _EDGE_COST + e["max"](e["new"] - 12, 0) * _EDGE_COST,
                         old=old, new=new)  # fmt: skip


def _scene_unlike(base: Image.Image, prompt: str, seed: int) -> Image.Image:
    """Return a scene in the first tone that differs enough from `base`: as painted, mirrored, darker or lighter."""
    scene = paint(prompt, base.size, seed)
    if difference(scene, base) >= LEAST_CHANGE + 1:
        return scene
    mirrored = ImageOps.mirror(scene)
    if difference(mirrored, base) >= LEAST_CHANGE + 1:
        return mirrored
    darker = scene.point(lambda value: round(value * _TONE))
    if difference(darker, base) >= LEAST_CHANGE + 1:
        return darker
    return scene.point(lambda value: round(255 - (255 - value) * _TONE))
