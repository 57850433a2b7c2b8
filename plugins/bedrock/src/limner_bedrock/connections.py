"""Connections with a deadline and a size limit for each whole response, whatever the server does.

botocore's timeouts apply to each read of a socket, not to a whole response, and botocore reads an error's body completely
before other code sees it. Both limits are therefore enforced at the socket.
"""

from __future__ import annotations

import socket
import ssl
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import limner
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool

from limner_bedrock.deadlines import within

if TYPE_CHECKING:
    Buffer = Any  # what holds bytes; typing has no name for it before 3.12

MAX_ANSWER_BYTES = 50_000_000
"""On the wire, twice InvokeModel's limit: a streamed response is base64, with a frame around each event."""

MAX_ERROR_BYTES = 1_000_000
"""For an error response, all of which botocore parses into Python objects."""

_POLL_SECONDS = 0.5
"""How often a waiting call checks for cancellation."""


class CallAborted(CancelledError):
    """limner aborted a call in progress. botocore lets a subclass of CancelledError pass unchanged.

    Attributes:
        error: the reason.
    """

    def __init__(self, error: limner.ProviderError) -> None:
        super().__init__(error)
        self.error = error


def limit_responses(client: Any) -> None:
    """Make a new botocore client use this module's connections; its read timeout becomes the deadline of a whole call."""
    session = client._endpoint.http_session  # noqa: SLF001 - there is no public way to botocore's pools
    session._pool_classes_by_scheme.update(http=_Pool, https=_TLSPool)  # noqa: SLF001 - shared by proxies' managers too


class _Budget:
    """The seconds and bytes that one call has left."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, within(seconds)
        self._bytes = MAX_ANSWER_BYTES
        self._limit = MAX_ANSWER_BYTES
        self._cancelled = limner.cancellation()

    def limit_bytes(self, limit: int) -> None:
        """Set a lower limit."""
        self._bytes = self._limit = limit

    def seconds(self) -> float:
        """Return how long to wait for the socket, above 0.

        Raises:
            CallAborted: the deadline has passed, or the call was cancelled.
        """
        if self._cancelled.is_set():
            raise CallAborted(limner.ProviderError("cancelled before the response arrived; the call may have been billed"))
        left = self._until - time.monotonic()
        if left <= 0:
            message = f"no response within {self._seconds:g} seconds; raise timeout; the call may have been billed"
            raise CallAborted(limner.ProviderTimeout(message))
        return min(left, _POLL_SECONDS)

    def spend(self, count: int) -> int:
        """Subtract received bytes.

        Raises:
            CallAborted: the limit is exceeded.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise CallAborted(
                limner.BadResponse(f"the response exceeds {self._limit:,} bytes; the call may have been billed")
            )
        return count


class _BudgetedSocket(socket.socket):
    """What plain and TLS sockets share; on both, a call that timed out can be repeated."""

    budget: _Budget | None = None

    def _wait_for(self, seconds: float) -> None:
        if self.gettimeout() != seconds:  # setting it is a system call
            self.settimeout(seconds)

    def recv_into(self, buffer: Buffer, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive within the budget."""
        if self.budget is None:
            return super().recv_into(buffer, nbytes or 0, flags)
        while True:
            self._wait_for(self.budget.seconds())
            try:
                return self.budget.spend(super().recv_into(buffer, nbytes or 0, flags))
            except TimeoutError:
                continue

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """Send within the budget."""
        if self.budget is None:
            return super().sendall(data, flags)
        left = memoryview(data).cast("B")
        while left:
            self._wait_for(self.budget.seconds())
            try:
                left = left[self.send(left, flags) :]
            except TimeoutError:
                continue
        return None


class _Socket(_BudgetedSocket):
    pass


class _TLSSocket(_BudgetedSocket, ssl.SSLSocket):
    pass


class _Connection(AWSHTTPConnection):  # type: ignore[misc]
    """A connection with a new budget for each call."""

    _budget: _Budget | None = None

    def begin(self, seconds: float) -> None:
        """Start the deadline of a call."""
        self._budget = _Budget(seconds)
        if self.sock is not None:
            self.sock.budget = self._budget

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        sock = _Socket(plain.family, plain.type, plain.proto, plain.detach())
        sock.settimeout(timeout)
        return sock

    def connect(self) -> None:
        """Connect within the connect timeout; the time counts towards the deadline."""
        if (context := getattr(self, "ssl_context", None)) is not None:
            context.sslsocket_class = _TLSSocket
        super().connect()
        self.sock.budget = self._budget

    def getresponse(self) -> Any:
        """Read the head of a response; an error's body has a lower size limit."""
        response = super().getresponse()
        if response.status >= 300 and self._budget is not None:
            self._budget.limit_bytes(MAX_ERROR_BYTES)
        return response


class _TLSConnection(_Connection, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        connection.begin(self.timeout.read_timeout)
        return connection


class _TLSPool(_Pool, AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _TLSConnection
