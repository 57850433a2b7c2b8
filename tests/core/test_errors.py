"""Errors: one tree, told in one line, whole in another process."""

from __future__ import annotations

import inspect
import pickle
import re

import limner
import pytest
from limner import Generate, LimnerError, Problem, ProviderError, TaskRefused, errors
from limner.errors import shorten

from .fakes import fake

CLASSES = {name: value for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    parents, path = {}, {-1: ""}
    for line in errors.__doc__.splitlines():
        if match := re.match(r"^([│ ├└─]*)([A-Z]\w+)(  |$)", line):
            depth = len(match[1]) // 4
            path[depth] = match[2]
            parents[match[2]] = path[depth - 1]
    assert set(parents) == set(CLASSES)
    for name, kind in CLASSES.items():
        assert kind.__mro__[1].__name__ == (parents[name] or "Exception")


def test_every_error_is_public():
    assert set(CLASSES) | {"Problem"} == set(errors.__all__)
    for name, kind in CLASSES.items():
        assert getattr(limner, name) is kind
        assert kind.__doc__


def test_they_are_the_usual_kinds_too():
    assert issubclass(TaskRefused, ValueError)
    assert issubclass(limner.UnknownModel, LookupError)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES.values() if issubclass(kind, ProviderError)])
def test_provider_errors_pickle_with_all_they_carry(kind):
    error = kind("what\nhappened", model="m", request_ids=["a", "b"])
    error.result = fake().run(Generate(prompt="a", seed=1))
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.message, back.model, back.request_ids) == ("what\nhappened", "m", ("a", "b"))
    assert back.pictures == error.pictures == error.result.images
    assert str(back) == str(error) == "m: what happened (request a, b)"


@pytest.mark.parametrize("kind", [LimnerError, limner.UnknownModel, limner.PluginError])
def test_other_errors_pickle(kind):
    error = kind("two\n  lines")
    assert type(pickle.loads(pickle.dumps(error))) is kind
    assert str(pickle.loads(pickle.dumps(error))) == "two lines"
    assert error.pictures == ()


def test_refusals_pickle_and_tell_everything():
    error = TaskRefused([Problem.of("n", 0, "too\nfew", "a book"), Problem("size", "", "is needed")], "m")
    back = pickle.loads(pickle.dumps(error))
    assert (back.problems, back.model) == (error.problems, "m")
    assert str(back) == "m refuses the task: n=0: too few [a book]; size: is needed"
    assert str(TaskRefused([Problem.of("n", 0, "too few")])) == "n=0: too few"


def test_values_are_shortened():
    assert shorten("a") == "'a'"
    assert len(shorten("x" * 10_000)) < 90
    assert "(10002 characters)" in shorten("x" * 10_000)
    assert str(Problem.of("prompt", "a\nb", "is wrong")) == r"prompt='a\nb': is wrong"


def test_a_plain_provider_error():
    error = ProviderError("no answer")
    assert str(error) == "no answer"
    assert (error.model, error.request_ids, error.result, error.pictures) == (None, (), None, ())
