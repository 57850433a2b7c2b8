"""A provider on this machine: it answers every call as it is told, and counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

from limner.testing import bodies

LONGEST_SILENCE = 30.0  # seconds after which even the silent provider gives up
REQUEST_ID = "request-of-the-kit-7"
ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "x-amz-request-id", "x-ms-request-id", "cf-ray")


@attrs.frozen
class Call:
    """One call as the provider saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def identity(self) -> str:
        """What is the same when one call is made twice; a multipart boundary is not."""
        tree = bodies.parsed(self.body)
        return f"{self.method} {self.path} {bodies.plain(tree)!r}"


@attrs.frozen
class Reply:
    """What the provider answers; ``silent`` answers nothing at all, ``dropped`` closes the connection without an answer."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    silent: bool = False
    dropped: bool = False


@attrs.define
class Loopback:
    """A provider, and the calls that it saw."""

    reply: Callable[[Call], Reply]
    url: str = ""
    calls: list[Call] = attrs.field(factory=list)
    closing: threading.Event = attrs.field(factory=threading.Event)

    def made_twice(self) -> list[str]:
        """The calls other than GET that were made more than once."""
        counted = Counter(call.identity for call in self.calls if call.method not in {"GET", "HEAD", "OPTIONS"})
        return [identity for identity, times in counted.items() if times > 1]


@contextmanager
def provider(reply: Callable[[Call], Reply] | Reply) -> Iterator[Loopback]:
    """Serve on this machine."""
    made = Loopback(reply if callable(reply) else lambda _: reply)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if "chunked" in self.headers.get("transfer-encoding", ""):
                body = _chunks(self.rfile)
            call = Call(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            made.calls.append(call)
            reply = made.reply(call)
            if reply.silent:
                made.closing.wait(LONGEST_SILENCE)
                return
            if reply.dropped:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in (dict.fromkeys(ID_HEADERS, REQUEST_ID) | dict(reply.headers)).items():
                self.send_header(name, value)
            if not any(name.lower() == "content-type" for name in reply.headers):
                self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """That a caller went away is no fault of the server."""

    server = Server(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _chunks(file: Any) -> bytes:
    body = b""
    while size := int(file.readline().split(b";")[0] or b"0", 16):
        body += file.read(size)
        file.readline()
    file.readline()
    return body


def nowhere() -> str:
    """A URL of this machine where nobody answers."""
    with provider(Reply()) as closed:
        return closed.url
