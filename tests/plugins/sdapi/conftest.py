"""The stand-in as a server on loopback, over aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from limner_fakes.running import running
from limner_fakes.sdapi import SdapiService, answer
from limner_fakes.service import Answer


class Scripted(SdapiService):
    """The stand-in in states that a test says.

    ``hold`` keeps jobs from their end, ``answer_with`` answers them, ``changes`` change their bodies; ``missing`` addresses
    are none; ``others`` interrupted the server's last job, ``job_count`` jobs are under way.
    """

    def __init__(
        self,
        *,
        login: str = "",
        missing: tuple[str, ...] = (),
        hold: threading.Event | None = None,
        changes: dict[str, Any] | None = None,
        answer: tuple[int, Any] | None = None,
        progress: dict[str, Any] | None = None,
        interrupted: bool = False,
        job_count: int = 0,
    ) -> None:
        self.received: list[Any] = []
        super().__init__(login, observe=self.received.append)
        self.missing, self.hold, self.changes, self.answer_with = missing, hold, changes or {}, answer
        self.told, self.others, self.job_count = progress or {}, interrupted, job_count

    @property
    def url(self) -> str:
        return self.base_url

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.received]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [one.body for one in self.received if self.makes_pictures(one)]

    async def work(self, request, fault) -> None:
        await super().work(request, fault)
        if self.makes_pictures(request) and not self._is_missing(request):
            while self.hold is not None and not self.hold.is_set():
                await asyncio.sleep(0.01)

    def answer(self, request, fault) -> Answer:
        if self._is_missing(request):
            return Answer(404, {"detail": "Not Found"})
        if request.path == "/sdapi/v1/interrupt" and self.hold is not None:
            self.hold.set()
        return super().answer(request, fault)

    def _is_missing(self, request) -> bool:
        return request.path.rpartition("/")[2] in self.missing

    def progress(self, asked) -> dict[str, Any]:
        assert set(asked) == {"id_task", "live_preview"}
        found = super().progress(asked)
        return {**found, **self.told} if found["active"] else found

    def listed(self, name) -> Answer:
        found = super().listed(name)
        if name != "progress":
            return found
        state = {**found.body["state"], "interrupted": self.interrupted or self.others, "job_count": self.job_count}
        return attrs.evolve(found, body={**found.body, "state": state})

    def painted(self, path, body, fault=None) -> Answer:
        if self.answer_with is not None:
            status, said = self.answer_with
            return Answer(status, (said if isinstance(said, str) else json.dumps(said)).encode())
        found = super().painted(path, body, fault)
        return Answer(*answer(path, {**body, **self.changes})) if self.changes and found.status == 200 else found


@pytest.fixture
def serving() -> Iterator[Any]:
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:

        def start(**how) -> Scripted:
            service = Scripted(**how)
            stack.enter_context(running(service))
            if service.hold is not None:
                stack.callback(service.hold.set)
            return service

        yield start


@pytest.fixture(autouse=True)
def _no_login(monkeypatch):
    for name in ("SDAPI_AUTH", "SDAPI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
