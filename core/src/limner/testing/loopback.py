"""A provider on this machine: it answers every call as it is told, and counts."""

from __future__ import annotations

import math
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
    """One call of HTTP as the provider saw it.

    Attributes:
        method: such as ``POST``.
        path: with the query.
        headers: by their names in lower case.
        body: empty if there is none.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def base_url(self) -> str:
        """The address that was called, for URLs in a reply."""
        return f"http://{self.headers['host']}"

    @property
    def identity(self) -> str:
        """What is the same when one call is made twice; a multipart boundary is not."""
        tree = bodies.parsed(self.body)
        return f"{self.method} {self.path} {bodies.plain(tree)!r}"


@attrs.frozen
class Reply:
    """What the provider answers to one call.

    Attributes:
        body: the payload.
        status: the HTTP status.
        headers: further headers; ``content-type`` is JSON unless it is given.
        silent: answer nothing at all.
        dropped: close the connection without an answer.
        cut: end the connection after half of the body.
        pause: seconds between the pieces of the body.
        pieces: how many pieces there are if there is a pause; 0 means one for each byte.
    """

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    silent: bool = False
    dropped: bool = False
    cut: bool = False
    pause: float = 0.0
    pieces: int = 0

    def written(self) -> Iterator[bytes]:
        """Give the body in pieces, with a pause after each; half of it if it is cut."""
        body = self.body[: len(self.body) // 2] if self.cut else self.body
        pieces = 1 if not self.pause else self.pieces or len(body)
        length = math.ceil(len(body) / pieces) if body else 1
        return (body[at : at + length] for at in range(0, len(body), length))


@attrs.define
class Loopback:
    """A provider, the calls that it saw, and its replies."""

    reply: Callable[[Call], Reply]
    url: str = ""
    calls: list[Call] = attrs.field(factory=list)
    exchanges: list[tuple[Call, Reply]] = attrs.field(factory=list)
    closing: threading.Event = attrs.field(factory=threading.Event)

    def made_twice(self) -> list[str]:
        """The calls other than GET that were made more than once."""
        counted = Counter(call.identity for call in self.calls if call.method not in {"GET", "HEAD", "OPTIONS"})
        return [identity for identity, times in counted.items() if times > 1]


def _handler(made: Loopback) -> type[BaseHTTPRequestHandler]:
    """The class that answers the calls of one provider."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            call = Call(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, _body(self))
            made.calls.append(call)
            reply = made.reply(call)
            made.exchanges.append((call, reply))
            if reply.silent:
                made.closing.wait(LONGEST_SILENCE)
                return
            if reply.dropped:
                self.close_connection = True
                return
            self.answer_with(reply)

        def answer_with(self, reply: Reply) -> None:
            given = {name.lower(): value for name, value in reply.headers.items()}
            known = dict.fromkeys(ID_HEADERS, REQUEST_ID) | {"content-type": "application/json"}
            self.send_response(reply.status)
            for name, value in (known | given | {"content-length": str(len(reply.body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = reply.cut
            for piece in reply.written():
                self.wfile.write(piece)
                if made.closing.wait(reply.pause):
                    return

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT"):
        setattr(Handler, f"do_{method}", Handler.answer)

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """That a caller went away is no fault of the server."""


@contextmanager
def provider(reply: Callable[[Call], Reply] | Reply) -> Iterator[Loopback]:
    """Serve on this machine."""
    made = Loopback(reply if callable(reply) else lambda _: reply)

    server = _Server(("127.0.0.1", 0), _handler(made))
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


def _body(call: BaseHTTPRequestHandler) -> bytes:
    if "chunked" in call.headers.get("transfer-encoding", ""):
        return _chunks(call.rfile)
    return call.rfile.read(int(call.headers.get("content-length") or 0))


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
