"""The models, and the hook that offers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import limner
from limner import Inpaint, Model, Outpaint, Problem, RemoveBackground, Task, hookimpl

from limner_openai.compatible import Compatible
from limner_openai.limits import (
    DYING,
    EXPERIMENTAL_PIXELS,
    LIMITS_2,
    LIMITS_15,
    LIMITS_25,
    LIMITS_26,
    LIMITS_MINI,
    PRICES_2,
)
from limner_openai.model import OWN_DIALECTS, ImagesModel


class OpenAIModel(ImagesModel):
    """A model of OpenAI, at OpenAI or at Azure."""

    def __init__(self, settings: limner.Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.settings.dialect not in {None, *OWN_DIALECTS}:
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
