"""The aiohttp application."""

from __future__ import annotations

from aiohttp import web

from limner_server import images, models
from limner_server.files import FILES_KEY, Files, file
from limner_server.guards import FILES, add_headers, guarded, logged
from limner_server.metrics import METRICS, Metrics, metrics
from limner_server.runs import Runs
from limner_server.settings import LARGEST_BODY, SETTINGS, ServerSettings


def make_app(settings: ServerSettings) -> web.Application:
    """Create the application: OpenAI's Images API, and the playground if it is enabled."""
    app = web.Application(middlewares=[logged, guarded], client_max_size=LARGEST_BODY)
    app[SETTINGS] = settings
    app[METRICS] = Metrics.create()
    app[FILES_KEY] = Files()
    app[images.RUNS] = Runs(lambda made: made.weight)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(app[images.RUNS].close)
    app.router.add_get("/v1/models", models.models)
    app.router.add_get("/v1/models/{id:.+}", models.model)
    app.router.add_post("/v1/images/generations", images.generations)
    app.router.add_post("/v1/images/edits", images.edits)
    app.router.add_post("/v1/images/variations", images.variations)
    app.router.add_get(FILES + "{name}", file)
    app.router.add_get("/metrics", metrics)
    if settings.playground:
        from limner_server.playground import add_playground

        add_playground(app)
    return app
