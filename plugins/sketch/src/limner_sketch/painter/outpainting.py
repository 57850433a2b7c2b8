"""Outpainting: continues a picture with scenery that lies level with it and takes up its colours at the border."""

from PIL import Image, ImageOps

from limner_sketch.painter import subjects
from limner_sketch.painter.filling import blend_in
from limner_sketch.painter.horizon import find_horizon
from limner_sketch.painter.light import in_light_of
from limner_sketch.painter.pixels import Box, Size, binary, flatten
from limner_sketch.painter.scene import paint, paint_scenery, set_stage
from limner_sketch.painter.stage import Stage

_KEPT_TONE = 0.8
"""The share of the picture's tone that the scenery keeps far from it."""

_KEPT_TONE_BEYOND = 0.2
"""The same above and below, where the picture's edge lies level with none of what follows."""

_LEAST_ROOM = 48
"""The narrowest new area, in pixels, into which a thing is painted."""


def outpaint(canvas: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
    """Continue a picture over the part of its canvas that the mask opens (white; grey blends, black keeps exactly).

    Args:
        canvas: The picture on its final canvas.
        mask: An "L" mask of the canvas's size.
        prompt: What to paint; may be empty.
        seed: Any integer.

    Returns:
        An "RGB" picture of the canvas's size.
    """
    base = flatten(canvas)
    opened = binary(mask)
    kept = ImageOps.invert(opened).getbbox()
    if kept is None:
        return paint(prompt, base.size, seed)
    if mask.getbbox() is None:
        return base
    prompt = in_light_of(base, ImageOps.invert(opened), prompt)
    horizon = kept[1] + find_horizon(base.crop(kept), opened.crop(kept))
    scenery = paint_scenery(prompt, base.size, seed, horizon)
    painted = _continued(base, opened, scenery, kept)
    _place(painted, set_stage(prompt, base.size, seed, horizon), kept)
    return Image.composite(painted, base, mask)


def _continued(base: Image.Image, opened: Image.Image, scenery: Image.Image, kept: Box) -> Image.Image:
    """Return the canvas continued by scenery: first beside the picture, row by row, then above and below both."""
    rows = (0, kept[1], base.width, kept[3])
    depth = 0.5 * min(base.size)
    beside = blend_in(scenery.crop(rows), base.crop(rows), opened.crop(rows), _KEPT_TONE, depth, level=True)
    wide = base.copy()
    wide.paste(Image.composite(beside, base.crop(rows), opened.crop(rows)), rows[:2])
    beyond = Image.new("L", base.size, 255)
    beyond.paste(0, rows)
    return Image.composite(blend_in(scenery, wide, beyond, _KEPT_TONE_BEYOND, depth / 4), wide, beyond)


def _place(painted: Image.Image, stage: Stage, kept: Box) -> None:
    """Paint the first thing that the prompt names into the widest new area beside or below, where it fits in whole."""
    things = subjects.asked(stage)
    left, top, right, bottom = max(_new_areas(kept, painted.size), key=lambda box: min(box[2] - box[0], box[3] - box[1]))
    room = (right - left, bottom - top)
    if not things or min(room) < _LEAST_ROOM:
        return
    thing = subjects.fitted(stage, things[0], (round(room[0] * 0.7), round(min(room[1] * 0.8, stage.unit * 0.45))))
    foot = min(bottom - round(room[1] * 0.1), max(top + thing.height, round(stage.horizon + 0.5 * (bottom - stage.horizon))))
    painted.paste(thing, (left + (room[0] - thing.width) // 2, foot - thing.height), thing)


def _new_areas(kept: Box, size: Size) -> tuple[Box, Box, Box]:
    left, _, right, bottom = kept
    width, height = size
    return (0, 0, left, height), (right, 0, width, height), (0, bottom, width, height)
