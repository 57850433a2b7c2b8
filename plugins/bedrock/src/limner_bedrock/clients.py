"""botocore clients: one for each combination of settings, created on first use and shared by all threads.

Unless the caller passes a boto3 session, clients are created with botocore directly, which saves importing boto3.
"""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import limner

from limner_bedrock.addresses import parts_of, without_user
from limner_bedrock.settings import BedrockSettings

_MAX_CLIENTS = 32
"""The number of most recently used clients that are kept."""

_lock = threading.RLock()  # creating clients with botocore is not thread-safe


@attrs.frozen
class _ClientKey:
    """Everything that a client depends on; sessions are compared by identity."""

    region: str | None
    profile: str | None
    endpoint_url: str | None
    session: Any
    timeout: float
    connect_timeout: float
    connections: int
    environment: frozenset[tuple[str, str]] = attrs.field(repr=False)


def client_for(settings: BedrockSettings, region: str | None) -> Any:
    """Return the client for settings.

    Args:
        settings: how to reach Bedrock.
        region: used if the settings have none, before the AWS configuration's.

    Raises:
        TaskRefused: the endpoint in the AWS configuration is not a URL.
        Exception: raised by botocore.
    """
    key = _ClientKey(
        region if settings.region is None else settings.region,
        settings.profile,
        settings.endpoint_url,
        settings.session,
        settings.timeout,
        settings.connect_timeout,
        settings.max_in_flight,
        frozenset((name, os.environ.get(name, "")) for name in os.environ if name.startswith("AWS_")),
    )
    with _lock:
        return _client(key)


def forget_clients() -> None:
    """Create new clients from now on. botocore looks up credentials once per client, and they may have been corrected."""
    with _lock:
        _client.cache_clear()


def _after_fork_in_child() -> None:
    """Do not share connections with the parent process."""
    _client.cache_clear()
    _lock.release()


if hasattr(os, "register_at_fork"):  # no client may be half created when the process forks
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)


def session_for(session: Any, profile: str | None) -> Any:
    """Return the caller's session, or a new one for a profile."""
    if session is not None:
        return session
    from limner_bedrock.sessions import new_session

    return new_session(profile)


@contextmanager
def _reporting_invalid_url() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:  # some of botocore's exceptions are ValueErrors
            raise
        problem = limner.Problem("setting endpoint_url", "", "the endpoint in the AWS configuration is not a URL")
        raise limner.TaskRefused([problem]) from None  # botocore's message quotes it


def make_client(session: Any, service: str, region: str | None, endpoint_url: str | None, **config: Any) -> Any:
    """Create a client with a session of boto3 or botocore.

    Raises:
        TaskRefused: the endpoint in the AWS configuration is not a URL.
        Exception: raised by botocore.
    """
    from botocore.config import Config

    from limner_bedrock.connections import limit_responses

    create = session.client if hasattr(session, "client") else session.create_client
    with _lock, _reporting_invalid_url():
        plain = None if endpoint_url is None else without_user(endpoint_url)
        client = create(service, region, endpoint_url=plain, config=Config(**config))
        plain = without_user(client.meta.endpoint_url)  # from the AWS configuration; botocore must not see the password
        if plain != client.meta.endpoint_url:
            client = create(service, region, endpoint_url=plain, config=Config(**config))
    _check_proxy(plain)
    limit_responses(client)
    client.meta.events.register("before-parse", _sanitize)
    return client


def _check_proxy(url: str) -> None:
    """Refuse an invalid proxy URL. A later error would quote it, including a password."""
    from botocore.utils import get_environ_proxies

    proxy = get_environ_proxies(url).get(url.partition(":")[0])
    if not proxy:
        return
    try:
        parts_of(proxy if "://" in proxy else f"http://{proxy.removeprefix('//')}")
    except ValueError as error:
        limit = f"{error}; in a password, encode / as %2F, ? as %3F and # as %23"
        raise limner.TaskRefused([limner.Problem("proxy environment variable", "", limit)]) from None


def _sanitize(response_dict: dict[str, Any], **_: Any) -> None:
    """Sanitize the body of an error; botocore calls this before it parses a response."""
    if response_dict["status_code"] >= 300:
        from limner_bedrock.error_bodies import sanitize_error

        response_dict["body"] = sanitize_error(response_dict["body"])


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause garbage collection while botocore loads its data, which stays in memory: 25 ms less CPU (docs/benchmarks.md)."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@functools.lru_cache(_MAX_CLIENTS)
def _client(key: _ClientKey) -> Any:
    with _garbage_collection_paused():
        return make_client(
            session_for(key.session, key.profile),
            "bedrock-runtime",
            key.region,
            key.endpoint_url,
            connect_timeout=min(key.connect_timeout, key.timeout),
            read_timeout=key.timeout,
            max_pool_connections=key.connections,
            retries={"mode": "standard", "total_max_attempts": 1},  # limner retries: see retries
            tcp_keepalive=True,
        )
