"""How the server is set up, and the bounds that it keeps."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from aiohttp import web

LARGEST_BODY = 64 * 2**20
"""Bytes of a request with pictures."""
LARGEST_JSON = 2**20
"""Bytes of a request without pictures; a prompt has 32,000 characters at most."""
LARGEST_FIELD = 2**18
"""Bytes of a form's field that is no picture."""
MOST_PARTS = 100
"""Parts of a form."""
MOST_PICTURES = 17
"""Pictures of a request: 16 as at OpenAI, and a mask."""
SLOWEST_BODY = 60.0
"""Seconds in which a request has to arrive."""
MOST_RUNS = 64
"""Runs under way at once."""
KEPT_SECONDS = 600.0
"""How long a result is kept for a client that gave up, and a picture under its URL."""
KEPT_BYTES = 256 * 2**20
"""Bytes of the results that are kept, and again of the pictures that have a URL."""


@attrs.frozen(kw_only=True)
class ServerSettings:
    """How the server is set up.

    Args:
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        names: further names of models, each with the name of the model that answers.
        max_n: pictures in one request, at most.
        keys: any of them opens the server; without one, no key is asked for.
        hosts: names in ``Host`` headers to answer, beside those of loopback.
        origins: web pages of other origins that may call the server (CORS).
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
"""Where an application keeps its settings."""
