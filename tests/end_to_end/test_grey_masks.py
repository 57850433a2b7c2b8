"""What a grey mask makes of a picture, over real HTTP, computed with numpy: mixed once, exact where it is black."""

from __future__ import annotations

from typing import Any

import limner
import numpy as np
import PIL.Image
import pytest
from limner_bedrock_emulator import Emulator

SIDE = 320
Levels = np.ndarray[Any, np.dtype[np.uint8]]

TAKE_GREY = {"sdxl": {}, "stability-inpaint": {"grow_mask": 0}}
TAKE_NONE = ("titan-v1", "titan-v2", "nova")


def smooth(side: int = SIDE) -> Levels:
    """A picture without edges, which comes through scaling almost unchanged."""
    ramp = np.linspace(0, 200, side)
    return np.stack([*np.meshgrid(ramp, ramp), np.full((side, side), 60.0)], axis=2).astype(np.uint8)


def noise(side: int = SIDE) -> Levels:
    return np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)


def feathered(side: int = SIDE) -> Levels:
    """White in the middle, falling to black before the edge: every level of grey is in it."""
    down, across = np.mgrid[:side, :side] - (side - 1) / 2
    distance = np.hypot(down, across) / side
    return np.clip((0.45 - distance) / 0.3 * 255, 0, 255).round().astype(np.uint8)


def half(side: int = SIDE) -> Levels:
    levels = np.zeros((side, side), np.uint8)
    levels[: side // 2] = 128
    return levels


def steps(side: int = SIDE) -> Levels:
    return np.tile(np.arange(side) % 256, (side, 1)).astype(np.uint8)


MASKS = {mask.__name__: mask() for mask in (feathered, half, steps)}


def mask_of(levels: Levels) -> limner.Mask:
    return limner.Mask(levels.shape[::-1], levels.tobytes())


def picture_of(levels: Levels) -> limner.Image:
    return limner.Image.read(PIL.Image.fromarray(levels))


def pixels(picture: limner.Picture) -> Levels:
    return np.asarray(picture.pil().convert("RGB"))


def mixed(before: Levels, painted: Levels, levels: Levels) -> np.ndarray[Any, np.dtype[np.float64]]:
    share = levels[:, :, None] / 255
    return before * (1 - share) + painted * share


def check(found: Levels, before: Levels, painted: Levels, levels: Levels, *, tolerance: float = 1) -> None:
    assert np.array_equal(found[levels == 0], before[levels == 0])
    assert np.abs(found - mixed(before, painted, levels)).max() <= tolerance


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("alias", TAKE_GREY)
@pytest.mark.parametrize("preserve", [None, True, False])
def test_grey_is_mixed_once(alias: str, mask: str, preserve: bool | None, emulator: Emulator) -> None:
    levels, before = MASKS[mask], noise()
    model = limner.get_model(alias, endpoint_url=emulator.url)
    said = {"mask": mask_of(levels), "seed": 1, "preserve": preserve, "options": TAKE_GREY[alias]}
    result = model.inpaint(picture_of(before), "a fox", **said)
    check(pixels(result.image), before, 255 - before, levels)


@pytest.mark.parametrize("mask", MASKS)
def test_outpainting_by_a_grey_mask(mask: str, emulator: Emulator) -> None:
    levels, before = MASKS[mask], noise()
    model = limner.get_model("sdxl", endpoint_url=emulator.url)
    result = model.outpaint(picture_of(before), "a fox", mask=mask_of(levels), seed=1)
    check(pixels(result.image), before, 255 - before, levels)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("alias", TAKE_NONE)
def test_where_a_model_takes_no_grey_what_is_black_is_exact(alias: str, mask: str, emulator: Emulator) -> None:
    """Grey is refused; made black or white on request, its pixels come as the provider painted or kept them."""
    levels, before = MASKS[mask], noise()
    model = limner.get_model(alias, endpoint_url=emulator.url)
    task = limner.Inpaint(image=picture_of(before), prompt="a fox", mask=mask_of(levels))
    with pytest.raises(limner.TaskRefused, match="mask"):
        model.run(task)
    result = model.run(task, fit="nearest")
    hard = np.where(levels < 128, 0, 255).astype(np.uint8)
    check(pixels(result.image), before, 255 - before, hard, tolerance=0)


@pytest.mark.parametrize("way", [limner.Inpaint, limner.Outpaint])
@pytest.mark.parametrize("mask", ["feathered", "half"])
def test_grey_of_the_offline_model(mask: str, way: Any) -> None:
    """What it paints is seen with the mask opened wholly wherever it is not black."""
    levels, before, model = MASKS[mask], noise(), limner.get_model("sketch")

    def made(levels: Levels, preserve: bool) -> Levels:
        task = way(image=picture_of(before), prompt="a red boat", mask=mask_of(levels), seed=3, preserve=preserve)
        return pixels(model.run(task).image)

    painted = made(np.where(levels > 0, 255, 0).astype(np.uint8), False)
    check(made(levels, True), before, painted, levels)


def test_soft_transparency_is_mixed_once(emulator: Emulator) -> None:
    levels, before = MASKS["feathered"], noise()
    picture = picture_of(np.dstack([before, 255 - levels]))
    model = limner.get_model("sdxl", endpoint_url=emulator.url)
    result = model.inpaint(picture, "a fox", mask="alpha", seed=1)
    check(pixels(result.image), before, 255 - before, levels)


@pytest.mark.parametrize("alias", [*TAKE_GREY, *TAKE_NONE])
def test_a_scaled_picture_keeps_what_its_own_mask_keeps(alias: str, emulator: Emulator) -> None:
    """Too small or too large for the model: picture and mask are scaled, and what comes back is scaled again."""
    side = 40 if alias in {"stability-inpaint", "nova"} else 1500
    levels, before = feathered(side), smooth(side)
    model = limner.get_model(alias, endpoint_url=emulator.url)
    options = TAKE_GREY.get(alias, {})
    task = limner.Inpaint(image=picture_of(before), prompt="a fox", mask=mask_of(levels), options=options)
    result = model.run(task, fit="nearest")
    assert "image" in {entry.parameter for entry in result.account if entry.outcome == "adjusted"} or alias == "sdxl"
    found = pixels(result.image)
    assert np.array_equal(found[levels == 0], before[levels == 0])
    if alias in TAKE_GREY:
        check(found, before, 255 - before, levels, tolerance=12)
