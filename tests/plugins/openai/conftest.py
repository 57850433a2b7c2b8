"""The stand-in as a server on loopback, over aiohttp: another reader of HTTP than limner's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import attrs
import limner_fakes
import pytest
from aiohttp import web
from limner_fakes import openai as fake
from limner_fakes.serving import address, in_thread, listen


@attrs.define
class Running:
    url: str
    requests: list[fake.Call] = attrs.field(factory=list)
    heads: list[dict[str, str]] = attrs.field(factory=list)
    paths: list[str] = attrs.field(factory=list)


@contextlib.contextmanager
def running(respond) -> Iterator[Running]:
    """Serve in a thread; ``respond`` is a coroutine function of the request and the record."""

    async def handle(request: web.Request) -> web.StreamResponse:
        record.paths.append(request.path_qs)
        record.heads.append({name.lower(): value for name, value in request.headers.items()})
        if request.method == "POST":
            record.requests.append(fake.read(request.headers["Content-Type"], await request.read()))
        return await respond(request, record)

    application = web.Application(client_max_size=200_000_000)
    application.router.add_route("*", "/{path:.*}", handle)
    with listen(0) as listening:
        record = Running(f"{address(listening)}/v1")
        with in_thread(application, listening, "openai"):
            yield record


@pytest.fixture
def serving():
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda respond: stack.enter_context(running(respond))


@pytest.fixture
def service():
    """Start the stand-in for a dialect."""
    with contextlib.ExitStack() as stack:
        yield lambda dialect="openai": stack.enter_context(limner_fakes.serve("openai", dialect=dialect))


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_API_KEY", "XAI_API_KEY", "TOGETHER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
