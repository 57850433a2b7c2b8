"""Each test of a run is done in sync and in async."""

from __future__ import annotations

import asyncio

import limner
import pytest


def run_async(model: limner.Model, task: limner.Task, **more: object) -> limner.Result:
    return asyncio.run(model.arun(task, **more))


@pytest.fixture(params=["run", "arun"])
def run(request):
    return limner.Model.run if request.param == "run" else run_async
