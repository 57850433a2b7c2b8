"""Nova Canvas's own turns: wider sizes, styles, stricter pictures and texts; what a mask means, over real HTTP."""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Iterator

import limner
import limner_bedrock_emulator
import PIL.Image
import PIL.ImageChops
import pytest
from limner import Response, TaskRefused
from limner.testing.pictures import mask, picture
from limner_bedrock_titan.plugin import NovaCanvas

SIZE = (384, 320)
PICTURE = picture(SIZE)
MASK = mask(SIZE, (20, 30, 200, 300))


def body_of(task):
    (request,) = NovaCanvas().plan(task).requests
    return json.loads(request.body)


def parameters_refused(task):
    with pytest.raises(TaskRefused) as refusal:
        NovaCanvas().plan(task)
    return {problem.parameter for problem in refusal.value.problems}


# ---------------------------------------------------------------------------------------------- requests


def test_the_defaults_of_the_guide():
    config = body_of(limner.Generate(prompt="a fox", seed=0))["imageGenerationConfig"]
    assert config == {"numberOfImages": 1, "width": 1024, "height": 1024, "cfgScale": 6.5, "seed": 0}


def test_a_style_goes_with_the_text_and_with_a_condition():
    options = {"style": "3D_ANIMATED_FAMILY_FILM", "condition_image": PICTURE, "control_strength": 0.0}
    params = body_of(limner.Generate(prompt="a fox", options=options))["textToImageParams"]
    assert (params["style"], params["controlStrength"]) == ("3D_ANIMATED_FAMILY_FILM", 0.0)
    assert base64.b64decode(params["conditionImage"]) == PICTURE.data


@pytest.mark.parametrize("other", [{"style": "MAXIMALISM"}, {"condition_image": PICTURE}])
def test_colours_go_with_neither(other):
    task = limner.Generate(prompt="a fox", options={"colors": ["#ff9900"], **other})
    assert parameters_refused(task) == {"options.colors"}
    with pytest.raises(TaskRefused, match="image-gen-req-resp-structure"):
        NovaCanvas().plan(task)


@pytest.mark.parametrize("size", [(320, 320), (320, 1280), (4096, 1024), (2048, 2048)])
def test_sizes_at_the_ends(size):
    config = body_of(limner.Generate(prompt="a fox", size=size))["imageGenerationConfig"]
    assert (config["width"], config["height"]) == size


@pytest.mark.parametrize("size", [(304, 320), (320, 1296), (4112, 1040), (2064, 2048), (1030, 1024)])
def test_sizes_past_the_ends(size):
    assert parameters_refused(limner.Generate(prompt="a fox", size=size)) == {"size"}


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"prompt": "x" * 1025}, "prompt"),
        ({"negative_prompt": "x" * 1025}, "negative_prompt"),
        ({"seed": 2_147_483_647}, "seed"),
        ({"guidance_scale": 1.09}, "guidance_scale"),
        ({"guidance_scale": 10.01}, "guidance_scale"),
        ({"options": {"style": "ANIME"}}, "options.style"),
        ({"options": {"colors": ["#ff9900"] * 11}}, "options.colors"),
        ({"options": {"control_mode": "CANNY_EDGE"}}, "options.control_mode"),
    ],
)
def test_values_past_the_ends(arguments, wrong):
    assert parameters_refused(limner.Generate(**{"prompt": "a fox", **arguments})) == {wrong}


def test_variations_and_edits_need_a_text():
    for task in (
        limner.Vary(image=PICTURE),
        limner.Inpaint(image=PICTURE, mask=MASK),
        limner.Outpaint(image=PICTURE, mask=MASK),
    ):
        assert parameters_refused(task) == {"prompt"}


def test_a_strength_not_said_is_not_sent():
    params = body_of(limner.Vary(image=PICTURE, prompt="a fox"))["imageVariationParams"]
    assert "similarityStrength" not in params
    params = body_of(limner.Vary(image=PICTURE, prompt="a fox", strength=0.8))["imageVariationParams"]
    assert params["similarityStrength"] == 0.2


@pytest.mark.parametrize("task", [limner.Inpaint, limner.Outpaint])
def test_edits_send_no_size_and_have_no_mask_to_return(task):
    edit = {"image": PICTURE, "prompt": "a fox", "mask": MASK}
    assert not {"width", "height"} & body_of(task(**edit))["imageGenerationConfig"].keys()
    assert body_of(task(**edit, size=SIZE, seed=3)) == body_of(task(**edit, seed=3)), "the picture's own size is no other"
    assert parameters_refused(task(**edit, size=(1024, 1024))) == {"size"}
    assert parameters_refused(task(**edit, options={"return_mask": True})) == {"options.return_mask"}


@pytest.mark.parametrize("size", [(319, 320), (320, 1281), (4097, 1025), (2049, 2048)])
def test_pictures_past_the_limits(size):
    assert parameters_refused(limner.RemoveBackground(image=PIL.Image.new("RGB", size))) == {"image"}


@pytest.mark.parametrize("mode", ["RGBA", "L", "P"])
def test_pictures_become_opaque_rgb_and_that_is_accounted(mode):
    plan = NovaCanvas().plan(limner.RemoveBackground(image=picture(SIZE, mode=mode)))
    sent = json.loads(plan.requests[0].body)["backgroundRemovalParams"]["image"]
    assert limner.Image(base64.b64decode(sent)).mode == "RGB"
    assert {entry.outcome for entry in plan.account if entry.parameter == "image"} == {"adjusted"}


def test_a_canvas_past_the_limits_is_refused():
    assert parameters_refused(limner.Outpaint(image=PICTURE, prompt="x", expand=(897, 0, 0, 0))) == {"expand"}
    body = body_of(limner.Outpaint(image=PICTURE, prompt="x", expand=(896, 0, 0, 0)))
    assert limner.Image(base64.b64decode(body["outPaintingParams"]["image"])).size == (1280, 320)


# ---------------------------------------------------------------------------------------------- the model


@pytest.mark.parametrize(
    "name", ["nova", "amazon.nova-canvas-v1:0", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-canvas-v1:0"]
)
def test_it_is_found_by_every_documented_spelling(name):
    assert type(limner.get_model(name)) is NovaCanvas


def test_it_says_where_it_stands(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    assert "2026-09-30" in NovaCanvas().notices()[0]


@pytest.mark.parametrize("which", ["All", "Some"])
def test_its_filters_words_are_known(which):
    error = {"error": f"{which} of the generated images have been blocked by our content filters."}
    (got,) = NovaCanvas().decode(limner.Generate(prompt="a fox"), Response(json.dumps(error).encode()))
    assert got.outcome == "filtered"


# ---------------------------------------------------------------------------------------------- over HTTP


@pytest.fixture(scope="module")
def emulator() -> Iterator[limner_bedrock_emulator.Emulator]:
    with limner_bedrock_emulator.serve(painter="invert") as running:
        yield running


@pytest.fixture
def nova(emulator, monkeypatch):
    """The model as a user has it, led to the inverting emulator."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return limner.get_model("nova", endpoint_url=emulator.url, region="us-east-1")


@pytest.fixture(scope="module")
def photo():
    return PIL.Image.frombytes("RGB", SIZE, random.Random(1).randbytes(SIZE[0] * SIZE[1] * 3))


@pytest.mark.parametrize("preserve", [True, False])
@pytest.mark.parametrize("task", [limner.Inpaint, limner.Outpaint])
def test_white_is_repainted_by_both_edits(nova, photo, task, preserve):
    expected = photo.copy()
    expected.paste(PIL.ImageChops.invert(photo), None, MASK.pil())
    result = nova.run(task(image=photo, prompt="a fox", mask=MASK, seed=1, preserve=preserve))
    assert result.image.pil().convert("RGB").tobytes() == expected.tobytes()


def test_expanding_paints_what_was_added_and_keeps_the_picture(nova, emulator, photo):
    result = nova.outpaint(photo, "a beach", expand=(64, 0, 32, 16), preserve=False)
    sent = emulator.requests[-1].body["outPaintingParams"]
    canvas = limner.Image(base64.b64decode(sent["image"])).pil()
    assert (canvas.size, sent["outPaintingMode"]) == ((480, 336), "DEFAULT")
    expected = PIL.ImageChops.invert(canvas)
    expected.paste(photo, (64, 0))
    assert result.image.pil().convert("RGB").tobytes() == expected.tobytes()


def test_what_one_edit_by_words_changes_the_other_keeps(nova, photo):
    inside = nova.inpaint(photo, "a fox", mask_prompt="a door").image.pil().convert("RGB")
    outside = nova.outpaint(photo, "a fox", keep_prompt="a door").image.pil().convert("RGB")
    assert inside.tobytes() != photo.tobytes()
    assert inside.tobytes() == PIL.ImageChops.invert(outside).tobytes()


def test_the_other_tasks_run(nova, photo):
    assert [image.size for image in nova.generate("a fox", n=6, size=(336, 320)).images] == [(336, 320)] * 6
    varied = nova.vary(photo, "a fox", size=SIZE).image.pil().convert("RGB")
    assert varied.tobytes() == PIL.ImageChops.invert(photo).tobytes()
    assert nova.generate("a fox", options={"colors": ["#ff9900"], "reference_image": photo}).image.size == (1024, 1024)
    assert nova.remove_background(photo).image.pil().mode == "RGBA"
