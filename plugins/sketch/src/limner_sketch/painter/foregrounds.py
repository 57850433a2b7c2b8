"""The near half of a scene: the ground one stands on and what grows there."""

from itertools import accumulate

from PIL import Image, ImageChops, ImageOps

from limner_sketch.painter import noise, plants, terrain, water
from limner_sketch.painter.backdrops import has_lake, places, shore_line
from limner_sketch.painter.colours import RGB, gradient, mix
from limner_sketch.painter.stage import Stage, below, blurred, veil
from limner_sketch.painter.terrain import Range

_FLOWERS: tuple[RGB, ...] = ((240, 90, 90), (250, 214, 90), (232, 130, 190), (250, 250, 246), (150, 120, 220))


def paint(picture: Image.Image, stage: Stage) -> None:
    """Paint the foreground the stage's places ask for."""
    here = places(stage)
    z, h = stage.horizon, stage.height
    if "beach" in here:
        water.beach(picture, stage, z + (h - z) * 0.55)
    elif "desert" in here:
        _dunes(picture, stage)
    elif "forest" in here:
        _forest(picture, stage)
    elif here & {"sea", "city"}:
        pass
    else:
        _meadow(picture, stage)


def _ground(picture: Image.Image, stage: Stage) -> list[float]:
    u, h = stage.unit, stage.height
    across = stage.width / u
    return terrain.raise_range(
        picture,
        stage,
        Range("ground", shore_line(stage), h + u * 0.1, u * 0.1, 0.04, 1.6 * across, crests=False, trees=0.12),
    )


def _meadow(picture: Image.Image, stage: Stage) -> None:
    top, u = _ground(picture, stage), stage.unit
    bed = _river(picture, stage)
    across = stage.width / u
    centre = stage.stream("grove").uniform(0.35, 0.65)
    firs = 1.0 if "mountain" in places(stage) else 0.15
    ranks = (
        ((0.14, 18, 0.06, 0.02, 0.26), (0.27, 9, 0.02, 0.1, 0.33))
        if has_lake(stage)
        else ((0.1, 16, 0.1, 0.02, 0.2), (0.17, 5, 0.05, 0.1, 0.3))
    )
    for k, (tall, count, air, nearer, gap) in enumerate(ranks):
        line = [y + u * nearer for y in top]
        plants.plant(
            picture, stage, f"grove {k}", line, u * tall, round(count * across), air, firs, (centre - gap, centre + gap)
        )
    grown = picture.copy()
    plants.meadow(grown, stage, top, _flowers(stage))
    picture.paste(grown, (0, 0), ImageOps.invert(bed))


def _river(picture: Image.Image, stage: Stage) -> Image.Image:
    """Let a river through the ground where one is asked for; return the mask of its bed."""
    if "river" not in places(stage):
        return Image.new("L", stage.size)
    return water.river(picture, stage, shore_line(stage) - 0.03 * stage.unit)


def _flowers(stage: Stage) -> tuple[RGB, ...]:
    """Return the colours that bloom: two of them where the brief asks for it, or by chance."""
    rng = stage.stream("flowers")
    asked = stage.brief.has("spring", "summer", "flower", "meadow", "field")
    if stage.brief.has("snow", "winter", "autumn") or not (asked or rng.random() < 0.55):
        return ()
    return (*rng.sample(_FLOWERS, 2), *stage.brief.colours[:1] * 2)


def _forest(picture: Image.Image, stage: Stage) -> None:
    z, u, h = stage.horizon, stage.unit, stage.height
    across = stage.width / u
    autumn = stage.brief.has("autumn", "spring", "summer")
    firs = 0.2 if autumn else 0.8
    top = _ground(picture, stage)
    _river(picture, stage)
    for k, (depth, tall, count, air) in enumerate(
        ((0.1, 0.12, 70, 0.42), (0.2, 0.19, 44, 0.26), (0.36, 0.28, 26, 0.12), (0.62, 0.42, 12, 0.03))
    ):
        line = [y + (h - z) * (depth - 0.06) for y in top]
        plants.plant(
            picture,
            stage,
            f"wood {k}",
            line,
            u * tall,
            round(count * across),
            air,
            firs,
            (0.36, 0.64) if k > 1 else None,
        )


def _dunes(picture: Image.Image, stage: Stage) -> None:
    """Paint rows of dunes: one sharp crest line each, bright towards the sun, dark behind."""
    z, u, h = stage.horizon, stage.unit, stage.height
    for k, (depth, tall, air) in enumerate(((0.0, 0.07, 0.5), (0.12, 0.12, 0.3), (0.32, 0.18, 0.14), (0.66, 0.22, 0.03))):
        _dune(picture, stage, k, z + depth * (h - z) + 0.06 * u, tall * u, air)


def _dune(picture: Image.Image, stage: Stage, k: int, foot: float, tall: float, air: float) -> None:
    p, rng, w = stage.palette, stage.stream(f"dune {k}"), stage.width
    cells = (2.2 - 0.3 * k) * w / stage.unit
    crest = [foot - tall * v for v in noise.profile(w, rng, cells, 2, 0.3)]
    body = below(stage.size, crest)
    lit, dim = p.far(p.of(p.sand), air), p.far(mix(p.shaded(p.sand), p.of(p.sand), 0.22), air)
    ground = gradient(
        (w, stage.height),
        [(0.0, lit), (min(0.98, foot / stage.height), lit), (1.0, p.far(mix(p.of(p.sand), dim, 0.5), air))],
    )
    toward = -1 if stage.sun[0] < w / 2 else 1
    step = max(1, round(w / 100))
    steep = [(crest[min(w - 1, x + step)] - crest[max(0, x - step)]) * toward / step for x in range(w)]
    curl = noise.profile(w, rng, cells * 1.5, 3, 0.35)
    slip = [
        y + tall * (0.5 + c) * min(2.4, max(0.0, -s * 3.2))
        for y, s, c in zip(crest, _soft(steep, w // 40), curl, strict=True)
    ]
    shadow = ImageChops.subtract(body, below(stage.size, _soft(slip, w // 50)))
    veil(ground, dim, blurred(shadow, max(0.6, stage.unit * 0.002)))
    top = max(0, int(min(crest)))
    ripples = noise.fractal((w, (stage.height - top) * 2), rng, (7.0, 60.0), 3, 0.6)
    lines = noise.receding(ripples, stage.height - top, "top")
    veil(ground, dim, noise.mask(lines.point(lambda v: (v * 1.8 + -0.7) * (0.34 - air * 0.5))), (0, top))
    picture.paste(ground, (0, 0), body)


def _soft(line: list[float], reach: int) -> list[float]:
    """Return the line averaged over `reach` neighbours on either side."""
    total = [0.0, *accumulate(line)]
    count = len(line)
    return [
        (total[min(count, x + reach + 1)] - total[max(0, x - reach)]) / (min(count, x + reach + 1) - max(0, x - reach))
        for x in range(count)
    ]
