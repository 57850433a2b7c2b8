"""Putting the things a prompt names into the scene, or alone into a given box."""

import math

from PIL import Image, ImageDraw, ImageFilter

from limner_sketch.painter import noise, plants
from limner_sketch.painter.animals import ANIMALS
from limner_sketch.painter.colours import RGB, gradient, mix
from limner_sketch.painter.objects import FIGURES, Figure
from limner_sketch.painter.stage import Stage, blurred, glow, stencil, veil
from limner_sketch.painter.wording import MOST_THINGS

_STRETCH = 1.4
"""How far a thing may leave its own proportions to fill a box."""

_ALL: dict[str, Figure] = {**FIGURES, **ANIMALS}


def paint(picture: Image.Image, stage: Stage) -> None:
    """Paint the first things the stage's brief names, at most three."""
    for k, name in enumerate(asked(stage)[:MOST_THINGS]):
        if name == "tree":
            _lone_tree(picture, stage)
        elif name == "village":
            _village(picture, stage)
        elif name == "portrait":
            _before_a_blur(picture, stage, name)
        elif name == "cup":
            _on_a_table(picture, stage, name)
        elif name in ("door", "window"):
            _in_a_wall(picture, stage, name)
        else:
            _in_the_scene(picture, stage, name, k)


def asked(stage: Stage) -> list[str]:
    """Return the names of the things to paint."""
    return [word.name for word in stage.brief.known if word.name in _ALL or word.name in ("tree", "village")]


def fitted(stage: Stage, name: str, size: tuple[int, int]) -> Image.Image:
    """Return one thing ("RGBA") as large as fits into `size`, stretched a little where that fills it better."""
    name = "house" if name == "village" else name
    aspect = _ALL[name].aspect if name in _ALL else 0.9
    width = max(1, min(size[0], round(size[1] * aspect * _STRETCH)))
    height = max(1, min(size[1], round(width / aspect * _STRETCH)))
    if name == "tree":
        return _tree(stage, max(4, height)).resize((width, height), Image.Resampling.LANCZOS)
    return _ALL[name].image(height, stage.palette, _colour(stage), width)


def _colour(stage: Stage) -> RGB | None:
    return stage.brief.colours[0] if stage.brief.colours else None


def _tree(stage: Stage, height: int) -> Image.Image:
    p = stage.palette
    toward = -1 if stage.sun[0] < stage.width / 2 else 1
    leaf = mix(p.leaf, _colour(stage) or p.leaf, 0.75)
    snow = p.of(p.snow) if stage.brief.has("snow", "winter") else None
    return plants.broadleaf(
        height,
        stage.stream("lone tree"),
        p.shaded(mix(leaf, (0, 0, 0), 0.2)),
        p.of(mix(leaf, p.grass, 0.35)),
        toward,
        snow,
    )


def _lone_tree(picture: Image.Image, stage: Stage) -> None:
    tree = _tree(stage, round(min(0.52 * stage.unit, 0.9 * stage.width)))
    x = stage.stream("lone tree place").choice((0.3, 0.68)) * stage.width
    foot = stage.horizon + 0.66 * (stage.height - stage.horizon)
    _shadow(picture, stage, (x, foot), tree.width * 0.75)
    picture.paste(tree, (round(x - tree.width / 2), round(foot - tree.height)), tree)


_DOORS: tuple[RGB, ...] = ((70, 110, 120), (150, 70, 56), (90, 120, 70), (196, 150, 70))


def _village(picture: Image.Image, stage: Stage) -> None:
    """Scatter houses over the ground, small far ones first, round a taller one."""
    rng, depth = stage.stream("village"), stage.height - stage.horizon
    centre = rng.uniform(0.42, 0.58)
    rows = ((0.2, 0.09, 7), (0.32, 0.125, 5), (0.5, 0.18, 3))
    for place, tall, count in rows:
        height = max(8, round(tall * stage.unit))
        step = 2.1 * height / stage.width
        for k in range(count):
            x = (centre + (k - (count - 1) / 2) * step + rng.uniform(-0.2, 0.2) * step) * stage.width
            foot = stage.horizon + (place + rng.uniform(-0.04, 0.04)) * depth
            size = round(height * rng.uniform(0.85, 1.15))
            house = _ALL["house"].image(size, stage.palette, _colour(stage) or rng.choice(_DOORS))
            if stage.sun[0] < stage.width / 2:
                house = house.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            _shadow(picture, stage, (x, foot), house.width)
            picture.paste(house, (round(x - house.width / 2), round(foot - size)), house)


def _before_a_blur(picture: Image.Image, stage: Stage, name: str) -> None:
    """Blur the scene and paint the thing large before it, cut by the lower edge."""
    picture.paste(blurred(picture, stage.unit * 0.02), (0, 0))
    height = max(8, round(min(0.88 * stage.unit, stage.width / _ALL[name].aspect)))
    thing = _ALL[name].image(height, stage.palette, _colour(stage))
    picture.paste(thing, (round((stage.width - thing.width) / 2), stage.height - height), thing)


def _shadow(picture: Image.Image, stage: Stage, foot: tuple[float, float], width: float) -> None:
    size = (max(4, round(width)), max(4, round(width * 0.2)))
    spot = Image.radial_gradient("L").resize(size).point(lambda value: max(0, min(255, round((180 - value) * 1.0))))
    lean = (-0.12 if stage.sun[0] > stage.width / 2 else 0.12) * width
    veil(
        picture,
        stage.palette.shaded((40, 44, 50)),
        spot,
        (round(foot[0] - size[0] / 2 + lean), round(foot[1] - size[1] * 0.6)),
    )


_STANCES: dict[str, tuple[float, float, float]] = {
    "house": (0.3, 0.36, 0.42),
    "lighthouse": (0.46, 0.26, 0.06),
    "boat": (0.2, 0.36, 0.3),
    "flower": (0.62, 0.4, 1.02),
    "balloon": (0.26, 0.34, -0.3),
    "fox": (0.44, 0.42, 0.86),
    "cat": (0.4, 0.42, 0.86),
    "dog": (0.44, 0.42, 0.86),
    "horse": (0.42, 0.4, 0.72),
    "camel": (0.46, 0.4, 0.72),
    "waterfall": (0.52, 0.3, 0.56),
    "deer": (0.42, 0.4, 0.72),
}
"""How high a thing is (in units), how far from the side, how far from the horizon to the bottom (below 0: the top)."""

_LIT_FROM_THE_RIGHT = frozenset(("house", "boat"))
"""Figures that are drawn with the light on their right; all others have it on their left."""


def _in_the_scene(picture: Image.Image, stage: Stage, name: str, k: int) -> None:
    """Paint the `k`-th thing of a picture: the first clear of the sun, the others beside it."""
    tall, place, depth = _STANCES[name]
    place = (place, 1.08 - place, 0.12)[k]
    rng = stage.stream(name)
    height = max(8, round(min(tall * stage.unit, 0.8 * stage.width / _ALL[name].aspect)))
    thing = _ALL[name].image(height, stage.palette, _colour(stage))
    left = stage.sun[0] > stage.width / 2  # the first stands clear of the sun
    x = stage.width * ((place if left else 1 - place) + rng.uniform(-0.06, 0.06))
    foot = stage.horizon + depth * (stage.height - stage.horizon if depth > 0 else stage.horizon)
    if left != (name in _LIT_FROM_THE_RIGHT):
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if name == "boat":
        _reflection(picture, stage, thing, (x, foot))
    elif name == "lighthouse" and stage.palette.hour != "day":
        glow(picture, (x, foot - height * 0.82), stage.unit * 0.2, (255, 236, 170), 0.8)
    elif name not in ("balloon", "lighthouse"):
        _shadow(picture, stage, (x, foot), thing.width * 1.15)
    picture.paste(thing, (round(x - thing.width / 2), round(foot - thing.height)), thing)


def _reflection(picture: Image.Image, stage: Stage, thing: Image.Image, foot: tuple[float, float]) -> None:
    mirrored = thing.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((thing.width, max(2, round(thing.height * 0.7))))
    soft = mirrored.filter(ImageFilter.BoxBlur((stage.unit * 0.006, stage.unit * 0.012)))
    at = (round(foot[0] - thing.width / 2), round(foot[1] - thing.height * 0.03))
    picture.paste(soft, at, soft.getchannel("A").point(lambda value: round(value * 0.42)))


def _on_a_table(picture: Image.Image, stage: Stage, name: str) -> None:
    """Blur the scene and set the thing on a wooden table before it."""
    p, u = stage.palette, stage.unit
    picture.paste(blurred(picture, u * 0.016), (0, 0))
    edge = round(stage.height * 0.7)
    size = (stage.width, stage.height - edge)
    wood, dark = p.of((164, 110, 68)), p.shaded((120, 74, 46))
    table = gradient(size, [(0.0, mix(wood, p.sun, 0.25)), (1.0, mix(dark, wood, 0.4))])
    grain = noise.fractal(size, stage.stream("wood"), (2.0, 26.0), 6, 0.7)
    veil(table, dark, noise.mask(grain.point(lambda value: value * 1.5 + -0.55)))
    picture.paste(table, (0, edge))
    height = max(8, round(min(0.56 * u, 0.62 * stage.width)))
    thing = _ALL[name].image(height, p, _colour(stage))
    foot = (stage.width * 0.5, edge + size[1] * 0.56)
    _shadow(picture, stage, (foot[0], foot[1]), thing.width * 1.1)
    picture.paste(thing, (round(foot[0] - thing.width / 2), round(foot[1] - height * 0.96)), thing)
    _steam(picture, stage, (foot[0] - thing.width * 0.04, foot[1] - height * 0.64), height)


def _steam(picture: Image.Image, stage: Stage, foot: tuple[float, float], height: float) -> None:
    rng = stage.stream("steam")

    def rise(draw: ImageDraw.ImageDraw, s: int) -> None:
        for lean in (-0.13, 0.0, 0.13):
            phase, high = rng.uniform(0, 6), rng.uniform(0.36, 0.5)
            for k in range(60):
                t = k / 60
                x = foot[0] + height * (lean * (1 + 0.3 * t) + 0.05 * math.sin(phase + 7 * t) * (0.3 + t))
                y, r = foot[1] - height * high * t, height * (0.012 + 0.03 * t)
                draw.ellipse([(x - r) * s, (y - r) * s, (x + r) * s, (y + r) * s], fill=round(120 * (1 - t)))

    veil(picture, (255, 255, 255), blurred(stencil(stage.size, rise), height * 0.018))


def _in_a_wall(picture: Image.Image, stage: Stage, name: str) -> None:
    """Put a door or a window into a sunlit wall that hides most of the scene."""
    p, u = stage.palette, stage.unit
    wall = Image.new("RGB", stage.size, p.of((232, 220, 198)))
    plaster = noise.fractal(stage.size, stage.stream("plaster"), (5 * stage.width / u, 5 * stage.height / u), 7, 0.72)
    veil(wall, p.shaded((206, 186, 158)), noise.mask(plaster.point(lambda value: value * 0.5 + -0.16)))
    ground = round(stage.height * 0.88)
    wall.paste(
        gradient((stage.width, stage.height - ground), [(0.0, p.shaded((150, 142, 132))), (1.0, p.of((168, 160, 150)))]),
        (0, ground),
    )
    picture.paste(wall)
    height = round(min(0.7 * u if name == "door" else 0.5 * u, 0.8 * stage.width / _ALL[name].aspect))
    thing = _ALL[name].image(height, p, _colour(stage))
    foot = ground if name == "door" else round(stage.height * 0.7)
    left, top = round((stage.width - thing.width) / 2), foot - height
    shade = Image.new("L", stage.size)
    shade.paste(150, (left + round(u * 0.012), top + round(u * 0.012), left + thing.width + round(u * 0.02), foot))
    veil(picture, p.shaded((110, 100, 100)), blurred(shade, u * 0.012))
    picture.paste(thing, (left, top), thing)
