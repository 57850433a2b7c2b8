"""A stand-in inside a Python program: :func:`serve`, and the :class:`Fake` that it gives."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from limner_fakes.services import make
from limner_fakes.serving import address, in_thread, listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from limner_fakes.service import ReceivedRequest, Service


class Fake:
    """A running stand-in, as :func:`serve` gives it.

    Attributes:
        service: what answers.
        url: the base URL, for the setting ``base_url``.
        settings: all settings that lead limner's models here.
        environment: the environment variables that do.
    """

    def __init__(self, service: Service, received: list[ReceivedRequest], faults: Iterable[str]) -> None:
        self.service = service
        self.url = service.base_url
        self.settings = service.settings()
        self.environment = service.environment()
        self._received, self._faults = received, list(faults)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests since the start or the last :meth:`clear`, oldest first; questions and downloads too."""
        return list(self._received)

    def paint_with(self, painter: str) -> None:
        """Use another painter from now on: ``"invert"`` or ``"sketch"``."""
        self.service.paint_with(painter)

    def fail_with(self, *faults: str) -> None:
        """Set the faults from now on, in place of earlier ones; without arguments nothing fails.

        Args:
            faults: such as ``"throttle*2"``; once the first is used up, the next has its turn.

        Raises:
            ValueError: one of them is no fault of this service.
        """
        self.service.fail_with(*faults)
        self._faults = list(faults)

    def clear(self) -> None:
        """Forget the received requests, and count faults from the start again."""
        self._received.clear()
        self.service.fail_with(*self._faults)


@contextlib.contextmanager
def serve(
    service: str, *, painter: str = "invert", port: int = 0, faults: Iterable[str] = (), **more: Any
) -> Iterator[Fake]:
    """Run a stand-in on loopback while the block runs.

    Args:
        service: ``"openai"``, ``"gemini"``, ``"bfl"`` or ``"sdapi"``.
        painter: ``"invert"`` (fast, foreseeable pixels) or ``"sketch"`` (limner's offline model).
        port: where to listen; 0 takes a free port.
        faults: what goes wrong, see :meth:`Fake.fail_with`.
        **more: of one service: ``dialect`` of ``openai``, ``login`` of ``sdapi``.

    Raises:
        KeyError: no such service, painter or dialect.
        OSError: the port is taken.
        ValueError: no such fault.
    """
    received: list[ReceivedRequest] = []
    faults = list(faults)
    made = make(service, painter=painter, faults=faults, observe=received.append, **more)
    with running(made, port):
        yield Fake(made, received, faults)


@contextlib.contextmanager
def running(service: Service, port: int = 0) -> Iterator[None]:
    """Run a service on loopback while the block runs.

    Raises:
        OSError: the port is taken.
    """
    with listen(port) as listening:
        service.address = address(listening)
        with in_thread(service.application(), listening, f"limner-fakes-{service.name}"):
            yield
