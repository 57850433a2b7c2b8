"""Requests of the page, which are untrusted: no path and no address in them is ever opened."""

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
"""Bytes of a request in JSON; the mask is in it, other pictures are not."""
MOST_MODELS = 8
"""Models in one request."""

Fit = Literal["strict", "nearest"]


@attrs.frozen
class Order:
    """What the page asks for.

    Attributes:
        models: aliases or ids.
        task: the task, or what is wrong with it for every model.
        fit: how values that a model does not take are treated.
        seeds: the seed that was drawn before, by model, so that what is shown is what is sent.
        names: the names of files by the SHA-256 of their pictures, to show.
    """

    models: tuple[str, ...]
    task: limner.Task | limner.TaskRefused
    fit: Fit
    seeds: Mapping[str, int]
    names: Mapping[str, str]

    def task_for(self, model: str) -> limner.Task:
        """Return the task with the seed that was drawn before.

        Raises:
            TaskRefused: the task is wrong for every model.
        """
        if isinstance(self.task, limner.TaskRefused):
            raise self.task
        if model in self.seeds and getattr(self.task, "seed", 0) is None:
            return attrs.evolve(self.task, seed=self.seeds[model])  # type: ignore[call-arg]
        return self.task


def read_order(body: bytes, pictures: Pictures) -> Order:
    """Read what the page asks for.

    Raises:
        RequestRefused: it is not what the page sends, or a picture is not kept any more (``picture_missing``).
    """

    def picture(found: dict[str, Any]) -> dict[str, Any]:
        """Put the picture's bytes in place of its SHA-256."""
        if "$picture" not in found:
            return found
        image = pictures.get(str(found["$picture"]))
        if image is None:
            raise wrong("a picture is not kept any more: upload it again", code="picture_missing", status=409)
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
