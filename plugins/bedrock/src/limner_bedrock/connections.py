"""Connections on which an answer has so many seconds and so many bytes, whoever is at the other end.

botocore's own timeouts are for one piece of an answer, not for all of it, and it reads the body of an error to its end
before anyone else sees it. So both are counted where every byte passes, at the socket.
"""

from __future__ import annotations

import socket
import ssl
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import limner
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool

if TYPE_CHECKING:
    Buffer = Any  # what holds bytes; typing has no name for it before 3.12

MAX_ANSWER_BYTES = 50_000_000
"""On the wire, twice what InvokeModel gives: in a stream an answer comes as base64, with a frame around each event."""

MAX_ERROR_BYTES = 1_000_000
"""An error's; botocore makes Python objects of all of it."""

_LOOK_SECONDS = 0.5
"""How often a call that waits looks whether its caller has given up."""


class GivenUp(CancelledError):
    """limner itself ended a call that was out. Of CancelledError's kind, it comes through botocore as it is.

    Attributes:
        error: why, in limner's own tree.
    """

    def __init__(self, error: limner.ProviderError) -> None:
        super().__init__(error)
        self.error = error


def bound_answers(client: Any) -> None:
    """Let a new client of botocore use the connections of this module; its read timeout becomes that of a whole call."""
    session = client._endpoint.http_session  # noqa: SLF001 - there is no public way to botocore's pools
    session._pool_classes_by_scheme.update(http=_Pool, https=_TLSPool)  # noqa: SLF001 - shared by proxies' managers too


class _Allowance:
    """What is left to one call."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._bytes = MAX_ANSWER_BYTES
        self._most = MAX_ANSWER_BYTES
        self._cancelled = limner.cancellation()

    def lower(self, most: int) -> None:
        """Leave at most so many bytes."""
        self._bytes = self._most = most

    def seconds(self) -> float:
        """How long to wait at most for the socket, more than nothing.

        Raises:
            GivenUp: there is no time left, or the caller has given up.
        """
        if self._cancelled.is_set():
            raise GivenUp(limner.ProviderError("cancelled before the answer had come; the call may have been billed"))
        left = self._until - time.monotonic()
        if left <= 0:
            said = f"no answer within {self._seconds:g} seconds; raise timeout; the call may have been billed"
            raise GivenUp(limner.ProviderTimeout(said))
        return min(left, _LOOK_SECONDS)

    def take(self, count: int) -> int:
        """Take received bytes off.

        Raises:
            GivenUp: there were fewer left.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise GivenUp(limner.BadResponse(f"the answer has over {self._most:,} bytes; the call may have been billed"))
        return count


class _Bounded(socket.socket):
    """What the two kinds of socket have in common; both let a call that timed out be made again."""

    allowance: _Allowance | None = None

    def _wait_for(self, seconds: float) -> None:
        if self.gettimeout() != seconds:  # setting it is a call of the system
            self.settimeout(seconds)

    def recv_into(self, buffer: Buffer, nbytes: int | None = None, flags: int = 0) -> int:
        """Receive within the allowance."""
        if self.allowance is None:
            return super().recv_into(buffer, nbytes or 0, flags)
        while True:
            self._wait_for(self.allowance.seconds())
            try:
                return self.allowance.take(super().recv_into(buffer, nbytes or 0, flags))
            except TimeoutError:
                continue

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """Send within the allowance."""
        if self.allowance is None:
            return super().sendall(data, flags)
        left = memoryview(data).cast("B")
        while left:
            self._wait_for(self.allowance.seconds())
            try:
                left = left[self.send(left, flags) :]
            except TimeoutError:
                continue
        return None


class _Socket(_Bounded):
    pass


class _TLSSocket(_Bounded, ssl.SSLSocket):
    pass


class _Connection(AWSHTTPConnection):  # type: ignore[misc]
    """A connection that is begun anew for each call."""

    _allowance: _Allowance | None = None

    def begin(self, seconds: float) -> None:
        """Start the time of a call."""
        self._allowance = _Allowance(seconds)
        if self.sock is not None:
            self.sock.allowance = self._allowance

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        made = _Socket(plain.family, plain.type, plain.proto, plain.detach())
        made.settimeout(timeout)
        return made

    def connect(self) -> None:
        """Connect within the connect timeout; what it took is taken off the call's time."""
        if (context := getattr(self, "ssl_context", None)) is not None:
            context.sslsocket_class = _TLSSocket
        super().connect()
        self.sock.allowance = self._allowance

    def getresponse(self) -> Any:
        """Read the head of an answer; an error's body may not be long."""
        response = super().getresponse()
        if response.status >= 300 and self._allowance is not None:
            self._allowance.lower(MAX_ERROR_BYTES)
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
