"""The stand-in as a server on loopback, over aiohttp."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from aiohttp import web

from . import fake


@attrs.define
class Server:
    """A server and its state. Attributes say how it behaves, and what it has seen."""

    url: str = ""
    login: str = ""
    strict: bool = True
    missing: tuple[str, ...] = ()
    hold: threading.Event | None = None
    changes: dict[str, Any] = attrs.field(factory=dict)
    answer: tuple[int, Any] | None = None
    progress: dict[str, Any] = attrs.field(factory=dict)
    interrupted: bool = False
    job_count: int = 0
    current: str = ""
    seen: list[tuple[str, str]] = attrs.field(factory=list)
    bodies: list[dict[str, Any]] = attrs.field(factory=list)
    heads: list[dict[str, str]] = attrs.field(factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for _, path in self.seen]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path))
        self.heads.append({name.lower(): value for name, value in request.headers.items()})
        content = await request.read()
        name = request.path.rpartition("/")[2]
        if name in self.missing:
            return web.json_response({"detail": "Not Found"}, status=404)
        if request.path == "/internal/progress":
            return web.json_response(self._progress(json.loads(content)))
        if self.login and request.headers.get("authorization") != self._authorization():
            return web.json_response({"detail": "Incorrect username or password"}, status=401)
        if request.method == "GET":
            state = {"interrupted": self.interrupted, "skipped": False, "job_count": self.job_count}
            return web.json_response(fake.LISTS.get(name, {"progress": 0, "state": state}))
        if name == "interrupt":
            self.interrupted = True
            if self.hold is not None:
                self.hold.set()
            return web.json_response({})
        return await self._paint(request.path, json.loads(content))

    def _authorization(self) -> str:
        return f"Basic {base64.b64encode(self.login.encode()).decode()}"

    def _progress(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert set(asked) == {"id_task", "live_preview"}
        idle = {"active": False, "queued": False, "completed": False, "progress": None, "textinfo": None}
        return {**idle, "active": True, "progress": 0.4, **self.progress} if asked["id_task"] == self.current else idle

    async def _paint(self, path: str, body: dict[str, Any]) -> web.StreamResponse:
        self.bodies.append(body)
        wrong = fake.problems(path, body) if self.strict else []
        if wrong:
            return web.json_response({"detail": [{"loc": ["body"], "msg": one, "type": "x"} for one in wrong]}, status=422)
        if self.answer is not None:
            status, said = self.answer
            text = said if isinstance(said, str) else json.dumps(said)
            return web.Response(text=text, status=status, content_type="application/json")
        self.current = body.get("force_task_id", "")
        while self.hold is not None and not self.hold.is_set():
            await asyncio.sleep(0.01)
        self.current = ""
        status, said = fake.answer(path, {**body, **self.changes})
        return web.json_response(said, status=status)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=200_000_000)
        app.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield server
    finally:
        if server.hold is not None:
            server.hold.set()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


@pytest.fixture
def serving():
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **how: stack.enter_context(running(Server(**how)))


@pytest.fixture(autouse=True)
def _no_login(monkeypatch):
    monkeypatch.delenv("SDAPI_AUTH", raising=False)
