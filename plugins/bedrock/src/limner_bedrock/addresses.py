"""URLs of endpoints, without what could be a secret in them.

A user with a password stands before the last ``@`` of what names the host. A password with a bare ``/``, ``?`` or ``#``
ends that part too early: then an ``@`` comes later, the URL is not what was meant, and nothing of it is shown or used.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

HIDDEN = "[hidden]"
"""Stands for a URL that cannot be taken apart."""


def parts_of(url: object) -> SplitResult:
    """Take the URL of an endpoint apart.

    Raises:
        ValueError: it is no URL of http or https with a host; nothing of it is quoted.
    """
    parts = None
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        fine = parts is not None and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port or a bracket that is none; its words may quote
        fine = False
    if parts is None or not fine or any("@" in part for part in parts[2:]):
        raise ValueError("must be a URL like http://127.0.0.1:8080") from None
    return parts


def address(url: object) -> str:
    """Show where a URL leads: scheme, host and port."""
    try:
        parts = parts_of(url)
    except ValueError:
        return HIDDEN
    return f"{parts.scheme}://{_host(parts)}"


def without_user(url: str) -> str:
    """Take user and password out of a URL.

    Raises:
        ValueError: it is no URL.
    """
    parts = parts_of(url)
    return parts._replace(netloc=_host(parts)).geturl() if "@" in parts.netloc else url


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
