"""The sky: its gradient, sun or moon, stars, aurora, clouds and what flies in it."""

import math
import random

from PIL import Image, ImageChops, ImageDraw

from limner_sketch.painter import noise
from limner_sketch.painter.colours import RGB, WHITE, gradient, mix
from limner_sketch.painter.stage import Stage, blurred, glow, stencil, veil


def heavens(picture: Image.Image, stage: Stage) -> None:
    """Paint the sky's gradient down to a little below the horizon."""
    p = stage.palette
    depth = min(stage.height, stage.horizon + 2)
    stops = [(0.0, p.zenith), (0.55, p.middle), (0.97, p.horizon), (1.0, p.horizon)]
    picture.paste(p.horizon, (0, 0, *stage.size))
    picture.paste(gradient((stage.width, depth), stops), (0, 0))


def sun(picture: Image.Image, stage: Stage) -> None:
    """Paint the sun or the moon, and its glow."""
    p, radius = (
        stage.palette,
        stage.unit * {"day": 0.026, "dawn": 0.036, "sunset": 0.044, "night": 0.03}[stage.palette.hour],
    )
    if stage.brief.has("moon"):
        radius *= 3.2
    hidden = stage.brief.has("rain", "storm", "fog", "snow")
    strength = 0.4 if hidden else {"day": 0.75, "dawn": 0.8, "sunset": 0.85, "night": 0.38}[p.hour]
    glow(picture, stage.sun, stage.unit * 0.75, mix(p.sun, p.horizon, 0.35), strength * 0.75)
    glow(picture, stage.sun, radius * (8 if p.hour == "day" else 4.5), p.sun, strength)
    if hidden and p.hour != "night":
        return
    (x, y), night = stage.sun, p.hour == "night"

    def disc(draw: ImageDraw.ImageDraw, s: int) -> None:
        draw.ellipse([(x - radius) * s, (y - radius) * s, (x + radius) * s, (y + radius) * s], fill=255)

    mask = stencil(stage.size, disc)
    veil(picture, mix(p.sun, WHITE, 0.5), mask if night else blurred(mask, radius * 0.22))
    if night:
        spots = noise.fractal(stage.size, stage.stream("moon"), (stage.width / radius * 1.2, stage.height / radius * 1.2), 3)
        veil(
            picture,
            mix(p.sun, p.middle, 0.5),
            ImageChops.multiply(mask, noise.mask(spots.point(lambda v: v * 1.1 + -0.35))),
        )


def stars(picture: Image.Image, stage: Stage) -> None:
    """Scatter stars, and a faint milky way."""
    rng = stage.stream("stars")
    band = noise.fractal((stage.width, stage.horizon), rng, (3, 6), 5, 0.6)
    tilt = rng.uniform(-0.6, 0.6)
    line = noise.row([stage.horizon * 0.4 + tilt * (x - stage.width / 2) for x in range(stage.width)])
    ramp = noise.column(range(stage.horizon)).resize(band.size, Image.Resampling.NEAREST)
    edge = line.resize(band.size, Image.Resampling.NEAREST)
    reach = stage.horizon * 0.3
    milk = noise.compute(lambda e: (1 - abs(e["y"] - e["l"]) / reach) * e["b"] * 0.36, y=ramp, l=edge, b=band)
    veil(picture, mix(stage.palette.horizon, WHITE, 0.35), noise.mask(milk))
    light = Image.new("L", (stage.width, stage.horizon))
    draw = ImageDraw.Draw(light)
    for _ in range(420 if stage.brief.has("star") else 260):
        x, y = rng.random() * stage.width, rng.random() ** 1.2 * stage.horizon
        brightness = rng.random() ** 3
        r = stage.unit * (0.0004 + 0.0012 * brightness)
        shine = round(70 + 185 * brightness)
        draw.ellipse([x - r, y - r, x + r, y + r], fill=shine) if r > 0.7 else draw.point((x, y), fill=shine)
    veil(picture, (255, 252, 240), light)


def aurora(picture: Image.Image, stage: Stage) -> None:
    """Hang curtains of light."""
    rng = stage.stream("aurora")
    upper = picture.crop((0, 0, stage.width, stage.horizon))
    for colour, place in (((70, 240, 160), 0.62), ((60, 220, 200), 0.48), ((150, 90, 230), 0.38)):
        shine = Image.new("RGB", upper.size)
        shine.paste(colour, mask=_curtain(upper.size, rng, place))
        upper = ImageChops.screen(upper, shine)
    picture.paste(upper, (0, 0))


def _curtain(size: tuple[int, int], rng: random.Random, place: float) -> Image.Image:
    """Return the mask of one curtain, its wavy foot about `place` (0..1) down: sharp below, fading upwards in rays."""
    width, height = max(8, size[0] // 2), max(8, size[1] // 2)
    reach, edge = height * 0.42, height * 0.03
    foot = noise.row([height * (place + 0.34 * (v - 0.5)) for v in noise.profile(width, rng, 3, 3)])
    rays = noise.row([0.35 + 0.65 * v for v in noise.profile(width, rng, 14, 4, 0.7)])
    feet, downs, strengths = (
        line.resize((width, height), Image.Resampling.NEAREST) for line in (foot, noise.column(range(height)), rays)
    )
    rise = noise.compute(lambda e: e["max"](e["foot"] - e["down"], 0.0), foot=feet, down=downs)
    light = noise.compute(
        lambda e: e["min"](e["r"] / edge, 1) * e["max"](1 - e["r"] / reach, 0) ** 1.6 * e["s"], r=rise, s=strengths
    )
    return noise.mask(light).resize(size, Image.Resampling.BICUBIC)


def clouds(picture: Image.Image, stage: Stage) -> None:
    """Drift clouds over the sky: finer and flatter towards the horizon, lit from the sun's side."""
    rng, p = stage.stream("clouds"), stage.palette
    cover = _cover(stage, rng.uniform(-0.06, 0.1))
    width, depth = max(8, stage.width), max(8, stage.horizon)
    cells = (2.2 * stage.width / stage.unit, 5.5 * depth / stage.unit)
    step = max(2, round(stage.unit * 0.012))
    wide = noise.fractal((width + 2 * step, (depth + step) * 2), rng, (cells[0], cells[1] * 2), 7, 0.52)
    wide = noise.receding(wide, depth + step, "bottom")
    toward = step if stage.sun[0] > stage.width / 2 else -step
    field = wide.crop((step, step, step + width, step + depth))
    shifted = wide.crop((step + toward, 0, step + toward + width, depth))
    body = noise.mask(field.point(lambda v: v * 3.4 + (cover - 1) * 3.4 * 0.62 - 0.5))
    light = noise.mask(noise.compute(lambda e: 0.62 + (e["f"] - e["g"]) * 3.2 - (e["f"] - 0.6) * 0.7, f=field, g=shifted))
    fade = gradient((width, depth), [(0.0, (225, 225, 225)), (0.7, (215, 215, 215)), (1.0, (60, 60, 60))]).convert("L")
    paint = Image.composite(Image.new("RGB", field.size, p.cloud), Image.new("RGB", field.size, p.cloud_shade), light)
    picture.paste(paint, (0, 0), ImageChops.multiply(body, fade))


def _cover(stage: Stage, chance: float) -> float:
    if stage.brief.has("storm"):
        return 0.85
    if stage.brief.has("cloud", "rain"):
        return 0.62
    return 0.32 + chance


def birds(picture: Image.Image, stage: Stage) -> None:
    """Let a few birds fly."""
    rng = stage.stream("birds")
    across = rng.uniform(0.6, 0.85) if stage.sun[0] < stage.width / 2 else rng.uniform(0.15, 0.4)
    centre = across * stage.width, rng.uniform(0.2, 0.42) * stage.horizon

    def flock(draw: ImageDraw.ImageDraw, s: int) -> None:
        for _ in range(rng.randint(7, 12) if stage.brief.has("bird") else rng.randint(3, 5)):
            x, y = centre[0] + rng.gauss(0, 0.09) * stage.unit, centre[1] + rng.gauss(0, 0.05) * stage.unit
            span = stage.unit * rng.uniform(0.012, 0.026) * (1.7 if stage.brief.has("bird") else 1)
            for side in (-1, 1):
                wing = [
                    (x + side * span * t, y - span * 0.55 * math.sin(math.pi * min(t * 1.25, 1) * 0.8))
                    for t in (0, 0.25, 0.5, 0.75, 1)
                ]
                draw.line([(a * s, b * s) for a, b in wing], fill=235, width=max(1, round(span * 0.13 * s)), joint="curve")

    veil(picture, mix(stage.palette.shaded((60, 60, 70)), stage.palette.zenith, 0.15), stencil(stage.size, flock))


def planets(picture: Image.Image, stage: Stage) -> None:
    """Hang a banded planet with rings in the sky, and a small one on the other side."""
    rng = stage.stream("planets")
    x = max(0.28 * stage.width, min(0.72 * stage.width, stage.width - stage.sun[0]))
    radius = 0.13 * stage.unit
    colours = rng.sample(((214, 168, 120), (196, 120, 92), (120, 160, 200), (170, 140, 196), (210, 196, 150)), 2)
    chosen = stage.brief.colours[0] if stage.brief.colours else colours[0]
    _planet(picture, stage, (x, 0.36 * stage.horizon), radius, chosen, ringed=True)
    small = ((x + stage.sun[0]) / 2 + 0.1 * stage.unit, 0.68 * stage.horizon)
    _planet(picture, stage, small, 0.34 * radius, colours[1], ringed=False)


def _planet(
    picture: Image.Image, stage: Stage, centre: tuple[float, float], radius: float, colour: RGB, *, ringed: bool
) -> None:
    side = max(8, round(2 * radius))
    reach = (round(side * 2.4), round(side * 1.2))
    bands = noise.fractal((side, side), stage.stream(f"planet {side}"), (2, 9), 4, 0.5)
    body = Image.composite(
        Image.new("RGB", (side, side), mix(colour, WHITE, 0.3)),
        Image.new("RGB", (side, side), mix(colour, (60, 40, 60), 0.3)),
        noise.mask(bands),
    )
    toward = -1 if stage.sun[0] < centre[0] else 1
    night = stencil((side, side), lambda d, s: d.ellipse(
        [side * s * (-0.1 + 0.28 * toward), -0.12 * side * s, side * s * (1.1 + 0.28 * toward), 1.12 * side * s],
        fill=255))  # fmt: skip
    body.paste(mix(stage.palette.zenith, (0, 0, 0), 0.3), mask=ImageChops.invert(blurred(night, side * 0.06)))
    sheet = Image.new("RGBA", reach)
    rings = stencil(reach, lambda d, s: _rings(d, (reach[0] * s, reach[1] * s), side * s))
    disc = stencil((side, side), lambda d, s: d.ellipse([0, 0, side * s - 1, side * s - 1], fill=255))
    at = ((reach[0] - side) // 2, (reach[1] - side) // 2)
    light = mix(colour, WHITE, 0.55)
    if ringed:
        sheet.paste((*light, 255), mask=rings)
    sheet.paste(body, at, disc)
    if ringed:
        front = rings.copy()
        front.paste(0, (0, 0, reach[0], reach[1] // 2))
        sheet.paste((*light, 255), mask=front)
    sheet = sheet.rotate(18 * toward, Image.Resampling.BICUBIC)
    picture.paste(sheet, (round(centre[0] - reach[0] / 2), round(centre[1] - reach[1] / 2)), sheet)


def _rings(draw: ImageDraw.ImageDraw, size: tuple[int, int], side: int) -> None:
    x, y = size[0] / 2, size[1] / 2
    for reach, fill in ((1.12, 210), (0.96, 90), (0.92, 180), (0.72, 0)):
        draw.ellipse([x - reach * side, y - reach * side * 0.24, x + reach * side, y + reach * side * 0.24], fill=fill)


def rainbow(picture: Image.Image, stage: Stage) -> None:
    """Arch a rainbow over the horizon."""
    radius, centre = stage.unit * 0.62, (stage.width - stage.sun[0], stage.horizon * 1.02)
    thickness = radius * 0.016
    arch = Image.new("RGB", (stage.width, stage.horizon))
    draw = ImageDraw.Draw(arch)
    colours = (
        (150, 60, 200),
        (70, 80, 220),
        (40, 180, 210),
        (60, 190, 80),
        (240, 220, 60),
        (250, 150, 50),
        (230, 50, 50),
    )
    for ring, colour in reversed(list(enumerate(colours))):
        r = radius + ring * thickness
        draw.ellipse([centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r], fill=mix((0, 0, 0), colour, 0.5))
    r = radius - thickness
    draw.ellipse([centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r], fill=0)
    picture.paste(ImageChops.screen(picture.crop((0, 0, *arch.size)), blurred(arch, thickness * 0.9)), (0, 0))


def paint_air(picture: Image.Image, stage: Stage) -> None:
    """Paint the sky without anything that stands out in it."""
    heavens(picture, stage)
    clouds(picture, stage)


def paint(picture: Image.Image, stage: Stage) -> None:
    """Paint the whole sky of a stage."""
    heavens(picture, stage)
    sun(picture, stage)
    if stage.palette.hour == "night" and not stage.brief.has("rain", "storm", "fog"):
        stars(picture, stage)
    if stage.brief.has("planet"):
        planets(picture, stage)
    if stage.brief.has("aurora"):
        aurora(picture, stage)
    clouds(picture, stage)
    if stage.brief.has("rainbow"):
        rainbow(picture, stage)
    if stage.brief.has("bird") or (stage.palette.hour != "night" and stage.stream("any birds").random() < 0.5):
        birds(picture, stage)
