"""The stand-in as a server on loopback, over aiohttp: submit, poll, and a picture to download."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from aiohttp import web

from . import fake

PENDING = [
    {"status": "Pending", "progress": None},
    {"status": "Reasoning", "progress": None},
    {"status": "Generating", "progress": 0.5, "preview": {"large": "x" * 1000}},
]


@attrs.define
class Running:
    """A server that records what it is asked.

    ``submit`` and each of ``polls`` are (status, body, headers), in place of what the stand-in says; the last of ``polls``
    is said for ever. ``sample`` is what a download gives.
    """

    url: str = ""
    submit: list[tuple[int, Any, dict[str, str]]] = attrs.field(factory=list)
    polls: list[tuple[int, Any, dict[str, str]]] = attrs.field(factory=list)
    sample: tuple[int, bytes, dict[str, str]] | None = None
    polling_url: str = ""
    asked: list[tuple[str, str]] = attrs.field(factory=list)
    keys: list[str | None] = attrs.field(factory=list)
    bodies: list[tuple[str, bytes]] = attrs.field(factory=list)
    made: dict[str, bytes] = attrs.field(factory=dict)
    seen: dict[str, Iterator[Any]] = attrs.field(factory=dict)

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path in self.asked]

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        self.keys.append(request.headers.get("x-key"))
        if request.method == "POST":
            return self._submit(request.path.removeprefix("/v1/"), await request.read())
        if request.path == "/v1/get_result":
            return self._poll(request.query["id"])
        if request.path == "/v1/credits":
            return web.json_response({"credits": 12.5})
        if request.path.startswith("/delivery/"):
            status, body, headers = self.sample or (200, self.made[request.path.rpartition("/")[2]], {})
            return web.Response(status=status, body=body, headers={"content-type": "image/png", **headers})
        return web.json_response({"detail": "Not Found"}, status=404)

    def _submit(self, path: str, body: bytes) -> web.Response:
        self.bodies.append((path, body))
        if self.submit:
            status, said, headers = self.submit.pop(0)
            return web.json_response(said, status=status, headers=headers)
        wrong = fake.problems(path, body)
        if wrong:
            return web.json_response(fake.refusal(wrong), status=422)
        name = f"task-{len(self.made) + 1}"
        self.made[name] = fake.paint(path, body)
        self.seen[name] = iter(PENDING)
        said = {"id": name, "polling_url": self.polling_url or f"{self.url}/get_result?id={name}"}
        said |= {"cost": 3.0, "input_mp": 0.0, "output_mp": 1.0}
        return web.json_response(said)

    def _poll(self, name: str) -> web.Response:
        if self.polls:
            status, said, headers = self.polls.pop(0) if len(self.polls) > 1 else self.polls[0]
            return web.json_response(said, status=status, headers=headers)
        said = next(self.seen[name], None) or fake.ready(f"{self.root}/delivery/{name}", seed=7)
        return web.json_response({"id": name, "result": None, "details": None, **said})


@contextlib.contextmanager
def running(record: Running) -> Iterator[Running]:
    """Serve in a thread."""
    loop, up = asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=200_000_000)
        app.router.add_route("*", "/{path:.*}", record.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        record.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        loop.call_soon(up.set)
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert up.wait(20)
    try:
        yield record
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


@pytest.fixture
def serving():
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **how: stack.enter_context(running(Running(**how)))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.delenv("BFL_API_KEY", raising=False)
    monkeypatch.setattr("limner_http.retrying._BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("limner_http.polling.FIRST_WAIT_SECONDS", 0.02)
