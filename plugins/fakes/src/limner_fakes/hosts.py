"""The allow-list of Host headers: only this machine, as a protection against DNS rebinding by web pages."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_local(host: str) -> bool:
    """Return whether a Host header names loopback: ``localhost``, 127.0.0.0/8 or ``[::1]``, with a port or without."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:  # an invalid port, or an unclosed bracket
        return False
    if name is None or parts.netloc != host or "@" in host:
        return False
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
