"""Options: a frozen mapping of JSON values and pictures."""

from __future__ import annotations

import enum
import json
import pickle
from pathlib import Path

import limner
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Generate, Image, Options, TaskRefused
from limner.testing.strategies import images, json_values

from .fakes import png

OPTIONS = st.dictionaries(st.text(max_size=6), json_values() | images(), max_size=4)


def test_it_is_a_mapping_that_cannot_be_changed():
    options = Options({"a": [1, {"b": 2}]}, c=None)
    assert dict(options) == {"a": (1, Options(b=2)), "c": None}
    assert len(options) == 2
    assert repr(options) == "{'a': (1, {'b': 2}), 'c': None}"
    with pytest.raises(TypeError):
        options["a"] = 1
    with pytest.raises(AttributeError):
        options.more = 1


def test_equality_knows_types():
    assert Options(a=True) != Options(a=1)
    assert Options(a=1) != Options(a=1.0)
    assert Options(a=[True]) != Options(a=[1])
    assert Options(a={"b": False}) != Options(a={"b": 0})
    assert len({Options(a=True), Options(a=1), Options(a=1.0), Options(a=1)}) == 3
    assert Options(a=1, b=2) == Options(b=2, a=1)
    assert Options(a=1) != {"a": 1}


def test_a_later_change_of_what_was_given_changes_nothing():
    given_ = {"a": [1, 2]}
    options = Options(given_)
    given_["a"].append(3)
    assert options["a"] == (1, 2)


def test_pictures_are_read(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png())
    options = Options(data=png(), path=path, pillow=PIL.Image.new("RGB", (3, 2)), image=Image(png()), file="a.png")
    assert options["data"] == options["path"] == options["image"] == Image(png())
    assert options["pillow"].size == (3, 2)
    assert options["file"] == "a.png"


@pytest.mark.parametrize("value", [b"no picture", Path(__file__), PIL.Image.new("RGB", (0, 3))])
def test_what_is_no_picture_is_refused_by_the_options_name(value):
    with pytest.raises(TaskRefused) as refused:
        Options(condition_image=value)
    assert [problem.parameter for problem in refused.value.problems] == ["options.condition_image"]


@pytest.mark.parametrize("values", ["text", 5, [1], ["ab"], b"ab", True])
def test_what_is_no_mapping_is_refused(values):
    with pytest.raises(TaskRefused, match="options"):
        Options(values)


def test_nothing_is_an_empty_mapping():
    assert Options(None) == Options() == Generate(prompt="a", options=None).options


def test_kinds_of_int_float_and_text_become_plain():
    class Level(enum.IntEnum):
        HIGH = 3

    class Style(enum.StrEnum):
        ANIME = "anime"

    class Number(float):
        pass

    options = Options(level=Level.HIGH, style=Style.ANIME, number=Number(0.5))
    assert [type(value) for value in options.values()] == [int, str, float]
    assert options == Options(level=3, style="anime", number=0.5)


@given(OPTIONS, OPTIONS)
def test_equal_options_have_equal_hashes_and_keep_them_through_pickle(one, other):
    first, second = Options(one), Options(other)
    twin = pickle.loads(pickle.dumps(first))
    assert twin == first
    assert hash(twin) == hash(first)
    assert (first == second) <= (hash(first) == hash(second))


@given(OPTIONS)
def test_they_go_to_json_and_back(values):
    task = Generate(prompt="a", options=values)
    assert limner.from_json(limner.to_json(task)) == task


@pytest.mark.parametrize("name", ["$picture", "$mask", "$text", "$object", "task", "pictures"])
def test_no_option_is_taken_for_something_else(name):
    task = Generate(prompt="a", options={"x": {name: "abc", "weight": 1.0}, name: "abc"})
    assert limner.from_json(limner.to_json(task)) == task
    assert json.loads(limner.to_json(task))["task"] == "generate"
