"""Runs an application until the program is interrupted."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER: dict[str, Any] = {"access_log": None, "handler_cancellation": True, "shutdown_timeout": 0.2}
"""How aiohttp serves."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        OSError: the host is unknown or the port is taken.
    """
    host = host.strip("[]")
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family)


def address(listening: socket.socket) -> str:
    """Return the address of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: web.Application, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until the program is interrupted.

    Raises:
        KeyboardInterrupt: always, in the end.
    """
    asyncio.run(_serve(app, listening, ready))


async def _serve(app: web.Application, listening: socket.socket, ready: Callable[[], None]) -> None:
    runner = web.AppRunner(app, **SERVER)
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        ready()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
