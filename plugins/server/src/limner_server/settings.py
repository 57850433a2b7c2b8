"""The server's settings and limits."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from aiohttp import web

LARGEST_BODY = 64 * 2**20
"""Maximum size in bytes of a request with pictures."""
LARGEST_JSON = 2**20
"""Maximum size in bytes of a request without pictures; a prompt has at most 32,000 characters."""
LARGEST_FIELD = 2**18
"""Maximum size in bytes of a form's text field."""
MOST_PARTS = 100
"""Maximum number of parts of a form."""
MOST_PICTURES = 17
"""Maximum number of pictures of a request: 16 as at OpenAI, and a mask."""
SLOWEST_BODY = 60.0
"""Seconds within which a request must arrive."""
MOST_RUNS = 64
"""Maximum number of concurrent runs."""
KEPT_SECONDS = 600.0
"""Seconds for which an undelivered result, or a picture with a URL, is kept."""
KEPT_BYTES = 256 * 2**20
"""Maximum total size in bytes of the kept results, and separately of the pictures with a URL."""


@attrs.frozen(kw_only=True)
class ServerSettings:
    """The server's settings.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 selects a free one.
        names: additional model names, each with the model that it stands for.
        max_n: the maximum number of pictures in one request.
        keys: the accepted keys; if empty, no key is required.
        hosts: allowed names in ``Host`` headers, in addition to loopback.
        origins: other origins whose web pages may call the server (CORS).
        playground: whether the playground is served too.
    """

    host: str = "127.0.0.1"
    port: int = 8787
    names: Mapping[str, str] = attrs.field(factory=dict)
    max_n: int = 4
    keys: tuple[str, ...] = attrs.field(default=(), repr=False)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    playground: bool = False


SETTINGS = web.AppKey("SETTINGS", ServerSettings)
"""The key of an application's settings."""
