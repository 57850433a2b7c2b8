"""The playground: a page at ``/playground/`` and its JSON API at ``/playground/api/``.

page        the page's files, and its security headers
routes      the API: models, pictures, plans and runs
pictures    uploaded pictures, within limits
reading     parses the page's requests, which are untrusted
answers     plans, results and errors as JSON
snippets    a task in Python and on the command line
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


def add_playground(app: web.Application) -> None:
    """Add the routes of the page and of its API.

    Everything below ``/playground/api/`` needs the server's key; the page itself does not.
    """
    from limner_server.playground import page, routes

    page.add_routes(app)
    routes.add_routes(app)
