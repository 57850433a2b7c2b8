"""Pools of connections: one for each way out, made at its first use, shared by all threads.

Pools do not limit how many connections there are at once, since ``max_in_flight`` does; they keep that many open.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import weakref
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote

import attrs
import limner

from limner_http.addresses import address, is_loopback, parts_of

if TYPE_CHECKING:
    import ssl

    import httpcore

_MAX_POOLS = 32
"""Of the ways out, so many of the last used are kept."""

_IDLE_SECONDS = 4.0
"""Less than servers keep an idle connection (uvicorn: 5), so that no request goes out on one that is about to close."""

_lock = threading.Lock()
_made: weakref.WeakSet[httpcore.ConnectionPool] = weakref.WeakSet()


@attrs.frozen
class _Way:
    """All that a pool depends on."""

    proxy: str | None = attrs.field(repr=False)
    connections: int
    tls: bool
    certificates: tuple[str | None, str | None]


def pool_for(parts: SplitResult, proxy: str | None, connections: int) -> httpcore.ConnectionPool:
    """Return the pool for a URL.

    Args:
        parts: the URL.
        proxy: the setting; ``None`` for the environment's.
        connections: how many to keep open.

    Raises:
        TaskRefused: the environment's proxy is no URL.
    """
    proxy = proxy or _environment_proxy(parts)
    tls = parts.scheme == "https" or (proxy is not None and proxy.startswith("https:"))
    certificates = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    with _lock:
        return _pool(_Way(proxy, connections, tls, certificates))


def is_proxied(parts: SplitResult, proxy: str | None) -> bool:
    """Tell whether requests to a URL go through a proxy."""
    return bool(proxy or _environment_proxy(parts))


def _environment_proxy(parts: SplitResult) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    host = parts.hostname or ""
    if is_loopback(host):
        return None
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or proxy_bypass(host):
        return None
    found = found if "://" in found else f"http://{found}"
    try:
        parts_of(found)
    except ValueError:
        limit = "must be a URL like http://proxy.example.com:3128; in a password, / is written as %2F, ? as %3F, # as %23"
        raise limner.TaskRefused([limner.Problem("the environment's proxy", "", limit)]) from None
    return found


@functools.lru_cache(_MAX_POOLS)
def _pool(way: _Way) -> httpcore.ConnectionPool:
    import ssl

    import httpcore

    from limner_http.network import Backend

    context = _tls(way.certificates) if way.tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pool = httpcore.ConnectionPool(
        ssl_context=context,
        proxy=None if way.proxy is None else _proxy(way.proxy, context),
        max_connections=None,
        max_keepalive_connections=way.connections,
        keepalive_expiry=_IDLE_SECONDS,
        network_backend=Backend(),
    )
    _made.add(pool)
    return pool


def _proxy(url: str, context: ssl.SSLContext) -> httpcore.Proxy:
    import httpcore

    parts = parts_of(url)
    auth = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    return httpcore.Proxy(address(url), auth=auth, ssl_context=context if parts.scheme == "https" else None)


@functools.lru_cache(4)
def _tls(certificates: tuple[str | None, str | None]) -> ssl.SSLContext:
    """Trust the certificates of SSL_CERT_FILE and SSL_CERT_DIR; where there are none, certifi's."""
    import ssl

    import certifi

    file, folder = certificates
    return ssl.create_default_context(cafile=file or (None if folder else certifi.where()), capath=folder)


@atexit.register
def _close_pools() -> None:
    """Close what is idle when the program ends; Python warns of open sockets otherwise."""
    for pool in list(_made):
        pool.close()


def _after_fork_in_child() -> None:
    """The parent's connections are the parent's."""
    _made.clear()
    _pool.cache_clear()
    _lock.release()


if hasattr(os, "register_at_fork"):  # nobody can go on in a child with a pool that another thread has made by half
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)
