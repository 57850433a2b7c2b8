"""Tasks: checked when made, plain data ever after."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import attrs
import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Generate, Image, Inpaint, Mask, Outpaint, TaskRefused, Upscale, Vary, WeightedText
from limner.errors import shorten
from limner.tasks import TASKS
from limner.testing.strategies import tasks

from .fakes import png

ANY_TASK = st.one_of([tasks(kind) for kind in TASKS.values()])
IMAGE = Image(png((8, 6)))


class Indexed:
    """As NumPy's integers are: no int, but an index."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __float__(self) -> float:
        return float(self.value)


def problems(make, *args, **more) -> dict[str, str]:
    with pytest.raises(TaskRefused) as refused:
        make(*args, **more)
    assert refused.value.model is None
    assert "\n" not in str(refused.value)
    return {problem.parameter: problem.limit for problem in refused.value.problems}


NAN, INF = float("nan"), float("inf")
HUGE = 10**400  # more than any float
WRONG = [
    ("prompt", ["", "  \n", None, 5, b"bytes", [], [""], ["a", 5], [WeightedText(5)], "\ud800", ["\udfff"]]),
    ("prompt", [[WeightedText("a", NAN)], [WeightedText("a", INF)], [WeightedText("a", "1")], [WeightedText("a", True)]]),
    ("negative_prompt", ["", " ", 5, [], ["a", ""], [None], "\ud800", b"x"]),
    ("n", [0, -1, 1.0, True, "1", 2.5, NAN, int]),
    ("seed", [-1, 1.0, False, "0", NAN]),
    ("steps", [0, True, 10.0, "20"]),
    ("guidance_scale", [NAN, INF, -INF, True, "7", b"7", HUGE, 1j]),
    ("size", [512, (512,), (512, 512, 3), (0, 5), (-1, 5), (512, 512.0), (True, 5), "512x512", [5, None], {5, 6}]),
    ("options", ["text", 5, {5: 1}, {"a": NAN}, {"a": {1}}, {"a": [INF]}, {"\ud800": 1}, {"a": {"b": "\ud800"}}]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG for value in values], ids=shorten)
def test_what_is_wrong_with_every_model_is_refused_by_name(name, value):
    found = problems(Generate, **{"prompt": "a fox", name: value})
    assert list(found) == [next(iter(found))]
    assert next(iter(found)).partition(".")[0] == name
    assert all(found.values())


@pytest.mark.parametrize("value", [-0.1, 1.01, NAN, INF, True, False, "0.5", HUGE], ids=shorten)
def test_strength_is_from_0_to_1(value):
    assert list(problems(Vary, image=IMAGE, strength=value)) == ["strength"]


@pytest.mark.parametrize("value", [0, 0.0, 1, 1.0, 0.3, Indexed(1)])
def test_strengths_within_become_floats(value):
    strength = Vary(image=IMAGE, strength=value).strength
    assert type(strength) is float
    assert strength == float(value)


@pytest.mark.parametrize("value", [(0, 0, 0, 0), (-1, 5, 5, 5), (1, 2, 3), (1.0, 0, 0, 0), (True, 0, 0, 0), 5, "1,2,3,4"])
def test_expand_adds_whole_pixels(value):
    assert list(problems(Outpaint, image=IMAGE, expand=value)) == ["expand"]


@pytest.mark.parametrize("value", [1, 0, "yes"])
def test_preserve_is_a_bool(value):
    assert "preserve" in problems(Inpaint, image=IMAGE, mask=Mask.box((0, 0, 2, 2), size=(8, 6)), preserve=value)


def test_integers_are_taken_as_indexes():
    task = Generate(prompt="a", n=Indexed(2), seed=Indexed(0), steps=Indexed(9), size=[Indexed(8), Indexed(9)])
    assert (task.n, task.seed, task.steps, task.size) == (2, 0, 9, (8, 9))
    assert {type(value) for value in (task.n, task.seed, task.steps, *task.size)} == {int}


def test_a_number_that_cannot_be_read_is_refused():
    class Odd:
        def __float__(self):
            raise ValueError("no number today")

        def __index__(self):
            raise TypeError("no index today")

    assert set(problems(Generate, prompt="a", guidance_scale=Odd(), n=Odd())) == {"guidance_scale", "n"}


def test_all_problems_come_at_once():
    found = problems(
        Inpaint,
        image=IMAGE,
        prompt="",
        mask_prompt="door",
        mask=Mask.box((0, 0, 1, 1), size=(9, 9)),
        n=0,
        seed=-1,
        size=(0, 0),
    )
    assert set(found) == {"prompt", "n", "seed", "size", "mask and mask_prompt", "mask"}
    assert set(problems(Generate, prompt=None, n=0)) == {"prompt", "n"}


def test_exactly_one_way_to_say_where():
    mask = Mask.box((0, 0, 2, 2), size=(8, 6))
    assert "exactly one" in problems(Inpaint, image=IMAGE)["mask or mask_prompt"]
    assert "exactly one" in problems(Inpaint, image=IMAGE, mask=mask, mask_prompt="door")["mask and mask_prompt"]
    assert "exactly one" in problems(Outpaint, image=IMAGE)["expand or mask or keep_prompt"]
    assert "exactly one" in problems(Outpaint, image=IMAGE, expand=(1, 0, 0, 0), keep_prompt="x")["expand and keep_prompt"]
    assert len(problems(Outpaint, image=IMAGE, expand=(1, 0, 0, 0), keep_prompt="x", mask=mask)) == 1


def test_a_mask_has_the_upright_pictures_size():
    found = problems(Inpaint, image=IMAGE, mask=Mask.box((0, 0, 2, 2), size=(6, 8)))
    assert "8x6" in found["mask"]


def test_alpha_needs_transparency():
    assert "transparency" in problems(Inpaint, image=IMAGE, mask="alpha")["mask"]
    assert Inpaint(image=png((4, 4), (1, 2, 3, 0), "RGBA"), mask="alpha").mask == "alpha"


def test_preserve_needs_a_known_mask():
    assert "mask_prompt" in problems(Inpaint, image=IMAGE, mask_prompt="door", preserve=True)["preserve"]
    assert "keep_prompt" in problems(Outpaint, image=IMAGE, keep_prompt="door", preserve=True)["preserve"]
    assert Inpaint(image=IMAGE, mask_prompt="door", preserve=False).preserve is False


def test_pictures_are_named_when_wrong():
    assert list(problems(Vary, image=())) == ["image"]
    assert list(problems(Vary, image=[IMAGE, b"no picture"])) == ["image"]
    assert list(problems(Inpaint, image=IMAGE, mask=b"no picture")) == ["mask"]
    assert list(problems(Inpaint, image=IMAGE, mask=5)) == ["mask"]
    assert list(problems(Upscale, image=None)) == ["image"]


def test_only_none_is_not_said():
    task = Vary(image=IMAGE, strength=0, seed=0, guidance_scale=0)
    assert dict(task.arguments()) == {"image": (IMAGE,), "strength": 0.0, "seed": 0, "guidance_scale": 0.0}
    assert set(dict(Generate(prompt="a").arguments())) == {"prompt"}


def test_tasks_are_frozen_and_need_names():
    task = Generate(prompt="a")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        task.prompt = "b"
    with pytest.raises(TypeError):
        Generate("a")


def test_prompts_of_several_parts():
    task = Generate(prompt=["a", WeightedText("b", -1)], negative_prompt=["c", "d"])
    assert task.prompt == (WeightedText("a", 1.0), WeightedText("b", -1.0))
    assert task.negative_prompt == ("c", "d")
    assert Generate(prompt=(text for text in "ab")).prompt == (WeightedText("a"), WeightedText("b"))


def test_the_repr_is_short_whatever_it_holds():
    large = Image(png((900, 900)))
    task = Inpaint(image=large, mask=Mask.box((0, 0, 9, 9), size=(900, 900)), prompt="x" * 10_000, options={"a": "y" * 999})
    assert len(repr(task)) < 500
    assert "n=" not in repr(task)
    assert repr(Generate(prompt="a fox", n=2)) == "Generate(n=2, prompt='a fox')"


@given(ANY_TASK)
def test_a_task_goes_to_json_and_back(task):
    text = limner.to_json(task)
    back = limner.from_json(text)
    assert back == task
    assert hash(back) == hash(task)
    assert limner.to_json(back) == text
    json.loads(text)


@given(ANY_TASK)
def test_a_task_pickles_and_copies(task):
    for twin in (pickle.loads(pickle.dumps(task)), copy.deepcopy(task), copy.copy(task)):
        assert twin == task
        assert hash(twin) == hash(task)
        assert {task: 1}[twin] == 1


def test_the_cached_hash_does_not_travel_to_a_process_with_another_seed():
    task = Generate(prompt="a fox", negative_prompt="dogs", options={"style": "anime", "image": IMAGE})
    hash(task)
    code = """
import pickle, sys
task = pickle.load(sys.stdin.buffer)
from limner import Generate
twin = Generate(prompt="a fox", negative_prompt="dogs", options=dict(task.options))
assert twin == task and hash(twin) == hash(task) and hash(twin.options) == hash(task.options)
assert task in {twin}
"""
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed}
        ran = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(task), env=env, timeout=60, check=False)
        assert ran.returncode == 0


@given(tasks(Generate), tasks(Generate))
def test_equal_means_equal_content(one, other):
    assert (one == other) == (limner.to_json(one) == limner.to_json(other) and one.options == other.options)


@given(ANY_TASK)
def test_every_said_field_is_in_the_repr(task):
    assert all(f"{name}=" in repr(task) for name, _ in task.arguments())


def test_kinds_name_every_task():
    assert set(TASKS) == {"generate", "vary", "inpaint", "outpaint", "remove-background", "upscale"}
    assert all(kind == task.kind for kind, task in TASKS.items())
