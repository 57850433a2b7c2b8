"""The models, and the hook that offers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

import limner
from limner import Inpaint, Model, Outpaint, Picture, Problem, RemoveBackground, Request, Response, Task, hookimpl
from limner_http import HttpModel, Service

from limner_openai.dialects import DIALECTS, GENERIC_LIMITS, Dialect
from limner_openai.limits import (
    DYING,
    EXPERIMENTAL_PIXELS,
    LIMITS_2,
    LIMITS_15,
    LIMITS_25,
    LIMITS_26,
    LIMITS_MINI,
    P1,
    PRICES_2,
)
from limner_openai.settings import OpenAISettings


class _ImagesModel(HttpModel):
    """What all models of the Images API have in common."""

    Settings: ClassVar[type[limner.Settings]] = OpenAISettings
    settings: OpenAISettings
    provider = "openai"
    default_dialect: ClassVar[str] = "openai"

    @property
    def dialect(self) -> Dialect:
        """The way in which the server speaks the API."""
        return DIALECTS[self.settings.dialect or self.default_dialect]

    def api(self) -> Service:
        return self.dialect.service

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


class OpenAIModel(_ImagesModel):
    """A model of OpenAI, at OpenAI or at Azure."""

    def __init__(self, settings: limner.Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.settings.dialect not in {None, "openai", "azure"}:
            limit = "is for other servers; use it with the model openai-compatible"
            raise limner.TaskRefused([Problem.of("setting dialect", self.settings.dialect, limit)])

    def warnings(self, task: Task) -> Iterable[str]:
        """Warn of what is experimental, and of what OpenAI does not do as such."""
        size = getattr(task, "size", None)
        if size is not None and size[0] * size[1] > EXPERIMENTAL_PIXELS:
            yield f"sizes over 2560x1440 are experimental for {self.id}"
        if isinstance(task, RemoveBackground):
            yield "OpenAI has no call to remove a background: the model repaints the whole picture by instruction"
        if isinstance(task, Inpaint | Outpaint) and not task.preserve:
            yield "OpenAI's masks guide the model and do not bind it; without preserve, kept parts may change"


class GptImage2(OpenAIModel):
    """gpt-image-2."""

    id = "gpt-image-2"
    ids = ("gpt-image-2-2026-04-21",)
    aliases = ("openai", "gpt-image")
    limits = LIMITS_2
    prices = PRICES_2


class GptImage25Sunburst(OpenAIModel):
    """gpt-image-2.5-sunburst: detail and edits."""

    id = "gpt-image-2.5-sunburst"
    ids = ("gpt-image-2.5-sunburst-2026-09-08",)
    limits = LIMITS_25


class GptImage25Flare(OpenAIModel):
    """gpt-image-2.5-flare: speed."""

    id = "gpt-image-2.5-flare"
    ids = ("gpt-image-2.5-flare-2026-09-08",)
    limits = LIMITS_25


class GptImage26Sunburst(OpenAIModel):
    """gpt-image-2.6-sunburst: detail and edits."""

    id = "gpt-image-2.6-sunburst"
    limits = LIMITS_26


class GptImage26Flare(OpenAIModel):
    """gpt-image-2.6-flare: speed."""

    id = "gpt-image-2.6-flare"
    limits = LIMITS_26


class GptImage15(OpenAIModel):
    """gpt-image-1.5."""

    id = "gpt-image-1.5"
    ids = ("gpt-image-1.5-2025-12-16",)
    limits = LIMITS_15
    lifecycle = DYING


class GptImage1Mini(OpenAIModel):
    """gpt-image-1-mini."""

    id = "gpt-image-1-mini"
    limits = LIMITS_MINI
    lifecycle = DYING


class ChatGptImage(OpenAIModel):
    """chatgpt-image-latest."""

    id = "chatgpt-image-latest"
    limits = LIMITS_MINI
    lifecycle = DYING


class Compatible(_ImagesModel):
    """Another server's model, of any id: the setting ``dialect`` says whose way of speaking the server has.

    Its limits are those of the dialect: with other settings it is of another class.
    """

    id = "openai-compatible"
    limits = GENERIC_LIMITS
    provider = "openai-compatible"
    default_dialect = "generic"

    def __new__(cls, settings: limner.Settings | None = None, *, model_id: str | None = None) -> Self:
        """Make a model of the class that has the dialect's limits."""
        dialect = getattr(settings, "dialect", None) or "generic"
        kind = cls if cls.default_dialect == dialect else _KINDS.get(dialect, cls)
        if issubclass(kind, cls):
            return super().__new__(kind)
        return kind(settings, model_id=model_id)  # type: ignore[return-value]  # Python does not initialize it again

    def __init__(self, settings: limner.Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.settings.dialect in {"openai", "azure"}:
            limit = "is for OpenAI's own models; name one, such as gpt-image-2"
            raise limner.TaskRefused([Problem.of("setting dialect", self.settings.dialect, limit)])

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.default_dialect]

    @classmethod
    def matches(cls, model_id: str) -> bool:
        """Tell whether an id is of the form ``openai-compatible/ID``."""
        return model_id.startswith(f"{Compatible.id}/")

    @property
    def sent_id(self) -> str:
        named = self.model_id.removeprefix(f"{Compatible.id}/")
        return self.dialect.model_id if named == Compatible.id else named

    def check(self, task: Task) -> Iterator[Problem]:
        yield from super().check(task)
        if not self.sent_id:
            limit = f"is needed: name the server's model as {Compatible.id}/ID, such as {Compatible.id}/Qwen/Qwen-Image"
            yield Problem("model id", "", limit)
        if self.dialect.in_prompt and "sd_cpp_extra_args" in str(getattr(task, "prompt", "")):
            yield Problem("prompt", "", "must not hold <sd_cpp_extra_args>: use the parameters, such as seed and steps")


def _kind_of(name: str) -> type[Compatible]:
    """Make the class of a dialect."""
    found = DIALECTS[name].limits
    members = {"limits": found, "default_dialect": name, "__module__": __name__, "__doc__": f"A model of a {name} server."}
    return type(f"Compatible_{name.replace('-', '_')}", (Compatible,), members)


_KINDS = {name: _kind_of(name) for name, dialect in DIALECTS.items() if dialect.limits is not None and name != "generic"}
globals().update({kind.__name__: kind for kind in _KINDS.values()})  # pickle finds a class by its name


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the models."""
    return [
        GptImage2,
        GptImage25Sunburst,
        GptImage25Flare,
        GptImage26Sunburst,
        GptImage26Flare,
        GptImage15,
        GptImage1Mini,
        ChatGptImage,
        Compatible,
    ]
