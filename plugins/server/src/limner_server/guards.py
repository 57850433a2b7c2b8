"""What every request passes: errors in OpenAI's form, one log line, the ``Host`` allow-list, the key."""

from __future__ import annotations

import hmac
import logging
import time
from typing import TYPE_CHECKING

from aiohttp import web

from limner_server.errors import RequestRefused
from limner_server.hosts import is_answered
from limner_server.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("limner.server")

FILES = "/v1/images/files/"
"""Where short-lived pictures are; their unguessable names are the key."""
PAGE, PAGE_API = "/playground/", "/playground/api/"


@web.middleware
async def logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors in OpenAI's form, and write one log line for each request; never a prompt, a key or a query."""
    started = time.perf_counter()
    status = 499  # the client went away
    try:
        try:
            response = await handler(request)
        except RequestRefused as refused:
            response = refused.answer()
        except web.HTTPException as error:
            response = _of_aiohttp(request, error)
        except ConnectionError:
            raise
        except Exception:
            log.exception("%s %s failed", request.method, _route(request))
            response = RequestRefused(500, "the server failed; its log says why", kind="server_error").answer()
        status = response.status
    finally:
        milliseconds = round((time.perf_counter() - started) * 1000)
        notes = "".join(f" {name}={value}" for name, value in request.get("notes", {}).items())
        log.info("%s %s status=%d milliseconds=%d%s", request.method, _route(request), status, milliseconds, notes)
    return response


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests with a foreign ``Host`` header, and those without a key where one is needed."""
    settings = request.app[SETTINGS]
    if not is_answered(request.headers.get("Host", ""), settings.host, settings.hosts):
        raise RequestRefused(
            403, "the Host header is not one of this server's; allow it with --allow-host", code="wrong_host"
        )
    if settings.keys and _needs_key(request.path):
        check_key(request, settings.keys)
    return await handler(request)


def check_key(request: web.Request, keys: tuple[str, ...]) -> None:
    """Refuse a request that does not carry one of the keys."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    matches = [hmac.compare_digest(given.strip().encode(), key.encode()) for key in keys]
    if scheme.lower() != "bearer" or not any(matches):
        missing = "the server's key is missing: send it as 'Authorization: Bearer KEY'"
        message = "the key is not one of this server's" if given else missing
        headers = {"WWW-Authenticate": "Bearer"}
        raise RequestRefused(401, message, kind="authentication_error", code="invalid_api_key", headers=headers)


def _needs_key(path: str) -> bool:
    return not path.startswith(FILES) and (not path.startswith(PAGE) or path.startswith(PAGE_API))


def _route(request: web.Request) -> str:
    """Return the route's pattern: a path may be a secret, or an attempt to forge log lines."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "(no route)"


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    match error:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            message = f"{request.method[:20]} is not allowed here; allowed: {allowed}"
            return RequestRefused(405, message, code="method_not_allowed", headers={"Allow": allowed}).answer()
        case web.HTTPNotFound():
            return RequestRefused(
                404, f"no such route: {request.method[:20]} {request.path[:200]}", code="not_found"
            ).answer()
        case web.HTTPRequestEntityTooLarge():
            return RequestRefused(413, "the request is too large", code="request_too_large").answer()
        case _ if error.status < 400:
            raise error
    return RequestRefused(error.status, error.reason).answer()
