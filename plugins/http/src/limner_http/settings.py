"""HttpSettings: how to reach a provider over HTTP."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

import attrs
import limner
from attrs.validators import ge

from limner_http.addresses import address, parts_of

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")


def _times(value: int | str) -> int:
    try:
        return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        raise ValueError("must be a whole number") from None


def _check_base_url(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    try:
        parts = parts_of(value)
    except ValueError as error:
        raise ValueError(f"{attribute.name} {error}") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{attribute.name} must be a URL without user, query or fragment; give a key as api_key")


def _check_proxy(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    try:
        parts_of(value)
    except ValueError:
        raise ValueError(f"{attribute.name} must be a URL like http://proxy.example.com:3128") from None


def _shown_url(value: object) -> str:
    return repr(None if value is None else address(value))


def _check_key(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
        raise ValueError(f"{attribute.name} must be printable ASCII text without spaces at its ends")


def _to_headers(value: object) -> object:
    """Take a mapping, or a JSON object as text."""
    if isinstance(value, str):
        import orjson

        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            value = None
    return limner.Options(value) if isinstance(value, Mapping) else value


def _check_headers(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    fine = isinstance(value, Mapping) and all(
        isinstance(content, str) and _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(content)
        for name, content in value.items()
    )
    if not fine:
        raise ValueError(f'{attribute.name} must be a JSON object of header names and ASCII texts, like {{"X-Team": "a"}}')


@attrs.frozen(kw_only=True)
class HttpSettings(limner.Settings):
    """How to reach a provider over HTTP, besides what every provider has.

    ``timeout`` is a deadline for a whole call: all attempts, the wait in the provider's queue, and downloads of results.

    Args:
        base_url: the address of the API, in place of the provider's own; without user, query or fragment.
        api_key: the key. Default: the environment variable that the plugin names, else the key that
            ``limner keys`` has stored.
        headers: further headers of every request to the API, such as a gateway's; from the command line, a JSON object.
        proxy: the URL of an HTTP proxy. Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment.
        max_attempts: how often one request is sent at most, the first time included. Only requests that were surely not
            carried out are sent again.
    """

    base_url: str | None = attrs.field(default=None, repr=_shown_url, validator=_check_base_url)
    api_key: str | None = attrs.field(default=None, repr=False, validator=_check_key)
    headers: Mapping[str, str] = attrs.field(
        factory=limner.Options, repr=False, converter=_to_headers, validator=_check_headers
    )
    proxy: str | None = attrs.field(default=None, repr=_shown_url, validator=_check_proxy)
    max_attempts: int = attrs.field(default=4, converter=_times, validator=ge(1))
