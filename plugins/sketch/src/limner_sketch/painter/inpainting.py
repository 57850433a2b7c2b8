"""Inpainting: fills a hole with what continues its surroundings, then with what the prompt names."""

from PIL import Image, ImageChops, ImageFilter, ImageStat

from limner_sketch.painter import noise, subjects
from limner_sketch.painter.filling import blend_in, diffuse
from limner_sketch.painter.horizon import find_horizon
from limner_sketch.painter.light import in_light_of
from limner_sketch.painter.pixels import Box, binary, flatten
from limner_sketch.painter.scene import paint, paint_scenery, set_stage

_GRAIN = 12
"""The strongest grain of a filled hole, in levels of 255."""


def inpaint(picture: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
    """Repaint what the mask opens (white; grey blends, black keeps exactly) from its surroundings and the prompt.

    Args:
        picture: Any picture. Transparent parts count as white.
        mask: An "L" mask of the picture's size.
        prompt: What to paint there; an empty prompt only fills the hole.
        seed: Any integer.

    Returns:
        An "RGB" picture of the same size.
    """
    base = flatten(picture)
    box = mask.getbbox()
    if box is None:
        return base
    if mask.getextrema()[0] == 255:
        return paint(prompt, base.size, seed)
    hole = binary(mask)
    prompt = in_light_of(base, ImageChops.invert(hole), prompt) if prompt.strip() else prompt
    return Image.composite(_filled(base, hole, box, prompt, seed), base, mask)


def _filled(base: Image.Image, hole: Image.Image, box: Box, prompt: str, seed: int) -> Image.Image:
    """Return the picture with its hole filled: with the thing the prompt names, with its scenery, or unobtrusively."""
    horizon = find_horizon(base, hole)
    stage = set_stage(prompt, base.size, seed, horizon)
    things = subjects.asked(stage)
    if things:
        filled = _continued(base, hole, seed)
        size = (box[2] - box[0], box[3] - box[1])
        thing = subjects.fitted(stage, things[0], size)
        filled.paste(thing, (box[0] + (size[0] - thing.width) // 2, box[3] - thing.height), thing)
        return filled
    if prompt.strip():
        depth = 0.35 * min(box[2] - box[0], box[3] - box[1])
        return blend_in(paint_scenery(prompt, base.size, seed, horizon), base, hole, 0.4, max(4.0, depth))
    return _continued(base, hole, seed)


def _continued(base: Image.Image, hole: Image.Image, seed: int) -> Image.Image:
    """Fill a hole with what lies level with it on either side, as rough as its surroundings are."""
    smooth = diffuse(base, hole, level=True)
    rim = ImageChops.subtract(hole.filter(ImageFilter.MaxFilter(9)), hole)
    detail = ImageChops.difference(smooth, smooth.filter(ImageFilter.BoxBlur(2))).convert("L")
    roughness = min(_GRAIN, ImageStat.Stat(detail, rim).median[0] if rim.getbbox() else 0)
    dots = noise.stream("grain of a hole", seed).randbytes(base.width * base.height)
    grain = Image.frombytes("L", base.size, dots).filter(ImageFilter.BoxBlur(1))
    grain = grain.point(lambda value: round(128 + (value - 128) * roughness / 40))
    return Image.composite(ImageChops.add(smooth, Image.merge("RGB", [grain] * 3), 1, -128), base, hole)
