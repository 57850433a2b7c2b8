"""The stand-in as a server on loopback, over aiohttp: another reader of HTTP than limner's own."""

from __future__ import annotations

import asyncio
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
class Running:
    url: str
    requests: list[dict[str, Any]] = attrs.field(factory=list)
    heads: list[dict[str, str]] = attrs.field(factory=list)
    paths: list[str] = attrs.field(factory=list)


@contextlib.contextmanager
def running(respond) -> Iterator[Running]:
    """Serve in a thread; ``respond`` is a coroutine function of the request and the record."""
    loop = asyncio.new_event_loop()
    record = Running("")
    ready = threading.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        record.paths.append(request.path_qs)
        record.heads.append({name.lower(): value for name, value in request.headers.items()})
        if request.method == "POST":
            record.requests.append(json.loads(await request.read()))
        return await respond(request, record)

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=200_000_000)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        record.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
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
        yield record
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


@pytest.fixture
def serving():
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda respond: stack.enter_context(running(respond))


@pytest.fixture
def service(serving):
    """The stand-in."""

    async def respond(request: web.Request, record: Running) -> web.StreamResponse:
        status, said = fake.answer(request.path, record.requests[-1], record.heads[-1])
        return web.json_response(said, status=status)

    return serving(respond)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_OAUTH_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
