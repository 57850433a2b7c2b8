"""Painting a scene: read the prompt, set the stage, then paint from far to near."""

from PIL import Image

from limner_sketch.painter import backdrops, foregrounds, noise, palette, sky, subjects, weather
from limner_sketch.painter.lexicon import read
from limner_sketch.painter.pixels import Size
from limner_sketch.painter.stage import Stage


def paint(prompt: str, size: Size, seed: int) -> Image.Image:
    """Paint a picture for a prompt.

    Args:
        prompt: Any text. The words in `lexicon` choose what is painted; other words only vary the composition.
        size: Width and height in pixels, each from 64 to 2048.
        seed: Any integer. The same prompt, size and seed give the same pixels.

    Returns:
        An "RGB" picture of that size.
    """
    stage = set_stage(prompt, size, seed)
    picture = Image.new("RGB", size)
    sky.paint(picture, stage)
    backdrops.paint(picture, stage)
    foregrounds.paint(picture, stage)
    weather.behind(picture, stage)
    subjects.paint(picture, stage)
    weather.before(picture, stage)
    return weather.finish(picture, noise.stream(prompt, seed, "grain"))


def paint_scenery(prompt: str, size: Size, seed: int, horizon: int) -> Image.Image:
    """Paint a prompt's scenery alone, for an edit: no sun, nothing in the air, no subject, no darker corners."""
    stage = set_stage(prompt, size, seed, horizon)
    picture = Image.new("RGB", size)
    sky.paint_air(picture, stage)
    backdrops.paint(picture, stage)
    foregrounds.paint(picture, stage)
    return weather.grained(picture, noise.stream(prompt, seed, "grain"))


def set_stage(prompt: str, size: Size, seed: int, horizon: int | None = None) -> Stage:
    """Return the stage on which `paint` paints these arguments; `horizon` (in pixels) replaces the one that is drawn."""
    brief = read(prompt)
    rng = noise.stream(*brief.unknown, seed, "stage")
    colours = palette.choose(brief, noise.stream(*brief.unknown, seed, "palette"))
    drawn = round(size[1] * rng.uniform(0.5, 0.62))
    horizon = drawn if horizon is None else max(16, min(size[1] - 16, horizon))
    side = rng.choice((rng.uniform(0.16, 0.4), rng.uniform(0.6, 0.84)))
    height = {"day": 0.3, "dawn": 0.62, "sunset": 0.74, "night": 0.26}[colours.hour]
    sun = (size[0] * side, horizon * (height + rng.uniform(-0.08, 0.08)))
    return Stage(size, brief, colours, seed, horizon, sun)
