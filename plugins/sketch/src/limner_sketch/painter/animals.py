"""The animals a prompt can name: two that sit and look at you, three that stand in profile."""

from itertools import pairwise

from limner_sketch.painter.colours import RGB, WHITE, mix
from limner_sketch.painter.objects import Figure
from limner_sketch.painter.palette import Palette
from limner_sketch.painter.pen import Pen, Points


def _fox(pen: Pen, colour: RGB, p: Palette) -> None:
    _sitting(pen, colour, p, bib=(250, 242, 230), ear_tip=0.02)
    fur = p.of(colour)
    white = p.of((252, 246, 236))
    pen.curve(
        [(0.66, 0.94), (0.86, 0.9), (0.99, 0.72), (0.97, 0.52), (0.9, 0.42), (0.86, 0.56), (0.76, 0.74), (0.62, 0.84)],
        mix(fur, p.shaded(colour), 0.35),
    )
    pen.curve([(0.9, 0.42), (0.975, 0.52), (0.985, 0.63), (0.9, 0.6), (0.86, 0.57)], white)


def _cat(pen: Pen, colour: RGB, p: Palette) -> None:
    tail = [(0.68, 0.95), (0.84, 0.93), (0.95, 0.82), (0.94, 0.66), (0.86, 0.56)]
    for a, b in pairwise(tail):
        pen.line([a, b], 0.075, p.shaded(colour))
    for x, y in tail:
        pen.ellipse(x, y, 0.0375, 0.031, p.shaded(colour))
    _sitting(pen, colour, p, bib=mix(colour, WHITE, 0.45), ear_tip=0.08, mask=False)
    stripe, pale, ink = p.shaded(mix(colour, (40, 30, 26), 0.35)), p.of((246, 242, 236)), p.of((30, 26, 28))
    for x, drop in ((0.4, 0.02), (0.46, 0.0), (0.52, 0.02)):
        pen.line([(x, 0.14 + drop), (0.46 + (x - 0.46) * 0.8, 0.215)], 0.016, stripe)
    for side in (-1, 1):
        for y in (0.32, 0.37):
            pen.line([(0.46 + side * 0.27, y), (0.46 + side * 0.19, y + 0.012)], 0.016, stripe)
        for y in (0.6, 0.68, 0.76):
            pen.line([(0.46 + side * 0.245, y), (0.46 + side * 0.16, y + 0.015)], 0.02, stripe)
        pen.ellipse(0.46 + side * 0.115, 0.29, 0.05, 0.036, p.of((176, 204, 90)))
        pen.ellipse(0.46 + side * 0.115, 0.29, 0.013, 0.033, ink)
        pen.ellipse(0.46 + side * 0.115 + 0.012, 0.28, 0.008, 0.007, WHITE)
        pen.ellipse(0.46 + side * 0.045, 0.415, 0.062, 0.042, pale)
        for lift in (-0.02, 0.005, 0.03):
            pen.line([(0.46 + side * 0.08, 0.415 + lift * 0.3), (0.46 + side * 0.33, 0.4 + lift)], 0.005, pale)
    pen.polygon([(0.43, 0.375), (0.49, 0.375), (0.46, 0.402)], p.of((214, 136, 136)))
    pen.line([(0.46, 0.4), (0.46, 0.425)], 0.007, ink)
    for side in (-1, 1):
        pen.line([(0.46, 0.425), (0.46 + side * 0.03, 0.437), (0.46 + side * 0.05, 0.428)], 0.007, ink)


def _dog(pen: Pen, colour: RGB, p: Palette) -> None:
    _sitting(pen, colour, p, bib=mix(colour, WHITE, 0.55), ear_tip=None)


def _sitting(pen: Pen, colour: RGB, p: Palette, bib: RGB, ear_tip: float | None, *, mask: bool = True) -> None:
    """Draw an animal that sits and faces the viewer.

    `ear_tip` is the y of its ears, None lets them hang. `mask` gives it the pale cheeks and the long snout of a dog.
    """
    fur, dim, pale, ink = p.of(colour), mix(p.of(colour), p.shaded(colour), 0.6), p.of(bib), p.of((36, 28, 30))
    pen.curve(
        [(0.3, 0.4), (0.24, 0.62), (0.2, 0.85), (0.26, 0.98), (0.72, 0.98), (0.79, 0.84), (0.74, 0.62), (0.62, 0.4)],
        fur,
    )
    pen.curve([(0.62, 0.56), (0.76, 0.7), (0.81, 0.88), (0.74, 0.985), (0.6, 0.97), (0.57, 0.8)], dim)
    pen.curve([(0.36, 0.44), (0.34, 0.58), (0.46, 0.78), (0.57, 0.58), (0.56, 0.44)], pale)
    for x in (0.39, 0.53):
        pen.curve(
            [
                (x - 0.06, 0.66),
                (x - 0.05, 0.9),
                (x - 0.07, 0.985),
                (x + 0.06, 0.985),
                (x + 0.05, 0.88),
                (x + 0.06, 0.66),
            ],
            mix(fur, dim, 0.3),
        )
        pen.ellipse(x - 0.005, 0.97, 0.062, 0.026, pale)
    if ear_tip is not None:
        for side in (-1, 1):
            pen.polygon([(0.46 + side * x, y) for x, y in ((0.26, ear_tip), (0.27, 0.24), (0.06, 0.17))], fur)
            pen.polygon(
                [(0.46 + side * x, y) for x, y in ((0.236, ear_tip + 0.06), (0.235, 0.2), (0.11, 0.16))],
                mix(dim, ink, 0.45),
            )
    pen.curve(
        [
            (0.46, 0.12),
            (0.3, 0.15),
            (0.2, 0.27),
            (0.16, 0.36),
            (0.33, 0.42),
            (0.46, 0.49),
            (0.59, 0.42),
            (0.76, 0.36),
            (0.72, 0.27),
            (0.62, 0.15),
        ],
        fur,
    )
    if not mask:
        return
    for side in (-1, 1):
        pen.curve(
            [(0.46 + side * x, y) for x, y in ((0.02, 0.37), (0.14, 0.33), (0.28, 0.35), (0.14, 0.42), (0.02, 0.475))],
            pale,
        )
        pen.ellipse(0.46 + side * 0.115, 0.29, 0.027, 0.026, ink)
        pen.ellipse(0.46 + side * 0.115 + 0.008, 0.283, 0.008, 0.008, WHITE)
        if ear_tip is None:
            pen.curve(
                [(0.46 + side * x, y) for x, y in ((0.14, 0.13), (0.27, 0.16), (0.33, 0.3), (0.28, 0.42), (0.2, 0.32))],
                dim,
            )
    pen.ellipse(0.46, 0.455, 0.042, 0.03, ink)
    pen.ellipse(0.45, 0.446, 0.012, 0.007, mix(ink, WHITE, 0.6))


_LEGS: tuple[Points, ...] = (
    ((0.3, 0.5), (0.28, 0.72), (0.3, 0.99), (0.34, 0.99), (0.335, 0.74), (0.38, 0.52)),
    ((0.39, 0.52), (0.385, 0.74), (0.4, 0.97), (0.435, 0.97), (0.43, 0.74), (0.45, 0.52)),
    ((0.7, 0.5), (0.72, 0.66), (0.69, 0.76), (0.71, 0.97), (0.745, 0.97), (0.735, 0.78), (0.78, 0.64), (0.8, 0.5)),
    ((0.77, 0.48), (0.81, 0.66), (0.78, 0.77), (0.81, 0.99), (0.85, 0.99), (0.83, 0.78), (0.87, 0.64), (0.86, 0.46)),
)
_BODY: Points = (
    (0.3, 0.36),
    (0.44, 0.36),
    (0.58, 0.385),
    (0.74, 0.35),
    (0.86, 0.37),
    (0.89, 0.48),
    (0.82, 0.58),
    (0.6, 0.585),
    (0.42, 0.6),
    (0.29, 0.54),
    (0.26, 0.44),
)


def _standing(pen: Pen, colour: RGB, p: Palette, neck: Points, head: Points) -> None:
    fur, dim = p.of(colour), mix(p.of(colour), p.shaded(colour), 0.65)
    for k, leg in enumerate(_LEGS):
        pen.polygon(leg, fur if k in (0, 3) else dim)
    pen.curve(_BODY, fur)
    pen.curve([(0.34, 0.56), (0.6, 0.55), (0.8, 0.54), (0.66, 0.59), (0.44, 0.605)], dim)
    pen.curve(neck, fur)
    pen.curve(head, fur)


def _horse(pen: Pen, colour: RGB, p: Palette) -> None:
    mane = p.of(mix(colour, (20, 14, 12), 0.6))
    pen.curve([(0.86, 0.37), (0.94, 0.42), (0.97, 0.6), (0.93, 0.76), (0.9, 0.58)], mane)
    neck = ((0.42, 0.38), (0.34, 0.24), (0.27, 0.13), (0.2, 0.13), (0.2, 0.28), (0.26, 0.48))
    _standing(
        pen,
        colour,
        p,
        neck,
        ((0.27, 0.1), (0.2, 0.1), (0.12, 0.2), (0.05, 0.29), (0.08, 0.33), (0.15, 0.3), (0.25, 0.24)),
    )
    pen.curve([(0.24, 0.08), (0.32, 0.14), (0.4, 0.26), (0.44, 0.37), (0.38, 0.36), (0.3, 0.22)], mane)
    pen.polygon([(0.21, 0.11), (0.22, 0.04), (0.25, 0.1)], p.of(colour))
    pen.ellipse(0.175, 0.17, 0.01, 0.01, p.of((24, 20, 20)))


def _deer(pen: Pen, colour: RGB, p: Palette) -> None:
    antler = p.of(mix((196, 164, 120), colour, 0.2))
    for lean in (0, 0.05):
        pen.line([(0.22 + lean, 0.13), (0.25 + lean, 0.06), (0.32 + lean, 0.0)], 0.012, antler)
        pen.line([(0.25 + lean, 0.06), (0.21 + lean, 0.0)], 0.01, antler)
        pen.line([(0.23 + lean, 0.1), (0.16 + lean, 0.04)], 0.01, antler)
    neck = ((0.38, 0.38), (0.31, 0.26), (0.27, 0.15), (0.21, 0.16), (0.22, 0.3), (0.27, 0.48))
    _standing(
        pen,
        colour,
        p,
        neck,
        ((0.28, 0.125), (0.21, 0.115), (0.13, 0.19), (0.09, 0.24), (0.12, 0.265), (0.19, 0.24), (0.26, 0.22)),
    )
    pen.curve([(0.27, 0.13), (0.36, 0.09), (0.37, 0.12), (0.29, 0.16)], mix(p.of(colour), p.shaded(colour), 0.5))
    pen.curve([(0.86, 0.38), (0.92, 0.4), (0.91, 0.48), (0.87, 0.47)], p.of((250, 244, 234)))
    pen.ellipse(0.19, 0.165, 0.009, 0.009, p.of((24, 20, 20)))


def _camel(pen: Pen, colour: RGB, p: Palette) -> None:
    neck = ((0.4, 0.5), (0.33, 0.56), (0.24, 0.5), (0.17, 0.34), (0.15, 0.16), (0.21, 0.15), (0.25, 0.3), (0.32, 0.4))
    head = ((0.2, 0.11), (0.14, 0.115), (0.06, 0.165), (0.035, 0.2), (0.07, 0.225), (0.15, 0.22), (0.22, 0.2))
    _standing(pen, colour, p, neck, head)
    fur = p.of(colour)
    pen.curve([(0.4, 0.4), (0.5, 0.26), (0.58, 0.17), (0.64, 0.2), (0.72, 0.32), (0.8, 0.4), (0.6, 0.46)], fur)
    pen.curve([(0.52, 0.27), (0.58, 0.175), (0.64, 0.205), (0.68, 0.27), (0.6, 0.25)], mix(fur, p.shaded(colour), 0.5))
    pen.polygon([(0.2, 0.12), (0.215, 0.075), (0.23, 0.13)], mix(fur, p.shaded(colour), 0.5))
    pen.line([(0.88, 0.42), (0.92, 0.5), (0.91, 0.62)], 0.014, p.shaded(colour))
    pen.ellipse(0.13, 0.155, 0.009, 0.009, p.of((24, 20, 20)))


ANIMALS: dict[str, Figure] = {
    "fox": Figure(0.86, (222, 112, 44), _fox),
    "cat": Figure(0.86, (120, 112, 110), _cat),
    "dog": Figure(0.86, (166, 116, 70), _dog),
    "horse": Figure(1.05, (122, 74, 46), _horse),
    "camel": Figure(1.05, (196, 152, 96), _camel),
    "deer": Figure(1.05, (158, 106, 66), _deer),
}
