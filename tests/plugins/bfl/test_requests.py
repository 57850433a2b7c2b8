"""Every request is what the documents allow, by schemas written from them."""

from __future__ import annotations

import base64
import json
from unittest.mock import ANY

import limner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limner import Generate, Inpaint, Mask, Outpaint, Vary
from limner.testing.pictures import picture
from limner.testing.strategies import tasks_within
from limner_bfl.plugin import limner_models
from limner_fakes import bfl as fake
from limner_fakes.pictures import decoded

MODELS = {model.id: model for model in limner_models()}


def outpaints(grid, least):
    """Tasks whose pictures lie on a grid; of all tasks, few do."""
    steps = st.integers(0, 20).map(lambda step: 16 * step)
    sides = st.integers(least // grid, 320 // grid).map(lambda step: grid * step)
    borders = st.tuples(steps, steps, steps, steps).filter(any)
    return st.builds(
        lambda size, expand, **said: Outpaint(image=picture(size), expand=expand, **said),
        st.tuples(sides, sides),
        borders,
        prompt=st.none() | st.just("a beach"),
        n=st.none() | st.integers(1, 3),
        options=st.sampled_from([{}, {"safety_tolerance": 0}, {"safety_tolerance": 5, "output_format": "jpeg"}]),
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.id)
def test_requests_keep_the_documents(model):
    drawn = (
        outpaints(*((32, 256) if model.family == "expand" else (16, 64)))
        if Outpaint in model.limits
        else st.sampled_from([*model.limits]).flatmap(lambda kind: tasks_within(model, kind))
    )

    @settings(max_examples=20)
    @given(drawn)
    def check(task):
        for request in model().plan(task).requests:
            assert request.path == model.id
            assert fake.problems(request.path, json.loads(request.body)) == []

    check()


def body(name, task, **how):
    (request,) = MODELS[name]().plan(task, **how).requests
    assert fake.problems(request.path, json.loads(request.body)) == []
    return json.loads(request.body)


def test_pictures_travel_byte_for_byte_in_their_order():
    images = [picture((64, 64)), picture((32, 96), media_type="image/jpeg"), picture((96, 32))]
    sent = body("flux-2-pro", Vary(image=images, prompt="a fox"))
    names = ["input_image", "input_image_2", "input_image_3"]
    assert [base64.b64decode(sent[name]) for name in names] == [image.data for image in images]
    assert not {"width", "height"} & set(sent)


def test_flux_3_takes_a_ratio_and_says_so():
    plan = MODELS["flux-3-image"]().plan(Generate(prompt="a fox", size=(1920, 1080)))
    assert json.loads(plan.requests[0].body) == {"prompt": "a fox", "aspect_ratio": "16:9", "resolution": "1k"}
    (entry,) = [entry for entry in plan.account if entry.parameter == "size"]
    assert "chooses the pixels" in entry.why


def test_a_mask_is_white_where_it_repaints():
    mask = Mask.box((10, 20, 100, 120), size=(320, 256))
    for name in ("flux-pro-1.0-fill", "flux-tools/erase-v1"):
        sent = body(name, Inpaint(image=picture((320, 256)), mask=mask))
        assert "prompt" not in sent
        assert decoded(sent["mask"]).convert("L").tobytes() == mask.pil().tobytes()


def test_a_picture_of_any_size_can_be_filled_with_nearest():
    mask = Mask.box((10, 10, 60, 60), size=(500, 333))
    body("flux-pro-1.0-fill", Inpaint(image=picture((500, 333)), prompt="a fox", mask=mask), fit="nearest")


def test_nothing_that_nobody_said_is_sent_to_outpainting():
    sent = body("flux-tools/outpainting-v1", Outpaint(image=picture((64, 64)), expand=(16, 0, 0, 0)))
    assert set(sent) == {"input_image", "width", "height", "reference_offset_x", "reference_offset_y", "output_format"}


def test_what_flux_1_is_sent():
    assert body("flux-pro-1.1-ultra", Generate(prompt="a fox", size=(2100, 900), options={"raw": True}), fit="nearest") == {
        "prompt": "a fox",
        "aspect_ratio": "21:9",
        "raw": True,
        "output_format": "png",
        "seed": ANY,
    }
    assert "aspect_ratio" not in body("flux-kontext-pro", Vary(image=picture((64, 64)), prompt="make it winter"))
    sent = body("flux-pro-1.0-expand", Outpaint(image=picture((256, 320)), expand=(1, 2, 3, 4), steps=15))
    assert (sent["left"], sent["top"], sent["right"], sent["bottom"], sent["steps"]) == (1, 2, 3, 4, 15)


REFUSED = {
    "size of 1.1": ("flux-pro-1.1", Generate(prompt="a", size=(1472, 1024)), "256 to 1440"),
    "steps of 1.1": ("flux-pro-1.1", Generate(prompt="a", steps=20), "steps.*not supported"),
    "two of kontext": ("flux-kontext-pro", Vary(image=[picture((64, 64))] * 2, prompt="a"), "at most 1"),
    "tolerance of kontext": (
        "flux-kontext-max",
        Vary(image=picture((64, 64)), prompt="a", options={"safety_tolerance": 3}),
        "0 to 2",
    ),
    "guidance of dev": ("flux-dev", Generate(prompt="a", guidance_scale=6), "1.5 to 5"),
    "far expand": ("flux-pro-1.0-expand", Outpaint(image=picture((256, 256)), expand=(2049, 0, 0, 0)), "2048"),
    "step": ("flux-2-pro", Generate(prompt="a", size=(1000, 1024)), "divisible by 32"),
    "2048x2048": ("flux-2-pro", Generate(prompt="a", size=(2048, 2048)), "4,000,000"),
    "steps of pro": ("flux-2-pro", Generate(prompt="a", steps=20), "steps.*not supported"),
    "seed of FLUX 3": ("flux-3-image", Generate(prompt="a", seed=1), "seed.*not supported"),
    "five of klein": ("flux-2-klein-9b", Vary(image=[picture((64, 64))] * 5, prompt="a"), "at most 4"),
    "strength": ("flux-2-pro", Vary(image=picture((64, 64)), prompt="a", strength=0.5), "strength.*not supported"),
    "small for FLUX 3": ("flux-3-image", Vary(image=picture((128, 256)), prompt="a"), "256"),
    "mask of outpaint": (
        "flux-tools/outpainting-v1",
        Outpaint(image=picture((64, 64)), mask=Mask.box((0, 0, 9, 9), size=(64, 64))),
        "mask.*not supported",
    ),
    "canvas": ("flux-tools/outpainting-v1", Outpaint(image=picture((64, 64)), expand=(0, 0, 16, 70_000)), "expand"),
    "upscale": ("flux-2-pro", limner.Upscale(image=picture((64, 64))), "upscale"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_taken_is_refused_before_it_is_sent(case):
    name, task, why = REFUSED[case]
    with pytest.raises(limner.TaskRefused, match=why):
        MODELS[name]().plan(task)


def test_many_pixels_are_warned_of():
    plan = MODELS["flux-2-pro"]().plan(Vary(image=[picture((2048, 1920))] * 2, prompt="a", size=(1920, 2048)))
    assert any("state 9 megapixels" in warning for warning in plan.warnings)


def test_prices_are_those_of_the_documents():
    costs = {name: str(MODELS[name]().plan(Generate(prompt="a", n=2)).cost) for name in MODELS if MODELS[name].prices}
    assert costs == {
        "flux-2-pro": "0.06 USD",
        "flux-2-max": "0.14 USD",
        "flux-2-klein-4b": "0.028 USD",
        "flux-2-klein-9b": "0.03 USD",
        "flux-3-image": "0.096 USD",
    }
    assert MODELS["flux-2-pro"]().plan(Generate(prompt="a", size=(1024, 768))).cost is None


def test_aliases():
    names = {"flux": "flux-2-pro", "flux-pro": "flux-2-pro", "flux-3": "flux-3-image", "flux-erase": "flux-tools/erase-v1"}
    assert {alias: limner.get_model(alias).id for alias in names} == names
