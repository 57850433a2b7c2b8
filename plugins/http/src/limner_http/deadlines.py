"""How long a call may take and how much it may receive; counted where every byte passes."""

from __future__ import annotations

import threading
import time

import limner

CONNECT_SECONDS = 10.0
"""To wait for a connection to one address, at most."""

LOOK_SECONDS = 0.5
"""How often a call that waits looks whether its caller has given up."""


class Deadline:
    """What is left of a call's time, until it is over or the caller gives up.

    Args:
        seconds: for the whole call.
        cancelled: set once the caller has given up; by default that of the run.
    """

    def __init__(self, seconds: float, cancelled: threading.Event | None = None) -> None:
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self.cancelled = limner.cancellation() if cancelled is None else cancelled

    def remaining(self) -> float:
        """Return the seconds that are left, 0 where none are."""
        return max(0.0, self._until - time.monotonic())

    def seconds(self) -> float:
        """Return the seconds that are left, more than 0.

        Raises:
            ProviderTimeout: none are left.
            ProviderError: the caller has given up.
        """
        if self.cancelled.is_set():
            raise limner.ProviderError("cancelled before the response arrived; the call may have been billed")
        left = self.remaining()
        if left <= 0:
            said = f"no answer within {self._seconds:g} seconds; raise timeout; the call may have been billed"
            raise limner.ProviderTimeout(said)
        return left

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            ProviderTimeout: the deadline comes first.
            ProviderError: the caller has given up.
        """
        self.cancelled.wait(min(seconds, self.seconds()))
        self.seconds()


class Allowance:
    """What is left to one request of a call: time, and bytes on the wire. httpcore carries it as its timeouts.

    Args:
        deadline: of the call.
        max_bytes: of the answer on the wire, with its head and the frames of chunks.
        public_host: the host that must have an address on the public internet.
    """

    def __init__(self, deadline: Deadline, max_bytes: int, public_host: str | None = None) -> None:
        self.deadline, self.public_host = deadline, public_host
        self._most = self._bytes = max_bytes

    def seconds(self, most: float = LOOK_SECONDS) -> float:
        """Return how long to wait at most for the socket."""
        return min(self.deadline.seconds(), most)

    def take(self, count: int) -> None:
        """Take received bytes off.

        Raises:
            BadResponse: there were fewer left.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise limner.BadResponse(f"the answer has over {self._most:,} bytes; the call may have been billed")
