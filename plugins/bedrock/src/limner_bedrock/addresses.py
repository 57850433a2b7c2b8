"""Endpoint URLs without user and password.

User and password precede the last ``@`` of the network location. A password with an unescaped ``/``, ``?`` or ``#`` ends the
network location too early, so that an ``@`` remains in a later part. Such a URL is rejected, and no part of it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib.parse import SplitResult


HIDDEN = "[hidden]"
"""Shown instead of an invalid URL."""


def parts_of(url: object) -> SplitResult:
    """Split the URL of an endpoint.

    Raises:
        ValueError: it is not an http or https URL with a host; the message quotes no part of it.
    """
    parts = None
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        valid = parts is not None and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # an invalid port or bracket; the message may quote it
        valid = False
    if parts is None or not valid or any("@" in part for part in parts[2:]):
        raise ValueError("must be a URL like http://127.0.0.1:8080") from None
    return parts


def address(url: object) -> str:
    """Return scheme, host and port of a URL, to be shown."""
    try:
        parts = parts_of(url)
    except ValueError:
        return HIDDEN
    return f"{parts.scheme}://{_host(parts)}"


def without_user(url: str) -> str:
    """Remove user and password from a URL.

    Raises:
        ValueError: the URL is invalid.
    """
    parts = parts_of(url)
    return parts._replace(netloc=_host(parts)).geturl() if "@" in parts.netloc else url


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
