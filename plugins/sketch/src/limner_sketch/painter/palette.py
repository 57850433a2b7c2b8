"""What colour things are: the sky and the light of an hour, the ground of a season."""

import random
from dataclasses import dataclass, replace
from typing import Literal

from limner_sketch.painter.colours import RGB, lit, luminance, mix
from limner_sketch.painter.lexicon import Brief

Hour = Literal["day", "dawn", "sunset", "night"]


@dataclass(frozen=True)
class Palette:
    """The colours of one picture. `light` is what falls on the ground, `sun` the disc's colour (or the moon's)."""

    hour: Hour
    zenith: RGB
    middle: RGB
    horizon: RGB
    sun: RGB
    light: RGB
    shade: RGB
    cloud: RGB
    cloud_shade: RGB
    grass: RGB = (112, 142, 66)
    leaf: RGB = (52, 92, 50)
    rock: RGB = (138, 126, 120)
    sand: RGB = (232, 206, 156)
    water: RGB = (34, 92, 118)
    snow: RGB = (246, 249, 255)

    def of(self, albedo: RGB) -> RGB:
        """Return a surface's colour where the light falls on it."""
        return lit(albedo, self.light)

    def shaded(self, albedo: RGB) -> RGB:
        """Return a surface's colour in the shade."""
        return lit(albedo, self.shade)

    def far(self, colour: RGB, distance: float) -> RGB:
        """Return `colour` seen through `distance` (0..1) of air."""
        return mix(colour, self.haze, distance)

    @property
    def haze(self) -> RGB:
        """The colour of the air at the horizon."""
        return mix(self.horizon, self.middle, 0.25)

    @property
    def dark(self) -> bool:
        """Whether lamps are lit."""
        return luminance(self.light) < 110


_SKIES: dict[Hour, tuple[Palette, ...]] = {
    "day": (
        Palette("day", (52, 112, 190), (124, 178, 224), (220, 234, 238), (255, 250, 226), (255, 250, 238),
                (112, 124, 152), (255, 255, 252), (176, 192, 212)),
        Palette("day", (64, 128, 186), (146, 190, 214), (240, 232, 214), (255, 246, 214), (255, 244, 222),
                (118, 120, 146), (255, 252, 244), (190, 192, 206)),
        Palette("day", (40, 100, 170), (104, 164, 212), (206, 228, 236), (255, 252, 236), (255, 252, 244),
                (100, 118, 150), (255, 255, 255), (166, 186, 210)),
    ),
    "dawn": (
        Palette("dawn", (84, 112, 172), (196, 168, 190), (255, 214, 176), (255, 240, 206), (255, 222, 200),
                (112, 104, 142), (255, 232, 216), (170, 146, 180)),
        Palette("dawn", (104, 140, 184), (220, 186, 186), (255, 224, 180), (255, 244, 214), (255, 226, 196),
                (116, 110, 140), (255, 238, 222), (186, 164, 184)),
    ),
    "sunset": (
        Palette("sunset", (58, 52, 106), (196, 92, 104), (255, 176, 92), (255, 232, 168), (255, 186, 138),
                (92, 70, 108), (255, 176, 120), (128, 70, 108)),
        Palette("sunset", (44, 64, 118), (206, 110, 94), (255, 196, 104), (255, 238, 176), (255, 194, 140),
                (86, 74, 112), (255, 190, 132), (120, 78, 116)),
    ),
    "night": (
        Palette("night", (6, 10, 30), (16, 28, 66), (48, 72, 116), (240, 242, 232), (70, 86, 126),
                (22, 28, 54), (62, 76, 112), (20, 28, 56)),
        Palette("night", (8, 8, 30), (26, 24, 70), (70, 70, 122), (244, 240, 226), (78, 84, 128),
                (24, 26, 54), (70, 74, 118), (24, 26, 58)),
    ),
}  # fmt: skip


def choose(brief: Brief, rng: random.Random) -> Palette:
    """Return the palette of a brief; `rng` picks among its moods and shifts them a little."""
    palette = rng.choice(_SKIES[hour_of(brief)])
    palette = _seasoned(palette, brief, rng)
    palette = _weathered(palette, brief)
    return _tinted(palette, brief)


def hour_of(brief: Brief) -> Hour:
    """Return the hour a brief asks for; a moon, stars, planets or an aurora ask for the night."""
    hours: dict[str, Hour] = {"night": "night", "sunset": "sunset", "dawn": "dawn"}
    asked = [hours[name] for name in brief.names("hour")]
    if asked:
        return asked[0]
    return "night" if brief.has("moon", "star", "aurora", "planet") else "day"


_GROUNDS: dict[str, tuple[RGB, RGB]] = {
    "autumn": ((176, 138, 62), (176, 88, 36)),
    "field": ((206, 176, 84), (58, 92, 46)),
    "spring": ((134, 180, 74), (112, 156, 70)),
    "summer": ((148, 162, 62), (46, 104, 44)),
    "meadow": ((142, 180, 78), (62, 106, 50)),
}
"""The grass and the leaves of seasons and places; the first that is asked for counts."""


def _seasoned(palette: Palette, brief: Brief, rng: random.Random) -> Palette:
    if brief.has("snow", "winter"):
        return replace(palette, grass=(228, 236, 246), leaf=(84, 108, 112), sand=(226, 228, 232), rock=(128, 128, 138))
    share = rng.random()
    chance = mix((96, 138, 70), (140, 150, 70), share), mix((38, 82, 58), (66, 98, 46), share)
    grass, leaf = next((ground for name, ground in _GROUNDS.items() if brief.has(name)), chance)
    light = lit(palette.light, (255, 250, 226)) if brief.has("summer") else palette.light
    return replace(palette, grass=grass, leaf=leaf, light=light)


def _weathered(palette: Palette, brief: Brief) -> Palette:
    if brief.has("storm"):
        return _dulled(palette, (62, 70, 86), 0.68, 0.54)
    if brief.has("rain"):
        return _dulled(palette, (108, 120, 134), 0.62, 0.74)
    if brief.has("fog"):
        return _dulled(palette, (208, 214, 218), 0.5, 0.9)
    if brief.has("snow"):
        return _dulled(palette, (206, 214, 226), 0.35, 0.97)
    return palette


def _dulled(palette: Palette, grey: RGB, share: float, light: float) -> Palette:
    """Hang `grey` (as it looks at this hour) before the sky and take away some light."""
    grey = mix(grey, lit(grey, palette.light), 0.8)
    dim = round(255 * light)

    def veil(colour: RGB, part: float = share) -> RGB:
        return mix(colour, grey, part)

    return replace(
        palette,
        zenith=veil(palette.zenith),
        middle=veil(palette.middle),
        horizon=veil(palette.horizon),
        light=lit(mix(palette.light, lit((200, 208, 216), palette.light), 0.6), (dim, dim, dim)),
        shade=lit(palette.shade, (dim, dim, dim)),
        cloud=veil(palette.cloud, share * 0.8),
        cloud_shade=veil(lit(palette.cloud_shade, (dim, dim, dim)), share * 0.6),
    )


def _tinted(palette: Palette, brief: Brief) -> Palette:
    """Let the colours of a brief into the sky and the light."""
    if not brief.colours:
        return palette
    colour = brief.colours[0]
    share = 0.12 if brief.names("motif") else 0.32
    return replace(
        palette,
        zenith=mix(palette.zenith, lit(colour, mix(palette.zenith, (255, 255, 255), 0.5)), share),
        middle=mix(palette.middle, lit(colour, mix(palette.middle, (255, 255, 255), 0.5)), share),
        horizon=mix(palette.horizon, lit(mix(colour, (255, 255, 255), 0.4), palette.horizon), share),
        light=mix(palette.light, lit(mix(colour, (255, 255, 255), 0.3), palette.light), share),
        grass=mix(palette.grass, colour, share),
        leaf=mix(palette.leaf, colour, share),
    )
