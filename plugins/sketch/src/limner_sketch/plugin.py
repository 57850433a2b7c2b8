"""The model and the hook that registers it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from limner import Model, Picture, Request, Response, Task, hookimpl

from limner_sketch.limits import LIMITS, PRICES


class Sketch(Model):
    """A procedural painter: no AI model, no account, no network."""

    id = "limner.sketch-1"
    aliases = ("sketch",)
    provider = "limner.sketch"
    offline = True
    limits = LIMITS
    prices = PRICES

    def encode(self, task: Task) -> Request:
        """Map the task to an order for the painter."""
        from limner_sketch.mapping import to_order

        return Request(self.model_id, json.dumps(to_order(task)).encode())

    def send(self, request: Request) -> Response:
        """Paint in the calling thread."""
        from limner_sketch.painter.orders import execute

        return Response(execute(request.body))

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002 - the response is complete
        """Read the pictures from the painter's response."""
        from limner_sketch.mapping import to_pictures

        return to_pictures(response.body)

    def remarks(self, task: Task) -> Mapping[str, str]:
        """Report which words of the prompt are painted and which are unknown."""
        from limner_sketch.mapping import prompt_wording

        wording = prompt_wording(task)
        return {"prompt": str(wording)} if wording is not None and str(wording) else {}


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Register the painter."""
    return [Sketch]
