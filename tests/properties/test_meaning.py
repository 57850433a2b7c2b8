"""What the emulator, written from the documents alone, understands of a body is what the task said."""

from unittest import mock

import attrs
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Generate, Inpaint, Mask, Outpaint, Vary, WeightedText, expand_canvas
from limner_bedrock_emulator import pictures, sdxl, titan

from .bedrock import EVERY_CASE, FEW, bodies, within


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


@EVERY_CASE
@FEW
@given(data=st.data())
def test_the_other_side_understands_what_was_said(model, task_class, data):
    task = data.draw(within(model, task_class))
    if task_class not in {Generate, Vary, Inpaint, Outpaint}:
        pytest.skip("nothing is painted")
    plan = model.plan(task)
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
