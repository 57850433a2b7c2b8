"""Errors in OpenAI's format: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import limner
from aiohttp import web
from limner import LimnerError

NO_RETRY = {"x-should-retry": "false"}
"""Tells OpenAI's clients not to retry automatically: the request may have been billed, or will fail again."""


class RequestRefused(Exception):
    """A request to which the server responds with an error.

    Args:
        status: the HTTP status.
        message: the problem, and what would be valid.
        kind: the error's ``type``.
        param: the invalid parameter.
        code: the machine-readable error code.
        headers: additional headers of the response.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.param, self.code = status, message, kind, param, code
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """Return the response's JSON."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def answer(self) -> web.Response:
        """Return the response."""
        return web.json_response(self.document(), status=self.status, headers=self.headers)


def wrong(message: str, param: str | None = None, code: str | None = "invalid_value", status: int = 400) -> RequestRefused:
    """Return the error for an invalid request."""
    return RequestRefused(status, message if param is None else f"{param}: {message}", param=param, code=code)


_USER, _SERVER = "invalid_request_error", "server_error"

STATUSES: dict[type[LimnerError], tuple[int, str, str | None]] = {
    limner.TaskRefused: (400, _USER, "invalid_value"),
    limner.UnknownModel: (404, _USER, "model_not_found"),
    limner.PluginError: (500, _SERVER, "plugin_error"),
    limner.AuthenticationFailed: (502, _SERVER, "provider_authentication_failed"),
    limner.AccessDenied: (403, "permission_error", "provider_access_denied"),
    limner.RateLimited: (429, "rate_limit_error", "rate_limit_exceeded"),
    limner.ContentFiltered: (400, "image_generation_user_error", "content_policy_violation"),
    limner.ModelRetired: (404, _USER, "model_not_found"),
    limner.ProviderTimeout: (504, _SERVER, "timeout"),
    limner.ProviderUnavailable: (503, _SERVER, "provider_unavailable"),
    limner.RequestRejected: (400, _USER, "provider_rejected_request"),
    limner.BadResponse: (502, _SERVER, "bad_provider_response"),
    limner.ProviderError: (502, _SERVER, "provider_error"),
    LimnerError: (500, _SERVER, None),
}
"""HTTP status, type and code of limner's errors; the first matching class applies."""

_WORTH_A_RETRY = (limner.RateLimited, limner.ProviderUnavailable)


def refusal_of(error: LimnerError) -> RequestRefused:
    """Convert one of limner's errors to a response."""
    status, kind, code = next(row for kind, row in STATUSES.items() if isinstance(error, kind))
    headers = {} if _may_be_retried(error) else dict(NO_RETRY)
    if isinstance(error, limner.RateLimited) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return RequestRefused(status, str(error), kind=kind, param=_param(error), code=code, headers=headers)


def _may_be_retried(error: LimnerError) -> bool:
    return isinstance(error, _WORTH_A_RETRY) and not error.may_be_billed


def _param(error: LimnerError) -> str | None:
    """Return the first invalid parameter, by its name in requests."""
    if isinstance(error, limner.UnknownModel):
        return "model"
    if not isinstance(error, limner.TaskRefused) or not error.problems:
        return None
    name = error.problems[0].parameter.removeprefix("options.")
    return "model" if name == "task" else name
