"""Which ``Host`` headers are answered, so that no web page can lead a browser here (DNS rebinding)."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host to listen on can be reached from this machine alone."""
    try:
        return host.lower() == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_answered(header: str, listening_on: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a ``Host`` header is answered.

    ``localhost`` and loopback addresses always are, and names that are allowed. A server that listens on the network also
    answers to every IP address: an attacker's name can lead here, but never an address.
    """
    try:
        parts = urlsplit(f"//{header}")
        name, _ = parts.hostname, parts.port
    except ValueError:  # no such port, or an open bracket
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
