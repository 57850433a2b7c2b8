"""What the emulator, written from the documents alone, understands of a body is what the task said."""

import base64
from collections.abc import Mapping
from unittest import mock

import attrs
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Image, Inpaint, Mask, Outpaint, RemoveBackground, Vary, WeightedText, expand_canvas
from limner.testing.ends import ends
from limner.testing.pictures import picture
from limner.testing.probes import starts
from limner_bedrock_emulator import pictures, sdxl, titan
from limner_bedrock_sdxl.plugin import Sdxl

from .bedrock import CASES, EVERY_CASE, FEW, MODELS, bodies, constraints, held, with_value, within


@attrs.define
class Listening:
    """A painter that paints nothing but notes what it was asked."""

    feather = 0
    asked: list = attrs.field(factory=list)

    def paint(self, prompt, size, seed):
        self.asked.append({"prompt": prompt, "size": size, "seed": seed})
        return PIL.Image.new("RGB", size)

    def vary(self, picture, prompt, strength, seed):
        self.asked.append({"prompt": prompt, "size": picture.size, "seed": seed, "strength": strength})
        return picture

    def repaint(self, picture, opening, prompt, seed):
        self.asked.append({"prompt": prompt, "size": picture.size, "seed": seed, "opening": opening.tobytes()})
        return picture


def understood(model, body):
    """What the emulator's side makes of a body, one entry for each picture."""
    painter = Listening()
    family = sdxl if "sdxl" in model.aliases else titan
    with mock.patch.object(pictures, "write", return_value=""):  # nobody looks at the pictures; encoding them takes time
        family.answer(body, painter, None)
    return painter.asked


def words(task):
    """What should be seen, as one text; parts by their positive weights."""
    if isinstance(task.prompt, tuple):
        parts = [part for part in task.prompt if isinstance(part, WeightedText) and part.weight > 0]
        return ", ".join(part.text for part in parts)
    return task.prompt or ""


@pytest.mark.parametrize(("model", "task_class"), [case for case in CASES if case.values[1] is not RemoveBackground])
@FEW
@given(data=st.data())
def test_the_other_side_understands_what_was_said(model, task_class, data):
    plan = model.plan(data.draw(within(model, task_class)))
    heard = [one for body in bodies(plan) for one in understood(model, body)]
    wanted = plan.task
    assert len(heard) == wanted.n
    assert [one["seed"] for one in heard] == [wanted.seed + index for index in range(wanted.n)]
    assert {one["prompt"] for one in heard} == {words(wanted)}
    if wanted.size is not None:
        assert {one["size"] for one in heard} == {wanted.size}
    if isinstance(wanted, Vary) and wanted.strength is not None:
        assert all(one["strength"] == pytest.approx(wanted.strength, abs=1e-9) for one in heard)
    if isinstance(wanted, Inpaint | Outpaint):
        opened = opening(wanted)
        if opened is not None:
            assert {one["size"] for one in heard} == {opened.size}
            assert {one["opening"] for one in heard} == {opened.data}


def opening(task):
    """Where limner's mask is open, on the canvas that is sent; None where only words tell."""
    if getattr(task, "expand", None) is not None:
        return expand_canvas(task.image, task.expand)[1]
    return Mask.from_alpha(task.image) if task.mask == "alpha" else task.mask


OPTIONS = ("style_preset", "sampler", "clip_guidance_preset", "extras", "step_schedule_start", "step_schedule_end")
SDXL_KEYS = {
    "cfg_scale": "guidance_scale",
    "steps": "steps",
    "samples": "n",
    "seed": "seed",
    **{name: f"options.{name}" for name in OPTIONS},
}
TITAN_KEYS = {
    "cfgScale": "guidance_scale",
    "numberOfImages": "n",
    "seed": "seed",
    "negativeText": "negative_prompt",
    "quality": "options.quality",
    "returnMask": "options.return_mask",
    "conditionImage": "options.condition_image",
    "controlMode": "options.control_mode",
    "controlStrength": "options.control_strength",
    "colors": "options.colors",
    "referenceImage": "options.reference_image",
}
"""Keys of the documents, and which of limner's words each carries unchanged."""


LEADERS = {
    "options.control_mode": {"condition_image": picture((320, 320))},
    "options.control_strength": {"condition_image": picture((320, 320))},
    "options.reference_image": {"colors": ["#ff9900"]},
}


@EVERY_CASE
@FEW
@given(data=st.data())
def test_every_value_stands_unchanged_under_its_documented_key(model, task_class, data):
    assert_unchanged(model, data.draw(within(model, task_class)))


@EVERY_CASE
def test_every_end_of_a_range_stands_unchanged_under_its_documented_key(model, task_class):
    limits = constraints(model, task_class)
    for start in starts(model, task_class):
        for name in limits.keys() & keys_of(model).values():
            for value in ends(limits[name]):
                led = attrs.evolve(start, options=LEADERS.get(name, {}))
                assert_unchanged(model, with_value(led, name, value))


def keys_of(model):
    return SDXL_KEYS if isinstance(model, Sdxl) else TITAN_KEYS


def assert_unchanged(model, task):
    plan, keys = model.plan(task), keys_of(model)
    for call, body in zip(plan.calls, bodies(plan), strict=True):
        groups = [body] if isinstance(model, Sdxl) else [group for group in body.values() if isinstance(group, dict)]
        found = {key: value for group in groups for key, value in group.items()}
        known = {key: name for key, name in keys.items() if name in constraints(model, type(task))}
        wanted = {key: as_json(held(call, name)) for key, name in known.items() if held(call, name) is not None}
        assert {key: value for key, value in found.items() if key in keys} == wanted


def as_json(value):
    match value:
        case Image():
            return base64.b64encode(value.data).decode()
        case Mapping():
            return {name: as_json(inner) for name, inner in value.items()}
        case tuple():
            return list(map(as_json, value))
    return value


@pytest.mark.parametrize("task_class", Sdxl.limits)
@FEW
@given(data=st.data())
def test_sdxl_weighs_each_text(task_class, data):
    plan = Sdxl().plan(data.draw(within(MODELS[0], task_class)))
    task = plan.task
    parts = (WeightedText(task.prompt or ""),) if not isinstance(task.prompt, tuple) else task.prompt
    negatives = (task.negative_prompt,) if isinstance(task.negative_prompt, str) else task.negative_prompt or ()
    wanted = [(part.text, part.weight) for part in parts] + [(text, -1) for text in negatives]
    for body in bodies(plan):
        assert [(one["text"], one.get("weight", 1)) for one in body["text_prompts"]] == wanted


@EVERY_CASE
@FEW
@given(data=st.data())
def test_the_pictures_arrive_as_they_are(model, task_class, data):
    task = data.draw(within(model, task_class))
    plan = model.plan(task)
    for body in bodies(plan):
        params = next((value for key, value in body.items() if key.endswith("Params")), body)
        arrived = [params[key] for key in ("image", "init_image") if key in params] + params.get("images", [])
        sent = getattr(plan.task, "image", ())
        sent = sent if isinstance(sent, tuple) else (sent,)
        if getattr(plan.task, "expand", None) is not None:
            sent = (expand_canvas(sent[0], plan.task.expand)[0],)
        assert [pictures.read(text, "#").size for text in arrived] == [image.size for image in sent]
        assert [pictures.read(text, "#").tobytes() for text in arrived] == [image.pil().tobytes() for image in sent]
