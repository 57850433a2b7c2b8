"""Every task of every Bedrock model over real HTTP: sync and async, whole and streamed; what a mask means on the wire."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Callable
from typing import Any

import limner
import PIL.Image
import PIL.ImageChops
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner_bedrock_emulator import Emulator

MODELS = ("sdxl", "titan-v1", "titan-v2")
SIZE = (48, 36)


def noise(size: tuple[int, int] = SIZE, seed: int = 1) -> PIL.Image.Image:
    return PIL.Image.frombytes("RGB", size, random.Random(seed).randbytes(size[0] * size[1] * 3))


PHOTO = noise()
BOX = limner.Mask.box((8, 8, 40, 30), size=SIZE)

Run = Callable[[limner.Model, limner.Task], limner.Result]


def in_sync(model: limner.Model, task: limner.Task) -> limner.Result:
    return model.run(task)


def in_async(model: limner.Model, task: limner.Task) -> limner.Result:
    return asyncio.run(model.arun(task))


WAYS = {
    f"{name}-{'streamed' if stream else 'whole'}": (run, stream)
    for name, run in (("sync", in_sync), ("async", in_async))
    for stream in (False, True)
}


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def way(request: pytest.FixtureRequest, emulator: Emulator) -> Callable[[str], tuple[limner.Model, Run]]:
    run, stream = request.param

    def reach(alias: str) -> tuple[limner.Model, Run]:
        emulator.clear()
        return limner.get_model(alias, endpoint_url=emulator.url, stream=stream), run

    return reach


def inverted(picture: PIL.Image.Image) -> PIL.Image.Image:
    return PIL.ImageChops.invert(picture.convert("RGB"))


def same(first: PIL.Image.Image, second: PIL.Image.Image) -> bool:
    return first.size == second.size and first.convert("RGB").tobytes() == second.convert("RGB").tobytes()


@pytest.mark.parametrize("alias", MODELS)
def test_generate(alias: str, way: Any, emulator: Emulator) -> None:
    model, run = way(alias)
    result = run(model, limner.Generate(prompt="a fox", n=7, seed=5, size=(1024, 1024)))
    assert [picture.outcome for picture in result.pictures] == ["ok"] * 7
    assert {picture.size for picture in result.images} == {(1024, 1024)}
    seeds = sorted(picture.seed for picture in result.pictures)  # type: ignore[type-var]
    assert seeds == ([5, 6, 7, 8, 9, 10, 11] if alias == "sdxl" else [5] * 5 + [10] * 2)
    assert len(emulator.requests) == len(result.request_ids) == (7 if alias == "sdxl" else 2)


@pytest.mark.parametrize("alias", MODELS)
def test_vary(alias: str, way: Any) -> None:
    model, run = way(alias)
    size = {} if alias == "sdxl" else {"size": (320, 704)}
    result = run(model, limner.Vary(image=PHOTO, prompt="a fox", strength=0.5, seed=1, **size))
    expected = PHOTO if alias == "sdxl" else PHOTO.resize((320, 704))
    assert same(result.image.pil(), inverted(expected))


@pytest.mark.parametrize("alias", MODELS)
@pytest.mark.parametrize("task", [limner.Inpaint, limner.Outpaint])
def test_edit_by_mask(alias: str, task: Any, way: Any) -> None:
    model, run = way(alias)
    result = run(model, task(image=PHOTO, prompt="a fox", mask=BOX, seed=1))
    expected = PHOTO.copy()
    expected.paste(inverted(PHOTO), None, BOX.pil())
    assert same(result.image.pil(), expected)


@pytest.mark.parametrize("alias", MODELS)
def test_outpaint_by_expand(alias: str, way: Any) -> None:
    model, run = way(alias)
    result = run(model, limner.Outpaint(image=PHOTO, prompt="a fox", expand=(16, 0, 8, 4), seed=1))
    assert result.image.size == (SIZE[0] + 24, SIZE[1] + 4)
    assert same(result.image.pil().crop((16, 0, 16 + SIZE[0], SIZE[1])), PHOTO)


@pytest.mark.parametrize("alias", MODELS[1:])
def test_edit_by_words(alias: str, way: Any) -> None:
    model, run = way(alias)
    inside = run(model, limner.Inpaint(image=PHOTO, prompt="a fox", mask_prompt="a door", seed=1)).image.pil()
    outside = run(model, limner.Outpaint(image=PHOTO, prompt="a fox", keep_prompt="a door", seed=1)).image.pil()
    assert not same(inside, PHOTO)
    assert same(inside, inverted(outside))  # what the one changes the other keeps


def test_remove_background(way: Any) -> None:
    model, run = way("titan-v2")
    subject = PIL.Image.new("RGB", SIZE, "white")
    subject.paste("red", (10, 10, 30, 30))
    cut_out = run(model, limner.RemoveBackground(image=subject)).image.pil()
    assert cut_out.getpixel((0, 0))[3] == 0
    assert cut_out.getpixel((20, 20)) == (255, 0, 0, 255)


def test_alpha_of_the_picture(way: Any, emulator: Emulator) -> None:
    holed = PHOTO.copy()
    holed.putalpha(PIL.ImageChops.invert(BOX.pil()))
    expected = PHOTO.copy()
    expected.paste(inverted(PHOTO), None, BOX.pil())
    for alias in MODELS:
        model, run = way(alias)
        result = run(model, limner.Inpaint(image=holed, prompt="a fox", mask="alpha", seed=1))
        assert same(result.image.pil(), expected)
        if alias == "sdxl":
            assert emulator.requests[0].body["mask_source"] == "INIT_IMAGE_ALPHA"


def test_a_filtered_picture_is_no_plain_success(way: Any) -> None:
    for alias in MODELS:
        model, run = way(alias)
        with pytest.raises(limner.ContentFiltered) as caught:
            run(model, limner.Generate(prompt="a fox [[fault:filtered]]"))
        assert caught.value.request_ids
        assert not caught.value.pictures


def test_some_filtered(way: Any) -> None:
    model, run = way("titan-v2")
    task = limner.Generate(prompt="a fox [[fault:filtered:2]]", n=3)
    with pytest.raises(limner.ContentFiltered) as caught:
        run(model, task)
    assert len(caught.value.pictures) == 1
    kept = run(model.with_settings(on_filtered="return"), task)
    assert [picture.outcome for picture in kept.pictures] == ["ok", "filtered", "filtered"]


FAULTS = {
    "throttle": limner.RateLimited,
    "internal-error": limner.ProviderUnavailable,
    "unavailable": limner.ProviderUnavailable,
    "overloaded": limner.ProviderUnavailable,
    "model-not-ready": limner.ProviderUnavailable,
    "model-timeout": limner.ProviderTimeout,
    "model-error": limner.ProviderError,
    "access-denied": limner.AccessDenied,
    "expired-token": limner.AuthenticationFailed,
    "quota": limner.RateLimited,
    "input-filtered": limner.ContentFiltered,
    "end-of-life": limner.ModelRetired,
    "legacy": limner.ModelRetired,
    "reset": limner.ProviderUnavailable,
    "truncated-json": limner.BadResponse,
    "bad-base64": limner.BadResponse,
    "not-a-picture": limner.BadResponse,
    "missing-keys": limner.BadResponse,
    "fewer-images": limner.BadResponse,
    "error-result": limner.ProviderError,
    "error-artifact": limner.ProviderError,
}


@pytest.mark.parametrize("alias", ["sdxl", "titan-v2"])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_an_error_of_the_tree(fault: str, alias: str, way: Any) -> None:
    model, run = way(alias)
    with pytest.raises(FAULTS[fault]) as caught:
        run(model.with_settings(max_attempts=1), limner.Generate(prompt=f"a fox [[fault:{fault}]]"))
    assert isinstance(caught.value, limner.ProviderError)
    assert "\n" not in str(caught.value)
    assert caught.value.model is not None


@pytest.mark.parametrize("alias", ["sdxl", "titan-v2"])
@pytest.mark.parametrize("fault", ["end-of-life", "legacy"])
def test_a_retired_model_names_its_replacement(fault: str, alias: str, way: Any) -> None:
    model, run = way(alias)
    assert model.lifecycle.replacement
    with pytest.raises(limner.ModelRetired) as caught:
        run(model, limner.Generate(prompt=f"a fox [[fault:{fault}]]"))
    assert f"use {model.lifecycle.replacement}" in str(caught.value)


def test_a_read_timeout_is_one_request(way: Any, emulator: Emulator) -> None:
    model, run = way("sdxl")
    with pytest.raises(limner.ProviderTimeout):
        run(model.with_settings(timeout=1), limner.Generate(prompt="a fox [[fault:hang]]"))
    assert len(emulator.requests) == 1


# ---------------------------------------------------------------------------------------------- polarity

masks = (
    st.binary(min_size=SIZE[0] * SIZE[1] // 8, max_size=SIZE[0] * SIZE[1] // 8)
    .map(lambda bits: limner.Mask.read(PIL.Image.frombytes("1", SIZE, bits.ljust(-(-SIZE[0] // 8) * SIZE[1], b"\0"))))
    .filter(lambda mask: not mask.is_black)
)
fast = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("alias", MODELS)
@pytest.mark.parametrize("task", [limner.Inpaint, limner.Outpaint])
@given(mask=masks)
@fast
def test_kept_pixels_are_the_input_and_opened_ones_exactly_inverted(
    alias: str, task: Any, mask: limner.Mask, emulator: Emulator
) -> None:
    model = limner.get_model(alias, endpoint_url=emulator.url)
    result = model.run(task(image=PHOTO, prompt="a fox", mask=mask, seed=1, preserve=False))
    expected = PHOTO.copy()
    expected.paste(inverted(PHOTO), None, mask.pil())
    assert same(result.image.pil(), expected)


@pytest.mark.parametrize("alias", MODELS)
@pytest.mark.parametrize("task", [limner.Inpaint, limner.Outpaint])
@given(mask=masks)
@settings(fast, max_examples=3)
def test_what_is_kept_stays_exact_whatever_the_painter_does(
    alias: str, task: Any, mask: limner.Mask, emulator: Emulator
) -> None:
    emulator.paint_with("sketch")
    try:
        model = limner.get_model(alias, endpoint_url=emulator.url)
        wide, small = noise((96, 72), 2), mask.resized((96, 72)).hardened()
        result = model.run(task(image=wide, prompt="a boat", mask=small, seed=1))
    finally:
        emulator.paint_with("invert")
    kept = PIL.ImageChops.invert(small.pil())
    difference = PIL.ImageChops.difference(result.image.pil().convert("RGB"), wide)
    assert PIL.ImageChops.multiply(difference, kept.convert("RGB")).getbbox() is None


def test_scaled_pictures_come_back_at_the_size_that_went_in(emulator: Emulator) -> None:
    model = limner.get_model("titan", endpoint_url=emulator.url)
    wide = noise((1600, 200))
    mask = limner.Mask.box((0, 0, 800, 200), size=(1600, 200))
    with pytest.raises(limner.TaskRefused, match="1408"):
        model.inpaint(wide, "a fox", mask=mask)
    result = model.inpaint(wide, "a fox", mask=mask, fit="nearest")
    assert result.image.size == (1600, 200)
    assert same(result.image.pil().crop((800, 0, 1600, 200)), wide.crop((800, 0, 1600, 200)))
    assert {entry.parameter for entry in result.account if entry.outcome == "adjusted"} == {"image", "mask"}


def test_a_jpeg_within_limits_travels_byte_for_byte(emulator: Emulator) -> None:
    import base64

    buffer = io.BytesIO()
    PHOTO.save(buffer, "JPEG")
    emulator.clear()
    limner.get_model("titan", endpoint_url=emulator.url).vary(buffer.getvalue(), "a fox")
    sent = emulator.requests[0].body["imageVariationParams"]["images"][0]
    assert base64.b64decode(sent) == buffer.getvalue()
