"""Changing a picture: variations, inpainting, outpainting, cutting out and enlarging, by classical means."""

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from limner_sketch.painter import noise, subjects
from limner_sketch.painter.filling import diffuse, feather, flatten
from limner_sketch.painter.matting import matte
from limner_sketch.painter.scene import Size, paint, set_stage

Box = tuple[int, int, int, int]

_STRIP = 0.2
"""The share of a picture's height that is stretched to continue it upwards or downwards."""

_GRAIN = 12
"""The strongest grain, in levels of 255, that a filled hole takes over from beside it."""

LEAST_CHANGE = 40
"""The mean absolute difference (0..255) between a picture and its variation at strength 1 is at least this."""

_TONE = 0.66
"""The contrast of a dark and a light tone of a scene: they lie 255 * (1 - _TONE) > 2 * LEAST_CHANGE apart."""


def vary(picture: Image.Image, prompt: str, strength: float, seed: int, size: Size | None = None) -> Image.Image:
    """Turn a picture into a scene for the prompt, as far as `strength` says.

    Args:
        picture: Any picture; its transparent parts count as white.
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
    return Image.composite(_scene_unlike(base, prompt, seed), base, _tide(base.size, strength, seed))


def inpaint(picture: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
    """Repaint what the mask opens (white; grey blends, black keeps exactly) from its surroundings and the prompt.

    Args:
        picture: Any picture; its transparent parts count as white.
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
    opened = mask.point(lambda value: 255 if value else 0)
    filled = _textured(diffuse(base, opened), opened, box)
    if prompt.strip():
        _settle(filled, prompt, opened, box, seed)
    return Image.composite(filled, base, mask)


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
    opened = mask.point(lambda value: 255 if value else 0)
    box = ImageOps.invert(opened).getbbox()
    if box is None:
        return paint(prompt, base.size, seed)
    known = diffuse(base.crop(box), opened.crop(box))
    continued = _continued(known, box, base.size)
    scene = _toned_like(paint(prompt, base.size, seed), continued)
    far = feather(opened, max(8.0, 0.5 * min(base.size)))
    return Image.composite(Image.composite(scene, continued, far), base, mask)


def remove_background(picture: Image.Image) -> Image.Image:
    """Cut out what differs from the picture's border colours.

    Returns:
        An "RGBA" picture of the same size; never wholly transparent.
    """
    cut = flatten(picture)
    cut.putalpha(matte(cut))
    return cut


def upscale(picture: Image.Image, size: Size) -> Image.Image:
    """Enlarge (or reduce) a picture to `size` (width, height in pixels) with Lanczos resampling and mild sharpening."""
    base = flatten(picture)
    scale = max(size[0] / base.width, size[1] / base.height)
    larger = base.resize(size, Image.Resampling.LANCZOS)
    if scale <= 1:
        return larger
    return larger.filter(ImageFilter.UnsharpMask(radius=min(scale, 4.0), percent=60, threshold=2))


def _scene_unlike(base: Image.Image, prompt: str, seed: int) -> Image.Image:
    """Return a scene in the first tone that differs enough from `base`: as painted, darker or lighter."""
    scene = paint(prompt, base.size, seed)
    tones = (
        scene,
        scene.point(lambda value: round(value * _TONE)),
        scene.point(lambda value: round(255 - (255 - value) * _TONE)),
    )
    return next((tone for tone in tones if difference(tone, base) >= LEAST_CHANGE + 1), tones[-1])


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return the mean absolute difference of two "RGB" pictures, 0..255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def _tide(size: Size, strength: float, seed: int) -> Image.Image:
    """Return how much of the scene shows: for every pixel rising with `strength`, 0 at 0 and 255 at 1."""
    cells = (3 * size[0] / min(size), 3 * size[1] / min(size))
    shore = noise.fractal(size, noise.stream("tide", seed), cells, 5)
    return noise.mask(noise.compute(lambda e: strength ** (16 ** (e["f"] - 0.5)), f=shore))


def _settle(filled: Image.Image, prompt: str, opened: Image.Image, box: Box, seed: int) -> None:
    """Paint into a filled hole what the prompt asks for: the thing it names, else a scene that rises from the edge."""
    size = (box[2] - box[0], box[3] - box[1])
    stage = set_stage(prompt, filled.size, seed)
    things = subjects.asked(stage)
    if things:
        thing = subjects.fitted(stage, things[0], size)
        filled.paste(thing, (box[0] + (size[0] - thing.width) // 2, box[3] - thing.height), thing)
        return
    large = (max(64, size[0]), max(64, size[1]))
    scene = _toned_like(paint(prompt, large, seed).resize(size, Image.Resampling.LANCZOS), filled.crop(box))
    filled.paste(scene, box[:2], feather(opened, max(2.0, 0.12 * min(size))).crop(box))


def _textured(filled: Image.Image, opened: Image.Image, box: Box) -> Image.Image:
    """Give a smoothly filled hole the fine grain of what lies beside it."""
    fine = ImageChops.subtract(filled, filled.filter(ImageFilter.GaussianBlur(2)), 1, 128)
    fine = fine.point(lambda value: max(128 - _GRAIN, min(128 + _GRAIN, value)))
    beside = ImageChops.offset(fine, box[2] - box[0], 0)
    return Image.composite(ImageChops.add(filled, beside, 1, -128), filled, opened)


def _toned_like(scene: Image.Image, other: Image.Image) -> Image.Image:
    """Shift a scene's colours half-way to the mean of another picture."""
    means = zip(ImageStat.Stat(scene).mean, ImageStat.Stat(other).mean, strict=True)
    shifts = [round((theirs - ours) / 2) for ours, theirs in means]
    return scene.point([max(0, min(255, value + shift)) for shift in shifts for value in range(256)])


def _continued(known: Image.Image, box: Box, size: Size) -> Image.Image:
    """Cover a canvas with what is known in `box`: mirrored sideways, stretched up and down.

    Mirrored upwards, a landscape would stand on its head; a strip of its sky, and of its ground, carries on instead.
    """
    width, height = known.size
    wide = Image.new("RGB", (size[0], height))
    for x in range(box[0] % width - width, size[0], width):
        wide.paste(ImageOps.mirror(known) if (x - box[0]) // width % 2 else known, (x, 0))
    canvas = Image.new("RGB", size)
    canvas.paste(wide, (0, box[1]))
    canvas.paste(_drawn_out(wide, box[1]), (0, 0))
    canvas.paste(ImageOps.flip(_drawn_out(ImageOps.flip(wide), size[1] - box[3])), (0, box[3]))
    return canvas


def _drawn_out(picture: Image.Image, depth: int) -> Image.Image:
    """Return what carries a picture on for `depth` rows above it: its upper strip, mirrored and stretched."""
    if depth == 0:
        return Image.new("RGB", (picture.width, 0))
    reach = max(1, min(depth, round(picture.height * _STRIP)))
    strip = ImageOps.flip(picture.crop((0, 0, picture.width, reach)))
    return strip.resize((picture.width, depth), Image.Resampling.BICUBIC)
