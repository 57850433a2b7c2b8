"""The model, and the hook that offers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import limner
from limner import Model, Picture, Problem, Request, Response, Task, Upscale, hookimpl
from limner_http import HttpModel

from limner_sdapi.limits import A1111, LIMITS
from limner_sdapi.settings import SdapiSettings

if TYPE_CHECKING:
    from limner_http import Service

    from limner_sdapi.services import SdapiCall


class Sdapi(HttpModel):
    """A server of one's own that speaks ``/sdapi/v1``, with the checkpoint that it has loaded or is asked for."""

    id = "sdapi"
    aliases = ("sdxl-local",)
    limits = LIMITS
    provider = "sdapi"
    Settings: ClassVar[type[limner.Settings]] = SdapiSettings
    settings: SdapiSettings

    @classmethod
    def api_keys(cls) -> Sequence[limner.Key]:
        """Return the login, written as ``user:password``."""
        from limner_sdapi.services import LOGIN

        return (LOGIN,)

    def api(self) -> Service:
        from limner_sdapi.services import SERVICE

        return SERVICE

    def call(self) -> SdapiCall:
        from limner_sdapi.services import SdapiCall

        return SdapiCall(self.settings, self.model_id)

    def check(self, task: Task) -> Iterator[Problem]:
        """Refuse what the server would do nothing for, in silence."""
        for name, why in (("upscaler", "returns the picture unchanged; name an upscaler"), ("model", "gives no picture")):
            value = task.options.get(name)
            if isinstance(value, str) and value.strip().casefold() == "none":
                yield Problem.of(f"options.{name}", value, why, A1111)
        if isinstance(task, Upscale) and task.size is not None:
            yield from _problems_of_size(task, task.size)

    def encode(self, task: Task) -> Request:
        """Write the task as JSON."""
        from limner_sdapi.mapping import to_request

        return to_request(task, self.model_id)

    def send(self, request: Request) -> Response:
        """Check the names in a request with the server, post it, and report its progress.

        Raises:
            ProviderError: of the class that fits; RequestRejected where the server has no such name.
        """
        from limner_http import parse_json

        from limner_sdapi import jobs
        from limner_sdapi.mapping import REMBG

        call = self.call()
        if request.path == REMBG:
            return self._without_background(call, request)
        body = parse_json(request.body)
        jobs.check_names(call, body)
        with jobs.watched(call, self.settings, body.get("force_task_id")):
            answer = call.post(request)
        interrupted = "force_task_id" in body and jobs.was_interrupted(call)
        return answer.response(metadata={"interrupted": True} if interrupted else {})

    def _without_background(self, call: SdapiCall, request: Request) -> Response:
        """Post to SD.Next's address, and where there is none, to that of the extension for A1111 and Forge."""
        answer = call.post(request, redirects=(404, 405))
        if answer.status in {404, 405}:
            import attrs

            from limner_sdapi.mapping import REMBG_OF_EXTENSION

            answer = call.post(attrs.evolve(request, path=REMBG_OF_EXTENSION))
        return answer.response()

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Read the answer."""
        from limner_sdapi.mapping import to_pictures

        return to_pictures(task, response)

    def diagnose(self, *, live: bool = False) -> Iterable[limner.Finding]:
        """Look at the address and the login, and with ``live`` ask the server what it has."""
        from limner_sdapi.diagnostics import diagnose

        return diagnose(self, live=live)


def _problems_of_size(task: Upscale, size: tuple[int, int]) -> Iterator[Problem]:
    from limner_sdapi.mapping import GRID, LARGEST_FACTOR

    width, height = task.image.size
    if "factor" in task.options:
        yield Problem.of("options.factor", task.options["factor"], "goes without a size", A1111)
    if abs(size[0] * height - size[1] * width) > max(width, height) * GRID:
        right = f"{size[0]}x{round(size[0] * height / width)}"
        yield Problem.of("size", size, f"must have the shape of the picture, such as {right}", A1111)
    elif size[0] < width or size[1] < height:
        yield Problem.of("size", size, f"must not be smaller than the picture, which has {width}x{height}", A1111)
    elif size[0] + GRID > width * LARGEST_FACTOR or size[1] + GRID > height * LARGEST_FACTOR:
        most = f"{width * LARGEST_FACTOR - GRID}x{height * LARGEST_FACTOR - GRID}"
        yield Problem.of("size", size, f"must be at most {LARGEST_FACTOR} times the picture, {most}", A1111)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the model."""
    return [Sdapi]
