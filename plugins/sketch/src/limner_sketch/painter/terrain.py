"""Mountains and hills: a height field, lit from the sun's side and painted row by row from far to near."""

import math
import random
from dataclasses import dataclass

from PIL import Image

from limner_sketch.painter import noise
from limner_sketch.painter.colours import RGB
from limner_sketch.painter.stage import Stage, below


@dataclass(frozen=True)
class Range:
    """One range: from `foot` (y of its far edge) to `front` (y of its near edge), `height` pixels high.

    `distance` (0..1) is how much air lies before it, `cells` how many heights there are across, `crests` whether they
    are folded to sharp crests. `snow` and `trees` are the relative heights (0..1) above and below which they lie.
    `side` is where it stands: on the left (-1), on the right (1) or everywhere (0).
    """

    name: str
    foot: float
    front: float
    height: float
    distance: float
    cells: float
    crests: bool = True
    snow: float = 2.0
    trees: float = -1.0
    side: int = 0


def raise_range(picture: Image.Image, stage: Stage, land: Range) -> list[float]:
    """Paint a range over the picture; return its skyline, one y for every column."""
    rng = stage.stream(land.name)
    rows = max(12, min(200, round((land.front - land.foot + land.height) / 2)))
    columns = stage.width
    field = _heights((columns + 2, rows + 2), rng, land)
    colours = _surface(field, stage, land)
    layer, skyline = _project(colours, field.crop((1, 1, columns + 1, rows + 1)), stage, land)
    picture.paste(layer, (0, 0), below(layer.size, skyline))
    return skyline


def _heights(size: tuple[int, int], rng: random.Random, land: Range) -> Image.Image:
    """Return relative heights: nothing at the near edge, most two thirds back."""
    field = noise.fractal(size, rng, (land.cells, max(2.0, land.cells * 0.5)), 7, 0.5 if land.crests else 0.32)
    if land.crests:
        field = noise.ridged(field)
        large = noise.fractal(size, rng, (max(2.0, land.cells * 0.6), 2), 3, 0.4)
        field = noise.stretch(noise.compute(lambda e: e["f"] * (0.25 + 0.75 * e["g"]) + 0.35 * e["g"], f=field, g=large))
    rows = size[1]
    rise = [min(1.0, 1.7 * (1 - k / rows)) ** 0.9 * (0.35 + 0.65 * min(1.0, 3 * (k + 1) / rows)) for k in range(rows)]
    envelope = noise.column(rise).resize(size, Image.Resampling.NEAREST)
    if land.side:
        across = [min(1.0, max(0.0, 0.5 + land.side * (x / size[0] - 0.5) - 0.45) * 3.2) ** 1.3 for x in range(size[0])]
        aside = noise.row(across).resize(size, Image.Resampling.NEAREST)
        envelope = noise.compute(lambda e: e["f"] * e["g"], f=envelope, g=aside)
    return noise.compute(lambda e: e["f"] * e["g"], f=field, g=envelope)


def _surface(field: Image.Image, stage: Stage, land: Range) -> Image.Image:
    """Return the colour of every point of the field: its stuff in light and shade, behind its air."""
    p, (width, height) = stage.palette, (field.width - 2, field.height - 2)
    here = field.crop((1, 1, width + 1, height + 1))
    left, right = field.crop((0, 1, width, height + 1)), field.crop((2, 1, width + 2, height + 1))
    behind, before = field.crop((1, 0, width + 1, height)), field.crop((1, 2, width + 1, height + 2))
    toward = 1 if stage.sun[0] < stage.width / 2 else -1
    steep = land.height * 0.55 * toward
    slope = noise.compute(lambda e: e["r"] - e["l"], r=right, l=left)
    facing = noise.compute(lambda e: e["b"] - e["f"], b=behind, f=before)
    light = noise.mask(noise.compute(lambda e: 0.5 + e["s"] * steep * 0.55 + e["f"] * land.height * 0.05, s=slope, f=facing))
    grain = noise.fractal((width, height), stage.stream(land.name + " grain"), (land.cells * 8, land.cells * 4), 4, 0.7)

    def stuff(albedo: RGB) -> Image.Image:
        bright, dim = (
            Image.new("RGB", (width, height), p.of(albedo)),
            Image.new("RGB", (width, height), p.shaded(albedo)),
        )
        return Image.composite(bright, dim, light)

    ground = stuff(p.rock if land.crests else p.grass)
    if land.trees > 0:
        growth = noise.compute(lambda e: (land.trees - e["h"] + (e["g"] - 0.5) * 0.35) * 5 + 0.5, h=here, g=grain)
        ground.paste(stuff(p.leaf), (0, 0), noise.mask(growth))
    if land.snow < 1:
        cover = noise.compute(
            lambda e: (e["h"] - land.snow + (e["g"] - 0.5) * 0.3 - abs(e["s"]) * steep * toward * 0.05) * 9 + 0.5,
            h=here, g=grain, s=slope,
        )  # fmt: skip
        ground.paste(stuff(p.snow), (0, 0), noise.mask(cover))
    mottle = noise.mask(grain.point(lambda v: v * (0.16 if land.crests else 0.42) + (-0.02 if land.crests else -0.1)))
    ground.paste((0, 0, 0), (0, 0, width, height), mottle)
    air = noise.compute(lambda e: land.distance + (1 - e["h"]) ** 2 * 0.25 * (0.3 + land.distance), h=here)
    ground.paste(p.haze, (0, 0, width, height), noise.mask(air))
    return ground


def _project(colours: Image.Image, heights: Image.Image, stage: Stage, land: Range) -> tuple[Image.Image, list[float]]:
    """Stand the field up; return it on a picture of its own, and its skyline."""
    width, rows = colours.size
    bases = [land.foot + (land.front - land.foot) * (k / max(rows - 1, 1)) ** 1.4 for k in range(rows)]
    pixels = colours.transpose(Image.Transpose.TRANSPOSE).tobytes()
    levels = noise.numbers(heights.transpose(Image.Transpose.TRANSPOSE))
    floor = max(1, min(stage.height, math.ceil(land.front) + 2))
    columns, skyline = [], []
    for x in range(width):
        start, end = x * rows, (x + 1) * rows
        line = [base - land.height * level for base, level in zip(bases, levels[start:end], strict=True)]
        column, top = _stand(line, pixels[3 * start : 3 * end], floor)
        columns.append(column)
        skyline.append(top)
    layer = Image.frombytes("RGB", (floor, width), b"".join(columns)).transpose(Image.Transpose.ROTATE_90)
    return layer, skyline


def _stand(line: list[float], pixels: bytes, floor: int) -> tuple[bytes, float]:
    """Return one column of the picture, from `floor` upwards, and how high it reaches.

    `line` has the y of every point of the field, far ones first. Each shows as much as rises above all nearer ones.
    """
    top, shown, spans = float(floor), floor, []
    for k in range(len(line) - 1, -1, -1):
        y = line[k]
        if y < top:
            top, reach = y, max(0, int(y))
            if reach < shown:
                spans.append(pixels[3 * k : 3 * k + 3] * (shown - reach))
                shown = reach
    spans.append(spans[-1][:3] * shown if spans else pixels[:3] * shown)
    return b"".join(spans), top
