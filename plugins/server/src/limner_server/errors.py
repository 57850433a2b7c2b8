"""Errors in OpenAI's form: ``{"error": {"message", "type", "param", "code"}}``."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class RequestRefused(Exception):
    """A request that is answered with an error.

    Args:
        status: the HTTP status.
        message: what is wrong, and what would be right.
        kind: the error's ``type``.
        param: the parameter that is wrong.
        code: what programs tell errors apart by.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.param, self.code = status, message, kind, param, code
        self.headers = headers or {}

    def document(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def answer(self) -> web.Response:
        """Return the answer."""
        return web.json_response(self.document(), status=self.status, headers=self.headers)


def wrong(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> RequestRefused:
    """Make the error of a request that is wrong."""
    return RequestRefused(status, message, param=param, code=code)
