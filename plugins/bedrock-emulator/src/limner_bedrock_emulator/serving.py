"""The emulator inside a Python program: a server in a thread of its own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from limner_fakes.painters import PAINTERS
from limner_fakes.serving import address, in_thread, listen

from limner_bedrock_emulator.faults import Faults
from limner_bedrock_emulator.service import ReceivedRequest, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


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
        with in_thread(emulator.service.application(), listening, "limner-bedrock-emulator"):
            yield emulator
