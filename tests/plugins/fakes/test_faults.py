"""Every fault of every stand-in meets limner as the error, or the outcome, that it stands for."""

from __future__ import annotations

from pathlib import Path

import limner
import limner_fakes
import pytest
from limner import BadResponse, ContentFiltered, ProviderTimeout, ProviderUnavailable, RateLimited
from limner_fakes.services import SERVICES, make

MODELS = {"openai": "openai", "gemini": "gemini", "bfl": "flux", "sdapi": "sdxl-local"}
TASK = limner.Generate(prompt="a fox")
ROOT = Path(__file__).parents[3]

BROKEN = {
    "hang": ProviderTimeout,
    "reset": ProviderUnavailable,
    "truncated-json": BadResponse,
    "bad-base64": BadResponse,
    "not-a-picture": BadResponse,
    "missing-keys": BadResponse,
}
SHARED = {
    **BROKEN,
    "throttle": RateLimited,
    "internal-error": ProviderUnavailable,
    "unavailable": ProviderUnavailable,
    "wrong-key": limner.AuthenticationFailed,
    "access-denied": limner.AccessDenied,
    "quota": RateLimited,
    "no-model": limner.RequestRejected,
    "input-filtered": ContentFiltered,
    "filtered": ContentFiltered,
    "no-picture": BadResponse,
    "failed": ProviderUnavailable,
    "lost": ProviderUnavailable,
    "never-ready": ProviderTimeout,
    "out-of-memory": ProviderUnavailable,
    "nan": ProviderUnavailable,
    "no-api": limner.RequestRejected,
    "interrupted": BadResponse,
}
OWN = {("bfl", "quota"): limner.AccessDenied}


def faults(name):
    service = make(name)
    return [*service.refusals, *service.broken]


CASES = [(name, fault) for name in SERVICES for fault in faults(name)]


@pytest.fixture(scope="module")
def running():
    started = {}
    import contextlib

    with contextlib.ExitStack() as stack:
        for name in SERVICES:
            started[name] = stack.enter_context(limner_fakes.serve(name))
        yield started


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("limner_http.polling.FIRST_WAIT_SECONDS", 0.02)


@pytest.mark.parametrize(("name", "fault"), CASES, ids=lambda case: case)
def test_a_fault_is_the_error_that_it_stands_for(running, name, fault):
    fake = running[name]
    fake.fail_with(fault)
    fake.clear()
    waits = fault in {"hang", "never-ready"}
    model = limner.get_model(MODELS[name], **fake.settings, max_attempts=1, timeout=1.0 if waits else 30.0)
    with pytest.raises(OWN.get((name, fault), SHARED[fault])):
        model.run(TASK)
    assert len([request for request in fake.requests if fake.service.makes_pictures(request)]) == 1


@pytest.mark.parametrize("name", SERVICES)
def test_a_fault_with_a_count_ends(running, name):
    fake = running[name]
    fake.fail_with("unavailable*1")
    model = limner.get_model(MODELS[name], **fake.settings, max_attempts=1)
    with pytest.raises(ProviderUnavailable):
        model.run(TASK)
    assert model.run(TASK).image is not None


def test_a_fault_is_asked_for_by_the_prompt_or_a_header(running):
    fake = running["openai"]
    fake.fail_with()
    with pytest.raises(ContentFiltered):
        limner.get_model("openai", **fake.settings).generate("a fox [[fault:input-filtered]]")
    model = limner.get_model("openai", **fake.settings, headers={"x-limner-fault": "quota"})
    with pytest.raises(RateLimited, match="credit"):
        model.generate("a fox")
    with pytest.raises(limner.RequestRejected, match="'oil' is no fault"):
        limner.get_model("openai", **fake.settings).generate("a fox [[fault:oil]]")


def test_the_page_names_every_fault_of_every_service():
    rows = [line for line in (ROOT / "docs" / "fakes.md").read_text().splitlines() if line.startswith("| `")]
    said = {row.split("`")[1]: row for row in rows}
    assert [(name, fault) for name, fault in CASES if name not in said.get(fault, "")] == []
