"""Titan's own turns: two mask polarities, modes, conditioning, colours; every documented shape of an answer."""

import base64
import json
import subprocess
import sys

import limner
import pytest
from limner import BadResponse, ContentFiltered, Mask, Response, TaskRefused
from limner.testing.pictures import mask, picture
from limner_bedrock_titan.plugin import TitanV1, TitanV2

PICTURE, OTHER = picture(), picture(colour="navy")
MASK = mask((16, 16), (2, 3, 9, 12))
PNG = base64.b64encode(PICTURE.data).decode()
BLOCKED = "Content in the all of the generated image(s) has been blocked and has been filtered from the response."


def body_of(task, model=TitanV2):
    (request,) = model().plan(task).requests
    return json.loads(request.body)


def parameters_refused(task, model=TitanV2):
    with pytest.raises(TaskRefused) as refusal:
        model().plan(task)
    return {problem.parameter for problem in refusal.value.problems}


def mask_in(params):
    return Mask.read(base64.b64decode(params["maskImage"]))


# ---------------------------------------------------------------------------------------------- requests


def test_inpainting_sends_black_where_to_repaint():
    body = body_of(limner.Inpaint(image=PICTURE, mask=MASK))
    assert (body["taskType"], mask_in(body["inPaintingParams"])) == ("INPAINTING", MASK.inverted())
    assert "text" not in body["inPaintingParams"]


@pytest.mark.parametrize("model", [TitanV1, TitanV2])
@pytest.mark.parametrize("task", [limner.Inpaint, limner.Outpaint])
def test_edits_take_the_pictures_own_size_and_no_other(task, model):
    edit = {"image": PICTURE, "prompt": "a beach", "mask": MASK, "seed": 3}
    own = task(**edit, size=(16, 16))
    assert body_of(own, model) == body_of(task(**edit), model)
    with pytest.raises(TaskRefused, match=r"size=\(1024, 1024\): the result has the size of the picture, 16x16"):
        body_of(task(**edit, size=(1024, 1024)), model)


def test_the_canvas_that_expand_makes_is_the_size_of_an_outpainting():
    expanded = {"image": PICTURE, "prompt": "a beach", "expand": (4, 0, 2, 1)}
    assert "width" not in body_of(limner.Outpaint(**expanded, size=(22, 17)))["imageGenerationConfig"]
    assert parameters_refused(limner.Outpaint(**expanded, size=(16, 16))) == {"size"}


def test_outpainting_sends_white_where_to_paint():
    body = body_of(limner.Outpaint(image=PICTURE, prompt="a beach", mask=MASK))
    assert (body["taskType"], mask_in(body["outPaintingParams"])) == ("OUTPAINTING", MASK)


def test_outpainting_by_expand_sends_the_canvas():
    params = body_of(limner.Outpaint(image=PICTURE, prompt="a beach", expand=(4, 0, 2, 1)))["outPaintingParams"]
    assert limner.Image(base64.b64decode(params["image"])).size == (22, 17)
    assert mask_in(params).pil().crop((4, 0, 20, 16)).getextrema() == (0, 0)
    assert mask_in(params).data.count(0) == 16 * 16


@pytest.mark.parametrize(("preserve", "mode"), [(None, "PRECISE"), (True, "PRECISE"), (False, "DEFAULT")])
def test_preserve_decides_the_mode(preserve, mode):
    task = limner.Outpaint(image=PICTURE, prompt="a beach", mask=MASK, preserve=preserve)
    assert body_of(task)["outPaintingParams"]["outPaintingMode"] == mode


@pytest.mark.parametrize(("preserve", "mode"), [(None, "DEFAULT"), (True, "DEFAULT"), (False, "PRECISE")])
def test_a_mode_that_contradicts_preserve_is_refused(preserve, mode):
    task = limner.Outpaint(image=PICTURE, prompt="x", mask=MASK, preserve=preserve, options={"outpainting_mode": mode})
    assert parameters_refused(task) == {"options.outpainting_mode"}


@pytest.mark.parametrize("mode", ["PRECISE", "DEFAULT"])
def test_by_keep_prompt_the_mode_is_free(mode):
    task = limner.Outpaint(image=PICTURE, prompt="x", keep_prompt="the boat", options={"outpainting_mode": mode})
    params = body_of(task)["outPaintingParams"]
    assert (params["maskPrompt"], params["outPaintingMode"]) == ("the boat", mode)
    assert "maskImage" not in params


def test_outpainting_needs_a_prompt():
    assert parameters_refused(limner.Outpaint(image=PICTURE, expand=(1, 1, 1, 1))) == {"prompt"}


def test_a_canvas_over_1408_is_refused():
    assert parameters_refused(limner.Outpaint(image=PICTURE, prompt="x", expand=(1393, 0, 0, 0))) == {"expand"}


def test_a_canvas_that_weighs_too_much_is_refused():
    import random

    import PIL.Image

    noise = PIL.Image.frombytes("RGB", (1300, 1300), random.Random(3).randbytes(1300 * 1300 * 3))
    jpeg = _jpeg(noise)
    assert len(jpeg.data) < 5_000_000
    assert parameters_refused(limner.Outpaint(image=jpeg, prompt="x", expand=(100, 0, 0, 0))) == {"expand"}


def _jpeg(pil):
    from io import BytesIO

    buffer = BytesIO()
    pil.save(buffer, "JPEG", quality=90)
    return limner.Image(buffer.getvalue())


def test_grey_masks_are_refused_with_what_helps():
    with pytest.raises(TaskRefused, match="hardened"):
        TitanV2().plan(limner.Inpaint(image=PICTURE, mask=mask((16, 16), (2, 3, 9, 12), 128)))


def test_similarity_is_the_complement_of_strength():
    params = body_of(limner.Vary(image=[PICTURE, OTHER], strength=0.8))["imageVariationParams"]
    assert (params["similarityStrength"], len(params["images"])) == (0.2, 2)
    assert parameters_refused(limner.Vary(image=PICTURE, strength=0.81)) == {"strength"}


def test_seed_0_is_a_seed_like_any_other():
    assert body_of(limner.Generate(prompt="a fox", seed=0))["imageGenerationConfig"]["seed"] == 0


def test_twelve_pictures_are_three_calls_with_seeds_that_count_on():
    plan = TitanV1().plan(limner.Generate(prompt="a fox", n=12, seed=0))
    configs = [json.loads(request.body)["imageGenerationConfig"] for request in plan.requests]
    assert [(config["numberOfImages"], config["seed"]) for config in configs] == [(5, 0), (5, 5), (2, 10)]


def test_several_negative_prompts_are_joined_and_accounted():
    plan = TitanV1().plan(limner.Generate(prompt="a fox", negative_prompt=["fog", "rain"]))
    assert json.loads(plan.requests[0].body)["textToImageParams"]["negativeText"] == "fog, rain"
    assert {entry.outcome for entry in plan.account if entry.parameter == "negative_prompt"} == {"adjusted"}


def test_conditioning():
    options = {"condition_image": OTHER, "control_mode": "SEGMENTATION", "control_strength": 0.0}
    params = body_of(limner.Generate(prompt="a fox", options=options))["textToImageParams"]
    assert base64.b64decode(params["conditionImage"]) == OTHER.data
    assert (params["controlMode"], params["controlStrength"]) == ("SEGMENTATION", 0.0)


def test_colours_make_it_colour_guided():
    options = {"colors": ["#ff9900", "#232F3E"], "reference_image": picture(mode="L")}
    body = body_of(limner.Generate(prompt="a fox", negative_prompt="fog", options=options))
    params = body["colorGuidedGenerationParams"]
    assert (body["taskType"], params["colors"], params["negativeText"]) == (
        "COLOR_GUIDED_GENERATION",
        ["#ff9900", "#232F3E"],
        "fog",
    )
    assert limner.Image(base64.b64decode(params["referenceImage"])).mode == "RGB"


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"colors": ["#ff9900"], "condition_image": PICTURE}, {"options.colors"}),
        ({"control_mode": "CANNY_EDGE"}, {"options.control_mode"}),
        ({"control_strength": 0.0}, {"options.control_strength"}),
        ({"reference_image": PICTURE}, {"options.reference_image"}),
        ({"colors": ["#ff9900"], "control_strength": 0.5}, {"options.control_strength"}),
        ({"colors": ["ff9900"]}, {"options.colors"}),
        ({"colors": ["#ff9900"] * 11}, {"options.colors"}),
        ({"colors": []}, {"options.colors"}),
    ],
)
def test_what_does_not_go_together_is_refused(options, wrong):
    assert parameters_refused(limner.Generate(prompt="a fox", options=options)) == wrong


def test_v1_has_neither_conditioning_nor_colours_nor_background_removal():
    options = {"condition_image": PICTURE, "colors": ["#ff9900"]}
    task = limner.Generate(prompt="a fox", options=options)
    assert parameters_refused(task, TitanV1) == {"options.condition_image", "options.colors"}
    assert parameters_refused(limner.RemoveBackground(image=PICTURE), TitanV1) == {"task"}


def test_background_removal_has_no_config():
    body = body_of(limner.RemoveBackground(image=PICTURE))
    assert body == {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": PNG}}


# ---------------------------------------------------------------------------------------------- answers


def decoded(document, n=3):
    task = limner.Generate(prompt="a fox", n=n)
    return list(TitanV2().decode(task, Response(json.dumps(document).encode())))


def outcomes(pictures):
    return [got.outcome for got in pictures]


def test_success():
    assert [(got.outcome, got.image) for got in decoded({"images": [PNG] * 3})] == [("ok", PICTURE)] * 3


def test_an_error_beside_images_means_the_missing_ones_which_stand_last():
    got = decoded({"images": [PNG], "error": BLOCKED})
    assert outcomes(got) == ["ok", "filtered", "filtered"]
    assert got[2].reason == BLOCKED


@pytest.mark.parametrize("images", [{}, {"images": []}, {"images": None}])
def test_an_error_alone_means_all(images):
    assert outcomes(decoded({"error": BLOCKED, **images})) == ["filtered"] * 3


def test_an_error_without_words_is_still_one():
    assert {(got.outcome, bool(got.reason)) for got in decoded({"images": [PNG], "error": ""}, n=2)} == {
        ("ok", False),
        ("failed", True),
    }


def test_an_error_about_something_else_is_a_failure():
    assert outcomes(decoded({"error": "The image generation could not be completed."})) == ["failed"] * 3


@pytest.mark.parametrize(
    "words",
    ["has been filtered from the response", "has been blocked", "may conflict our AUP", "AWS Responsible AI Policy"],
)
def test_the_filters_words_are_known(words):
    assert outcomes(decoded({"error": words}, n=1)) == ["filtered"]


def test_with_an_error_no_picture_is_a_plain_success_if_none_is_missing():
    got = decoded({"images": [PNG] * 3, "error": BLOCKED})
    assert (outcomes(got), got[0].image) == (["filtered"] * 3, PICTURE)


def test_fewer_without_an_error_are_left_to_the_core():
    assert outcomes(decoded({"images": [PNG]})) == ["ok"]


@pytest.mark.parametrize("broken", ["", "no base64", base64.b64encode(b"no picture").decode(), PNG[:40]])
def test_an_unreadable_picture_does_not_take_the_others_with_it(broken):
    assert outcomes(decoded({"images": [PNG, broken, PNG]})) == ["ok", "failed", "ok"]


def test_the_mask_that_comes_back_is_on_the_first_picture():
    mask_png = base64.b64encode(OTHER.data).decode()
    got = decoded({"images": [PNG, PNG, PNG], "maskImage": mask_png})
    assert [picture.mask for picture in got] == [OTHER, None, None]


def test_an_unreadable_mask_is_said_and_the_picture_stays():
    (got,) = decoded({"images": [PNG], "maskImage": "%%%"}, n=1)
    assert (got.outcome, got.mask) == ("ok", None)
    assert "the mask" in got.reason


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"images": "abc"},
        {"images": {}},
        {"images": [1]},
        {"images": [None]},
        {"error": {}},
        {"images": None},
        [],
        "x",
        None,
    ],
)
def test_anything_else_is_a_bad_response(document):
    with pytest.raises(BadResponse):
        decoded(document)


def test_a_filtered_run_raises_and_carries_what_came():
    class Canned(TitanV2):
        def send(self, request):
            return Response(json.dumps({"images": [PNG], "error": BLOCKED}).encode())

    model = Canned(Canned.Settings(endpoint_url="http://127.0.0.1:1"))
    with pytest.raises(ContentFiltered) as raised:
        model.run(limner.Generate(prompt="a fox", n=2, seed=0))
    assert [got.image for got in raised.value.pictures] == [PICTURE]


# ---------------------------------------------------------------------------------------------- the models


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("titan", TitanV2),
        ("titan-v2", TitanV2),
        ("amazon.titan-image-generator-v2:0", TitanV2),
        ("titan-v1", TitanV1),
        ("amazon.titan-image-generator-v1", TitanV1),
        ("amazon.titan-image-generator-v1:0", TitanV1),
    ],
)
def test_they_are_found_by_every_documented_spelling(name, model):
    assert type(limner.get_model(name)) is model


def test_they_say_where_they_stand(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    assert "2026-06-30" in TitanV2().notices()[0]
    assert "legacy" in TitanV1().notices()[0]


def test_the_plugin_module_imports_nothing_heavy():
    heavy = "{'boto3', 'botocore', 'PIL', 'cattrs'}"
    script = f"import sys, limner_bedrock_titan.plugin; print(*{heavy} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == ""
