"""Sockets on which a request has so much time and so many bytes, whoever is at the other end.

httpcore's own timeouts are for one piece of an answer, not for all of it. Through its public seam for network backends each
read and write asks the request's :class:`~limner_http.deadlines.Allowance`, which travels in the place of the timeouts.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import limner

from limner_http.addresses import is_public
from limner_http.deadlines import CONNECT_SECONDS, Allowance

_PIECE = 1 << 16
"""Bytes that are written at a time."""


class PrivateAddress(limner.BadResponse):
    """A URL of an answer leads to an address that is not on the public internet."""


class Backend(httpcore.NetworkBackend):
    """Connects within an allowance."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers."""
        allowance: Allowance = timeout
        failure: Exception = httpcore.ConnectError("the host has no address")
        for found in _addresses(host, port):
            if host == allowance.public_host and not is_public(found):
                raise PrivateAddress("a URL in the answer leads to a private address; it was not opened")
            try:
                stream = self._plain.connect_tcp(
                    found, port, allowance.seconds(CONNECT_SECONDS), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream)
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the host's name cannot be resolved: {error}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _Stream(httpcore.NetworkStream):
    """A connection that reads and writes within an allowance."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        allowance: Allowance = timeout
        while True:
            try:
                data = self._inner.read(max_bytes, allowance.seconds())
            except httpcore.ReadTimeout:
                continue
            allowance.take(len(data))
            return data

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        allowance: Allowance = timeout
        view = memoryview(buffer)
        for at in range(0, len(view), _PIECE):
            try:
                self._inner.write(view[at : at + _PIECE], allowance.deadline.seconds())  # type: ignore[arg-type]
            except httpcore.WriteTimeout:
                allowance.seconds()
                raise

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> httpcore.NetworkStream:
        allowance: Allowance = timeout
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, allowance.seconds(CONNECT_SECONDS)))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
