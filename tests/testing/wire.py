"""How the right plugins of these tests call their provider: plain HTTP, each failure as its own error."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.request
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


@attrs.frozen(kw_only=True)
class KeySettings(Settings):
    """Where the API is, and with which key."""

    endpoint_url: str = "http://127.0.0.1:9"
    api_key: str | None = attrs.field(default=None, repr=False)
    retries: int = attrs.field(default=0, converter=int)

    def key(self) -> str:
        return self.api_key or os.environ.get(KEY_VARIABLE) or "none"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error: urllib would tell the key to any address."""

    def redirect_request(self, *_: Any) -> None:
        return None


def call(
    settings: KeySettings, path: str, body: bytes | None, content_type: str = "application/json", url: str | None = None
) -> Response:
    """Call once, and give the answer."""
    headers = {"authorization": f"Bearer {settings.key()}", "content-type": content_type}
    request = urllib.request.Request(url or settings.endpoint_url + path, data=body, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())
    try:
        with opener.open(request, timeout=settings.timeout) as answer:
            return Response(answer.read(), request_id=answer.headers.get("x-request-id"))
    except urllib.error.HTTPError as error:
        with error:
            raise failure(settings, error.code, error.read(), error.headers.get("x-request-id")) from None
    except TimeoutError as error:
        raise ProviderTimeout("no answer in time; the call may have been billed") from error
    except urllib.error.URLError as error:
        kind = ProviderTimeout if isinstance(error.reason, TimeoutError) else ProviderUnavailable
        raise kind(f"the API cannot be reached: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise ProviderUnavailable(f"the connection broke: {type(error).__name__}") from error


def failure(settings: KeySettings, status: int, body: bytes, request_id: str | None) -> ProviderError:
    """The error of an answer that is none."""
    code, words = said(body)
    kind = (
        ContentFiltered if code == "blocked" else KINDS.get(status, RequestRejected if status < 500 else ProviderUnavailable)
    )
    if status < 400:
        kind = BadResponse
    words = words.replace(settings.key(), "[hidden]")[:300] or "nothing"
    return kind(f"the API says {words} (HTTP {status})", request_ids=() if request_id is None else (request_id,))


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
    return "", ""
