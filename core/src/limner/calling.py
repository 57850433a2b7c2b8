"""The calls that users type: a method for each task, sync and async, over ``run`` and ``arun``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import attrs

from limner.errors import Problem, TaskRefused, did_you_mean
from limner.synonyms import parameter_meant_by
from limner.tasks import Generate, Inpaint, Outpaint, RemoveBackground, Task, Upscale, Vary

if TYPE_CHECKING:
    from limner import parameters
    from limner.fitting import Mode
    from limner.images import ImageSource
    from limner.results import Result
    from limner.values import PromptSource


class Calls:
    """A method for each task."""

    def run(self, task: Task, *, fit: Mode | None = None, on_filtered: str | None = None) -> Result:
        """Run a task."""
        raise NotImplementedError

    async def arun(self, task: Task, *, fit: Mode | None = None, on_filtered: str | None = None) -> Result:
        """Run a task without blocking the event loop."""
        raise NotImplementedError

    def generate(self, prompt: PromptSource, **more: Unpack[parameters.Generate]) -> Result:
        """Make pictures from words; see :class:`~limner.Generate` and :meth:`run`."""
        return self._do(Generate, {"prompt": prompt, **more})

    def vary(
        self,
        image: ImageSource | Sequence[ImageSource],
        prompt: PromptSource | None = None,
        **more: Unpack[parameters.Vary],
    ) -> Result:
        """Make pictures like a given one; see :class:`~limner.Vary` and :meth:`run`."""
        return self._do(Vary, {"image": image, "prompt": prompt, **more})

    def inpaint(self, image: ImageSource, prompt: PromptSource | None = None, **more: Unpack[parameters.Inpaint]) -> Result:
        """Repaint a part of a picture; see :class:`~limner.Inpaint` and :meth:`run`."""
        return self._do(Inpaint, {"image": image, "prompt": prompt, **more})

    def outpaint(
        self, image: ImageSource, prompt: PromptSource | None = None, **more: Unpack[parameters.Outpaint]
    ) -> Result:
        """Continue a picture beyond its borders; see :class:`~limner.Outpaint` and :meth:`run`."""
        return self._do(Outpaint, {"image": image, "prompt": prompt, **more})

    def remove_background(self, image: ImageSource, **more: Unpack[parameters.RemoveBackground]) -> Result:
        """Make everything but the subject transparent; see :class:`~limner.RemoveBackground` and :meth:`run`."""
        return self._do(RemoveBackground, {"image": image, **more})

    def upscale(self, image: ImageSource, prompt: PromptSource | None = None, **more: Unpack[parameters.Upscale]) -> Result:
        """Make a picture larger; see :class:`~limner.Upscale` and :meth:`run`."""
        return self._do(Upscale, {"image": image, "prompt": prompt, **more})

    async def agenerate(self, prompt: PromptSource, **more: Unpack[parameters.Generate]) -> Result:
        """As :meth:`generate`, without blocking the event loop."""
        return await self._ado(Generate, {"prompt": prompt, **more})

    async def avary(
        self,
        image: ImageSource | Sequence[ImageSource],
        prompt: PromptSource | None = None,
        **more: Unpack[parameters.Vary],
    ) -> Result:
        """As :meth:`vary`, without blocking the event loop."""
        return await self._ado(Vary, {"image": image, "prompt": prompt, **more})

    async def ainpaint(
        self, image: ImageSource, prompt: PromptSource | None = None, **more: Unpack[parameters.Inpaint]
    ) -> Result:
        """As :meth:`inpaint`, without blocking the event loop."""
        return await self._ado(Inpaint, {"image": image, "prompt": prompt, **more})

    async def aoutpaint(
        self, image: ImageSource, prompt: PromptSource | None = None, **more: Unpack[parameters.Outpaint]
    ) -> Result:
        """As :meth:`outpaint`, without blocking the event loop."""
        return await self._ado(Outpaint, {"image": image, "prompt": prompt, **more})

    async def aremove_background(self, image: ImageSource, **more: Unpack[parameters.RemoveBackground]) -> Result:
        """As :meth:`remove_background`, without blocking the event loop."""
        return await self._ado(RemoveBackground, {"image": image, **more})

    async def aupscale(
        self, image: ImageSource, prompt: PromptSource | None = None, **more: Unpack[parameters.Upscale]
    ) -> Result:
        """As :meth:`upscale`, without blocking the event loop."""
        return await self._ado(Upscale, {"image": image, "prompt": prompt, **more})

    def _do(self, task: type[Task], said: dict[str, Any]) -> Result:
        fit, on_filtered = said.pop("fit", None), said.pop("on_filtered", None)
        return self.run(make_task(task, said), fit=fit, on_filtered=on_filtered)

    async def _ado(self, task: type[Task], said: dict[str, Any]) -> Result:
        fit, on_filtered = said.pop("fit", None), said.pop("on_filtered", None)
        return await self.arun(make_task(task, said), fit=fit, on_filtered=on_filtered)


def make_task(task: type[Task], said: Mapping[str, Any]) -> Task:
    """Make a task of what was said.

    Raises:
        TaskRefused: it has no such parameter, or a value is wrong.
    """
    names = [field.name for field in attrs.fields(task)]
    problems = []
    for name, value in said.items():
        if name not in names:
            parameter = parameter_meant_by(name, names)
            meant = f"did you mean {parameter}?" if parameter is not None else did_you_mean(name, names)
            meant = meant or f"what only one provider knows goes in options={{{name!r}: ...}}"
            problems.append(Problem.of(name, value, f"{task.kind} has no such parameter; {meant}"))
    if problems:
        raise TaskRefused(problems)
    return task(**said)
