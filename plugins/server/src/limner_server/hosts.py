"""The allow-list of ``Host`` headers, as a protection against DNS rebinding."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Return whether a listening host can be reached only from this machine."""
    try:
        return host.lower() == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_answered(header: str, listening_on: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a ``Host`` header is allowed.

    ``localhost``, loopback addresses and configured names are always allowed. A server that listens on the network also
    allows every IP address: DNS rebinding needs a host name, and cannot use an address.
    """
    try:
        parts = urlsplit(f"//{header}")
        name, _ = parts.hostname, parts.port
    except ValueError:  # an invalid port, or an unclosed bracket
        return False
    if name is None or parts.netloc != header or "@" in header:
        return False
    if name in {"localhost", *(one.lower() for one in (*allowed, listening_on))}:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not is_loopback(listening_on)
