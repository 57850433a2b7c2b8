"""The arguments of each task: what ``Model.generate``, ``Model.agenerate`` and ``limner.generate`` take.

Each function makes the task of its arguments. The methods and shortcuts are made from these functions, so that
signature, types and documentation are written once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import attrs

from limner import tasks
from limner.errors import Problem, TaskRefused, did_you_mean
from limner.synonyms import parameter_meant_by

if TYPE_CHECKING:
    from limner.fitting import Mode
    from limner.images import Box, ImageSource, MaskSource, Size
    from limner.prompts import NegativePromptSource, PromptSource
    from limner.reporting import ProgressCallback
    from limner.tasks import Task


class RunArguments(TypedDict, total=False):
    """How to run the task, in place of the model's settings."""

    fit: Mode
    on_filtered: Literal["raise", "return"]
    on_progress: ProgressCallback
    options: Mapping[str, Any]


class GenerateArguments(RunArguments, total=False):
    """The parameters of :class:`limner.Generate` other than ``prompt``."""

    negative_prompt: NegativePromptSource | None
    n: int | None
    size: Size | None
    seed: int | None
    guidance_scale: float | None
    steps: int | None


class VaryArguments(GenerateArguments, total=False):
    """The parameters of :class:`limner.Vary` other than ``image`` and ``prompt``."""

    strength: float | None


class InpaintArguments(GenerateArguments, total=False):
    """The parameters of :class:`limner.Inpaint` other than ``image`` and ``prompt``."""

    mask: MaskSource | Literal["alpha"] | None
    mask_prompt: str | None
    preserve: bool | None


class OutpaintArguments(GenerateArguments, total=False):
    """The parameters of :class:`limner.Outpaint` other than ``image`` and ``prompt``."""

    expand: Box | None
    mask: MaskSource | Literal["alpha"] | None
    keep_prompt: str | None
    preserve: bool | None


class RemoveBackgroundArguments(RunArguments, total=False):
    """The parameters of :class:`limner.RemoveBackground` other than ``image``."""


class UpscaleArguments(RunArguments, total=False):
    """The parameters of :class:`limner.Upscale` other than ``image`` and ``prompt``."""

    size: Size | None
    negative_prompt: NegativePromptSource | None
    seed: int | None


def generate(prompt: PromptSource, **arguments: Unpack[GenerateArguments]) -> Task:
    """Make pictures from a text prompt; see :class:`~limner.Generate` and :meth:`Model.run`."""
    return make_task(tasks.Generate, {"prompt": prompt, **arguments})


def vary(
    image: ImageSource | Sequence[ImageSource], prompt: PromptSource | None = None, **arguments: Unpack[VaryArguments]
) -> Task:
    """Make variations of a picture; see :class:`~limner.Vary` and :meth:`Model.run`."""
    return make_task(tasks.Vary, {"image": image, "prompt": prompt, **arguments})


def inpaint(image: ImageSource, prompt: PromptSource | None = None, **arguments: Unpack[InpaintArguments]) -> Task:
    """Repaint a part of a picture; see :class:`~limner.Inpaint` and :meth:`Model.run`."""
    return make_task(tasks.Inpaint, {"image": image, "prompt": prompt, **arguments})


def outpaint(image: ImageSource, prompt: PromptSource | None = None, **arguments: Unpack[OutpaintArguments]) -> Task:
    """Extend a picture beyond its borders; see :class:`~limner.Outpaint` and :meth:`Model.run`."""
    return make_task(tasks.Outpaint, {"image": image, "prompt": prompt, **arguments})


def remove_background(image: ImageSource, **arguments: Unpack[RemoveBackgroundArguments]) -> Task:
    """Make everything except the subject transparent; see :class:`~limner.RemoveBackground` and :meth:`Model.run`."""
    return make_task(tasks.RemoveBackground, {"image": image, **arguments})


def upscale(image: ImageSource, prompt: PromptSource | None = None, **arguments: Unpack[UpscaleArguments]) -> Task:
    """Make a picture larger; see :class:`~limner.Upscale` and :meth:`Model.run`."""
    return make_task(tasks.Upscale, {"image": image, "prompt": prompt, **arguments})


def make_task(task: type[Task], arguments: Mapping[str, Any]) -> Task:
    """Make a task of its arguments.

    Raises:
        TaskRefused: it has no such parameter, or a value is wrong.
    """
    names = [field.name for field in attrs.fields(task)]
    problems = []
    for name, value in arguments.items():
        if name not in names:
            parameter = parameter_meant_by(name, names)
            meant = f"did you mean {parameter}?" if parameter is not None else did_you_mean(name, names)
            meant = meant or f"provider-specific options go in options={{{name!r}: ...}}"
            problems.append(Problem.of(name, value, f"{task.kind} has no such parameter; {meant}"))
    if problems:
        raise TaskRefused(problems)
    return task(**arguments)
