"""The emulator in a Python program: a server in its own thread."""

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
    """A running emulator, as :func:`serve` returns it.

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
        """Use another painter for the following requests: ``"invert"`` or ``"sketch"``."""
        self.service.painter = PAINTERS[painter]()

    def fail_with(self, *faults: str) -> None:
        """Set the faults for the following requests, replacing earlier ones; without arguments, nothing fails.

        Args:
            faults: such as ``"throttle*2"`` or ``"filtered:1"``; when the first is used up, the next applies.

        Raises:
            ValueError: a fault is unknown or malformed.
        """
        self.service.faults = Faults(faults)
        self._faults = list(faults)

    def clear(self) -> None:
        """Forget the received requests and reset the fault counts."""
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
    """Run the emulator on loopback within a ``with`` block.

    Args:
        painter: ``"invert"`` (fast, predictable pixels) or ``"sketch"`` (limner's offline model).
        port: the port to listen on; 0 selects a free port.
        faults: the faults to simulate, see :meth:`Emulator.fail_with`.
        served: opaque model identifiers (ARNs of provisioned throughput, ...), each with the model id it stands for.
        allow_undocumented: accept undocumented keys that public programs send, each with a logged warning.

    Raises:
        KeyError: the painter is unknown.
        OSError: the port is in use.
        ValueError: a fault is unknown, or a model is not served.
    """
    with listen(port) as listening:
        emulator = Emulator(address(listening), painter, faults, served or {}, allow_undocumented=allow_undocumented)
        with in_thread(emulator.service.application(), listening, "limner-bedrock-emulator"):
            yield emulator
