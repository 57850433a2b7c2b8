"""Middleware for every request: errors in OpenAI's format, one log line, the ``Host`` allow-list, origins, the key."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from typing import TYPE_CHECKING

from aiohttp import web
from limner import LimnerError

from limner_server.errors import NO_RETRY, RequestRefused, refusal_of
from limner_server.hosts import is_answered
from limner_server.metrics import METRICS
from limner_server.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from limner_server.settings import ServerSettings

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("limner.server")

FILES = "/v1/images/files/"
"""The path of temporary pictures, which need no key because their names cannot be guessed."""
PAGE, PAGE_API = "/playground", "/playground/api/"
NOTES = web.RequestKey("NOTES", dict[str, object])
"""Additional fields of the log line: names and values, never text from a client."""
REQUEST_ID = web.RequestKey("REQUEST_ID", str)
"""The request id in response and log line; OpenAI's clients show it as ``_request_id``."""
GONE = 499
"""The status in log and metrics of a request whose client disconnected."""
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@web.middleware
async def logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return errors in OpenAI's format, write one log line per request, and count the request."""
    started = time.perf_counter()
    status = GONE
    request[REQUEST_ID] = secrets.token_hex(8)
    try:
        response = await _answered(request, handler)
        status = response.status
    finally:
        seconds = time.perf_counter() - started
        route, method = _route(request), request.method if request.method in METHODS else "other"
        notes = "".join(f" {name}={value}" for name, value in request.get(NOTES, {}).items())
        words = "%s %s status=%d milliseconds=%d id=%s%s"
        log.info(words, method, route, status, round(seconds * 1000), request[REQUEST_ID], notes)
        request.app[METRICS].requests.labels(method, route, status).inc()
        request.app[METRICS].seconds.labels(route).observe(seconds)
    return response


def note(request: web.Request, **notes: object) -> None:
    """Add fields to the request's log line; never a prompt or other text from a client."""
    request[NOTES] = {**request.get(NOTES, {}), **notes}


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestRefused as refused:
        return _noted(request, refused).answer()
    except LimnerError as error:
        return _noted(request, refusal_of(error)).answer()
    except web.HTTPException as error:
        return _of_aiohttp(request, error)
    except ConnectionError:
        raise
    except Exception:
        log.exception("%s failed", _route(request))
        message = "the server failed; see its log"
        return RequestRefused(500, message, kind="server_error", headers=NO_RETRY).answer()


def _noted(request: web.Request, refused: RequestRefused) -> RequestRefused:
    note(request, error=refused.code or refused.kind)
    return refused


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign ``Host`` headers and origins, and requests without a required key."""
    settings = request.app[SETTINGS]
    if not is_answered(request.headers.get("Host", ""), settings.host, settings.hosts):
        raise RequestRefused(
            403, "the Host header is not one of this server's; allow it with --allow-host", code="wrong_host"
        )
    check_origin(request, settings)
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return web.Response(status=204)
    if settings.keys and _needs_key(_route(request)):
        check_key(request.headers, settings.keys)
    return await handler(request)


def check_origin(request: web.Request, settings: ServerSettings) -> None:
    """Refuse web pages of other origins: a form that they post needs no preflight, and would be billed."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in {*settings.origins, f"{request.scheme}://{request.headers.get('Host')}"}:
        raise RequestRefused(403, "this origin is not allowed; allow it with --allow-origin", code="wrong_origin")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the request's id, and the CORS headers for allowed origins."""
    response.headers["x-request-id"] = request[REQUEST_ID]
    origin = request.headers.get("Origin")
    if origin in request.app[SETTINGS].origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "")
            response.headers["Access-Control-Max-Age"] = "600"


def check_key(headers: Mapping[str, str], keys: tuple[str, ...]) -> None:
    """Refuse a request without a valid key."""
    given = key_of(headers)
    matching = [key for key in keys if hmac.compare_digest(given.encode("utf-8", "replace"), key.encode())]
    if not matching:
        missing = "the server's key is missing: send it as 'Authorization: Bearer KEY'"
        message = "the key is not one of this server's" if given else missing
        bearer = {"WWW-Authenticate": "Bearer"}
        raise RequestRefused(401, message, kind="authentication_error", code="invalid_api_key", headers=bearer)


def key_of(headers: Mapping[str, str]) -> str:
    """Return the key of a request, sent as OpenAI's or Azure's clients do; empty if there is none."""
    scheme, _, key = headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("api-key", "").strip()


def _needs_key(route: str) -> bool:
    """Return whether a route requires the key; only pages and pictures do not."""
    page = route.startswith(PAGE) and not route.startswith(PAGE_API)
    return not (page or route.startswith(FILES))


def _route(request: web.Request) -> str:
    """Return the route's pattern for the log: a path may contain a secret or an attempt to forge log lines."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(none)"


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    match error:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            message = f"{request.method[:20]} is not allowed here; allowed: {allowed}"
            return RequestRefused(405, message, code="method_not_allowed", headers={"Allow": allowed}).answer()
        case web.HTTPNotFound():
            message = f"no such route: {request.method[:20]} {request.path[:200]}"
            return RequestRefused(404, message, code="not_found").answer()
        case web.HTTPRequestEntityTooLarge():
            return RequestRefused(413, "the request is too large", code="request_too_large").answer()
        case _ if error.status < 400:
            raise error
    return RequestRefused(error.status, error.reason).answer()
