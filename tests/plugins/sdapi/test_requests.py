"""Requests keep the reference; bodies of public programs are taken or refused for the right reason, and reproduced."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import attrs
import limner
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limner import Generate, Image, Inpaint, Mask, Outpaint, Upscale, Vary, WeightedText
from limner.testing.pictures import picture
from limner.testing.strategies import tasks_within
from limner_fakes import sdapi as fake
from limner_fakes.pictures import decoded, encoded, written
from limner_sdapi.plugin import Sdapi

ORACLE = Path(__file__).parents[4] / "shared" / "oracle" / "sdapi_bodies.jsonl"
SIZE = (64, 64)
RGB = encoded(written(PIL.Image.new("RGB", SIZE, "teal")))
GREY = encoded(written(PIL.Image.new("L", SIZE, 255)))


def body(task):
    (request,) = Sdapi().plan(task).requests
    return json.loads(request.body)


@pytest.mark.parametrize("kind", list(Sdapi.limits), ids=lambda kind: kind.kind)
def test_requests_keep_the_reference(kind):
    @settings(max_examples=15, deadline=None)
    @given(st.data())
    def check(data):
        for request in Sdapi().plan(data.draw(tasks_within(Sdapi, kind))).requests:
            assert fake.problems(request.path, json.loads(request.body)) == []

    check()


def test_size_and_seed_are_always_sent_and_null_never():
    image, mask = picture(SIZE), Mask.box((8, 8, 20, 20), size=SIZE)
    for task in (
        Generate(prompt="a"),
        Vary(image=image, prompt="a"),
        Inpaint(image=image, prompt="a", mask=mask),
        Outpaint(image=image, prompt="a", expand=(8, 0, 0, 0)),
    ):
        sent = body(task)
        assert {"width", "height", "seed", "steps", "cfg_scale"} <= set(sent)
        assert None not in sent.values()
        assert sent["save_images"] is False


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P"])
def test_pictures_are_sent_in_rgb(mode):
    buffer = io.BytesIO()
    PIL.Image.new("RGB", SIZE, "teal").convert(mode).save(buffer, "PNG")
    sent = body(Vary(image=Image(buffer.getvalue()), prompt="a"))
    assert decoded(sent["init_images"][0]).mode == "RGB"


def test_masks_are_grey_pngs_that_are_not_rounded():
    mask = Mask.read(PIL.Image.linear_gradient("L").resize(SIZE))
    sent = body(Inpaint(image=picture(SIZE), prompt="a", mask=mask))
    assert decoded(sent["mask"]).tobytes() == mask.pil().tobytes()
    assert (sent["mask_round"], sent["mask_blur"], sent["inpaint_full_res"], sent["inpainting_fill"]) == (False, 0, False, 1)


def test_an_outpainted_canvas_holds_the_picture():
    sent = body(Outpaint(image=picture(SIZE), prompt="a", expand=(8, 0, 16, 0)))
    canvas, mask = decoded(sent["init_images"][0]), decoded(sent["mask"])
    assert canvas.size == mask.size == (sent["width"], sent["height"]) == (88, 64)
    assert canvas.crop((8, 0, 72, 64)).tobytes() == picture(SIZE).pil().convert("RGB").tobytes()
    assert (mask.getpixel((0, 0)), mask.getpixel((30, 30)), mask.getpixel((87, 63))) == (255, 0, 255)


def test_a_picture_off_the_grid_is_refused_or_fitted():
    task = Inpaint(image=picture((100, 70)), prompt="a", mask=Mask.box((10, 10, 60, 60), size=(100, 70)))
    with pytest.raises(limner.TaskRefused, match="divisible by 8"):
        Sdapi().plan(task)
    (request,) = Sdapi().plan(task, fit="nearest").requests
    assert fake.problems(request.path, json.loads(request.body)) == []


# ---------------------------------------------------------------------------------------------- bodies of public programs

NOT_PAINTED = {"/sdapi/v1/extra-batch-images", "/sdapi/v1/interrogate", "/sdapi/v1/png-info", "/sdapi/v1/options"}
REFUSED = {
    "unknown top-level keys": ["loras", "sd_model_checkpoint"],
    "num_inference_steps": ["num_inference_steps"],
    "no multiple of 8": ["$.width: 1433 is not a multiple of 8", "$.height: 660 is not a multiple of 8"],
    "width and height 0": ["$.height: 0 is less than the minimum", "$.width: 0 is less than the minimum"],
    "sd_api/extras.py": ["the upscaler None gives the picture back"],
    "full body of the web interface": ["seed_enable_extras"],
    "texture inpainting": ["enable_hr"],  # of txt2img only
}
"""By a part of the note: what a server would do nothing for, or cut, in silence."""


def public():
    if not ORACLE.exists():
        return []
    return [json.loads(line) for line in ORACLE.read_text("utf-8").splitlines()]


def filled(said):
    """Put pictures in their places; width, height and prompt may be left out by others."""
    text = json.dumps(said["body"])
    found = json.loads(text.replace("data:image/png;base64,<b64>", RGB).replace("<b64>", RGB))
    if found.get("mask"):
        found["mask"] = GREY
    return found


@pytest.mark.skipif(not ORACLE.exists(), reason="the bodies of public programs are not beside the repository")
def test_bodies_of_public_programs_are_taken_or_refused_for_the_right_reason():
    met = set()
    for said in public():
        found = fake.problems(said["endpoint"], filled(said), nulls=True)
        expected = next((part for part in REFUSED if part in said["note"]), None)
        if said["endpoint"] in NOT_PAINTED:
            assert found == [f"there is no {said['endpoint']}"]
        elif expected is None:
            assert found == [], said["note"]
        else:
            met.add(expected)
            assert len(found) > 0, said["note"]
            assert all(any(reason in one for one in found) for reason in REFUSED[expected]), (said["note"], found)
    assert met == set(REFUSED)


SAME = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "steps": "steps",
    "cfg_scale": "guidance_scale",
    "seed": "seed",
}


def task_of(said):
    """What a user of limner would ask for to send the same; nothing where limner's task has no word for it."""
    sent = filled(said)
    more = {ours: sent[theirs] for theirs, ours in SAME.items() if sent.get(theirs) not in {None, "", -1}}
    options = {"sampler": sent.get("sampler_name"), "scheduler": sent.get("scheduler")}
    options["checkpoint"] = sent.get("override_settings", {}).get("sd_model_checkpoint")
    options = {name: value for name, value in options.items() if value}
    size = sent["width"], sent["height"]
    if "init_images" not in sent:
        return Generate(size=size, options=options, **more)
    image = Image(picture(size).data)
    if sent.get("mask"):
        options |= {
            "inpainting_fill": ["fill", "original", "latent_noise", "latent_nothing"][sent["inpainting_fill"]],
            "inpaint_full_res": bool(sent["inpaint_full_res"]),
            "inpaint_full_res_padding": sent["inpaint_full_res_padding"],
            "mask_blur": sent["mask_blur"],
            "mask_strength": sent["denoising_strength"],
        }
        return Inpaint(image=image, mask=Mask.box((0, 0, 8, 8), size=size), options=options, **more)
    options["resize_mode"] = ["stretch", "crop", "fill"][sent.get("resize_mode", 0)]
    return Vary(image=image, size=size, strength=sent["denoising_strength"], options=options, **more)


REPRODUCED = (
    *("prompt", "negative_prompt", "steps", "cfg_scale", "width", "height", "sampler_name", "scheduler", "resize_mode"),
    *("denoising_strength", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "mask_blur"),
)


@pytest.mark.skipif(not ORACLE.exists(), reason="the bodies of public programs are not beside the repository")
def test_bodies_of_public_programs_are_reproduced():
    count = 0
    for said in public():
        sent = filled(said)
        unusual = said["endpoint"] in NOT_PAINTED or any(part in said["note"] for part in REFUSED)
        if unusual or said["endpoint"] in {fake.UPSCALE, fake.REMBG} or not sent["prompt"]:
            continue
        made = body(task_of(said))
        names = [name for name in REPRODUCED if sent.get(name) not in {None, ""}]
        if "init_images" not in sent:
            names = [name for name in names if name != "denoising_strength"]
        if "mask" not in sent or not sent["mask"]:
            names = [name for name in names if not name.startswith(("inpaint", "mask"))]
        assert {name: made[name] for name in names} == {name: sent[name] for name in names}, said["note"]
        if sent.get("seed", -1) != -1:
            assert made["seed"] == sent["seed"]
        count += 1
    assert count > 15


WEIGHTED = st.lists(
    st.builds(
        WeightedText,
        st.text("fox (red)[]\\\\:, 1.2", min_size=1, max_size=12).filter(lambda text: text.strip()),
        st.integers(0, 2000).map(lambda weight: weight / 1000),
    ),
    min_size=1,
    max_size=4,
)


@given(WEIGHTED)
@settings(max_examples=50)
def test_weights_are_what_the_server_reads(parts):
    parts = [attrs.evolve(part, weight=part.weight if part.weight != 1 else 1.01) for part in parts]
    found = fake.weights_of(body(Generate(prompt=parts))["prompt"])
    expected = []
    for part in parts:
        expected += [(", ", 1.0)] * bool(expected) + [(part.text, pytest.approx(part.weight))]
    assert found == expected


def test_prompts_and_parts_without_a_weight_are_sent_as_they_are():
    assert body(Generate(prompt="a (red:1.2) fox"))["prompt"] == "a (red:1.2) fox"
    assert body(Generate(prompt=["a [fox]", WeightedText("snow (deep)", 1.3)]))["prompt"] == "a [fox], (snow \\(deep\\):1.3)"


def test_the_high_resolution_pass_is_that_of_a1111():
    options = {"hr_scale": 1.5, "hr_upscaler": "Latent", "hr_strength": 0.4, "hr_steps": 10}
    sent = body(Generate(prompt="a", size=(512, 512), options=options))
    assert {name: sent.get(name) for name in ("enable_hr", "hr_scale", "hr_upscaler", "hr_second_pass_steps")} == {
        "enable_hr": True,
        "hr_scale": 1.5,
        "hr_upscaler": "Latent",
        "hr_second_pass_steps": 10,
    }
    assert (sent["denoising_strength"], sent["width"]) == (0.4, 512)
    assert "enable_hr" not in body(Generate(prompt="a"))


WRONG = {
    "size and factor": (Upscale(image=picture(SIZE), size=(256, 128), options={"factor": 2}), "without a size"),
    "another shape": (Upscale(image=picture((128, 64)), size=(256, 256)), "shape of the picture, such as 256x"),
    "smaller": (Upscale(image=picture((256, 256)), size=(128, 128)), "not be smaller"),
    "too large": (Upscale(image=picture((64, 64)), size=(512, 512)), "at most 8 times"),
    "no model": (limner.RemoveBackground(image=picture(SIZE), options={"model": "None"}), "gives no picture"),
    "weight": (Generate(prompt=[WeightedText("a", 3.0)]), "0.0 to 2.0|0 to 2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_go_together_is_refused(case):
    task, why = WRONG[case]
    with pytest.raises(limner.TaskRefused, match=why):
        Sdapi().plan(task)


def test_upscale_is_the_call_of_the_web_page():
    sent = body(Upscale(image=picture(SIZE), options={"upscaler": "Lanczos"}))
    assert base64.b64decode(sent.pop("image")) == picture(SIZE).data
    assert sent == {"resize_mode": 0, "upscaler_1": "Lanczos"}  # the factor is 2 by default
