"""What a plugin says of its provider: address, key, and what the provider's errors mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal

import attrs
from limner import (
    AccessDenied,
    AuthenticationFailed,
    BadResponse,
    Key,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)

Retry = Literal["never", "asked", "always"]


def _words(codes: str | Iterable[str]) -> frozenset[str]:
    return frozenset(codes.split() if isinstance(codes, str) else codes)


def _numbers(statuses: Iterable[int]) -> frozenset[int]:
    return frozenset(statuses)


@attrs.frozen
class Failure:
    """What one kind of error means: a row of a table, of which the first that holds is the one.

    Args:
        error: the class of limner's error.
        what: what happened.
        advice: what to do.
        codes: the provider's codes or types, one of which the error must have, as one text; empty for any.
        statuses: HTTP statuses, one of which the answer must have; empty for any.
        text: a regular expression that must be found in the provider's message; case does not matter.
        retry: whether the request was surely not carried out, so that it may be sent again: ``never``, ``asked`` (only where
            the answer has a Retry-After) or ``always``.
    """

    error: type[ProviderError]
    what: str
    advice: str
    codes: frozenset[str] = attrs.field(default=frozenset(), converter=_words, kw_only=True)
    statuses: frozenset[int] = attrs.field(default=frozenset(), converter=_numbers, kw_only=True)
    text: str = attrs.field(default="", kw_only=True)
    retry: Retry = attrs.field(default="never", kw_only=True)

    def holds(self, said: Said, status: int) -> bool:
        """Tell whether an error is of this kind."""
        return (
            (not self.codes or not self.codes.isdisjoint(said.codes))
            and (not self.statuses or status in self.statuses)
            and re.search(self.text, said.text, re.IGNORECASE) is not None
        )


@attrs.frozen
class Said:
    """What the body of an error says.

    Args:
        codes: the provider's codes and types, the most telling first.
        text: its message.
        wait: seconds that it asks to wait, where it says so in the body; a Retry-After header goes before it.
    """

    codes: tuple[str, ...] = ()
    text: str = ""
    wait: float | None = None


@attrs.frozen(kw_only=True)
class Service:
    """A provider's API, or a dialect of it, as data.

    Args:
        name: for messages, such as ``OpenAI``.
        base_url: the address that paths of requests are added to; empty where the user must give one.
        url_variable: an environment variable with another address, which the setting ``base_url`` goes before; such as the
            one that the provider's own client reads.
        url_suffix: what is added to the variable's address, such as the API's version.
        key_variables: environment variables with the key; the first that is set holds.
        key_header: the header that carries the key.
        key_format: the header's text; ``{}`` stands for the key.
        key_name: by which the key is stored with ``limner keys``; empty where it is not. The environment goes first.
        key_needed: whether a call without a key is refused before it is sent. At an own ``base_url`` none is needed.
        key_setting: the setting that holds the key.
        request_id_headers: headers of answers with the id of the request.
        failures: what the provider's errors mean, before the general table by HTTP status.
        said: reads the JSON of an error's body; by default :func:`said_by_default`.
        max_bytes: of an answer.
        probe: a path that is free of charge, for ``limner doctor --live``; empty where there is none.
        models: a path that lists the models free of charge, for ``limner models --live``; empty where there is none.
    """

    name: str
    base_url: str = ""
    url_variable: str = ""
    url_suffix: str = ""
    key_variables: tuple[str, ...] = ()
    key_name: str = ""
    key_header: str = "Authorization"
    key_format: str = "Bearer {}"
    key_needed: bool = True
    key_setting: str = "api_key"
    request_id_headers: tuple[str, ...] = ("x-request-id",)
    failures: tuple[Failure, ...] = ()
    said: Callable[[Any], Said] | None = None
    max_bytes: int = 100_000_000
    probe: str = ""
    models: str = ""

    @property
    def key(self) -> Key:
        """The key, wherever it comes from."""
        return Key(self.key_name, self.key_variables)


_LATER = "try again later"
_BILLED = "try again; the call may have been billed"
_KEY = "check api_key, the environment variable that holds the key, or 'limner keys list'"
_CORRECT = "correct what the message names"
_ADDRESS = "check the model's id and base_url"

BY_STATUS = (
    Failure(AuthenticationFailed, "the key is not accepted", _KEY, statuses=[401]),
    Failure(AccessDenied, "the account has no credit", "add credit to the account", statuses=[402]),
    Failure(AccessDenied, "access is denied", "check the permissions of this key", statuses=[403, 451]),
    Failure(RequestRejected, "the path or the model was not found", _ADDRESS, statuses=[404, 405, 410]),
    Failure(AuthenticationFailed, "the proxy requires credentials", "set them in proxy", statuses=[407]),
    Failure(ProviderTimeout, "the request took too long", _BILLED, statuses=[408]),
    Failure(RequestRejected, "the request is too large", "send smaller or fewer pictures", statuses=[413]),
    Failure(RateLimited, "too many requests", "wait, or lower max_in_flight", statuses=[429], retry="always"),
    Failure(ProviderUnavailable, "the service is not available", _LATER, statuses=[503, 529], retry="asked"),
    Failure(ProviderTimeout, "a gateway timed out", _BILLED, statuses=[504]),
    Failure(RequestRejected, "the request was refused", _CORRECT, statuses=range(400, 500)),
    Failure(ProviderUnavailable, "the provider has an internal error", _BILLED, statuses=range(500, 600)),
    Failure(BadResponse, "the answer is a redirect, which is not followed", "set base_url to the final address",
            statuses=range(300, 400)),
    Failure(ProviderUnavailable, "the answer is an error", _BILLED),
)  # fmt: skip
"""The general table; its last row holds for everything."""


def said_by_default(content: Any) -> Said:
    """Read the usual shapes of an error.

    They are ``{"error": {"message", "type", "code"}}``, ``{"error": "text"}``, ``{"error": "code", "message": ...}``,
    ``{"detail": ...}`` and ``{"name": ..., "errors": [...]}``.
    """
    if not isinstance(content, dict):
        return Said(text=_text(content))
    error = content.get("error", content)
    if isinstance(error, str):
        message = _text(content.get("message"))
        return Said((error,), message) if message else Said((), error)
    if not isinstance(error, dict):
        error = content
    codes = [error.get(name) for name in ("code", "status", "type", "name")]
    texts = [_text(error.get(name)) for name in ("message", "detail", "msg", "errors", "title")]
    return Said(tuple(code for code in codes if isinstance(code, str) and code), next(filter(None, texts), ""))


def _text(value: Any) -> str:
    """A text, or the texts of a list, such as the problems that FastAPI lists."""
    match value:
        case str():
            return value
        case list():
            return "; ".join(filter(None, map(_text, value[:10])))
        case {"msg": str(said), "loc": list(where)}:
            return f"{'.'.join(map(str, where))}: {said}"
        case {"msg": str(said)} | {"message": str(said)} | {"detail": str(said)}:
            return said
    return ""
