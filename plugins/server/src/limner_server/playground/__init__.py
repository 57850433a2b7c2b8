"""The playground: a page at ``/playground/`` and its JSON API at ``/playground/api/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


def add_playground(app: web.Application) -> None:
    """Add the routes of the page and of its API.

    Everything below ``/playground/api/`` needs the server's key; the page itself does not.
    """
