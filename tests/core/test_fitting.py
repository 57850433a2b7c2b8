"""fit: within the limits or refused, and an account of every input."""

from __future__ import annotations

import attrs
import limner
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, TaskRefused, Vary
from limner.fitting import canvas_size, fit
from limner.limits import TaskLimits
from limner.tasks import TASKS
from limner.testing.strategies import outside, tasks, tasks_within

from .fakes import LIMITS, PER_CALL, SOURCE, TOP_SEED, Fake, png
from .refusals import entry, refusal

ANY_TASK = st.one_of([tasks(kind) for kind in TASKS.values()])
WITHIN = st.one_of([tasks_within(Fake, kind) for kind in TASKS.values()])
GENERATE = LIMITS[Generate]
IMAGE = Image(png((32, 24)))


@st.composite
def near_misses(draw: st.DrawFn) -> limner.Task:
    """Tasks with some values just beyond a limit, and some that the model has no word for."""
    kind = draw(st.sampled_from(list(TASKS.values())))
    task = draw(tasks_within(Fake, kind))
    limits = LIMITS[kind]
    fields = [field.name for field in attrs.fields(kind)]
    moved = {}
    for name, limit in limits.parameters.items():
        if name in fields and name not in {"image", "mask", "expand"} and draw(st.booleans()):
            moved |= {} if outside(limit).is_empty else {name: draw(outside(limit))}
    for name, limit in limits.options.items():
        if draw(st.booleans()) and not outside(limit).is_empty:
            moved["options"] = {**moved.get("options", task.options), name: draw(outside(limit))}
    if draw(st.booleans()):
        moved["options"] = {**moved.get("options", task.options), "stile": "anime"}
    if kind is Generate and draw(st.booleans()):
        moved["size"] = draw(st.tuples(st.integers(1, 3000), st.integers(1, 3000)))
    if kind in {Vary, Inpaint, Outpaint, RemoveBackground} and getattr(task, "mask", None) is None and draw(st.booleans()):
        width, height = draw(st.integers(1, 150)), draw(st.integers(1, 150))
        image = Image(png((width, height)))
        moved["image"] = (image,) if kind is Vary else image
    try:
        return attrs.evolve(task, **moved)
    except TaskRefused:
        assume(False)
        raise


def said(task: limner.Task) -> set[str]:
    return {name for name, _ in task.arguments()} | {f"options.{k}" for k, v in task.options.items() if v is not None}


def check_account(task: limner.Task, fitted) -> None:
    entries = {entry.parameter: entry for entry in fitted.account}
    assert len(entries) == len(fitted.account), "each input once"
    assert said(task) <= set(entries)
    for name, found in entries.items():
        before = task.options.get(name[8:]) if name.startswith("options.") else getattr(task, name)
        after = fitted.task.options.get(name[8:]) if name.startswith("options.") else getattr(fitted.task, name)
        assert found.asked == before
        assert found.used == after
        assert (found.outcome == "defaulted") == (before is None)
        assert found.outcome != "sent" or before == after
        assert (found.outcome in {"adjusted", "dropped"}) == bool(found.why)
        assert (found.outcome == "dropped") == (after is None)
        assert name in str(found)
    for name in said(fitted.task) - said(task):
        assert entries[name].outcome == "defaulted"


def check_within(fitted) -> None:
    limits = LIMITS[type(fitted.task)]
    for name, value in fitted.task.arguments():
        if name != "preserve":
            assert limits.parameters[name].wrong(value) is None
    for name, value in fitted.task.options.items():
        assert limits.options[name].wrong(value) is None
    task = fitted.task
    if isinstance(task, Outpaint) and task.expand is not None:
        assert limits.parameters["expand"].wrong_canvas(canvas_size(task.image.size, task.expand)) is None
    if isinstance(getattr(task, "mask", None), Mask):
        assert task.mask.size == task.image.size
    if getattr(task, "seed", None) is not None and getattr(task, "n", None) is not None:
        last = task.seed + (task.n - 1) // PER_CALL * PER_CALL
        assert last <= TOP_SEED


def check_idempotent(fitted, mode: str) -> None:
    again = fit(fitted.task, LIMITS[type(fitted.task)], mode)
    assert again.task == fitted.task
    assert {entry.outcome for entry in again.account} <= {"sent"}


@given(WITHIN)
def test_strict_changes_nothing_but_what_was_not_said(task):
    fitted = fit(task, LIMITS[type(task)])
    for name, value in task.arguments():
        if name in {"image", "mask"}:  # the encoding may change, and "alpha" becomes a mask
            continue
        assert getattr(fitted.task, name) == value or fitted_as_joined(getattr(fitted.task, name), value)
    assert {entry.outcome for entry in fitted.account} <= {"sent", "defaulted", "adjusted"}
    check_account(task, fitted)
    check_within(fitted)
    check_idempotent(fitted, "strict")


def fitted_as_joined(used: object, asked: object) -> bool:
    """The model takes one text: several that are neutral were joined."""
    return isinstance(asked, tuple) and used == ", ".join(getattr(part, "text", part) for part in asked)


@given(st.one_of(near_misses(), WITHIN, ANY_TASK), st.sampled_from(["strict", "nearest"]), st.booleans())
def test_what_comes_out_is_within_the_limits_or_refused_with_reasons(task, mode, strip):
    limits = LIMITS[type(task)]
    try:
        fitted = fit(task, limits, mode, strip_metadata=strip, model="fake.painter-1")
    except TaskRefused as refused:
        said_why = [problem.limit for problem in refused.problems]
        assert said_why
        assert all(said_why)
        return
    check_account(task, fitted)
    check_within(fitted)
    check_idempotent(fitted, mode)


@given(near_misses())
def test_strict_names_everything_that_is_wrong(task):
    limits = LIMITS[type(task)]
    wrong = {
        name
        for name, value in task.arguments()
        if name in limits.parameters and limits.parameters[name].wrong(limits.parameters[name].adapted(value)[0])
    }
    wrong |= {f"options.{name}" for name, value in task.options.items() if name not in limits.options}
    wrong |= {f"options.{k}" for k, v in task.options.items() if k in limits.options and limits.options[k].wrong(v)}
    if wrong:
        with pytest.raises(TaskRefused) as refused:
            fit(task, limits)
        assert wrong <= {problem.parameter for problem in refused.value.problems}


def test_every_problem_comes_at_once_with_value_limit_and_source():
    task = Generate(
        prompt="x" * 61, n=30, size=(1, 2), guidance_scale=0, steps=9, seed=1001, options={"stile": 1, "tile": 1}
    )
    found = refusal(task, max_n=20)
    assert set(found) == {"prompt", "n", "size", "guidance_scale", "steps", "seed", "options.stile", "options.tile"}
    assert SOURCE in found["steps"]
    assert "steps=9" in found["steps"]
    assert "10 to 50" in found["steps"]
    assert "nearest is 10" in found["steps"]


def test_an_unknown_option_is_refused_with_the_nearest_name_or_dropped_with_it():
    task = Generate(prompt="a", options={"qualty": "premium"})
    assert "options.quality" in refusal(task)["options.qualty"]
    dropped = entry(fit(task, GENERATE, "nearest"), "options.qualty")
    assert dropped.outcome == "dropped"
    assert "options.quality" in dropped.why


def test_a_parameter_the_model_has_no_word_for():
    limits = attrs.evolve(GENERATE, parameters={"prompt": GENERATE.parameters["prompt"]})
    task = Generate(prompt="a", seed=0, guidance_scale=0.0)
    assert set(refusal(task, limits)) == {"seed", "guidance_scale"}
    assert {e.parameter for e in fit(task, limits, "nearest").account if e.outcome == "dropped"} == {
        "seed",
        "guidance_scale",
    }


@pytest.mark.parametrize("mode", ["strict", "nearest"])
def test_words_masks_and_pictures_are_never_dropped(mode):
    nothing = TaskLimits({})
    assert set(refusal(Generate(prompt="a", n=2), nothing, mode)) == {"prompt", "n"}
    mask = Mask.box((0, 0, 2, 2), size=IMAGE.size)
    assert set(refusal(Inpaint(image=IMAGE, mask=mask), nothing, mode)) == {"image", "mask"}
    assert set(refusal(Inpaint(image=IMAGE, mask_prompt="door"), nothing, mode)) == {"image", "mask_prompt"}
    assert set(refusal(Outpaint(image=IMAGE, keep_prompt="door"), nothing, mode)) == {"image", "keep_prompt"}
    assert set(refusal(Outpaint(image=IMAGE, expand=(1, 0, 0, 0)), nothing, mode)) == {"image", "expand"}
    assert "prompt" in refusal(Generate(prompt="x" * 61), mode=mode), "a prompt is never cut"


@pytest.mark.parametrize("mode", ["strict", "nearest"])
def test_max_n_is_money(mode):
    assert "max_n" in refusal(Generate(prompt="a", n=21), mode=mode, max_n=20)["n"]
    assert fit(Generate(prompt="a", n=20), GENERATE, mode, max_n=20).task.n == 20


def test_what_is_needed_is_asked_for():
    limits = attrs.evolve(
        GENERATE, parameters={**GENERATE.parameters, "steps": attrs.evolve(GENERATE.parameters["steps"], required=True)}
    )
    assert "is required" in refusal(Generate(prompt="a"), limits)["steps"]


def test_zero_is_a_value():
    limits = attrs.evolve(
        GENERATE,
        parameters={**GENERATE.parameters, "guidance_scale": limner.limits.Real(0.0, 1.0, default=0.7, source=SOURCE)},
    )
    fitted = fit(Generate(prompt="a", seed=0, guidance_scale=0), limits)
    assert (fitted.task.seed, fitted.task.guidance_scale) == (0, 0.0)
    assert (entry(fitted, "seed").outcome, entry(fitted, "guidance_scale").outcome) == ("sent", "sent")
    assert fit(Generate(prompt="a"), limits).task.guidance_scale == 0.7


def test_a_default_of_zero_or_false_is_sent():
    limits = TaskLimits(
        {"prompt": GENERATE.parameters["prompt"], "guidance_scale": limner.limits.Real(default=0.0, source=SOURCE)},
        {"tile": limner.limits.Flag(default=False, source=SOURCE)},
    )
    fitted = fit(Generate(prompt="a"), limits)
    assert fitted.task.guidance_scale == 0.0
    assert fitted.task.options["tile"] is False
