"""What fit refuses, and what it tells."""

from __future__ import annotations

import pytest
from limner import TaskRefused
from limner.fitting import fit

from .fakes import LIMITS


def refusal(task, limits=None, mode="strict", **more) -> dict[str, str]:
    with pytest.raises(TaskRefused) as refused:
        fit(task, limits or LIMITS[type(task)], mode, **more)
    return {problem.parameter: str(problem) for problem in refused.value.problems}


def entry(fitted, name: str):
    return next(entry for entry in fitted.account if entry.parameter == name)
