"""Clients of Bedrock: one for each way to reach it, made at its first use, shared by all threads.

Where the caller brings no session, botocore makes them, as it does inside boto3, whose own part would only cost time.
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
"""Of the ways to reach Bedrock, so many of the last used are kept."""

_lock = threading.RLock()  # botocore does not make clients in several threads at once


@attrs.frozen
class _Way:
    """All that a client depends on; two sessions are the same only where they are one object."""

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
        region: where the settings name none, in place of the AWS chain's.

    Raises:
        TaskRefused: the endpoint of the AWS configuration is no URL.
        Exception: botocore's own.
    """
    way = _Way(
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
        return _client(way)


def forget_clients() -> None:
    """Make new clients from now on: botocore looks for credentials once for each, and they may have been put right."""
    with _lock:
        _client.cache_clear()


def _after_fork_in_child() -> None:
    """The parent's connections are the parent's."""
    _client.cache_clear()
    _lock.release()


if hasattr(os, "register_at_fork"):  # nobody can go on in a child with a client that another thread has made by half
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)


def session_for(session: Any, profile: str | None) -> Any:
    """Return the caller's own session, or a new one of a profile."""
    if session is not None:
        return session
    from limner_bedrock.sessions import new_session

    return new_session(profile)


@contextmanager
def _saying_what_is_no_url() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if type(error) is not ValueError:  # some of botocore's own are ValueErrors as well
            raise
        problem = limner.Problem("setting endpoint_url", "", "the endpoint of the AWS configuration is no URL")
        raise limner.TaskRefused([problem]) from None  # botocore quotes it


def make_client(session: Any, service: str, region: str | None, endpoint_url: str | None, **config: Any) -> Any:
    """Make a client with a session of boto3 or of botocore.

    Raises:
        TaskRefused: the endpoint of the AWS configuration is no URL.
        Exception: botocore's own.
    """
    from botocore.config import Config

    from limner_bedrock.connections import bound_answers

    make = session.client if hasattr(session, "client") else session.create_client
    with _lock, _saying_what_is_no_url():
        plain = None if endpoint_url is None else without_user(endpoint_url)
        client = make(service, region, endpoint_url=plain, config=Config(**config))
        plain = without_user(client.meta.endpoint_url)  # the AWS configuration's; what botocore does not know, it cannot say
        if plain != client.meta.endpoint_url:
            client = make(service, region, endpoint_url=plain, config=Config(**config))
    _check_proxy(plain)
    bound_answers(client)
    client.meta.events.register("before-parse", _tidied)
    return client


def _check_proxy(url: str) -> None:
    """Refuse a proxy that is no URL: what fails on it later would quote it, with a password in it."""
    from botocore.utils import get_environ_proxies

    proxy = get_environ_proxies(url).get(url.partition(":")[0])
    if not proxy:
        return
    try:
        parts_of(proxy if "://" in proxy else f"http://{proxy.removeprefix('//')}")
    except ValueError as error:
        limit = f"{error}; in a password, / is written as %2F, ? as %3F, # as %23"
        raise limner.TaskRefused([limner.Problem("the environment's proxy", "", limit)]) from None


def _tidied(response_dict: dict[str, Any], **_: Any) -> None:
    """Make an error's body plain; botocore calls this before it reads an answer."""
    if response_dict["status_code"] >= 300:
        from limner_bedrock.tidying import tidy_error

        response_dict["body"] = tidy_error(response_dict["body"])


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector still: what botocore loads stays, and to walk through it anew takes a third of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@functools.lru_cache(_MAX_CLIENTS)
def _client(way: _Way) -> Any:
    with _collector_at_rest():
        return make_client(
            session_for(way.session, way.profile),
            "bedrock-runtime",
            way.region,
            way.endpoint_url,
            connect_timeout=min(way.connect_timeout, way.timeout),
            read_timeout=way.timeout,
            max_pool_connections=way.connections,
            retries={"mode": "standard", "total_max_attempts": 1},  # limner itself tries again: see retrying
            tcp_keepalive=True,
        )
