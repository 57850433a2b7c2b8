"""ImagesModel: what all models of the Images API have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import limner
from limner import Picture, Problem, Request, Response, Task
from limner_http import HttpModel

from limner_openai.limits import P1
from limner_openai.settings import OpenAISettings

if TYPE_CHECKING:
    from limner_http import Service

    from limner_openai.dialects import Dialect


OWN_DIALECTS = frozenset({"openai", "azure"})
"""Those of OpenAI's own models."""


class ImagesModel(HttpModel):
    """A model of the Images API, at OpenAI or at another server."""

    Settings: ClassVar[type[limner.Settings]] = OpenAISettings
    settings: OpenAISettings
    provider = "openai"
    default_dialect: ClassVar[str] = "openai"

    @property
    def dialect(self) -> Dialect:
        """The way in which the server speaks the API."""
        from limner_openai.dialects import DIALECTS

        return DIALECTS[self.settings.dialect or self.default_dialect]

    def api(self) -> Service:
        return self.dialect.service

    @classmethod
    def api_keys(cls) -> Sequence[limner.Key]:
        """Return the keys of every server that the model may be at."""
        from limner_openai.dialects import DIALECTS

        own = cls.default_dialect in OWN_DIALECTS
        services = [dialect.service for name, dialect in DIALECTS.items() if (name in OWN_DIALECTS) == own]
        return [service.key for service in services if service.key_name]

    @property
    def sent_id(self) -> str:
        """The id that is sent."""
        return self.model_id

    def encode(self, task: Task) -> Request:
        """Write the task as JSON, or as a form where it has pictures."""
        from limner_openai.mapping import to_request

        partial = self.settings.partial_images if self.dialect.streams else 0
        request = to_request(task, self.dialect, self.sent_id, partial)
        version = self.settings.api_version
        if version is None:
            return request
        from urllib.parse import quote

        import attrs

        return attrs.evolve(request, path=f"deployments/{quote(self.sent_id, safe='')}/{request.path}?api-version={version}")

    def send(self, request: Request) -> Response:
        """Post a request; pictures that the answer names by URL are downloaded, and unfinished ones reported.

        Raises:
            ProviderError: of the class that fits.
        """
        from limner_openai.streaming import collect, downloaded

        call = self.call()
        if not (self.settings.partial_images and self.dialect.streams):
            answer = call.post(request)
            return answer.response(body=downloaded(call, answer))
        how: dict[str, Any] = {"body": request.body, "content_type": request.content_type, "headers": request.headers}
        with call.stream("POST", request.path, **how) as stream:
            if stream.answer.content_type == "text/event-stream":
                body = collect(call, stream, self.settings.partial_images)
                return stream.answer.response(body=body, content_type="application/json")
            return stream.read().response()

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002
        """Read the answer."""
        from limner_openai.mapping import to_pictures

        return to_pictures(response.body)

    def check(self, task: Task) -> Iterator[Problem]:
        """Say what is wrong between parameters that are each allowed."""
        options = task.options
        output = options.get("output_format")
        if "output_compression" in options and output not in {"jpeg", "webp"}:
            limit = "needs options.output_format=jpeg or webp"
            yield Problem.of("options.output_compression", options["output_compression"], limit, P1)
        if options.get("background") == "transparent" and output == "jpeg":
            yield Problem.of("options.output_format", output, "cannot be transparent; use png or webp", P1)
        if self.settings.api_version is not None and self.settings.dialect != "azure":
            yield Problem("setting api_version", "", "requires dialect=azure")
        if self.settings.partial_images and not self.dialect.streams:
            yield Problem("setting partial_images", "", "only OpenAI and Azure stream unfinished pictures")
