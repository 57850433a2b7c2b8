"""Aspects: a size of a listed ratio is allowed and becomes the ratio; any other is refused with the nearest."""

import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner.fitting import fit
from limner.limits import Aspects, PromptText, TaskLimits
from limner.testing.constraints import outside, values

ASPECTS = Aspects([(1, 1), (16, 9), (21, 9), (2, 3)], default=(1, 1), source="a document")
LIMITS = TaskLimits({"prompt": PromptText(source="a document"), "size": ASPECTS})


def entry(size, mode="strict"):
    fitted = fit(limner.Generate(prompt="a fox", size=size), LIMITS, mode)
    return next(entry for entry in fitted.account if entry.parameter == "size"), fitted


@pytest.mark.parametrize(
    ("size", "ratio"), [((1920, 1080), (16, 9)), ((7, 3), (21, 9)), ((512, 512), (1, 1)), ((20, 30), (2, 3))]
)
def test_a_size_of_a_listed_ratio_becomes_the_ratio_and_the_account_says_so(size, ratio):
    said, fitted = entry(size)
    assert fitted.task.size == ratio
    assert (said.outcome, said.asked, said.used) == ("adjusted", size, ratio)
    assert said.why == f"the model takes the aspect ratio {ratio[0]}:{ratio[1]} and chooses the pixels"


def test_a_ratio_is_sent_as_it_is_and_fitting_twice_changes_nothing():
    said, fitted = entry((21, 9))
    assert (said.outcome, said.used) == ("sent", (21, 9))
    assert fit(fitted.task, LIMITS).task == fitted.task


def test_the_default_is_a_ratio():
    assert entry(None)[0] == limner.Entry("size", "defaulted", None, (1, 1))


def test_another_ratio_is_refused_with_the_nearest():
    with pytest.raises(limner.TaskRefused) as refused:
        entry((1366, 768))
    (problem,) = refused.value.problems
    assert problem.parameter == "size"
    allowed = "an aspect ratio of 1:1, 16:9, 21:9, 2:3; the model chooses the pixels"
    assert problem.limit == f"must have {allowed}; the nearest is 16:9"
    assert problem.source == "a document"


@pytest.mark.parametrize(
    ("size", "ratio"), [((1366, 768), (16, 9)), ((100, 10), (21, 9)), ((10, 100), (2, 3)), ((1000, 1001), (1, 1))]
)
def test_nearest_takes_the_nearest_ratio(size, ratio):
    said, fitted = entry(size, "nearest")
    assert fitted.task.size == ratio
    assert said.outcome == "adjusted"


@pytest.mark.parametrize("value", [None, "16:9", (16,), (16, 9, 1), (0, 0), (16.0, 9.0), [16, 9]])
def test_what_is_no_size_is_wrong_and_has_no_nearest(value):
    assert ASPECTS.wrong(value) is not None
    assert ASPECTS.nearest(value) is None
    assert ASPECTS.adapted(value) == (value, "")


@given(values(ASPECTS))
def test_values_are_allowed(size):
    assert ASPECTS.wrong(size) is None


@given(outside(ASPECTS))
def test_what_is_outside_is_refused(size):
    assert ASPECTS.wrong(size) is not None


@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
def test_the_nearest_is_allowed_and_no_other_ratio_is_nearer(size):
    def apart(ratio):
        across = size[0] * ratio[1] / (size[1] * ratio[0])
        return max(across, 1 / across)

    nearest = ASPECTS.nearest(size)
    assert ASPECTS.wrong(nearest) is None
    assert apart(nearest) == pytest.approx(min(map(apart, ASPECTS.allowed)))


def test_the_schema_takes_what_is_allowed():
    jsonschema = pytest.importorskip("jsonschema")
    for size in (*ASPECTS.allowed, (1920, 1080)):
        jsonschema.validate(list(size), ASPECTS.schema())
