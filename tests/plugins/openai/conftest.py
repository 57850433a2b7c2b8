"""The stand-in as a server on loopback, over aiohttp: another reader of HTTP and of forms than limner's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator

import attrs
import pytest
from aiohttp import web

from . import fake


@attrs.define
class Running:
    url: str
    requests: list[fake.Call] = attrs.field(factory=list)
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
            record.requests.append(await read(request))
        return await respond(request, record)

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=200_000_000)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        record.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
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


async def read(request: web.Request) -> fake.Call:
    """Read a request by aiohttp's own reader of forms."""
    if not request.content_type.startswith("multipart/"):
        return fake.Call(json.loads(await request.read()), [])
    fields, files = {}, []
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files.append(fake.Uploaded(name, value.filename, value.content_type, value.file.read()))
        else:
            fields[name] = value
    return fake.Call(fields, files)


@pytest.fixture
def serving():
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda respond: stack.enter_context(running(respond))


@pytest.fixture
def service(serving):
    """Start the stand-in for a dialect."""

    def start(dialect: str = "openai") -> Running:
        async def respond(request: web.Request, record: Running) -> web.StreamResponse:
            status, said = fake.answer_to(request.path.removeprefix("/v1/"), record.requests[-1], dialect)
            return web.json_response(said, status=status, headers={"x-request-id": "req-42"})

        return serving(respond)

    return start


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "XAI_API_KEY", "TOGETHER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
