"""The models, and the hook that offers them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import limner
from limner import Generate, Model, Picture, Problem, Request, Response, Task, Vary, hookimpl
from limner_http import HttpModel

from limner_gemini.limits import (
    CATEGORIES,
    LIFE_OF_FLASH,
    LIMITS_21,
    LIMITS_FLASH,
    LIMITS_LITE,
    LIMITS_PRO,
    MAX_REQUEST_BYTES,
    REQUEST_SOURCE,
    VERTEX_OPTIONS,
    Shape,
    at_vertex,
)
from limner_gemini.settings import GeminiSettings

if TYPE_CHECKING:
    from limner_http import Service

_ROOM = 10_000
"""Bytes of a request besides prompt and pictures, at most."""

_RESPONSE_ID = re.compile(rb'"responseId":\s*"([\w.-]{1,200})"')


def _is_vertex(settings: limner.Settings | None) -> bool:
    return isinstance(settings, GeminiSettings) and (settings.api == "vertex" or settings.project is not None)


class GeminiModel(HttpModel):
    """What all of Gemini's image models have in common.

    Vertex AI takes more options: a model that is called there is of a class of its own, with these limits.
    """

    Settings: ClassVar[type[limner.Settings]] = GeminiSettings
    settings: GeminiSettings

    provider = "gcp.gemini"

    def __new__(cls, settings: limner.Settings | None = None, *, model_id: str | None = None) -> Self:
        """Make a model of the class that has the limits of the API which the settings choose."""
        wanted = (_AT_VERTEX if _is_vertex(settings) else _AT_GEMINI).get(cls, cls)
        if issubclass(wanted, cls):
            return super().__new__(wanted)
        return wanted(settings, model_id=model_id)  # type: ignore[return-value]  # Python does not initialize it again

    def __init__(self, settings: limner.Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        made = self.settings
        if made.api == "gemini" and made.project is not None:
            raise limner.TaskRefused([Problem("setting project", "", "requires api=vertex")])
        if made.access_token is not None and made.project is None:
            raise limner.TaskRefused([Problem("setting access_token", "", "requires the setting project")])

    @property
    def is_vertex(self) -> bool:
        """Whether the model is called at Vertex AI."""
        return _is_vertex(self.settings)

    @classmethod
    def api_keys(cls) -> Sequence[limner.Key]:
        """Return the key of the Gemini API, and that of Vertex AI's express mode."""
        from limner_gemini.services import GEMINI, VERTEX

        return (GEMINI.key, VERTEX.key)

    def api(self) -> Service:
        """Return the Gemini API, or Vertex AI at a location."""
        import attrs

        from limner_gemini import services

        if not self.is_vertex:
            return attrs.evolve(services.GEMINI, probe=f"models/{self._quoted_id}")
        express = self.settings.project is None
        return services.vertex("global" if express else self.settings.location, express=express)

    @property
    def path(self) -> str:
        """Where requests go, below the address of the API."""
        made = self.settings
        inside = f"projects/{made.project}/locations/{made.location}/" if made.project is not None else ""
        publisher = f"{inside}publishers/google/" if self.is_vertex else ""
        return f"{publisher}models/{self._quoted_id}:generateContent"

    @property
    def _quoted_id(self) -> str:
        from urllib.parse import quote

        return quote(self.model_id, safe="")

    def available_ids(self) -> Sequence[str] | None:
        """Ask the Gemini API which models it has; Vertex AI has no such list."""
        found = super().available_ids()
        return None if found is None else [name.removeprefix("models/") for name in found]

    def encode(self, task: Task) -> Request:
        """Write the task as JSON."""
        from limner_gemini.mapping import to_request

        return to_request(task, self._shape(task), self.model_id, self.path)

    def send(self, request: Request) -> Response:
        """Post a request; where no header has its id, the answer's own id is it.

        Raises:
            ProviderError: of the class that fits.
        """
        answer = self.call().post(request)
        found = None if answer.request_id else _RESPONSE_ID.search(answer.body[-4096:])
        return answer.response(request_id=found[1].decode()) if found else answer.response()

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002
        """Read the answer."""
        from limner_gemini.mapping import to_pictures

        return to_pictures(response.body)

    def check(self, task: Task) -> Iterator[Problem]:
        """Say what is wrong between parameters that are each allowed."""
        if not isinstance(task, Generate | Vary):
            return
        size = task.size
        if size is not None and "imageSize" in task.options and self._shape(task).image_size(size):
            limit = "is already set by size; give size as an aspect ratio, such as 16x9, or omit this option"
            yield Problem.of("options.imageSize", task.options["imageSize"], limit)
        yield from self._problems_of_options(task.options)
        images = task.image if isinstance(task, Vary) else ()
        texts = f"{task.prompt}{task.options.get('systemInstruction', '')}"
        used = sum(-(-len(image.data) // 3) * 4 for image in images) + len(texts.encode()) + _ROOM
        if used > MAX_REQUEST_BYTES:
            limit = (
                f"makes a request of {used:,} bytes, must be at most {MAX_REQUEST_BYTES:,}; use fewer or smaller pictures"
            )
            yield Problem("image" if images else "prompt", "", limit, REQUEST_SOURCE)

    def _problems_of_options(self, options: Mapping[str, Any]) -> Iterator[Problem]:
        needs: dict[str, str] = {}
        if "method" in options and options.keys().isdisjoint(CATEGORIES):
            needs["method"] = "needs a category, such as options.HARM_CATEGORY_HARASSMENT"
        if "compressionQuality" in options and options.get("mimeType") != "image/jpeg":
            needs["compressionQuality"] = "needs options.mimeType=image/jpeg"
        for name, limit in needs.items():
            yield Problem.of(f"options.{name}", options[name], limit, VERTEX_OPTIONS[name].source)

    def remarks(self, task: Task) -> Mapping[str, str]:
        """Say in the account what becomes of the size."""
        size = getattr(task, "size", None)
        if size is None:
            return {}
        shape = self._shape(task)
        sent = " ".join(filter(None, [shape.ratio(size), shape.image_size(size)]))
        return {"size": f"sent as {sent}; the model chooses the pixels"}

    def _shape(self, task: Task) -> Shape:
        shape = self.limits_of(type(task)).parameters["size"]
        assert isinstance(shape, Shape)  # noqa: S101
        return shape


class NanoBanana21(GeminiModel):
    """gemini-nano-banana-2.1, "Nano Banana 2.1"."""

    id = "gemini-nano-banana-2.1"
    aliases = ("gemini", "nano-banana", "nano-banana-2.1")
    limits = LIMITS_21


class NanoBananaPro(GeminiModel):
    """gemini-3-pro-image, "Nano Banana Pro"."""

    id = "gemini-3-pro-image"
    aliases = ("nano-banana-pro",)
    limits = LIMITS_PRO


class NanoBanana2(GeminiModel):
    """gemini-3.1-flash-image, "Nano Banana 2"."""

    id = "gemini-3.1-flash-image"
    aliases = ("nano-banana-2",)
    limits = LIMITS_FLASH
    lifecycle = LIFE_OF_FLASH


class NanoBanana2Lite(GeminiModel):
    """gemini-3.1-flash-lite-image, "Nano Banana 2 Lite"."""

    id = "gemini-3.1-flash-lite-image"
    aliases = ("nano-banana-2-lite",)
    limits = LIMITS_LITE


class NanoBanana21AtVertex(NanoBanana21):
    """Nano Banana 2.1 at Vertex AI."""

    limits = at_vertex(LIMITS_21)


class NanoBananaProAtVertex(NanoBananaPro):
    """Nano Banana Pro at Vertex AI."""

    limits = at_vertex(LIMITS_PRO)


class NanoBanana2AtVertex(NanoBanana2):
    """Nano Banana 2 at Vertex AI."""

    limits = at_vertex(LIMITS_FLASH)


class NanoBanana2LiteAtVertex(NanoBanana2Lite):
    """Nano Banana 2 Lite at Vertex AI."""

    limits = at_vertex(LIMITS_LITE)


_AT_VERTEX: dict[type[GeminiModel], type[GeminiModel]] = {
    NanoBanana21: NanoBanana21AtVertex,
    NanoBananaPro: NanoBananaProAtVertex,
    NanoBanana2: NanoBanana2AtVertex,
    NanoBanana2Lite: NanoBanana2LiteAtVertex,
}
_AT_GEMINI = {vertex: model for model, vertex in _AT_VERTEX.items()}


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the models."""
    return [NanoBanana21, NanoBananaPro, NanoBanana2, NanoBanana2Lite]
