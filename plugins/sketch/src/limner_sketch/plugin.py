"""The model, and the hook that offers it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from limner import Model, Picture, Request, Response, Task, hookimpl

from limner_sketch.limits import LIMITS


class Sketch(Model):
    """A procedural painter: no AI model, no account, no network."""

    id = "limner.sketch-1"
    aliases = ("sketch",)
    offline = True
    limits = LIMITS

    def encode(self, task: Task) -> Request:
        """Write the task as the painter's order."""
        from limner_sketch.mapping import to_order

        return Request(self.model_id, json.dumps(to_order(task)).encode())

    def send(self, request: Request) -> Response:
        """Paint, in this thread."""
        from limner_sketch.painter.orders import carry_out

        return Response(carry_out(request.body))

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002 - the answer says it all
        """Read the painter's answer."""
        from limner_sketch.mapping import to_pictures

        return to_pictures(response.body)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the painter."""
    return [Sketch]
