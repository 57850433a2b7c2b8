"""Loopback servers that answer by script, over real sockets."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import attrs
import limner
import pytest
from limner import Generate, Request
from limner.limits import PromptText, TaskLimits
from limner_http import Failure, HttpModel, HttpSettings, Service

AT_ONCE = 5.0
"""Seconds within which a call that is over at 0.5 seconds has ended, on a slow machine too."""

KEY = "canary-key-58f1c0"


@attrs.define
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class Said:
    """What the server answers."""

    status: int = 200
    body: bytes | dict[str, Any] = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    content_type: str = "application/json"


class Server:
    """Answers by a function of the request and of how many there were; remembers them."""

    def __init__(self, answer: Callable[[Seen, int], Said]) -> None:
        self.seen: list[Seen] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                outer.seen.append(seen)
                said = answer(seen, len(outer.seen))
                content = json.dumps(said.body).encode() if isinstance(said.body, dict) else said.body
                self.send_response(said.status)
                for name, value in {
                    "Content-Type": said.content_type,
                    "Content-Length": len(content),
                    **said.headers,
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(content)

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


@pytest.fixture
def serving():
    """Start servers that end with the test; answers come from a function or a list."""
    with contextlib.ExitStack() as stack:

        def start(answer) -> Server:
            if isinstance(answer, Said):
                return stack.enter_context(Server(lambda _seen, _count: answer).running())
            if isinstance(answer, list):
                return stack.enter_context(Server(lambda _seen, count: answer[min(count, len(answer)) - 1]).running())
            return stack.enter_context(Server(answer).running())

        yield start


@contextlib.contextmanager
def hostile(first: bytes, then: bytes, pause: float = 0.0, seconds: float = 20.0) -> Iterator[tuple[str, list[int]]]:
    """A server that sends ``first``, then again and again ``then``; its URL, and a list of how much it could send."""
    sent: list[int] = []

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first)
        until = time.monotonic() + seconds
        while then and time.monotonic() < until:
            sent.append(connection.send(then))
            time.sleep(pause)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with contextlib.suppress(OSError), connection:
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", sent
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


SERVICE = Service(
    name="Example",
    key_variables=("EXAMPLE_API_KEY",),
    failures=(
        Failure(limner.ContentFiltered, "refused by the filter", "change the prompt", codes="blocked"),
        Failure(limner.RateLimited, "the credit is used up", "add credit", codes="no_quota"),
    ),
    probe="models",
)


class Example(HttpModel):
    id = "example.painter"
    service = SERVICE
    limits: ClassVar = {Generate: TaskLimits({"prompt": PromptText(100, source="test")})}

    def encode(self, task):
        return Request(self.model_id, b'{"prompt": "a fox"}', path="pictures")

    def decode(self, task, response):
        return []


REQUEST = Request("example.painter", b'{"prompt": "a fox"}', path="pictures")


@pytest.fixture
def model():
    def make(url: str | None, **settings: Any) -> Example:
        return Example(HttpSettings(**{"base_url": url, "api_key": KEY, "timeout": 20.0, **settings}))

    return make


@pytest.fixture
def quick(monkeypatch):
    """Retries without long waits."""
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in ("EXAMPLE_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
