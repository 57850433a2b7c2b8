"""boto3 clients: one for each way to reach Bedrock, made at its first use, shared by all threads."""

from __future__ import annotations

import functools
import os
import threading
from typing import Any

import attrs
import limner

from limner_bedrock.settings import BedrockSettings

_MAX_CLIENTS = 32
"""Of the ways to reach Bedrock, so many of the last used are kept."""

_lock = threading.Lock()  # boto3 does not make clients in several threads at once


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
        frozenset(item for item in os.environ.items() if item[0].startswith("AWS_")),
    )
    with _lock:
        return _client(way)


def forget_clients() -> None:
    """Make new clients from now on: botocore looks for credentials once for each, and they may have been put right."""
    with _lock:
        _client.cache_clear()


@functools.lru_cache(_MAX_CLIENTS)
def _client(way: _Way) -> Any:
    import boto3
    from botocore.config import Config

    session = way.session or boto3.Session(profile_name=way.profile)
    config = Config(
        connect_timeout=way.connect_timeout,
        read_timeout=way.timeout,
        max_pool_connections=way.connections,
        retries={"mode": "standard", "total_max_attempts": 1},  # limner itself tries again: see transport
        tcp_keepalive=True,
    )
    try:
        return session.client("bedrock-runtime", way.region, endpoint_url=way.endpoint_url, config=config)
    except ValueError as error:
        if type(error) is not ValueError:  # some of botocore's own are ValueErrors as well
            raise
        problem = limner.Problem("setting endpoint_url", "", "the endpoint of the AWS configuration is no URL")
        raise limner.TaskRefused([problem]) from error
