"""fit and seeds: the last of several calls has one too."""

from __future__ import annotations

import attrs
import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Generate, Image
from limner.fitting import fit
from limner.limits import Count, Seed, TaskLimits

from .fakes import LIMITS, SOURCE, TOP_SEED, png
from .refusals import entry, refusal

GENERATE = LIMITS[Generate]
IMAGE = Image(png((32, 24)))


def seeds(per_call: int, top: int, least: int = 0) -> TaskLimits:
    return TaskLimits(
        {
            "prompt": GENERATE.parameters["prompt"],
            "n": Count(per_call, source=SOURCE),
            "seed": Seed(least, top, source=SOURCE),
        }
    )


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.integers(0, 12))
def test_a_drawn_seed_leaves_room_for_every_call(n, per_call, least, reach):
    limits = seeds(per_call, least + reach, least)
    further = (n - 1) // per_call * per_call
    if further > reach:
        assert "seed" in refusal(Generate(prompt="a", n=n), limits)
        return
    fitted = fit(Generate(prompt="a", n=n), limits)
    assert least <= fitted.task.seed <= least + reach - further
    assert entry(fitted, "seed").outcome == "defaulted"


def test_drawn_seeds_reach_both_ends():
    drawn = {fit(Generate(prompt="a", n=3), seeds(1, 3)).task.seed for _ in range(100)}
    assert drawn == {0, 1}


def test_a_default_n_counts_too():
    limits = attrs.evolve(seeds(1, 3), parameters={**seeds(1, 3).parameters, "n": Count(1, default=4, source=SOURCE)})
    fitted = fit(Generate(prompt="a"), limits)
    assert (fitted.task.n, fitted.task.seed) == (4, 0)


def test_a_seed_without_room_is_refused_or_lowered():
    task = Generate(prompt="a", n=3, seed=9)
    assert "7 at most" in refusal(task, seeds(1, 9))["seed"]
    fitted = fit(task, seeds(1, 9), "nearest")
    assert fitted.task.seed == 7
    assert "first can be 7" in entry(fitted, "seed").why
    assert fit(Generate(prompt="a", n=3, seed=9), seeds(3, 9)).task.seed == 9, "one call needs no room"
    assert "seed" in refusal(task, seeds(1, 1), "nearest"), "three seeds do not fit into two"


def test_seed_0_where_the_provider_takes_it_for_random():
    assert "1 to 9" in refusal(Generate(prompt="a", seed=0), seeds(1, 9, 1))["seed"]
    fitted = fit(Generate(prompt="a", seed=0), seeds(1, 9, 1), "nearest")
    assert fitted.task.seed == 1
    assert entry(fitted, "seed").why


@pytest.mark.parametrize("mode", ["strict", "nearest"])
def test_numbers_beyond_any_float(mode):
    with pytest.raises(limner.TaskRefused, match=r"size=.*seed="):
        Generate(prompt="a", seed=10**400, size=(10**400, 1))
    assert "options.tile" in refusal(Generate(prompt="a", options={"tile": 10**400}), mode=mode)
    if mode == "nearest":
        fitted = fit(Generate(prompt="a", seed=(1 << 64) - 1, steps=(1 << 31) - 1), GENERATE, mode)
        assert (fitted.task.seed, fitted.task.steps) == (TOP_SEED, 50)
