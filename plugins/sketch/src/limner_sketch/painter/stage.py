"""The stage of one picture: its frame, its palette and the tools its painters share."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from limner_sketch.painter import noise
from limner_sketch.painter.colours import RGB
from limner_sketch.painter.lexicon import Brief
from limner_sketch.painter.palette import Palette

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Stage:
    """What every painter of one picture knows. Lengths and places are in pixels, y grows downwards."""

    size: tuple[int, int]
    brief: Brief
    palette: Palette
    seed: int
    horizon: int
    sun: tuple[float, float]

    @property
    def width(self) -> int:
        return self.size[0]

    @property
    def height(self) -> int:
        return self.size[1]

    @property
    def unit(self) -> float:
        """The length that sizes things: the height, unless the picture is narrow."""
        return min(self.height, 1.4 * self.width)

    def stream(self, name: str) -> random.Random:
        """Return this picture's random numbers for one purpose, whatever the others draw."""
        return noise.stream(*self.brief.unknown, self.seed, name)


def below(size: tuple[int, int], line: Sequence[float]) -> Image.Image:
    """Return the mask of what lies below a line (one y for every column), with exact soft edges."""
    ramp = noise.column([y + 0.5 for y in range(size[1])]).resize(size, Image.Resampling.NEAREST)
    edge = noise.row(line).resize(size, Image.Resampling.NEAREST)
    return noise.mask(noise.compute(lambda e: e["ramp"] - e["edge"] + 0.5, ramp=ramp, edge=edge))


def stencil(size: tuple[int, int], draw: Callable[[ImageDraw.ImageDraw, int], None], scale: int = 2) -> Image.Image:
    """Return a smooth-edged mask: `draw` paints white at `scale` times the size."""
    sheet = Image.new("L", (size[0] * scale, size[1] * scale))
    draw(ImageDraw.Draw(sheet), scale)
    return sheet.reduce(scale)


def glow(picture: Image.Image, centre: tuple[float, float], radius: float, colour: RGB, strength: float) -> None:
    """Add soft light round a point ("screen": it can only brighten)."""
    side = max(2, round(2 * radius))
    falloff = Image.radial_gradient("L").point(lambda value: round(255 * max(0.0, 1 - value / 180) ** 2.4 * strength))
    spot = falloff.resize((side, side), Image.Resampling.BICUBIC)
    left, top = round(centre[0] - side / 2), round(centre[1] - side / 2)
    box = (max(left, 0), max(top, 0), min(left + side, picture.width), min(top + side, picture.height))
    if box[0] >= box[2] or box[1] >= box[3]:
        return
    shine = Image.new("RGB", (box[2] - box[0], box[3] - box[1]))
    shine.paste(colour, mask=spot.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top)))
    picture.paste(ImageChops.screen(picture.crop(box), shine), box)


def veil(picture: Image.Image, colour: RGB, mask: Image.Image, box: tuple[int, int] = (0, 0)) -> None:
    """Lay `colour` over the picture through `mask`."""
    picture.paste(colour, (*box, box[0] + mask.width, box[1] + mask.height), mask)


def blurred(mask: Image.Image, radius: float) -> Image.Image:
    """Return a blurred picture, at small cost for large radii."""
    factor = max(1, int(radius / 3))
    if factor == 1:
        return mask.filter(ImageFilter.GaussianBlur(radius))
    small = mask.resize((max(1, mask.width // factor), max(1, mask.height // factor)), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(radius / factor)).resize(mask.size, Image.Resampling.BICUBIC)
