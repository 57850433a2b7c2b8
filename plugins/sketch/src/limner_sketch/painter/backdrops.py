"""The far half of a scene: mountains, hills or a city, and the water before them."""

from PIL import Image

from limner_sketch.painter import buildings, plants, terrain, water
from limner_sketch.painter.stage import Stage
from limner_sketch.painter.terrain import Range

_SCENERY: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (("mountain", "lake"), ("meadow",), ("sea",), ("mountain", "forest"), ("desert",), ("sea", "beach"), ("lake",)),
    )
)


def places(stage: Stage) -> frozenset[str]:
    """Return the places to paint: those asked for, or what unknown words draw; else rolling meadows."""
    asked = frozenset(stage.brief.names("place"))
    if asked:
        return asked
    if stage.brief.has("boat", "lighthouse"):
        return frozenset(("sea",))
    if stage.brief.unknown:
        return stage.stream("scenery").choice(_SCENERY)
    return frozenset(("meadow",))


def paint(picture: Image.Image, stage: Stage) -> None:
    """Paint what stands at the horizon, then the water that mirrors it."""
    here = places(stage)
    z, u = stage.horizon, stage.unit
    wintry = stage.brief.has("snow", "winter")
    if "mountain" in here:
        _mountains(picture, stage, wintry)
    elif not here & {"sea", "beach", "desert", "city"}:
        _hills(picture, stage, wintry)
    if "city" in here:
        buildings.skyline(picture, stage, z + round(u * 0.02))
    if here & {"sea", "beach"}:
        _headland(picture, stage)
        water.lay(picture, stage, z + round(u * 0.004), stage.height, 0.25)
    elif has_lake(stage):
        bottom = stage.height if "city" in here else round(shore_line(stage) + u * 0.04)
        water.lay(picture, stage, z + round(u * (0.02 if "city" in here else 0.075)), bottom, 0.9)


def has_lake(stage: Stage) -> bool:
    """Say whether still water lies before the backdrop; most mountains have a lake of their own accord."""
    here = places(stage)
    return bool(here & {"lake", "city"}) or (here == {"mountain"} and stage.stream("tarn").random() < 0.8)


def shore_line(stage: Stage) -> float:
    """Return the y at which the near ground begins."""
    if has_lake(stage):
        return stage.horizon + (stage.height - stage.horizon) * 0.62
    return stage.horizon + 0.07 * stage.unit


def _mountains(picture: Image.Image, stage: Stage, wintry: bool) -> None:
    z, u, rng = stage.horizon, stage.unit, stage.stream("ranges")
    across = stage.width / u
    line = 0.12 if wintry else rng.uniform(0.36, 0.56)
    tall = min(rng.uniform(0.36, 0.5) * u, 0.78 * z)
    terrain.raise_range(
        picture, stage, Range("far", z - u * 0.01, z + u * 0.02, tall * 0.78, 0.62, 5 * across, snow=line - 0.1)
    )
    terrain.raise_range(picture, stage, Range("middle", z, z + u * 0.06, tall, 0.34, 3.4 * across, snow=line, trees=0.16))
    shore = terrain.raise_range(
        picture,
        stage,
        Range("foothill", z + u * 0.03, z + u * 0.085, tall * 0.2, 0.2, 4 * across, crests=False, trees=0.7),
    )
    plants.plant(picture, stage, "far firs", [y + u * 0.024 for y in shore], u * 0.026, round(520 * across), 0.22, 1.0)


def _hills(picture: Image.Image, stage: Stage, wintry: bool) -> None:
    z, u = stage.horizon, stage.unit
    across = stage.width / u
    snow = 0.2 if wintry else 0.7
    terrain.raise_range(picture, stage, Range("far", z, z + u * 0.02, u * 0.13, 0.7, 4 * across, snow=snow))
    terrain.raise_range(picture, stage, Range("hills", z, z + u * 0.06, u * 0.1, 0.45, 3 * across, crests=False, trees=0.5))
    shore = terrain.raise_range(
        picture,
        stage,
        Range("near hills", z + u * 0.03, z + u * 0.1, u * 0.08, 0.24, 2.4 * across, crests=False, trees=0.35),
    )
    plants.plant(picture, stage, "far trees", [y + u * 0.035 for y in shore], u * 0.026, round(90 * across), 0.28, 0.3)


def _headland(picture: Image.Image, stage: Stage) -> None:
    z, u = stage.horizon, stage.unit
    across, side = stage.width / u, stage.stream("headland side").choice((-1, 1))
    terrain.raise_range(
        picture,
        stage,
        Range("headland", z - u * 0.002, z + u * 0.006, u * 0.1, 0.6, 2.5 * across, crests=False, trees=0.3, side=side),
    )
