"""Water that mirrors what stands behind it, and the beach at its edge."""

import math

from PIL import Image, ImageChops

from limner_sketch.painter import noise
from limner_sketch.painter.colours import WHITE, gradient, mix
from limner_sketch.painter.stage import Points, Stage, below, blurred, stencil, veil


def lay(picture: Image.Image, stage: Stage, top: int, bottom: int, calm: float) -> None:
    """Lay water from `top` to `bottom`: a mirror (calm 1) or a rolling sea (calm 0)."""
    depth = min(bottom, stage.height) - top
    if depth < 2:
        return
    waves = _waves(stage, depth, calm)
    water = _mirror(picture, stage, top, waves, calm)
    picture.paste(_coloured(water, stage, waves, calm), (0, top))
    _glitter(picture, stage, top, waves)


def _waves(stage: Stage, depth: int, calm: float) -> Image.Image:
    cells = (5 * stage.width / stage.unit, (26 + 14 * calm) * depth / stage.unit * 2)
    field = noise.fractal((stage.width, depth * 2), stage.stream("waves"), cells, 5, 0.6)
    return noise.receding(field, depth, "top")


def _mirror(picture: Image.Image, stage: Stage, top: int, waves: Image.Image, calm: float) -> Image.Image:
    """Return the mirror image of what lies above, broken by the waves."""
    depth = waves.height
    reach = min(top, round(depth * (1 + 1.4 * calm)))
    shown = picture.crop((0, top - reach, stage.width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    shown = shown.resize((stage.width, depth), Image.Resampling.BILINEAR)
    swing = max(1, round(stage.unit * (0.012 + 0.03 * (1 - calm))))
    up, down = shown.copy(), shown.copy()
    up.paste(shown.crop((0, swing, stage.width, depth)), (0, 0))
    down.paste(shown.crop((0, 0, stage.width, max(1, depth - swing))), (0, swing))
    broken = noise.mask(waves.point(lambda value: value * 4 + -1.5))
    return Image.composite(blurred(up, swing * 0.25), blurred(down, swing * 0.25), broken)


def _coloured(water: Image.Image, stage: Stage, waves: Image.Image, calm: float) -> Image.Image:
    """Let the water's own colour show the more the steeper one looks down, and light and shade its waves."""
    p = stage.palette
    near, far = 0.75 - 0.5 * calm, 0.28 - 0.2 * calm
    shares = [(0.0, _grey(far)), (0.35, _grey((near + far) / 2)), (1.0, _grey(near))]
    depth = gradient(water.size, shares).convert("L")
    deep = Image.new("RGB", water.size, mix(p.of(p.water), p.shaded(p.water), 0.35))
    water = Image.composite(deep, water, depth)
    strength = 0.34 - 0.24 * calm
    trough = noise.mask(waves.point(lambda value: value * (-2.2 * strength) + 0.98 * strength))
    crest = noise.mask(waves.point(lambda value: value * (3.4 * strength) + -1.9 * strength))
    veil(water, p.shaded(mix(p.water, (0, 0, 0), 0.35)), trough)
    veil(water, mix(p.horizon, p.of(WHITE), 0.4), crest)
    return water


def _grey(share: float) -> tuple[int, int, int]:
    return (round(255 * share),) * 3


def _glitter(picture: Image.Image, stage: Stage, top: int, waves: Image.Image) -> None:
    """Scatter the sun's light on the wave crests beneath it."""
    if stage.brief.has("rain", "storm", "fog"):
        return
    x, spread = stage.sun[0], stage.unit * 0.1
    beam = noise.row([2.718 ** -(((column - x) / spread) ** 2) for column in range(stage.width)])
    sparkle = noise.compute(
        lambda e: (e["w"] - 0.52) * 7 * e["b"], w=waves, b=beam.resize(waves.size, Image.Resampling.NEAREST)
    )
    strength = {"day": 0.35, "dawn": 0.7, "sunset": 0.85, "night": 0.5}[stage.palette.hour]
    veil(picture, stage.palette.sun, noise.mask(sparkle.point(lambda v: v * strength)), (0, top))


def river(picture: Image.Image, stage: Stage, top: float) -> Image.Image:
    """Let a river wind from the middle distance (`top`) to the viewer; return the mask of its bed and banks."""
    rng, start = stage.stream("river"), max(0, round(top))
    depth = stage.height - start
    if depth < 4:
        return Image.new("L", stage.size)
    flood = picture.copy()
    lay(flood, stage, start, stage.height, 0.8)
    middle, sway = rng.uniform(0.4, 0.6) * stage.width, rng.choice((-1, 1)) * 0.3 * stage.width
    bends = noise.profile(depth, rng, 3, 3, 0.3)
    left, right = [], []
    for y, bend in enumerate(bends):
        near = (y / depth) ** 1.3
        bed = middle + sway * math.sin(5.2 * near**0.6) * (0.25 + near) + (bend - 0.5) * 0.2 * stage.unit * near
        half = stage.unit * (0.008 + 0.24 * near**1.5)
        left.append((bed - half, start + y))
        right.append((bed + half, start + y))
    outline = [*left, *reversed(right)]
    bank = _shape(stage, [(x, y - 0.012 * stage.unit) for x, y in outline])
    p = stage.palette
    veil(picture, mix(p.shaded(p.sand), p.of(p.grass), 0.4), bank)
    bed = _shape(stage, outline)
    picture.paste(flood, (0, 0), bed)
    return ImageChops.lighter(bank, bed)


def _shape(stage: Stage, outline: Points) -> Image.Image:
    return stencil(stage.size, lambda draw, s: draw.polygon([(x * s, y * s) for x, y in outline], fill=255))


def beach(picture: Image.Image, stage: Stage, top: float) -> None:
    """Lay a beach before the water, with wet sand and lines of foam; `top` is where the sand begins."""
    p, rng, unit = stage.palette, stage.stream("beach"), stage.unit
    slant = rng.choice((-1, 1)) * rng.uniform(0.1, 0.22) * stage.height / stage.width
    wiggle = noise.profile(stage.width, rng, 3, 5, 0.45)
    edge = [top + slant * (x - stage.width / 2) + (w - 0.5) * unit * 0.09 for x, w in enumerate(wiggle)]
    fine = noise.profile(stage.width, rng, 14, 4)
    for rise, colour, strength in ((0.1, p.of((96, 190, 186)), 0.35), (0.05, p.of((150, 214, 204)), 0.45)):
        _below(picture, [y - rise * unit * (0.6 + 0.8 * w) for y, w in zip(edge, fine, strict=True)], colour, strength)
    for rise, thick in ((0.052, 0.008), (0.024, 0.012)):
        line = [y - unit * rise * (0.5 + w) for y, w in zip(edge, fine, strict=True)]
        lower = [y + unit * thick * (0.3 + 1.4 * w) for y, w in zip(line, wiggle, strict=True)]
        foam = ImageChops.subtract(below(stage.size, line), below(stage.size, lower))
        veil(picture, p.of((250, 252, 252)), foam.point(lambda value: round(value * 0.75)))
    _sand(picture, stage, edge)
    foam = ImageChops.subtract(
        below(stage.size, edge),
        below(stage.size, [y + unit * (0.004 + 0.01 * w) for y, w in zip(edge, fine, strict=True)]),
    )
    veil(picture, p.of((250, 252, 252)), foam)


def _sand(picture: Image.Image, stage: Stage, edge: list[float]) -> None:
    p, unit = stage.palette, stage.unit
    _below(picture, edge, p.of(mix(p.sand, (120, 92, 66), 0.42)), 1)
    wet = blurred(below(stage.size, [y + unit * 0.055 for y in edge]), unit * 0.012)
    veil(picture, p.of(p.sand), wet)
    top = max(0, int(min(edge)))
    depth = stage.height - top
    if depth < 2:
        return
    field = noise.fractal(
        (stage.width, depth * 2), stage.stream("sand"), (6 * stage.width / stage.unit, 26 * depth / unit), 6, 0.62
    )
    dents = noise.receding(field, depth, "top")
    shade = ImageChops.multiply(noise.mask(dents.point(lambda v: (v * -1.6 + 0.8) * 0.5)), wet.crop((0, top, *stage.size)))
    veil(picture, p.shaded(p.sand), shade, (0, top))


def _below(picture: Image.Image, line: list[float], colour: tuple[int, int, int], strength: float) -> None:
    veil(picture, colour, below(picture.size, line).point(lambda value: round(value * strength)))
