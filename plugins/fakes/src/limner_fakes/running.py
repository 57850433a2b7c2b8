"""A fake server in a Python program: :func:`serve`, and the :class:`Fake` that it returns."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from limner_fakes.services import make
from limner_fakes.serving import address, in_thread, listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from limner_fakes.service import ReceivedRequest, Service


class Fake:
    """A running fake server, as :func:`serve` returns it.

    Attributes:
        service: the service.
        url: the base URL, for the setting ``base_url``.
        settings: the settings that point limner's models to this server.
        environment: the environment variables that point programs to this server.
    """

    def __init__(self, service: Service, received: list[ReceivedRequest], faults: Iterable[str]) -> None:
        self.service = service
        self.url = service.base_url
        self.settings = service.settings()
        self.environment = service.environment()
        self._received, self._faults = received, list(faults)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """All requests since the start or the last :meth:`clear`, oldest first, including polls and downloads."""
        return list(self._received)

    def paint_with(self, painter: str) -> None:
        """Use another painter for the following requests: ``"invert"`` or ``"sketch"``."""
        self.service.paint_with(painter)

    def fail_with(self, *faults: str) -> None:
        """Set the faults for the following requests, replacing earlier ones; without arguments, nothing fails.

        Args:
            faults: such as ``"throttle*2"``; when the first is used up, the next applies.

        Raises:
            ValueError: this service does not support a fault.
        """
        self.service.fail_with(*faults)
        self._faults = list(faults)

    def clear(self) -> None:
        """Forget the received requests and reset the fault counts."""
        self._received.clear()
        self.service.fail_with(*self._faults)


@contextlib.contextmanager
def serve(
    service: str, *, painter: str = "invert", port: int = 0, faults: Iterable[str] = (), **more: Any
) -> Iterator[Fake]:
    """Run a fake server on loopback within a ``with`` block.

    Args:
        service: ``"openai"``, ``"gemini"``, ``"bfl"`` or ``"sdapi"``.
        painter: ``"invert"`` (fast, predictable pixels) or ``"sketch"`` (limner's offline model).
        port: the port to listen on; 0 selects a free port.
        faults: the faults to simulate, see :meth:`Fake.fail_with`.
        **more: arguments of one service: ``dialect`` for ``openai``, ``login`` for ``sdapi``.

    Raises:
        KeyError: the service, painter or dialect is unknown.
        OSError: the port is in use.
        ValueError: a fault is unknown.
    """
    received: list[ReceivedRequest] = []
    faults = list(faults)
    made = make(service, painter=painter, faults=faults, observe=received.append, **more)
    with running(made, port):
        yield Fake(made, received, faults)


@contextlib.contextmanager
def running(service: Service, port: int = 0) -> Iterator[None]:
    """Run a service on loopback within a ``with`` block.

    Raises:
        OSError: the port is in use.
    """
    with listen(port) as listening:
        service.address = address(listening)
        with in_thread(service.application(), listening, f"limner-fakes-{service.name}"):
            yield
