"""Where a model stands in its life."""

from __future__ import annotations

import datetime

import pytest
from limner import Lifecycle

DAY = datetime.timedelta(days=1)
LEGACY, END = datetime.date(2024, 5, 1), datetime.date(2025, 5, 1)


@pytest.mark.parametrize(
    ("today", "state"),
    [(LEGACY - DAY, "active"), (LEGACY, "legacy"), (END - DAY, "legacy"), (END, "retired"), (END + DAY, "retired")],
)
def test_states_begin_on_their_day(today, state):
    assert Lifecycle(LEGACY, END).state(today) == state


def test_what_is_not_known_does_not_happen():
    assert Lifecycle().state(datetime.date.max) == "active"
    assert Lifecycle(legacy_since=LEGACY).state(datetime.date.max) == "legacy"
    assert Lifecycle(end_of_life=END).state(END) == "retired"
    assert Lifecycle(end_of_life=END).state(END - DAY) == "active"


def test_notices():
    past, future = datetime.date(2020, 1, 1), datetime.date(9000, 1, 1)
    assert Lifecycle().notices("m") == Lifecycle(legacy_since=future).notices("m") == ()
    assert Lifecycle(past, future, "m2").notices("m") == (
        "m is legacy since 2020-01-01, its end of life is 9000-01-01; use m2",
    )
    assert Lifecycle(past).notices("m") == ("m is legacy since 2020-01-01",)
    assert Lifecycle(past, past, "m2").notices("m") == (
        "m is past its end of life (2020-01-01) and cannot be called any more; use m2",
    )
