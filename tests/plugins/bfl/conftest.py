"""The stand-in as a server on loopback, over aiohttp: submit, poll, and a picture to download."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from limner_fakes.bfl import BflService
from limner_fakes.running import running
from limner_fakes.service import Answer


class Scripted(BflService):
    """The stand-in with answers that a test says.

    ``submit`` and each of ``polls`` are (status, body, headers), in place of what the stand-in says; the last of ``polls``
    is said for ever. ``sample`` is what a download gives.
    """

    def __init__(self, submit=(), polls=(), sample=None, polling_url="") -> None:
        self.received: list[Any] = []
        super().__init__(observe=self.received.append)
        self.submit, self.polls, self.sample, self.polling_url = list(submit), list(polls), sample, polling_url

    @property
    def url(self) -> str:
        return self.base_url

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(one.method, one.path) for one in self.received]

    @property
    def keys(self) -> list[str | None]:
        return [one.headers.get("x-key") for one in self.received]

    @property
    def bodies(self) -> list[tuple[str, bytes]]:
        return [(one.path.removeprefix("/v1/"), one.raw) for one in self.received if one.method == "POST"]

    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path in self.asked]

    def submitted(self, path, content, fault=None) -> Answer:
        if self.submit:
            return Answer(*self.submit.pop(0))
        answer = super().submitted(path, content, fault)
        if self.polling_url:
            answer = attrs.evolve(answer, body={**answer.body, "polling_url": self.polling_url})
        return answer

    def polled(self, name) -> Answer:
        if not self.polls:
            return super().polled(name)
        return Answer(*(self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]))

    def delivered(self, name) -> Answer:
        if self.sample is None:
            return super().delivered(name)
        status, body, headers = self.sample
        return Answer(status, body, {}, headers.get("content-type", "image/png"))


@pytest.fixture
def serving() -> Iterator[Any]:
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:

        def start(**how) -> Scripted:
            service = Scripted(**how)
            stack.enter_context(running(service))
            return service

        yield start


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    for name in ("BFL_API_KEY", "BFL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("limner_http.polling.FIRST_WAIT_SECONDS", 0.02)
