"""Plugins around a run: a bill, a cache, and those that break."""

from __future__ import annotations

import limner
import pytest
from limner import (
    Generate,
    PluginError,
    RateLimited,
    Result,
    TaskRefused,
)

from .fakes import DRASTIC, fake, registered
from .transports import Transport, caught, failing_at


def test_a_wrapper_sees_results_and_errors(run):
    seen = []

    class Bill:
        @staticmethod
        @limner.hookimpl(wrapper=True)
        def limner_run(model, task):
            try:
                result = yield
            except limner.LimnerError as error:
                seen.append(type(error).__name__)
                raise
            seen.append((model.id, task.kind, len(result.images)))
            return result

    with registered(Bill) as broken:
        assert broken == [""]
        run(fake(), Generate(prompt="a", n=3))
        with pytest.raises(TaskRefused):
            run(fake(), Generate(prompt="x" * 99))
        with pytest.raises(RateLimited):
            run(fake(failing_at(1, error=RateLimited("slow"))), Generate(prompt="a", seed=1))
    run(fake(), Generate(prompt="a"))
    assert seen == [("fake.painter-1", "generate", 3), "TaskRefused", "RateLimited"]


def test_a_cache_answers_in_place_of_the_model(run):
    kept: dict[limner.Task, Result] = {}

    class Cache:
        @staticmethod
        @limner.hookimpl(tryfirst=True)
        def limner_run(task):
            return kept.get(task)

    class Store:
        @staticmethod
        @limner.hookimpl(wrapper=True)
        def limner_run(task):
            kept[task] = yield
            return kept[task]

    transport = Transport()
    with registered(Cache, Store):
        first = run(fake(transport), Generate(prompt="a"))
        second = run(fake(transport), Generate(prompt="a"))
    assert second is first
    assert len(transport.sent) == 1


def test_a_plugin_that_raises_in_limner_run_is_named(run):
    class Broken:
        @staticmethod
        @limner.hookimpl(tryfirst=True)
        def limner_run(model):
            raise LookupError("no ledger")

    with registered(Broken):
        error = caught(run, fake(), Generate(prompt="a"), PluginError)
    assert "test-plugin-0" in str(error)
    assert "no ledger" in str(error)
    assert isinstance(error.__cause__, LookupError)


@pytest.mark.parametrize("fault", DRASTIC, ids=repr)
@pytest.mark.parametrize("wrapper", [True, False])
def test_a_plugin_that_gives_up_in_limner_run_is_named(run, wrapper, fault):
    def fail(model):
        raise fault

    def wrap(model):
        yield
        raise fault

    hook = limner.hookimpl(wrapper=True)(wrap) if wrapper else limner.hookimpl(tryfirst=True)(fail)
    with registered(type("Broken", (), {"limner_run": staticmethod(hook)})):
        error = caught(run, fake(), Generate(prompt="a"), PluginError)
    assert "test-plugin-0" in str(error)


def test_a_plugin_that_returns_no_result_is_named(run):
    class Broken:
        @staticmethod
        @limner.hookimpl(tryfirst=True)
        def limner_run(model):
            return b"a picture"

    with registered(Broken):
        error = caught(run, fake(), Generate(prompt="a"), PluginError)
    assert "test-plugin-0" in str(error)
    assert "bytes" in str(error)
