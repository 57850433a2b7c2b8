"""Parses the page's requests, which are untrusted: no path and no URL in them is ever opened."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Literal

import attrs
import limner

from limner_server.errors import wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from limner_server.playground.pictures import Pictures

LARGEST_JSON = 32 * 2**20
"""The maximum size in bytes of a JSON request, which contains the mask but no other pictures."""
MOST_MODELS = 8
"""The maximum number of models in one request."""

Fit = Literal["strict", "nearest"]


@attrs.frozen
class Order:
    """A request of the page.

    Attributes:
        models: aliases or ids.
        task: the task, or its problems for every model.
        fit: how unsupported values are treated.
        seeds: the previously drawn seeds by model, so that the request shown is the request sent.
        names: the file names to show, by the SHA-256 of their pictures.
    """

    models: tuple[str, ...]
    task: limner.Task | limner.TaskRefused
    fit: Fit
    seeds: Mapping[str, int]
    names: Mapping[str, str]

    def task_for(self, model: str) -> limner.Task:
        """Return the task with the previously drawn seed.

        Raises:
            TaskRefused: the task is invalid for every model.
        """
        if isinstance(self.task, limner.TaskRefused):
            raise self.task
        if model in self.seeds and getattr(self.task, "seed", 0) is None:
            return attrs.evolve(self.task, seed=self.seeds[model])  # type: ignore[call-arg]
        return self.task


def read_order(body: bytes, pictures: Pictures) -> Order:
    """Parse a request of the page.

    Raises:
        RequestRefused: the request is invalid, or a picture is no longer stored (``picture_missing``).
    """

    def picture(found: dict[str, Any]) -> dict[str, Any]:
        """Replace a picture's SHA-256 by its bytes."""
        if "$picture" not in found:
            return found
        image = pictures.get(str(found["$picture"]))
        if image is None:
            raise wrong("a picture is no longer stored: upload it again", code="picture_missing", status=409)
        return {"$picture": base64.b64encode(image.data).decode()}

    try:
        document = json.loads(body, object_hook=picture)
        task = json.dumps(document["task"])
        models = [_text(name) for name in _list(document["models"])]
        seeds = {_text(model): int(_text(seed)) for model, seed in document.get("seeds", {}).items()}
        names = {_text(key): _text(name) for key, name in document.get("names", {}).items()}
        fit: Any = document.get("fit", "strict")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise wrong("the request is not what the playground sends") from error
    if not 1 <= len(models) <= MOST_MODELS:
        raise wrong(f"'models' must name 1 to {MOST_MODELS} models", "models")
    if fit not in ("strict", "nearest"):
        raise wrong("'fit' must be strict or nearest", "fit")
    return Order(tuple(models), _read_task(task), fit, seeds, names)


def _read_task(text: str) -> limner.Task | limner.TaskRefused:
    try:
        task = limner.from_json(text)
    except limner.TaskRefused as refusal:
        return refusal
    if isinstance(task, limner.Task):
        return task
    return limner.TaskRefused([limner.Problem("task", "", "is a result, not a task")])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("text is needed")


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    raise TypeError("a list is needed")
