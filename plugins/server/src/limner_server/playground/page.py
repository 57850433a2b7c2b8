"""The page's files, and its security headers."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, NoReturn

import attrs
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAGE = "page.html"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""The page loads, runs and contacts nothing external, and its URL with the key is never sent as a referrer."""


@attrs.frozen
class File:
    """One file of the page."""

    content: bytes
    media_type: str
    tag: str

    def answer(self, request: web.Request) -> web.Response:
        """Return the file, or 304 if the browser has it cached."""
        headers = {**HEADERS, "ETag": f'"{self.tag}"'}
        if any(tag.value == self.tag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=self.content, headers={**headers, "Content-Type": self.media_type})


def files() -> dict[str, File]:
    """Read the page's files; no other files are served."""
    found = {}
    for entry in resources.files("limner_server.playground").joinpath("static").iterdir():
        suffix = entry.name[entry.name.rfind(".") :]
        if suffix in MEDIA_TYPES:
            content = entry.read_bytes()
            found[entry.name] = File(content, MEDIA_TYPES[suffix], hashlib.sha256(content).hexdigest()[:16])
    return found


def add_routes(app: web.Application) -> None:
    """Add a route for each file."""
    for name, file in files().items():
        app.router.add_get("/playground/" if name == PAGE else f"/playground/{name}", _serving(file))
    app.router.add_get("/playground", _redirect)


def _serving(file: File) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        return file.answer(request)

    return serve


async def _redirect(_request: web.Request) -> NoReturn:
    raise web.HTTPFound("/playground/")
