"""The things a prompt can name, each drawn by a pen on its own transparent sheet."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from limner_sketch.painter.colours import RGB, WHITE, mix
from limner_sketch.painter.palette import Palette
from limner_sketch.painter.pen import Pen


@dataclass(frozen=True)
class Figure:
    """How a thing is drawn: its width over its height, its own colour, and the drawing of it."""

    aspect: float
    colour: RGB
    draw: Callable[[Pen, RGB, Palette], None]

    def image(self, height: int, palette: Palette, colour: RGB | None = None, width: int | None = None) -> Image.Image:
        """Return the thing, `height` pixels high, in its own colour or another; `width` None keeps its proportions."""
        pen = Pen((width if width is not None else max(2, round(height * self.aspect)), height))
        self.draw(pen, self.colour if colour is None else colour, palette)
        return pen.image()


def _pane(p: Palette) -> RGB:
    return (255, 214, 130) if p.dark else mix(p.of((150, 186, 214)), p.horizon, 0.35)


def _window(pen: Pen, colour: RGB, p: Palette) -> None:
    frame, dark = p.of(colour), p.shaded(colour)
    pen.box(0, 0, 1, 1, dark)
    pen.box(0.02, 0.01, 0.97, 0.98, frame)
    for left, right in ((0.09, 0.475), (0.525, 0.91)):
        for top, bottom in ((0.08, 0.46), (0.52, 0.92)):
            pen.box(left, top, right, bottom, dark)
            pen.box(left + 0.015, top + 0.012, right, bottom, _pane(p))
            pen.polygon(
                [(left + 0.015, bottom), (right, top + 0.012), (right, top + 0.16), (left + 0.16, bottom)],
                mix(_pane(p), WHITE, 0.28),
            )


def _door(pen: Pen, colour: RGB, p: Palette) -> None:
    frame, leaf = p.of((236, 230, 218)), p.of(colour)
    shadow, shine = p.of(mix(colour, (0, 0, 0), 0.42)), p.of(mix(colour, WHITE, 0.24))
    pen.box(0, 0, 1, 1, p.shaded((200, 192, 180)))
    pen.box(0.015, 0.008, 0.985, 1, frame)
    pen.box(0.1, 0.05, 0.9, 1, p.shaded((90, 84, 80)))
    pen.box(0.13, 0.17, 0.88, 0.985, leaf)
    pen.box(0.13, 0.065, 0.88, 0.15, _pane(p))
    for x in (0.375, 0.63):
        pen.box(x, 0.065, x + 0.012, 0.15, frame)
    for top, bottom in ((0.21, 0.38), (0.42, 0.62), (0.66, 0.93)):
        for left, right in ((0.2, 0.475), (0.535, 0.81)):
            pen.box(left, top, right, bottom, shadow)
            pen.box(left + 0.02, top + 0.012, right, bottom, shine)
            pen.box(left + 0.02, top + 0.012, right - 0.015, bottom - 0.008, mix(leaf, shadow, 0.22))
    pen.ellipse(0.815, 0.6, 0.04, 0.04 * 0.46, p.of((228, 190, 92)))
    pen.box(0.02, 0.975, 0.98, 1, p.of((176, 170, 164)))


def _house(pen: Pen, colour: RGB, p: Palette) -> None:
    wall, side = p.of((240, 232, 214)), p.shaded((222, 212, 196))
    roof, gable = p.of((150, 78, 60)), p.shaded((150, 78, 60))
    pen.box(0.66, 0.06, 0.74, 0.4, side)
    pen.box(0.655, 0.04, 0.745, 0.08, gable)
    pen.polygon([(0.06, 0.46), (0.34, 0.46), (0.34, 0.97), (0.06, 0.97)], side)
    pen.polygon([(0.06, 0.47), (0.2, 0.14), (0.34, 0.47)], side)
    pen.box(0.34, 0.46, 0.95, 0.97, wall)
    pen.polygon([(0.2, 0.1), (0.84, 0.1), (0.99, 0.49), (0.34, 0.49)], roof)
    pen.polygon([(0.2, 0.1), (0.24, 0.1), (0.03, 0.51), (0.0, 0.5)], gable)
    for row in range(1, 6):
        y = 0.1 + 0.39 * row / 6
        pen.line([(0.2 + 0.14 * row / 6, y), (0.84 + 0.15 * row / 6, y)], 0.004, mix(roof, gable, 0.6))
    pen.box(0.34, 0.49, 0.95, 0.53, mix(wall, side, 0.6))
    for left in (0.42, 0.78):
        pen.box(left - 0.012, 0.58, left + 0.112, 0.775, p.of((250, 248, 240)))
        pen.box(left, 0.595, left + 0.1, 0.76, _pane(p))
        pen.box(left + 0.046, 0.595, left + 0.054, 0.76, p.of((250, 248, 240)))
        pen.box(left, 0.67, left + 0.1, 0.68, p.of((250, 248, 240)))
    pen.box(0.15, 0.6, 0.25, 0.76, mix(_pane(p), side, 0.0 if p.dark else 0.3))
    pen.box(0.585, 0.6, 0.725, 0.97, p.of((250, 248, 240)))
    pen.box(0.6, 0.62, 0.71, 0.97, p.of(colour))
    pen.box(0.61, 0.64, 0.65, 0.77, p.of(mix(colour, (0, 0, 0), 0.25)))
    pen.box(0.66, 0.64, 0.7, 0.77, p.of(mix(colour, (0, 0, 0), 0.25)))
    pen.ellipse(0.696, 0.81, 0.008, 0.01, p.of((236, 200, 104)))
    pen.box(0.57, 0.965, 0.74, 1, p.of((180, 174, 166)))


def _lighthouse(pen: Pen, colour: RGB, p: Palette) -> None:
    pen.curve(
        [(0.0, 1.0), (0.08, 0.93), (0.3, 0.89), (0.6, 0.885), (0.85, 0.92), (1.0, 1.0), (0.5, 1.06)],
        p.shaded((120, 112, 106)),
    )
    stripes = 7
    for k in range(stripes):
        top, bottom = 0.26 + 0.66 * k / stripes, 0.26 + 0.66 * (k + 1) / stripes
        albedo = colour if k % 2 == 0 else (244, 242, 236)
        reach = [0.115 + 0.1 * (y - 0.26) / 0.66 for y in (top, bottom)]
        pen.polygon(
            [(0.5 - reach[0], top), (0.5 + reach[0], top), (0.5 + reach[1], bottom), (0.5 - reach[1], bottom)],
            p.of(albedo),
        )
        pen.polygon(
            [(0.53, top), (0.5 + reach[0], top), (0.5 + reach[1], bottom), (0.55, bottom)],
            mix(p.of(albedo), p.shaded(albedo), 0.6),
        )
    pen.box(0.34, 0.235, 0.66, 0.262, p.shaded((90, 90, 96)))
    pen.box(0.41, 0.13, 0.59, 0.235, (255, 240, 180))
    for x in (0.41, 0.465, 0.52, 0.575):
        pen.box(x, 0.13, x + 0.015, 0.235, p.shaded((90, 90, 96)))
    pen.polygon([(0.37, 0.135), (0.5, 0.04), (0.63, 0.135)], p.of(mix(colour, (60, 40, 40), 0.3)))
    pen.line([(0.5, 0.06), (0.5, 0.0)], 0.02, p.shaded((90, 90, 96)))
    for y in (0.42, 0.62):
        pen.box(0.47, y, 0.53, y + 0.05, p.shaded((80, 84, 92)))
    pen.box(0.45, 0.83, 0.55, 0.92, p.shaded((96, 70, 56)))


def _boat(pen: Pen, colour: RGB, p: Palette) -> None:
    pen.line([(0.5, 0.02), (0.5, 0.8)], 0.014, p.shaded((110, 84, 62)))
    pen.curve([(0.515, 0.04), (0.72, 0.36), (0.88, 0.7), (0.7, 0.72), (0.515, 0.72)], p.of((250, 246, 236)))
    pen.curve(
        [(0.48, 0.1), (0.34, 0.4), (0.12, 0.72), (0.3, 0.71), (0.48, 0.68)],
        mix(p.of((244, 236, 222)), p.shaded((244, 236, 222)), 0.5),
    )
    pen.curve(
        [(0.06, 0.79), (0.3, 0.82), (0.7, 0.82), (0.97, 0.77), (0.86, 0.95), (0.6, 0.99), (0.3, 0.98), (0.16, 0.93)],
        p.of(colour),
    )
    pen.polygon(
        [
            (0.09, 0.81),
            (0.3, 0.825),
            (0.7, 0.825),
            (0.945, 0.785),
            (0.935, 0.815),
            (0.7, 0.855),
            (0.3, 0.855),
            (0.105, 0.84),
        ],
        p.of((246, 240, 230)),
    )


def _cup(pen: Pen, colour: RGB, p: Palette) -> None:
    light, body, dark = p.of(mix(colour, WHITE, 0.35)), p.of(colour), p.shaded(colour)
    pen.ellipse(0.46, 0.9, 0.46, 0.095, mix(dark, (20, 16, 20), 0.3))
    pen.ellipse(0.46, 0.875, 0.45, 0.09, body)
    pen.ellipse(0.46, 0.87, 0.38, 0.066, mix(body, dark, 0.35))
    pen.ellipse(0.8, 0.5, 0.17, 0.155, body)
    pen.ellipse(0.8, 0.5, 0.105, 0.098, mix(p.haze, dark, 0.4))
    turns = [math.cos(math.pi * k / 40) for k in range(41)]
    cup = [(0.46 - 0.34 * math.copysign(abs(t) ** 0.6, t), 0.3 + 0.58 * (1 - t * t) ** 0.45) for t in turns]
    pen.polygon(cup, body)
    steps = 40
    for k in range(steps):
        share = k / steps
        left = [(0.46 + (x - 0.46) * (1 - share), y) for x, y in cup]
        pen.polygon(
            [point for point in left if point[0] >= 0.455] + [(0.455, 0.88), (0.46, 0.3)], mix(dark, body, share**0.8)
        )
        if k < steps * 0.7:
            pen.polygon(
                [(x * 0.9 + 0.02, y) for x, y in left if x <= 0.46] + [(0.45, 0.87), (0.45, 0.3)],
                mix(body, light, share * 0.7),
            )
    pen.ellipse(0.46, 0.3, 0.34, 0.075, light)
    pen.ellipse(0.46, 0.305, 0.315, 0.062, p.of((66, 38, 24)))
    pen.ellipse(0.44, 0.312, 0.25, 0.042, p.of((116, 72, 42)))
    pen.curve(
        [(0.44, 0.342), (0.31, 0.312), (0.36, 0.29), (0.44, 0.302), (0.52, 0.29), (0.57, 0.312)], p.of((238, 212, 176))
    )


def _flower(pen: Pen, colour: RGB, p: Palette) -> None:
    stem, petal = p.of((74, 128, 56)), p.of(colour)
    pen.line([(0.5, 0.3), (0.49, 0.6), (0.52, 1.0)], 0.03, stem)
    pen.curve([(0.51, 0.9), (0.3, 0.74), (0.1, 0.7), (0.24, 0.84)], stem)
    pen.curve([(0.51, 0.8), (0.7, 0.64), (0.92, 0.6), (0.78, 0.74)], mix(stem, p.shaded((74, 128, 56)), 0.4))
    for ring, reach, count in ((0, 0.3, 11), (1, 0.22, 9)):
        for k in range(count):
            angle = math.tau * (k + 0.5 * ring) / count
            tip = (0.5 + math.cos(angle) * reach * 1.5, 0.27 + math.sin(angle) * reach * 0.85)
            wide = 0.26
            around = [
                (0.5 + math.cos(angle + turn) * reach * 0.95, 0.27 + math.sin(angle + turn) * reach * 0.55)
                for turn in (-wide, wide)
            ]
            pen.curve(
                [(0.5, 0.27), around[0], tip, around[1]],
                mix(petal, p.shaded(colour), 0.45 - 0.4 * ring + 0.15 * (k % 2)),
            )
    pen.ellipse(0.5, 0.27, 0.13, 0.075, p.of((120, 78, 30)))
    pen.ellipse(0.5, 0.262, 0.105, 0.058, p.of((222, 164, 48)))


def _balloon(pen: Pen, colour: RGB, p: Palette) -> None:
    def outline(share: float) -> list[tuple[float, float]]:
        half = [(0.1, 0.62), (0.3, 0.5), (0.44, 0.36), (0.48, 0.24), (0.38, 0.1), (0.2, 0.015)]
        right = [(0.5 + x * share, y) for x, y in half]
        return [
            (0.5 + 0.1 * share, 0.7),
            *right,
            (0.5, 0.0),
            *[(1 - x, y) for x, y in reversed(right)],
            (0.5 - 0.1 * share, 0.7),
        ]

    for k, share in enumerate((1.0, 0.74, 0.45, 0.16)):
        albedo = colour if k % 2 == 0 else mix(colour, (255, 240, 200), 0.72)
        pen.curve(outline(share), mix(p.shaded(albedo), p.of(albedo), 0.5 + 0.16 * k))
    for x in (0.42, 0.58):
        pen.line([(x, 0.7), (0.5 + (x - 0.5) * 0.75, 0.87)], 0.008, p.shaded((90, 70, 50)))
    pen.box(0.43, 0.86, 0.57, 0.98, p.of((150, 104, 62)))
    pen.box(0.42, 0.855, 0.58, 0.88, p.shaded((150, 104, 62)))


def _waterfall(pen: Pen, colour: RGB, p: Palette) -> None:
    rock, dim, pale = p.of((124, 116, 108)), p.shaded((112, 104, 98)), p.of((240, 248, 252))
    water = p.of(colour)
    pen.curve(
        [(0.02, 1.0), (0.04, 0.62), (0.1, 0.3), (0.22, 0.1), (0.42, 0.05), (0.62, 0.04), (0.8, 0.12), (0.92, 0.34),
         (0.97, 0.66), (0.99, 1.0)], rock)  # fmt: skip
    for k in range(26):
        x, y = 0.06 + 0.88 * ((k * 0.618) % 1), 0.2 + 0.74 * ((k * 0.383) % 1)
        wide, high = 0.035 + 0.03 * (k % 3), 0.04 + 0.02 * (k % 4)
        facet = [(x, y - high), (x + wide, y - high * 0.2), (x + wide * 0.4, y + high), (x - wide * 0.5, y + high * 0.3)]
        pen.polygon(facet, mix(rock, dim if k % 3 else p.of((160, 152, 140)), 0.55))
    for x, y, r in (
        (0.12, 0.3, 0.07),
        (0.24, 0.13, 0.08),
        (0.37, 0.07, 0.05),
        (0.66, 0.06, 0.06),
        (0.8, 0.15, 0.07),
        (0.9, 0.35, 0.06),
    ):
        pen.ellipse(x, y, r, r * 0.5, mix(p.of(p.leaf), p.of(p.grass), 0.4))
    pen.polygon([(0.41, 0.07), (0.6, 0.065), (0.64, 0.5), (0.69, 0.95), (0.34, 0.95), (0.385, 0.5)], water)
    for k in range(34):
        x = (k * 0.618) % 1
        top, bottom = 0.07 + 0.5 * ((k * 0.27) % 1), 0.0
        bottom = min(0.95, top + 0.3 + 0.2 * (k % 3))
        start, spread = 0.42 + 0.17 * x, 1 - 2 * x
        strand = [(start - 0.07 * (top - 0.07) * spread, top), (start - 0.09 * bottom * spread, bottom)]
        pen.line(strand, 0.008 + 0.006 * (k % 3), mix(water, pale if k % 4 else dim, 0.75 if k % 4 else 0.2))
    pen.ellipse(0.51, 0.965, 0.42, 0.035, mix(water, p.of(p.water), 0.45))
    for k in range(15):
        pen.ellipse(0.33 + 0.36 * k / 14, 0.945 - 0.012 * (k % 3), 0.045, 0.026, mix(pale, water, 0.2 * (k % 3)))


def _portrait(pen: Pen, colour: RGB, p: Palette) -> None:
    skin, hair, ink = p.of((226, 178, 146)), p.of((86, 54, 38)), p.of((44, 32, 32))
    shade, blush = mix(skin, p.shaded((200, 136, 108)), 0.35), p.of((222, 142, 122))
    pen.curve([(0.27, 0.3), (0.3, 0.1), (0.5, 0.03), (0.7, 0.1), (0.74, 0.32), (0.78, 0.58), (0.66, 0.7), (0.34, 0.7),
               (0.22, 0.58)], hair)  # fmt: skip
    pen.curve(
        [(0.02, 1.04), (0.06, 0.84), (0.26, 0.74), (0.5, 0.72), (0.74, 0.74), (0.94, 0.84), (0.98, 1.04)], p.of(colour)
    )
    pen.curve(
        [(0.02, 1.04), (0.06, 0.84), (0.2, 0.77), (0.24, 0.92), (0.24, 1.04)], mix(p.of(colour), p.shaded(colour), 0.5)
    )
    pen.polygon([(0.41, 0.55), (0.59, 0.55), (0.6, 0.72), (0.64, 0.75), (0.5, 0.84), (0.36, 0.75), (0.4, 0.72)], shade)
    pen.curve([(0.33, 0.34), (0.34, 0.22), (0.5, 0.15), (0.66, 0.22), (0.67, 0.34), (0.645, 0.5), (0.57, 0.6), (0.5, 0.625),
               (0.43, 0.6), (0.355, 0.5)], skin)  # fmt: skip
    pen.curve([(0.3, 0.36), (0.3, 0.18), (0.5, 0.09), (0.7, 0.18), (0.7, 0.36), (0.65, 0.27), (0.56, 0.215), (0.42, 0.25),
               (0.35, 0.3)], hair)  # fmt: skip
    for side in (-1, 1):
        x = 0.5 + side * 0.083
        pen.ellipse(x, 0.375, 0.038, 0.0165, p.of((250, 248, 244)))
        pen.ellipse(x, 0.375, 0.0175, 0.0165, p.of((84, 110, 104)))
        pen.ellipse(x, 0.375, 0.009, 0.009, ink)
        pen.ellipse(x + 0.006, 0.37, 0.004, 0.0035, WHITE)
        pen.line([(x - 0.042, 0.372), (x - 0.015, 0.357), (x + 0.02, 0.357), (x + 0.042, 0.372)], 0.008, ink)
        pen.line([(x - 0.045, 0.332), (x, 0.318), (x + 0.045, 0.332)], 0.013, mix(hair, ink, 0.3))
        pen.ellipse(0.5 + side * 0.1, 0.465, 0.036, 0.022, mix(skin, blush, 0.45))
    pen.line([(0.505, 0.4), (0.52, 0.455), (0.5, 0.468), (0.482, 0.46)], 0.008, shade)
    pen.curve(
        [(0.44, 0.527), (0.475, 0.517), (0.5, 0.523), (0.525, 0.517), (0.56, 0.527), (0.5, 0.553)], p.of((186, 84, 80))
    )
    pen.line([(0.44, 0.527), (0.5, 0.532), (0.56, 0.527)], 0.005, p.of((130, 52, 52)))


FIGURES: dict[str, Figure] = {
    "house": Figure(1.45, (70, 110, 120), _house),
    "door": Figure(0.46, (60, 104, 112), _door),
    "window": Figure(0.8, (244, 242, 236), _window),
    "lighthouse": Figure(0.42, (196, 52, 46), _lighthouse),
    "boat": Figure(1.0, (176, 66, 52), _boat),
    "cup": Figure(1.2, (234, 228, 218), _cup),
    "flower": Figure(0.62, (226, 78, 96), _flower),
    "waterfall": Figure(0.9, (206, 228, 240), _waterfall),
    "portrait": Figure(0.86, (70, 96, 132), _portrait),
    "balloon": Figure(0.76, (214, 66, 54), _balloon),
}
