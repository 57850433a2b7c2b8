"""What lies before the scene: fog, rain, snow, lightning, and the finish of the picture."""

import math
import random

from PIL import Image, ImageChops, ImageDraw

from limner_sketch.painter import noise
from limner_sketch.painter.colours import mix
from limner_sketch.painter.stage import Stage, blurred, glow, stencil, veil


def fog(picture: Image.Image, stage: Stage) -> None:
    """Draw banks of fog over the land, thickest round the horizon."""
    size = stage.size
    cells = (2.5 * stage.width / stage.unit, 7 * stage.height / stage.unit)
    banks = noise.fractal(size, stage.stream("fog"), cells, 5)
    middle = stage.horizon + 0.06 * stage.unit
    reach = 0.42 * stage.unit
    thick = noise.column([math.exp(-(((y - middle) / reach) ** 2)) for y in range(stage.height)])
    density = noise.compute(
        lambda e: e["t"] * (0.3 + 0.8 * e["b"]) * 0.85, t=thick.resize(size, Image.Resampling.NEAREST), b=banks
    )
    veil(picture, mix(stage.palette.horizon, stage.palette.of((238, 240, 242)), 0.5), noise.mask(density))


def rain(picture: Image.Image, stage: Stage) -> None:
    """Let it rain: slanting streaks in two depths."""
    rng = stage.stream("rain")
    slant = rng.uniform(-0.3, 0.3)
    for count, length, strength in ((900, 0.03, 60), (300, 0.075, 95)):
        veil(
            picture,
            mix(stage.palette.horizon, (255, 255, 255), 0.35),
            _streaks(stage, rng, count, length, slant, strength),
        )


def _streaks(stage: Stage, rng: random.Random, count: int, length: float, slant: float, strength: int) -> Image.Image:
    def fall(draw: ImageDraw.ImageDraw, s: int) -> None:
        for _ in range(count):
            x, y = rng.uniform(-0.1, 1.1) * stage.width, rng.uniform(-0.1, 1) * stage.height
            long = stage.unit * length * rng.uniform(0.5, 1)
            ends = [(x * s, y * s), ((x + slant * long) * s, (y + long) * s)]
            draw.line(ends, fill=round(strength * rng.uniform(0.4, 1)), width=max(1, round(stage.unit * 0.0013 * s)))

    return stencil(stage.size, fall)


def snowfall(picture: Image.Image, stage: Stage) -> None:
    """Let it snow: small far flakes and a few soft near ones."""
    rng = stage.stream("snowfall")
    for count, radius, soft in ((500, 0.0022, 0.0), (60, 0.006, 0.004)):

        def fall(draw: ImageDraw.ImageDraw, s: int, count: int = count, radius: float = radius) -> None:
            for _ in range(count):
                x, y = rng.random() * stage.width * s, rng.random() * stage.height * s
                r = max(0.7, stage.unit * radius * rng.uniform(0.5, 1) * s)
                draw.ellipse([x - r, y - r, x + r, y + r], fill=rng.randint(130, 230))

        flakes = stencil(stage.size, fall)
        veil(
            picture,
            stage.palette.far(stage.palette.of((255, 255, 255)), 0.3),
            blurred(flakes, soft * stage.unit) if soft else flakes,
        )


def lightning(picture: Image.Image, stage: Stage) -> None:
    """Strike one bolt of lightning."""
    rng = stage.stream("lightning")
    x, y = rng.uniform(0.2, 0.8) * stage.width, 0.0
    bolt = [(x, y)]
    while y < stage.horizon:
        x, y = x + rng.gauss(0, 0.016) * stage.unit, y + rng.uniform(0.012, 0.04) * stage.unit
        bolt.append((x, y))
    width = max(1.0, stage.unit * 0.0035)

    def strike(draw: ImageDraw.ImageDraw, s: int) -> None:
        draw.line([(a * s, b * s) for a, b in bolt], fill=255, width=round(width * s), joint="curve")
        a, b = bolt[len(bolt) // 3]
        branch = [(a, b)]
        for _ in range(8):
            a, b = a + rng.uniform(0, 0.03) * stage.unit, b + rng.uniform(0.01, 0.03) * stage.unit
            branch.append((a, b))
        draw.line([(c * s, d * s) for c, d in branch], fill=190, width=max(1, round(width * s * 0.5)))

    mask = stencil(stage.size, strike)
    glow(picture, (bolt[0][0], stage.horizon * 0.3), stage.unit * 0.5, (190, 196, 255), 0.55)
    veil(picture, (200, 206, 255), blurred(mask, stage.unit * 0.012).point(lambda value: min(255, value * 2)))
    veil(picture, (252, 252, 255), mask)


def finish(picture: Image.Image, grain: random.Random) -> Image.Image:
    """Darken the corners a little and add a trace of grain, which also hides the steps of smooth gradients."""
    corners = Image.radial_gradient("L").point(lambda value: round(255 - max(0, value - 130) * 0.24))
    shaded = ImageChops.multiply(picture, Image.merge("RGB", [corners.resize(picture.size, Image.Resampling.BICUBIC)] * 3))
    return grained(shaded, grain)


def grained(picture: Image.Image, grain: random.Random) -> Image.Image:
    """Return the picture with a trace of grain."""
    tile = (min(picture.width, 509), min(picture.height, 503))
    noise_tile = Image.frombytes("L", tile, grain.randbytes(tile[0] * tile[1])).point(lambda value: value // 52)
    dots = Image.new("L", picture.size)
    for y in range(0, picture.height, tile[1]):
        for x in range(0, picture.width, tile[0]):
            dots.paste(noise_tile, (x, y))
    return ImageChops.add(picture, Image.merge("RGB", [dots] * 3), 1, -2)


def behind(picture: Image.Image, stage: Stage) -> None:
    """Paint the weather behind the things a stage's brief names."""
    if stage.brief.has("fog"):
        fog(picture, stage)
    if stage.brief.has("storm"):
        lightning(picture, stage)


def before(picture: Image.Image, stage: Stage) -> None:
    """Paint the weather before everything."""
    if stage.brief.has("rain", "storm"):
        rain(picture, stage)
    if stage.brief.has("snow"):
        snowfall(picture, stage)
