"""Pictures served by URL: for a short time, under names that cannot be guessed."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict

from aiohttp import web

from limner_server.errors import wrong
from limner_server.guards import FILES
from limner_server.settings import KEPT_BYTES, KEPT_SECONDS

_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}


class Files:
    """The pictures that have a URL; the oldest are discarded when they exceed a total size."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[bytes, str, float]] = OrderedDict()
        self._bytes = 0

    def add(self, data: bytes, media_type: str) -> str:
        """Store a picture for a limited time, and return its name."""
        name = secrets.token_urlsafe(24) + _SUFFIXES.get(media_type, "")
        self._files[name] = data, media_type, time.monotonic() + KEPT_SECONDS
        self._bytes += len(data)
        self._tidy()
        return name

    def get(self, name: str) -> tuple[bytes, str] | None:
        """Return data and media type of a picture; ``None`` if it is no longer stored."""
        self._tidy()
        data, media_type, _ = self._files.get(name, (None, "", 0.0))
        return None if data is None else (data, media_type)

    def _tidy(self) -> None:
        while self._files:
            name, (data, _, until) = next(iter(self._files.items()))
            if until > time.monotonic() and (self._bytes <= KEPT_BYTES or len(self._files) == 1):
                return
            del self._files[name]
            self._bytes -= len(data)


FILES_KEY = web.AppKey("FILES", Files)


def url_of(request: web.Request, data: bytes, media_type: str) -> str:
    """Store a picture for a limited time, and return its URL at the address that the client called."""
    return f"{request.scheme}://{request.headers['Host']}{FILES}{request.app[FILES_KEY].add(data, media_type)}"


async def file(request: web.Request) -> web.Response:
    """Handle ``GET /v1/images/files/NAME``."""
    found = request.app[FILES_KEY].get(request.match_info["name"])
    if found is None:
        raise wrong(f"no such picture; its URL is valid for {KEPT_SECONDS / 60:g} minutes", code="not_found", status=404)
    data, media_type = found
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=data, content_type=media_type, headers=headers)
