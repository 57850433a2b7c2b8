"""Limits speak one language: what a model declares, and `limner show` prints, can be made into a task."""

from __future__ import annotations

import limner
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner.limits.universal import UNIVERSAL
from limner.testing.strategies import values

LIMITS = {
    (name, repr(table.parameters[name])): pytest.param(table.parameters[name], name, id=f"{model.id}-{task.kind}-{name}")
    for model in limner.models()
    if model.plugin
    for task, table in model.limits.items()
    for name in table.parameters
    if name in UNIVERSAL and name != "expand"  # which needs a picture with room for it
}
"""Each limit once: many models share theirs."""


def test_there_are_limits_to_look_at():
    assert len(LIMITS) > 100


@pytest.mark.parametrize(("limit", "name"), LIMITS.values())
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_every_value_that_a_model_allows_is_allowed_for_every_model(limit, name, data):
    value = data.draw(values(limit))
    assert limit.wrong(limit.adapted(value)[0]) is None
    assert UNIVERSAL[name].wrong(value) is None
