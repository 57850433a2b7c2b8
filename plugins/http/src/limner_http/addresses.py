"""URLs: taken apart, checked, and shown without what could be a secret in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from urllib.parse import SplitResult

HIDDEN = "[hidden]"
"""Stands for a URL that cannot be taken apart."""

_PLAIN = re.compile(r"[!-\[\]-~]+")
"""Printable ASCII without spaces and backslashes, which programs read in different ways."""

_PORTS = {"http": 80, "https": 443}


def parts_of(url: object) -> SplitResult:
    """Take a URL apart.

    Raises:
        ValueError: it is not a URL of http or https with a host in ASCII; nothing of it is quoted.
    """
    parts = None
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url) if isinstance(url, str) and _PLAIN.fullmatch(url) else None
        fine = parts is not None and parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or a bracket that is none; its words may quote
        fine = False
    if parts is None or not fine:
        raise ValueError("must be a URL like https://api.example.com/v1")
    return parts


def address(url: object) -> str:
    """Show where a URL leads: scheme, host and port, never user, path or query, which may hold secrets."""
    try:
        parts = parts_of(url)
    except ValueError:
        return HIDDEN
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port."""
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def is_loopback(host: str) -> bool:
    """Tell whether a host's name says that it is this machine."""
    ip = _ip(host)
    return host == "localhost" or host.endswith(".localhost") or (ip is not None and ip.is_loopback)


def is_public(ip: str) -> bool:
    """Tell whether an IP address belongs to the public internet."""
    found = _ip(ip)
    return found is not None and found.is_global and not found.is_multicast


def is_named_private(host: str) -> bool:
    """Tell whether a host's name itself says that it is not on the public internet."""
    return is_loopback(host) or (_ip(host) is not None and not is_public(host))


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    import ipaddress

    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
