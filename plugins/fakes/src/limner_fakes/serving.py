"""aiohttp on loopback: the listening socket, a server in its own thread, and broken connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "127.0.0.1"
SERVER: dict[str, Any] = {
    "access_log": None,
    "auto_decompress": False,  # no service supports a Content-Encoding
    "handler_cancellation": True,
    "shutdown_timeout": 0.1,  # for requests in progress; aiohttp reads 0 as forever
}
"""Options of aiohttp's server."""


def listen(port: int) -> socket.socket:
    """Open the listening socket on loopback; port 0 selects a free one."""
    return socket.create_server((HOST, port))


def address(listening: socket.socket) -> str:
    """Return the address of a listening socket."""
    return f"http://{HOST}:{listening.getsockname()[1]}"


@contextlib.contextmanager
def in_thread(application: web.Application, listening: socket.socket, name: str) -> Iterator[None]:
    """Serve an application within a ``with`` block.

    Args:
        application: the application.
        listening: the listening socket; it stays open.
        name: the name of the thread.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    runner = web.AppRunner(application, **SERVER)
    try:
        asyncio.run_coroutine_threadsafe(_start(runner, listening), loop).result()
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_stop(runner, listening, loop), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(runner: web.AppRunner, listening: socket.socket) -> None:
    await runner.setup()
    await web.SockSite(runner, listening).start()


async def _stop(runner: web.AppRunner, listening: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Close every connection: those accepted a moment ago, and those whose client does not read its response."""
    with contextlib.suppress(NotImplementedError):  # Windows
        loop.remove_reader(listening)
    for _ in range(_STEPS_OF_ACCEPTING):
        await asyncio.sleep(0)
    transports = [one.transport for one in runner.server.connections] if runner.server is not None else []
    await runner.cleanup()
    for transport in transports:
        if transport is not None:
            transport.abort()
    await loop.shutdown_default_executor()


_STEPS_OF_ACCEPTING = 3  # in which asyncio hands an accepted connection to the server


async def reset(request: web.Request, data: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send half of a response and reset the connection."""
    response = web.StreamResponse(headers={**headers, "Content-Length": str(len(data))})
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with RST, not FIN
        request.transport.abort()
    return response
