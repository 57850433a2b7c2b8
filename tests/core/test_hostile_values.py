"""Values that break what touches them: one error of limner's own when the task is made, and no trouble afterwards."""

from __future__ import annotations

import enum
import pickle
from typing import Any

import limner
import pytest
from limner import Generate, Image, LimnerError, Mask, Options, Outpaint, TaskRefused, WeightedText
from limner.errors import shorten
from limner.options import MAX_DEPTH, MAX_DIGITS, MAX_VALUES

from .fakes import png

GIANT = 10**5000  # more digits than Python writes


def nested(levels: int, kind: str) -> Any:
    """Something of so many levels."""
    value: Any = 1
    for _ in range(levels):
        value = [value] if kind == "lists" else {"a": value}
    return value


def refusal(make: Any) -> str:
    with pytest.raises(TaskRefused) as refused:
        make()
    assert len(str(refused.value)) < 500
    assert len(refused.value.problems) == 1
    return str(refused.value)


@pytest.mark.parametrize("name", ["n", "seed", "steps"])
@pytest.mark.parametrize("value", [GIANT, -GIANT, 10**MAX_DIGITS], ids=["giant", "negative", "just beyond"])
def test_a_whole_number_too_long_to_be_shown_is_refused_by_name(name, value):
    said = refusal(lambda: Generate(prompt="a", **{name: value}))
    assert said.startswith(f"{name}=<whole number of " if abs(value) == GIANT else f"{name}=1000")
    assert ("at least" if value < 0 else f"at most {MAX_DIGITS} digits") in said


def test_sides_too_long_to_be_shown_are_refused():
    assert f"at most {MAX_DIGITS} digits" in refusal(lambda: Generate(prompt="a", size=(GIANT, 5)))
    assert "size=(<whole number of" in refusal(lambda: Generate(prompt="a", size=(GIANT, -5)))
    assert f"at most {MAX_DIGITS} digits" in refusal(lambda: Outpaint(image=png(), expand=(1, 1, GIANT, 1)))


def test_the_longest_whole_number_is_fine_everywhere():
    longest = 10**MAX_DIGITS - 1
    task = Generate(prompt="a", seed=longest, size=(longest, longest), options={"a": [longest, -longest]})
    assert limner.from_json(limner.to_json(task)) == pickle.loads(pickle.dumps(task)) == task
    assert "seed=999" in repr(task)


def test_numbers_in_options_have_the_same_limit():
    for value in (GIANT, -GIANT, [GIANT], {"b": GIANT}):
        said = refusal(lambda value=value: Options(a=value))
        assert said.startswith("options.a")
        assert f"at most {MAX_DIGITS} digits" in said


@pytest.mark.parametrize("kind", ["lists", "objects"])
@pytest.mark.parametrize("levels", [MAX_DEPTH, 300, 5000, 100_000])
def test_options_nested_too_deep_are_refused(kind, levels):
    said = refusal(lambda: Generate(prompt="a", options={"x": nested(levels, kind)}))
    assert said.startswith("options.x")
    assert f"at most {MAX_DEPTH} levels" in said


@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_the_deepest_options_work_everywhere(kind):
    task, twin = (Generate(prompt="a", options={"x": nested(MAX_DEPTH - 1, kind)}) for _ in range(2))
    assert task == twin
    assert hash(task) == hash(twin)
    assert limner.from_json(limner.to_json(task)) == pickle.loads(pickle.dumps(task)) == task
    assert repr(task).startswith("Generate(prompt='a', options=")
    with pytest.raises(LimnerError, match=r"options\.x"):
        limner.get_model("sdxl", region="us-west-2").plan(task)


def test_options_within_options_count_as_levels():
    options = Options(a=1)
    for _ in range(MAX_DEPTH - 1):
        options = Options(a=options)
    assert "levels" in refusal(lambda: Options(a=options))
    assert "levels" in refusal(lambda: Options(a=[options]))


def test_what_holds_itself_is_refused():
    items: list[Any] = []
    items.append(items)
    names: dict[str, Any] = {}
    names["a"] = names
    twice: list[Any] = []
    twice += [twice, twice]
    for value in (items, names, twice):
        assert "levels" in refusal(lambda value=value: Options(x=value))


def test_values_that_are_shared_a_billion_times_are_refused_at_once():
    items: Any = [1]
    options = Options(a=1)
    for _ in range(MAX_DEPTH - 2):
        items, options = [items, items], options if options._size > 40_000 else Options(a=options, b=options)
    assert f"{MAX_VALUES:,} values" in refusal(lambda: Options(x=items))
    assert f"{MAX_VALUES:,} values" in refusal(lambda: Options(x=options, y=options, z=options))
    assert len(Options(x=[0] * (MAX_VALUES - 1))["x"]) == MAX_VALUES - 1
    assert f"{MAX_VALUES:,} values" in refusal(lambda: Options(x=[0] * MAX_VALUES))


def faulty(*_: object, **__: object) -> Any:
    raise RuntimeError("faulty")


METHODS = ("__repr__", "__str__", "__hash__", "__eq__", "__len__", "__iter__", "__getitem__", "__int__", "__index__")
METHODS += ("__float__", "__bool__", "__lt__", "__ge__", "strip", "encode", "items", "keys", "convert", "read")


def all_faulty(kind: type) -> Any:
    """A value of a subclass in which whatever may be overridden raises."""
    made = type(f"Faulty{kind.__name__.title()}", (kind,), dict.fromkeys(METHODS, faulty))
    return kind.__new__(made, *({str: ["a fox"], int: [3], float: [0.5]}.get(kind, [])))


class NoAttributes:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


VALUES = [*map(all_faulty, (object, str, int, float, list, dict, tuple)), NoAttributes()]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "name", ["prompt", "negative_prompt", "n", "seed", "size", "guidance_scale", "options", "part", "weight"]
)
def test_faulty_values_are_refused_or_made_plain(name, value):
    said: dict[str, Any] = {"prompt": "a"}
    try:
        if name in {"part", "weight"}:
            said["prompt"] = [WeightedText(value) if name == "part" else WeightedText("a", value)]
        else:
            said[name] = value
        task = Generate(**said)
    except TaskRefused as refused:
        assert "\n" not in str(refused)  # noqa: PT017
        return
    assert pickle.loads(pickle.dumps(task)) == limner.from_json(limner.to_json(task)) == task
    assert hash(task) == hash(limner.from_json(limner.to_json(task)))
    assert repr(task)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_faulty_options_are_refused_or_made_plain(value):
    for options in ({"a": value}, {"a": {"b": [value]}}):
        try:
            task = Generate(prompt="a", options=options)
        except TaskRefused as refused:
            assert str(refused).startswith("options.a")  # noqa: PT017
        else:
            assert pickle.loads(pickle.dumps(task)) == limner.from_json(limner.to_json(task)) == task


def test_a_value_nested_in_options_is_named():
    assert refusal(lambda: Options(a={"b": {"c": float("nan")}})).startswith("options.a.b.c=nan")
    assert len(refusal(lambda: Options({"x" * 10_000: {1, 2}}))) < 300
    assert len(refusal(lambda: Options({"x" * 50: nested(40, "objects")}))) < 300


def test_kinds_of_text_become_plain_in_every_field():
    class Word(enum.StrEnum):
        FOX = "fox"

    task = Outpaint(image=png(), prompt=[Word.FOX, WeightedText(Word.FOX)], negative_prompt=[Word.FOX], keep_prompt=Word.FOX)
    texts = [task.keep_prompt, *(part.text for part in task.prompt), *task.negative_prompt, Generate(prompt=Word.FOX).prompt]
    assert [type(text) for text in texts] == [str] * 5


def test_whatever_cannot_be_shown_is_named_by_its_type():
    assert shorten(all_faulty(object)) == "<FaultyObject>"
    assert shorten([1, NoAttributes(), -GIANT]).startswith("[1, <")
    assert shorten(GIANT) == "<whole number of 16,610 bits>"
    assert len(shorten(nested(5000, "lists"))) <= 85


def test_masks_and_pictures_are_still_what_they_are():
    with pytest.raises(TaskRefused):
        Options(mask=Mask.box((0, 0, 1, 1), size=(2, 2)))
    assert Options(image=Image(png()))["image"] == Image(png())
