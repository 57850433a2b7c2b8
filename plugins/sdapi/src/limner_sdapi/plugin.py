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
        upscaler = task.options.get("upscaler")
        if isinstance(task, Upscale) and isinstance(upscaler, str) and upscaler.strip().casefold() == "none":
            yield Problem.of("options.upscaler", upscaler, "returns the picture unchanged; name an upscaler", A1111)

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

        call, body = self.call(), parse_json(request.body)
        jobs.check_names(call, body)
        with jobs.watched(call, self.settings, body.get("force_task_id")):
            answer = call.post(request)
        interrupted = "force_task_id" in body and jobs.was_interrupted(call)
        return answer.response(metadata={"interrupted": True} if interrupted else {})

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Read the answer."""
        from limner_sdapi.mapping import to_pictures

        return to_pictures(task, response)

    def diagnose(self, *, live: bool = False) -> Iterable[limner.Finding]:
        """Look at the address and the login, and with ``live`` ask the server what it has."""
        from limner_sdapi.diagnosing import diagnose

        return diagnose(self, live=live)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the model."""
    return [Sdapi]
