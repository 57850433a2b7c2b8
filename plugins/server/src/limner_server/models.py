"""The list of models in the format of OpenAI's API."""

from __future__ import annotations

from typing import Any

import limner
from aiohttp import web
from limner import Generate, Inpaint, Model, Vary

from limner_server.asking import find_model
from limner_server.settings import SETTINGS

CALLED = (Generate, Inpaint, Vary)
"""The tasks that this API supports."""


async def models(request: web.Request) -> web.Response:
    """Handle ``GET /v1/models``: the additional names first, then every model that can be called."""
    names = request.app[SETTINGS].names
    callable_models = [model for model in limner.models() if _is_callable(model)]
    data = [_entry(name, type(find_model(name, names))) for name in names]
    data += [_entry(model.id, model) for model in callable_models if model.id not in names]
    return web.json_response({"object": "list", "data": data})


async def model(request: web.Request) -> web.Response:
    """Handle ``GET /v1/models/{id}``; any name or alias of a model is accepted."""
    name = request.match_info["id"]
    return web.json_response(_entry(name, type(find_model(name[:300], request.app[SETTINGS].names))))


def _is_callable(model: type[Model]) -> bool:
    return any(task in model.limits for task in CALLED) and model.lifecycle.state() != "retired"


def _entry(name: str, model: type[Model]) -> dict[str, Any]:
    """Return OpenAI's fields and limner's own; the creation time of a model is unknown."""
    end = model.lifecycle.end_of_life
    about = {"id": model.id, "aliases": list(model.aliases), "tasks": sorted(task.kind for task in model.limits)}
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": model.provider or model.plugin or "limner",
        "shutdown_date": None if end is None else end.isoformat(),
        "limner": about,
    }
