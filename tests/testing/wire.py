"""How the right plugins of these tests call their provider: plain HTTP, each failure as its own error."""

from __future__ import annotations

import http.client
import json
import math
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from limner import (
    AccessDenied,
    AuthenticationFailed,
    BadResponse,
    ContentFiltered,
    ModelRetired,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    Response,
    Settings,
    cancellation,
)

KINDS: dict[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    403: AccessDenied,
    408: ProviderTimeout,
    410: ModelRetired,
    429: RateLimited,
    504: ProviderTimeout,
}
KEY_VARIABLE = "PALETTE_API_KEY"
FACTS = {"x-credits": "credits_left", "x-finish-reason": "finish_reason"}


@attrs.frozen(kw_only=True)
class KeySettings(Settings):
    """Where the API is, and with which key."""

    endpoint_url: str = attrs.field(default="http://127.0.0.1:9", validator=attrs.validators.matches_re(r"https?://\S+"))
    api_key: str | None = attrs.field(default=None, repr=False)
    retries: int = attrs.field(default=0, converter=int, validator=attrs.validators.ge(0))

    def key(self) -> str:
        return self.api_key or os.environ.get(KEY_VARIABLE) or "none"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error: urllib would tell the key to any address."""

    def redirect_request(self, *_: Any) -> None:
        return None


def problem_of_key(settings: KeySettings) -> str:
    """Say what is wrong with the key; nothing where a header can carry it."""
    if settings.key() == "none":
        return f"there is no key: set api_key, or {KEY_VARIABLE}"
    return "" if settings.key().isascii() and settings.key().isprintable() else "the key has characters that no key has"


def check_key(settings: KeySettings) -> None:
    """Raise AuthenticationFailed if no call can be made with the key."""
    if problem := problem_of_key(settings):
        raise AuthenticationFailed(problem)


def call(
    settings: KeySettings,
    path: str,
    body: bytes | None,
    content_type: str = "application/json",
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    failed: Callable[..., ProviderError] | None = None,
) -> Response:
    """Call, and again as often as the settings allow while the API is busy; ``failed`` names an answer that is an error."""
    check_key(settings)
    said = {"authorization": f"Bearer {settings.key()}", "content-type": content_type, **(headers or {})}
    request = urllib.request.Request(url or settings.endpoint_url.rstrip("/") + path, data=body, headers=said)
    deadline = time.monotonic() + settings.timeout
    for attempt in range(1, settings.retries + 2):
        try:
            return attrs.evolve(call_once(settings, request, deadline, failed or failure), attempts=attempt)
        except RateLimited as error:
            pause = PAUSE if error.retry_after is None else error.retry_after
            if attempt > settings.retries or time.monotonic() + pause >= deadline or cancellation().wait(pause):
                raise
    raise AssertionError("the last attempt returns or raises")


PAUSE = 0.05  # seconds, where a busy API does not say how long to wait


def call_once(
    settings: KeySettings, request: urllib.request.Request, deadline: float, failed: Callable[..., ProviderError]
) -> Response:
    """Call once, and give the answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())
    try:
        with opener.open(request, timeout=max(0.001, deadline - time.monotonic())) as answer:
            told = {name: answer.headers.get(header) for header, name in FACTS.items()}
            facts = {name: value for name, value in told.items() if value is not None}
            return Response(read(answer, deadline), request_id=answer.headers.get("x-request-id"), metadata=facts)
    except urllib.error.HTTPError as error:
        with error:
            ids, after = error.headers.get("x-request-id"), seconds_of(error.headers.get("retry-after"))
            raise failed(settings, error.code, error.read(), ids, after) from None
    except TimeoutError as error:
        raise ProviderTimeout("no answer in time; the call may have been billed") from error
    except urllib.error.URLError as error:
        kind = ProviderTimeout if isinstance(error.reason, TimeoutError) else ProviderUnavailable
        unreachable = kind(f"the API cannot be reached: {error.reason}")
        unreachable.may_be_billed = not isinstance(error.reason, ConnectionRefusedError)
        raise unreachable from error
    except (OSError, http.client.HTTPException) as error:
        raise ProviderUnavailable(f"the connection broke: {type(error).__name__}") from error


def seconds_of(retry_after: str | None) -> float | None:
    """Read the header retry-after where it is a number of seconds; the provider sends no dates."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None


def read(answer: Any, deadline: float) -> bytes:
    """Read the whole answer, however slowly it comes, until the deadline."""
    body = bytearray()
    while chunk := answer.read1(1 << 16):
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)


def failure(
    settings: KeySettings, status: int, body: bytes, request_id: str | None, retry_after: float | None = None
) -> ProviderError:
    """The error of an answer that is none."""
    code, words = said(body)
    kind = (
        ContentFiltered if code == "blocked" else KINDS.get(status, RequestRejected if status < 500 else ProviderUnavailable)
    )
    if status < 400:
        kind = BadResponse
    words = words.replace(settings.key(), "[hidden]")[:300] or "nothing"
    ids = () if request_id is None else (request_id,)
    if kind is RateLimited:
        return RateLimited(f"the API says {words} (HTTP {status})", request_ids=ids, retry_after=retry_after)
    return kind(f"the API says {words} (HTTP {status})", request_ids=ids)


def said(body: bytes) -> tuple[str, str]:
    """Code and message of an error."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    match answer:
        case {"error": {"code": str(code), "message": str(message)}}:
            return code, message
        case {"error": {"message": str(message)}}:
            return "", message
        case {"errors": [*messages]} if all(isinstance(message, str) for message in messages):
            return "", "; ".join(messages)
    return "", ""
