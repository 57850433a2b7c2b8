"""The stand-in as a server on loopback, over aiohttp: another reader of HTTP than limner's own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import attrs
import limner_fakes
import pytest
from aiohttp import web
from limner_fakes.serving import address, in_thread, listen


@attrs.define
class Running:
    url: str
    requests: list[dict[str, Any]] = attrs.field(factory=list)
    heads: list[dict[str, str]] = attrs.field(factory=list)
    paths: list[str] = attrs.field(factory=list)


@contextlib.contextmanager
def running(respond) -> Iterator[Running]:
    """Serve in a thread; ``respond`` is a coroutine function of the request and the record."""

    async def handle(request: web.Request) -> web.StreamResponse:
        record.paths.append(request.path_qs)
        record.heads.append({name.lower(): value for name, value in request.headers.items()})
        if request.method == "POST":
            record.requests.append(json.loads(await request.read()))
        return await respond(request, record)

    application = web.Application(client_max_size=200_000_000)
    application.router.add_route("*", "/{path:.*}", handle)
    with listen(0) as listening:
        record = Running(address(listening))
        with in_thread(application, listening, "gemini"):
            yield record


@pytest.fixture
def serving():
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda respond: stack.enter_context(running(respond))


@pytest.fixture
def service() -> Iterator[limner_fakes.Fake]:
    """The stand-in."""
    with limner_fakes.serve("gemini") as running:
        yield running


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    variables = ("GOOGLE_API_KEY", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL")
    for name in ("GEMINI_API_KEY", *variables):
        monkeypatch.delenv(name, raising=False)
