"""Trees, grass and flowers."""

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw

from limner_sketch.painter.colours import RGB, mix
from limner_sketch.painter.stage import Stage

_SCALE = 3


def conifer(height: int, rng: random.Random, body: RGB, light: RGB, toward: int, snow: RGB | None = None) -> Image.Image:
    """Return a fir ("RGBA", `height` pixels high), lit from the left (toward -1) or the right (1)."""
    width = max(3, round(height * rng.uniform(0.36, 0.46)))
    w, h = width * _SCALE, height * _SCALE
    sheet = Image.new("RGBA", (w, h), (*body, 0))
    draw = ImageDraw.Draw(sheet)
    draw.rectangle([w * 0.47, h * 0.86, w * 0.53, h], fill=mix(body, (50, 32, 24), 0.6))
    tiers = max(6, min(17, height // 7))
    for tier in range(tiers, 0, -1):
        foot = h * (0.05 + 0.9 * tier / tiers)
        reach = w * 0.5 * (tier / tiers) ** 0.85
        deep = h * 0.9 / tiers
        for bough in range(7):
            side = (bough / 3 - 1) + rng.uniform(-0.12, 0.12)
            lit = max(0.0, min(1.0, 0.3 + 0.45 * side * toward + rng.uniform(-0.22, 0.22)))
            tip = (
                w / 2 + side * reach * rng.uniform(0.82, 1.0),
                foot + deep * (0.34 - 0.2 * abs(side)) + deep * rng.uniform(-0.1, 0.25),
            )
            root = (w / 2 + side * reach * 0.15, foot - deep * 1.5)
            hang = (
                (w / 2 + side * reach * 0.45 - reach * 0.24, foot + deep * 0.1),
                (w / 2 + side * reach * 0.45 + reach * 0.24, foot + deep * 0.1),
            )
            draw.polygon([root, hang[0], tip, hang[1]], fill=mix(body, light, lit))
            if snow is not None and rng.random() < 0.75:
                cap = [((x + root[0]) / 2, (y + root[1]) / 2 + deep * 0.1) for x, y in (hang[0], tip, hang[1])]
                draw.polygon([root, *cap], fill=mix(snow, body, 0.45 * (1 - lit)))
    return sheet.reduce(_SCALE)


def broadleaf(height: int, rng: random.Random, body: RGB, light: RGB, toward: int, snow: RGB | None = None) -> Image.Image:
    """Return a round tree ("RGBA"): a trunk and a crown of many leafy dabs, light ones on the sun's side."""
    width = max(4, round(height * rng.uniform(0.8, 0.95)))
    w, h = width * 2, height * 2
    sheet = Image.new("RGBA", (w, h), (*body, 0))
    draw = ImageDraw.Draw(sheet)
    bark = mix(body, (48, 34, 28), 0.75)
    trunk = w * 0.035
    draw.polygon(
        [(w / 2 - trunk, h * 0.5), (w / 2 + trunk, h * 0.5), (w / 2 + trunk * 1.9, h), (w / 2 - trunk * 1.9, h)],
        fill=bark,
    )
    for side in (-1, 1):
        draw.line([(w / 2, h * 0.78), (w * (0.5 + side * 0.2), h * 0.52)], fill=bark, width=max(1, round(trunk * 0.9)))
    clumps = [
        (0.5 + 0.27 * math.cos(a) * r, 0.38 + 0.22 * math.sin(a) * r)
        for a, r in ((rng.uniform(0, math.tau), rng.random() ** 0.5) for _ in range(26))
    ]
    dabs = max(90, min(1500, height * 6))
    for k in range(dabs):
        cx, cy = rng.choice(clumps)
        angle, far = rng.uniform(0, math.tau), rng.random() ** 0.6 * 0.15
        x, y = cx + math.cos(angle) * far, cy + math.sin(angle) * far * 0.85
        above = (cy - y) * 2.6 + toward * (x - cx) * 1.6
        lit = max(0.0, min(1.0, 0.5 + (0.38 - cy) * 1.3 + toward * (cx - 0.5) * 0.7 + above + rng.gauss(0, 0.12)))
        lit *= min(1.0, 0.25 + 1.1 * k / dabs)
        r = w * rng.uniform(0.5, 1) * max(0.016, 0.05 - 0.04 * k / dabs)
        colour = mix(body, light, lit)
        if snow is not None and lit > 0.6:
            colour = mix(colour, snow, 0.8)
        draw.ellipse([x * w - r, y * h - r * 0.8, x * w + r, y * h + r * 0.8], fill=colour)
    return sheet.reduce(2)


def plant(
    picture: Image.Image,
    stage: Stage,
    name: str,
    ground: Sequence[float],
    height: float,
    count: int,
    distance: float,
    firs: float,
    gap: tuple[float, float] | None = None,
) -> None:
    """Plant trees about `height` pixels high along a line of ground; `firs` is the share of conifers among them.

    `distance` (0..1) is the air before them, `gap` a stretch of x (0..1) that stays clear.
    """
    rng, p = stage.stream(name), stage.palette
    toward = -1 if stage.sun[0] < stage.width / 2 else 1
    wintry = stage.brief.has("snow", "winter")
    kinds = []
    for k in range(7):
        fir = k < round(7 * firs)
        leaf = mix(p.leaf, (30, 66, 50), 0.65) if fir and not wintry else p.leaf
        leaf = mix(leaf, p.grass, rng.uniform(0, 0.3))
        body, light = p.shaded(mix(leaf, (0, 0, 0), 0.25)), p.of(mix(leaf, p.grass, 0.35))
        make = conifer if fir else broadleaf
        size = max(4, round(height * rng.uniform(0.62, 1.12) * (1 if fir else 0.8)))
        snow = p.far(p.of(p.snow), distance) if wintry else None
        kinds.append(make(size, rng, p.far(body, distance), p.far(light, distance), toward, snow))
    places = sorted(_places(rng, count, gap), key=lambda x: ground[min(len(ground) - 1, max(0, int(x * stage.width)))])
    for place in places:
        x = place * stage.width
        foot = ground[min(len(ground) - 1, max(0, int(x)))]
        tree = rng.choice(kinds)
        foot += rng.random() * height * (0.12 + 2.4 * distance)
        picture.paste(tree, (round(x - tree.width / 2), round(foot - tree.height * 0.97)), tree)


def _places(rng: random.Random, count: int, gap: tuple[float, float] | None) -> list[float]:
    """Return places along the line that gather in groups."""
    places: list[float] = []
    while len(places) < count:
        centre, spread = rng.uniform(-0.02, 1.02), rng.uniform(0.015, 0.07)
        for _ in range(rng.randint(2, 9)):
            place = rng.gauss(centre, spread)
            if gap is None or not gap[0] < place < gap[1]:
                places.append(place)
    return places[:count]


def meadow(picture: Image.Image, stage: Stage, top: Sequence[float], flowers: Sequence[RGB]) -> None:
    """Let grass grow (and flowers bloom) below the line `top`, larger towards the viewer."""
    rng, p = stage.stream("meadow"), stage.palette
    draw = ImageDraw.Draw(picture)
    first = min(top)
    depth = max(1.0, stage.height - first)
    blades = round(min(3000.0, 400 + 2.6 * stage.unit) * min(1.0, stage.width / stage.unit))
    for k in range(blades):
        place = (k / blades) ** 0.7
        x, y = rng.random() * stage.width, first + place * depth
        if y < top[int(x)]:
            continue
        tall = stage.unit * (0.004 + 0.034 * place**1.5) * rng.uniform(0.5, 1)
        lean = rng.gauss(0, 0.3) * tall
        shade = mix(p.shaded(p.grass), p.of(p.grass), rng.uniform(0.05, 0.95))
        draw.line([(x, y), (x + lean, y - tall)], fill=shade, width=1 if place < 0.6 else max(1, round(stage.unit / 700)))
        if (
            flowers
            and rng.random() < 0.34
            and math.sin(x / stage.unit * 9) + math.sin(x / stage.unit * 23 + place * 14) > 0.1
        ):
            _bloom(draw, x + lean, y - tall, max(0.6, tall * 0.13), p.of(rng.choice(flowers)))


def _bloom(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, colour: RGB) -> None:
    draw.ellipse([x - r, y - r * 0.8, x + r, y + r * 0.8], fill=colour)
    if r > 1.5:
        draw.ellipse([x - r * 0.35, y - r * 0.3, x + r * 0.35, y + r * 0.25], fill=mix(colour, (255, 220, 90), 0.7))
