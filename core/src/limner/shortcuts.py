"""The calls in one line: find the model, make the task, run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from limner.catalog import get_model

if TYPE_CHECKING:
    from limner import signatures
    from limner.images import ImageSource
    from limner.prompts import PromptSource
    from limner.results import Result


def generate(prompt: PromptSource, *, model: str | None = None, **arguments: Unpack[signatures.GenerateArguments]) -> Result:
    """Make pictures from a text prompt; see :class:`~limner.Generate` and :meth:`Model.run`."""
    return get_model(model).generate(prompt, **arguments)


def vary(
    image: ImageSource | Sequence[ImageSource],
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **arguments: Unpack[signatures.VaryArguments],
) -> Result:
    """Make variations of a picture; see :class:`~limner.Vary` and :meth:`Model.run`."""
    return get_model(model).vary(image, prompt, **arguments)


def inpaint(
    image: ImageSource,
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **arguments: Unpack[signatures.InpaintArguments],
) -> Result:
    """Repaint a part of a picture; see :class:`~limner.Inpaint` and :meth:`Model.run`."""
    return get_model(model).inpaint(image, prompt, **arguments)


def outpaint(
    image: ImageSource,
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **arguments: Unpack[signatures.OutpaintArguments],
) -> Result:
    """Extend a picture beyond its borders; see :class:`~limner.Outpaint` and :meth:`Model.run`."""
    return get_model(model).outpaint(image, prompt, **arguments)


def remove_background(
    image: ImageSource, *, model: str | None = None, **arguments: Unpack[signatures.RemoveBackgroundArguments]
) -> Result:
    """Make everything except the subject transparent; see :class:`~limner.RemoveBackground` and :meth:`Model.run`."""
    return get_model(model).remove_background(image, **arguments)


def upscale(
    image: ImageSource,
    prompt: PromptSource | None = None,
    *,
    model: str | None = None,
    **arguments: Unpack[signatures.UpscaleArguments],
) -> Result:
    """Make a picture larger; see :class:`~limner.Upscale` and :meth:`Model.run`."""
    return get_model(model).upscale(image, prompt, **arguments)
