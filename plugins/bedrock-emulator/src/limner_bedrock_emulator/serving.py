"""The emulator inside a Python program: a server in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web

from limner_bedrock_emulator.faults import Faults
from limner_bedrock_emulator.painters import PAINTERS
from limner_bedrock_emulator.service import ReceivedRequest, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HOST = "127.0.0.1"
SERVER: dict[str, Any] = {
    "access_log": None,
    "auto_decompress": False,  # InvokeModel takes no Content-Encoding
    "handler_cancellation": True,
    "shutdown_timeout": 0.1,  # for a request under way; aiohttp takes 0 for ever
}
"""How aiohttp serves."""


def listen(port: int) -> socket.socket:
    """Open the listening socket on loopback; port 0 takes a free one."""
    return socket.create_server((HOST, port))


def address(listening: socket.socket) -> str:
    """Return the address of a listening socket, for ``endpoint_url``."""
    return f"http://{HOST}:{listening.getsockname()[1]}"


class Emulator:
    """A running emulator, as :func:`serve` gives it.

    Attributes:
        url: the address, for boto3's ``endpoint_url`` or ``AWS_ENDPOINT_URL_BEDROCK_RUNTIME``.
    """

    def __init__(
        self, url: str, painter: str, faults: Iterable[str], served: Mapping[str, str], *, allow_undocumented: bool
    ) -> None:
        self.url = url
        self._requests: list[ReceivedRequest] = []
        self._faults = list(faults)
        self.service = Service(
            PAINTERS[painter](), Faults(self._faults), served, self._requests.append, allow_undocumented=allow_undocumented
        )

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests to models since the start or the last :meth:`clear`, oldest first."""
        return list(self._requests)

    def paint_with(self, painter: str) -> None:
        """Use another painter from now on: ``"invert"`` or ``"sketch"``."""
        self.service.painter = PAINTERS[painter]()

    def fail_with(self, *faults: str) -> None:
        """Set the faults from now on, in place of earlier ones; without arguments nothing fails.

        Args:
            faults: such as ``"throttle*2"`` or ``"filtered:1"``; once the first is used up, the next has its turn.

        Raises:
            ValueError: one of them is no fault.
        """
        self.service.faults = Faults(faults)
        self._faults = list(faults)

    def clear(self) -> None:
        """Forget the received requests, and count faults from the start again."""
        self._requests.clear()
        self.service.faults = Faults(self._faults)


@contextlib.contextmanager
def serve(
    painter: str = "invert",
    *,
    port: int = 0,
    faults: Iterable[str] = (),
    served: Mapping[str, str] | None = None,
    allow_undocumented: bool = False,
) -> Iterator[Emulator]:
    """Run the emulator on loopback while the block runs.

    Args:
        painter: ``"invert"`` (fast, foreseeable pixels) or ``"sketch"`` (limner's offline model).
        port: where to listen; 0 takes a free port.
        faults: what goes wrong, see :meth:`Emulator.fail_with`.
        served: opaque model identifiers (ARNs of provisioned throughput, ...), each with the model id it stands for.
        allow_undocumented: let keys pass that no document lists and public programs send, each with a logged warning.

    Raises:
        KeyError: no such painter.
        OSError: the port is taken.
        ValueError: no such fault, or a model that is not served.
    """
    with listen(port) as listening:
        emulator = Emulator(address(listening), painter, faults, served or {}, allow_undocumented=allow_undocumented)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="limner-bedrock-emulator", daemon=True)
        thread.start()
        runner = web.AppRunner(emulator.service.application(), **SERVER)
        try:
            asyncio.run_coroutine_threadsafe(_start(runner, listening), loop).result()
            yield emulator
        finally:
            asyncio.run_coroutine_threadsafe(_stop(runner, loop), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _start(runner: web.AppRunner, listening: socket.socket) -> None:
    await runner.setup()
    await web.SockSite(runner, listening).start()


async def _stop(runner: web.AppRunner, loop: asyncio.AbstractEventLoop) -> None:
    await runner.cleanup()
    await loop.shutdown_default_executor()
