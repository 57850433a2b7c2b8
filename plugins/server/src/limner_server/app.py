"""The aiohttp application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from limner_server.guards import guarded, logged
from limner_server.settings import LARGEST_BODY, SETTINGS

if TYPE_CHECKING:
    from limner_server.settings import ServerSettings


def make_app(settings: ServerSettings) -> web.Application:
    """Make the application: OpenAI's Images API, and the playground where it is asked for."""
    app = web.Application(middlewares=[logged, guarded], client_max_size=LARGEST_BODY)
    app[SETTINGS] = settings
    if settings.playground:
        from limner_server.playground import add_playground

        add_playground(app)
    return app
