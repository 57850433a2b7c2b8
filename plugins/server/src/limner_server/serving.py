"""Serves an application: until the program is interrupted, or in a thread within a ``with`` block."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

from aiohttp import web

from limner_server.app import make_app
from limner_server.errors import RequestRefused
from limner_server.settings import ServerSettings

PROTOCOL: dict[str, Any] = {
    "access_log": None,
    "auto_decompress": False,  # compressed requests are refused, as a protection against decompression bombs
    "keepalive_timeout": 75.0,
    "lingering_time": 2.0,  # for the rest of a request that is refused before it was received
}
"""Options of aiohttp's request parser."""
SHUTDOWN_SECONDS = 0.2
"""Seconds in which responses can still be sent when the server ends."""


class _Protocol(web.RequestHandler):
    """HTTP with errors in OpenAI's format, even for requests that are not valid HTTP."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status >= 500 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        response = RequestRefused(status, "the request is not HTTP as this server reads it", code="bad_request").answer()
        response.force_close()
        return response


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        OSError: the host is unknown or the port is in use.
    """
    host = host.strip("[]")
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family)


def address(listening: socket.socket) -> str:
    """Return the address of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: web.Application, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until the program is interrupted; restore the handler of SIGTERM afterwards.

    Raises:
        KeyboardInterrupt: the program is interrupted.
    """

    async def main() -> None:
        stop = asyncio.Event()
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        async with _served(app, listening):
            ready()
            await stop.wait()

    terminate = signal.getsignal(signal.SIGTERM)
    asyncio.run(main())
    signal.signal(signal.SIGTERM, terminate)
    signal.raise_signal(signal.SIGTERM)


@contextlib.asynccontextmanager
async def _served(app: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    loop = asyncio.get_running_loop()

    def protocol() -> _Protocol:
        return _Protocol(cast("web.Server", runner.server), loop=loop, **PROTOCOL)

    listener = await loop.create_server(protocol, sock=listening)
    try:
        yield
    finally:
        await _close(runner, listening)
        listener.close()


async def _close(runner: web.AppRunner, listening: socket.socket) -> None:
    """Close every connection: those accepted a moment ago, and those whose client does not read its response."""
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().remove_reader(listening)
    for _ in range(_STEPS_OF_ACCEPTING):
        await asyncio.sleep(0)
    transports = [one.transport for one in runner.server.connections] if runner.server is not None else []
    await runner.cleanup()
    for transport in transports:
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)


_STEPS_OF_ACCEPTING = 3  # in which asyncio hands an accepted connection to the server


@contextlib.contextmanager
def serve(settings: ServerSettings | None = None) -> Iterator[str]:
    """Serve in a thread within a ``with`` block, on a free port of loopback, for tests and other programs.

    Args:
        settings: the settings of the server; host and port are ignored.

    Yields:
        The address, such as ``http://127.0.0.1:40123``.
    """
    loop, ready = asyncio.new_event_loop(), threading.Event()
    with listen("127.0.0.1", 0) as listening:
        app = make_app(settings or ServerSettings())
        stop = asyncio.Event()

        async def main() -> None:
            async with _served(app, listening):
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=[main()], name="limner-server", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield address(listening)
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()
