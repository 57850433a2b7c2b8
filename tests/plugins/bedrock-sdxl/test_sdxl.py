"""SDXL's own turns: schedules, mask sources, empty prompts, seed 0; every documented shape of an answer."""

import base64
import json
import subprocess
import sys

import limner
import pytest
from limner import BadResponse, ContentFiltered, Mask, RequestRejected, Response, TaskRefused
from limner.testing.pictures import mask, picture
from limner_bedrock_sdxl.plugin import Sdxl

PICTURE, HOLED = picture(), picture(mode="RGBA")
MASK = mask((16, 16), (2, 3, 9, 12), 200)
PNG = base64.b64encode(PICTURE.data).decode()


def body_of(task, **how):
    (request,) = Sdxl().plan(task, **how).requests
    return json.loads(request.body)


def mask_in(body):
    return Mask.read(base64.b64decode(body["mask_image"]))


def parameters_refused(task):
    with pytest.raises(TaskRefused) as refusal:
        Sdxl().plan(task)
    return {problem.parameter for problem in refusal.value.problems}


# ---------------------------------------------------------------------------------------------- requests


def test_strength_is_the_complement_without_a_float_error():
    body = body_of(limner.Vary(image=PICTURE, strength=0.8))
    assert (body["init_image_mode"], body["image_strength"]) == ("IMAGE_STRENGTH", 0.2)
    assert "step_schedule_start" not in body


def test_a_schedule_takes_the_place_of_strength():
    body = body_of(limner.Vary(image=PICTURE, options={"step_schedule_start": 0.6, "step_schedule_end": 0.01}))
    assert (body["init_image_mode"], body["step_schedule_start"], body["step_schedule_end"]) == ("STEP_SCHEDULE", 0.6, 0.01)
    assert "image_strength" not in body


def test_neither_strength_nor_schedule_leaves_it_to_the_model():
    assert not {"init_image_mode", "image_strength", "step_schedule_start"} & body_of(limner.Vary(image=PICTURE)).keys()


@pytest.mark.parametrize("name", ["step_schedule_start", "step_schedule_end"])
def test_strength_with_a_schedule_is_refused_zero_or_not(name):
    task = limner.Vary(image=PICTURE, strength=0.0, options={name: 0.0})
    assert parameters_refused(task) == {f"options.{name}"}


@pytest.mark.parametrize(
    ("weights", "warned"), [((-1,), True), ((0, -0.5), True), ((1,), False), ((-1, 0.1), False), ((-1, 0), True)]
)
def test_a_prompt_without_a_positive_weight_is_warned_of(weights, warned):
    parts = [limner.WeightedText("secret", weight) for weight in weights]
    (*said,) = Sdxl(Sdxl.Settings(endpoint_url="http://127.0.0.1:9")).plan(limner.Generate(prompt=parts)).warnings
    assert said == ["no part of the prompt has a weight above 0: SDXL is only told what not to paint"] * warned


def test_no_prompt_is_one_empty_text():
    assert body_of(limner.Vary(image=PICTURE))["text_prompts"] == [{"text": ""}]


def test_weights_travel_and_negative_prompts_are_negative_weights():
    prompt = [limner.WeightedText("a fox", 2), limner.WeightedText("snow", -0.5)]
    body = body_of(limner.Generate(prompt=prompt, negative_prompt=["fog", "rain"]))
    texts = [(part["text"], part["weight"]) for part in body["text_prompts"]]
    assert texts == [("a fox", 2.0), ("snow", -0.5), ("fog", -1.0), ("rain", -1.0)]


def test_a_mask_travels_with_white_as_what_is_repainted():
    body = body_of(limner.Inpaint(image=PICTURE, mask=MASK))
    assert (body["mask_source"], mask_in(body)) == ("MASK_IMAGE_WHITE", MASK)


def test_black_as_the_mask_source_swaps_the_colours_and_keeps_the_meaning():
    body = body_of(limner.Inpaint(image=PICTURE, mask=MASK, options={"mask_source": "MASK_IMAGE_BLACK"}))
    assert (body["mask_source"], mask_in(body)) == ("MASK_IMAGE_BLACK", MASK.inverted())


def test_alpha_travels_as_the_pictures_own_transparency_and_as_a_mask():
    body = body_of(limner.Inpaint(image=HOLED, mask="alpha"))
    assert (body["mask_source"], mask_in(body)) == ("INIT_IMAGE_ALPHA", Mask.from_alpha(HOLED))
    assert base64.b64decode(body["init_image"]) == HOLED.data


def test_alpha_may_be_sent_as_a_mask_of_either_colour():
    body = body_of(limner.Inpaint(image=HOLED, mask="alpha", options={"mask_source": "MASK_IMAGE_BLACK"}))
    assert mask_in(body) == Mask.from_alpha(HOLED).inverted()


@pytest.mark.parametrize("edit", [{"mask": MASK}, {"expand": (1, 0, 0, 0)}])
def test_a_mask_that_the_model_would_not_look_at_is_refused(edit):
    task = limner.Outpaint(image=PICTURE, options={"mask_source": "INIT_IMAGE_ALPHA"}, **edit)
    assert parameters_refused(task) == {"options.mask_source"}


def test_outpaint_sends_the_canvas_and_opens_what_was_added():
    body = body_of(limner.Outpaint(image=PICTURE, expand=(4, 0, 2, 1)))
    assert limner.Image(base64.b64decode(body["init_image"])).size == (22, 17)
    opened = mask_in(body)
    assert (opened.size, opened.data.count(0)) == ((22, 17), 16 * 16)
    assert opened.pil().crop((4, 0, 20, 16)).getextrema() == (0, 0)


def test_seed_0_is_refused_because_it_means_random_and_1_is_nearest():
    task = limner.Generate(prompt="a fox", seed=0)
    with pytest.raises(TaskRefused, match="random"):
        Sdxl().plan(task)
    plan = Sdxl().plan(task, fit="nearest")
    assert json.loads(plan.requests[0].body)["seed"] == 1
    assert {entry.outcome for entry in plan.account if entry.parameter == "seed"} == {"adjusted"}


def test_several_pictures_are_several_calls_with_seeds_that_count_on():
    bodies = [json.loads(request.body) for request in Sdxl().plan(limner.Generate(prompt="a fox", n=3, seed=7)).requests]
    assert [(body["samples"], body["seed"]) for body in bodies] == [(1, 7), (1, 8), (1, 9)]


def test_edits_take_no_size_and_only_one_picture():
    assert parameters_refused(limner.Inpaint(image=PICTURE, mask=MASK, size=(1024, 1024))) == {"size"}
    assert parameters_refused(limner.Vary(image=[PICTURE, PICTURE])) == {"image"}
    assert parameters_refused(limner.Inpaint(image=PICTURE, mask_prompt="the door")) == {"mask_prompt"}


def test_extras_travel_as_they_are_and_hold_no_picture():
    extras = {"deep": [1, {"a": None}], "flag": True}
    assert body_of(limner.Generate(prompt="a fox", options={"extras": extras}))["extras"] == extras
    assert parameters_refused(limner.Generate(prompt="a fox", options={"extras": {"a": PICTURE}})) == {"options.extras"}


# ---------------------------------------------------------------------------------------------- answers


def decoded(document):
    task = limner.Generate(prompt="a fox")
    return list(Sdxl().decode(task, Response(json.dumps(document).encode())))


def artifact(reason="SUCCESS", **more):
    return {"seed": 4, "base64": PNG, "finishReason": reason} | more


def test_success():
    (got,) = decoded({"result": "success", "artifacts": [artifact()]})
    assert (got.outcome, got.image, got.seed) == ("ok", PICTURE, 4)


def test_a_filtered_picture_is_kept_but_no_success():
    (got,) = decoded({"result": "success", "artifacts": [artifact("CONTENT_FILTERED")]})
    assert (got.outcome, got.image, got.reason) == ("filtered", PICTURE, "CONTENT_FILTERED")


@pytest.mark.parametrize("picture_text", [None, "", "%%%"])
def test_a_filtered_picture_may_be_blank(picture_text):
    (got,) = decoded({"result": "success", "artifacts": [artifact("CONTENT_FILTERED", base64=picture_text)]})
    assert (got.outcome, got.image) == ("filtered", None)


def test_the_spelling_of_the_guides_text_is_understood():
    (got,) = decoded({"artifacts": [{"seed": 4, "base64": PNG, "finishedReason": "CONTENT_FILTERED"}]})
    assert got.outcome == "filtered"


@pytest.mark.parametrize("reason", ["ERROR", None, "", "success", "SOMETHING_NEW"])
def test_only_success_is_a_success(reason):
    (got,) = decoded({"result": "success", "artifacts": [artifact(reason)]})
    assert (got.outcome, got.image) == ("failed", None)


@pytest.mark.parametrize("picture_text", [None, "", "no base64", base64.b64encode(b"no picture").decode(), PNG[:40]])
def test_an_unreadable_picture_has_failed(picture_text):
    (got,) = decoded({"artifacts": [artifact(base64=picture_text)]})
    assert (got.outcome, got.image) == ("failed", None)
    assert "cannot be read" in got.reason or "not base64" in got.reason


def test_an_error_is_raised_with_its_words():
    with pytest.raises(RequestRejected, match="invalid_samples: too many"):
        decoded({"result": "error", "error": {"id": "1", "name": "invalid_samples", "message": "too many"}})


def test_filtered_words_are_the_filters():
    with pytest.raises(ContentFiltered, match="a word was filtered"):
        decoded({"result": "error", "error": {"id": "1", "name": "invalid_prompts", "message": "a word was filtered"}})


def test_an_error_without_a_reason_is_still_one():
    with pytest.raises(RequestRejected):
        decoded({"result": "error", "artifacts": [artifact()]})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"result": "success"},
        {"result": "success", "artifacts": None},
        {"artifacts": "abc"},
        {"artifacts": {"0": artifact()}},
        {"artifacts": ["abc"]},
        {"artifacts": [[]]},
        {"artifacts": [artifact(seed="4")]},
        {"artifacts": [artifact(seed=True)]},
        {"artifacts": [artifact(finishReason=["SUCCESS"])]},
        {"error": "went wrong"},
        [],
        None,
    ],
)
def test_anything_else_is_a_bad_response(document):
    with pytest.raises(BadResponse):
        decoded(document)


# ---------------------------------------------------------------------------------------------- the model


def test_it_is_found_by_every_documented_spelling():
    for name in ("sdxl", "stability.stable-diffusion-xl-v1", "stability.stable-diffusion-xl-v1:0"):
        assert limner.get_model(name).id == "stability.stable-diffusion-xl-v1"


def test_it_says_that_it_is_retired_and_what_to_use(monkeypatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    (notice,) = Sdxl().notices()
    assert "2025-05-20" in notice
    assert "SD3.5 Large" in notice


def test_the_plugin_module_imports_nothing_heavy():
    heavy = "{'boto3', 'botocore', 'PIL', 'cattrs'}"
    script = f"import sys, limner_bedrock_sdxl.plugin; print(*{heavy} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == ""
