"""From any task to the requests: documented within the limits, none outside, and every input counts or is accounted for."""

import functools

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from limner import Inpaint, Mask, Outpaint, TaskRefused
from limner.testing.strategies import images, json_values, outside, tasks, values
from limner_bedrock_sdxl.plugin import Sdxl

from .bedrock import EVERY_CASE, FEW, MODELS, another, bodies, constraints, held, seeded, with_value, within, wrong_with


def refused(make):
    """The parameters that a refusal names; nothing where there is none."""
    try:
        make()
    except TaskRefused as refusal:
        return {problem.parameter for problem in refusal.problems if problem.limit}
    return set()


# ---------------------------------------------------------------------------------------------- within the limits


@EVERY_CASE
@FEW
@given(data=st.data())
def test_a_task_within_the_limits_becomes_documented_bodies(model, task_class, data):
    task = data.draw(within(model, task_class))
    plan = model.plan(task)
    assert documented(model, plan)
    per_call = model.per_call(task_class)
    assert len(plan.requests) == -(-(getattr(task, "n", None) or 1) // per_call)


@EVERY_CASE
@FEW
@given(data=st.data())
def test_encoding_is_pure_and_a_planned_task_plans_the_same(model, task_class, data):
    task = data.draw(within(model, task_class))
    before = hash(task)
    plan = model.plan(task)
    assert model.plan(plan.task).requests == plan.requests
    assert tuple(map(model.encode, plan.calls)) == plan.requests
    assert hash(task) == before


# ---------------------------------------------------------------------------------------------- outside


@EVERY_CASE
@FEW
@given(data=st.data())
def test_a_value_outside_its_limit_is_refused_by_name(model, task_class, data):
    task = data.draw(within(model, task_class))
    name, limit = data.draw(st.sampled_from(sorted(constraints(model, task_class).items())))
    beyond = outside(limit)
    assume(not beyond.is_empty)
    value = data.draw(beyond)
    if name == "mask":  # one of the picture's size, grey
        assume(isinstance(getattr(task, "mask", None), Mask))
        value = Mask(task.image.size, b"\x80" * len(task.mask.data))
    if name == "image":  # of another size than the mask and the border of this task
        assume(getattr(task, "mask", None) is None and getattr(task, "expand", None) is None)
    assert name in refused(lambda: model.plan(with_value(task, name, value)))


@EVERY_CASE
@FEW
@given(data=st.data())
def test_what_the_model_has_no_word_for_is_refused_by_name(model, task_class, data):
    task = data.draw(within(model, task_class))
    said = data.draw(other_task(task_class))
    free = [name for name, value in said.arguments() if name not in constraints(model, task_class) and name != "preserve"]
    unions = {"mask", "expand", "mask_prompt", "keep_prompt"}  # in place of one of them, not beside it
    name = data.draw(st.sampled_from(["options.no_such_option", *(name for name in free if name not in unions)]))
    assert name in refused(lambda: model.plan(with_value(task, name, held(said, name))))


@functools.cache
def other_task(task_class):
    """Any task with an option that no model has."""
    return tasks(task_class, st.fixed_dictionaries({"no_such_option": st.integers() | st.text(max_size=3)}))


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("task_class", [Inpaint, Outpaint])
def test_edits_take_no_size(model, task_class):
    assert not model.limits_of(task_class).supports("size")


# ---------------------------------------------------------------------------------------------- nearest


@EVERY_CASE
@FEW
@given(data=st.data())
def test_nearest_makes_any_task_documented_bodies_with_a_complete_account_or_says_why_not(model, task_class, data):
    task = data.draw(any_task(model, task_class))
    try:
        plan = model.plan(task, fit="nearest")
    except TaskRefused as refusal:
        stated = [problem.parameter and problem.limit for problem in refusal.problems]
    else:
        stated = [complete(task, plan), documented(model, plan)]
    assert stated
    assert all(stated)


@functools.cache
def any_task(model, task_class):
    """Any task, its options by the model's names and by another."""
    declared = model.limits_of(task_class).options.items()
    options = {name: values(limit) | outside(limit) | json_values() for name, limit in declared}
    return tasks(task_class, st.fixed_dictionaries({}, optional={**options, "unknown": json_values() | images()}))


def documented(model, plan):
    assert [wrong for body in bodies(plan) for wrong in wrong_with(model, body)] == []
    return True


def complete(task, plan):
    """Whether the account tells truly what became of every input."""
    entries = {entry.parameter: entry for entry in plan.account}
    said = [*task.arguments(), *((f"options.{name}", value) for name, value in task.options.items() if value is not None)]
    for name, value in said:
        entry = entries[name]
        assert entry.asked == value
        assert entry.used == held(plan.task, name)
        assert entry.outcome == "sent" or entry.why
        assert (entry.used == entry.asked) or entry.outcome != "sent"
        assert (entry.used is None) == (entry.outcome == "dropped")
    for name in entries.keys() - dict(said).keys():
        assert entries[name].outcome == "defaulted"
    return True


# ---------------------------------------------------------------------------------------------- one field changed


@EVERY_CASE
@FEW
@given(data=st.data())
def test_one_changed_field_changes_the_requests_or_is_refused_or_accounted_for(model, task_class, data):
    task = seeded(model, data.draw(within(model, task_class)))
    name, limit = data.draw(st.sampled_from(sorted(constraints(model, task_class).items())))
    before = held(task, name)
    unsay = before is not None and data.draw(st.integers(0, 4)) == 0
    value = None if unsay else data.draw(another(task, name, limit))
    assume(not same(name, before, value))
    try:
        plan, other = model.plan(task), model.plan(with_value(task, name, value))
    except TaskRefused:
        return
    if name == "seed" and value is None:
        assume(other.task.seed != task.seed)
    effective = held(plan.task, name), held(other.task, name)
    if same(name, *effective) or follows(task, name, *effective):
        return
    assert plan.requests != other.requests


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("task_class", [Inpaint, Outpaint])
@FEW
@given(data=st.data())
def test_preserve_is_limners_own_but_for_titans_outpainting(model, task_class, data):
    drawn = within(model, task_class).filter(lambda task: task.mask is not None)
    task = attrs.evolve(seeded(model, data.draw(drawn)), options={}, preserve=True)
    keeping, blending = model.plan(task), model.plan(attrs.evolve(task, preserve=False))
    if task_class is Inpaint or isinstance(model, Sdxl):
        assert keeping.requests == blending.requests
    else:
        assert {body["outPaintingParams"]["outPaintingMode"] for body in bodies(keeping)} == {"PRECISE"}
        assert {body["outPaintingParams"]["outPaintingMode"] for body in bodies(blending)} == {"DEFAULT"}


def same(name, before, value):
    """Whether two values say the same."""
    if name == "strength" and None not in {before, value}:
        return abs(before - value) < 1e-9  # complements are rounded
    if name == "negative_prompt":
        before, value = ((text,) if isinstance(text, str) else text for text in (before, value))
    return before == value


def follows(task, name, before, value):
    """Whether both send the same: an option that says what is sent when it is not said; two files of the same pixels
    that are laid on a canvas.
    """
    if name == "image" and getattr(task, "expand", None) is not None:
        one, other = before.pil().convert("RGBA"), value.pil().convert("RGBA")
        return (one.size, one.tobytes()) == (other.size, other.tobytes())
    if name == "options.mask_source":
        unsaid = "INIT_IMAGE_ALPHA" if task.mask == "alpha" else "MASK_IMAGE_WHITE"
    elif name == "options.outpainting_mode":
        kept = task.keep_prompt is None and task.preserve is not False
        unsaid = "PRECISE" if kept else "DEFAULT"
    else:
        return False
    return {before or unsaid} == {value or unsaid}
