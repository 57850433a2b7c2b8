"""City skylines with their windows."""

import random

from PIL import Image, ImageDraw

from limner_sketch.painter.colours import RGB, mix
from limner_sketch.painter.stage import Stage, glow

_LAMPS: tuple[RGB, ...] = ((255, 214, 130), (255, 190, 96), (255, 236, 184), (190, 222, 255))
_WALLS: tuple[RGB, ...] = (
    (150, 140, 136),
    (124, 132, 146),
    (172, 156, 140),
    (108, 116, 132),
    (160, 120, 106),
    (188, 184, 180),
)


def skyline(picture: Image.Image, stage: Stage, foot: int) -> None:
    """Build a city in three depths, standing on the line y = `foot`."""
    rng = stage.stream("city")
    heart = rng.uniform(0.3, 0.7) * stage.width
    if stage.palette.dark:
        glow(picture, (heart, foot), stage.unit * 0.7, (255, 170, 90), 0.36)
    for distance, tall, slim in ((0.66, 0.4, 0.75), (0.4, 0.34, 0.9), (0.14, 0.22, 1.15)):
        x = -stage.unit * 0.05 * rng.random()
        while x < stage.width:
            width = stage.unit * rng.uniform(0.035, 0.085) * slim
            near = max(0.0, 1 - abs(x + width / 2 - heart) / (0.62 * stage.width + 0.1 * stage.unit))
            height = stage.unit * tall * (0.25 + 0.75 * near**1.5) * rng.uniform(0.45, 1.0)
            _tower(picture, stage, rng, (x, foot - height, x + width, foot + 1), distance)
            x += width * rng.uniform(0.86, 1.12)


def _tower(
    picture: Image.Image, stage: Stage, rng: random.Random, box: tuple[float, float, float, float], distance: float
) -> None:
    p, draw = stage.palette, ImageDraw.Draw(picture)
    albedo = rng.choice(_WALLS)
    left, top, right, bottom = (round(side) for side in box)
    wall, dim = p.far(p.of(albedo), distance), p.far(p.shaded(albedo), distance)
    toward = stage.sun[0] < (left + right) / 2
    edge = left + round((right - left) * (0.72 if toward else 0.28))
    body = mix(dim, wall, 0.5 if p.dark else 0.75)
    _roof(draw, rng, (left, top, right), body, stage.unit)
    draw.rectangle([left, top, right, bottom], fill=body)
    draw.rectangle([edge, top, right, bottom] if toward else [left, top, edge, bottom], fill=dim)
    _windows(draw, stage, rng, (left, top, right, bottom), distance)


def _roof(draw: ImageDraw.ImageDraw, rng: random.Random, top_edge: tuple[int, int, int], colour: RGB, unit: float) -> None:
    left, top, right = top_edge
    middle, width = (left + right) / 2, right - left
    form = rng.random()
    if form < 0.18:
        draw.line(
            [(middle, top), (middle, top - unit * rng.uniform(0.02, 0.06))],
            fill=colour,
            width=max(1, round(unit / 400)),
        )
    elif form < 0.32:
        draw.polygon([(left, top), (middle, top - width * rng.uniform(0.3, 0.9)), (right, top)], fill=colour)
    elif form < 0.6:
        inset, rise = width * rng.uniform(0.14, 0.28), unit * rng.uniform(0.008, 0.03)
        draw.rectangle([left + inset, top - rise, right - inset, top], fill=colour)


def _windows(
    draw: ImageDraw.ImageDraw, stage: Stage, rng: random.Random, box: tuple[int, int, int, int], distance: float
) -> None:
    """Put a grid of windows on a wall: lit ones in the dark, glass by day."""
    p = stage.palette
    step = max(3.0, stage.unit * 0.0115)
    pane_width, pane_height = step * 0.5, step * 0.58
    share = 0.5 if p.dark else 0.9
    glass = p.far(mix(p.shaded((70, 90, 120)), p.middle, 0.35), distance * 0.9)
    lamps = [p.far(lamp, distance * 0.55) for lamp in _LAMPS]
    columns, rows = int((box[2] - box[0] - step * 0.5) / step), int((box[3] - box[1] - step * 0.6) / (step * 1.25))
    margin = (box[2] - box[0] - columns * step) / 2 + step * 0.25
    for row in range(rows):
        bright = share * rng.uniform(0.4, 1.3)
        for column in range(columns):
            if rng.random() > bright:
                continue
            x, y = box[0] + margin + column * step, box[1] + step * 0.7 + row * step * 1.25
            draw.rectangle([x, y, x + pane_width, y + pane_height], fill=rng.choice(lamps) if p.dark else glass)
