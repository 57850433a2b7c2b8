"""The tasks: what a user wants, in uniform terms, as plain data.

A task is checked when it is made, by the limits that hold for every model. ``None``, and only ``None``, means "not given".
Tasks are frozen, compare and hash by content, and pickle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

import attrs

from limner.converters import (
    read_image,
    read_images,
    read_integer,
    read_mask,
    read_needed_prompt,
    read_negative_prompt,
    read_options,
    read_prompt,
    read_real,
    read_sides,
    read_text,
)
from limner.errors import Problem, TaskRefused, shorten
from limner.images import Box, Image, Mask, Size
from limner.limits.universal import UNIVERSAL
from limner.options import Options
from limner.prompts import NegativePrompt, Prompt


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class Task:
    """The base of all tasks.

    Args:
        options: provider-specific options, under the provider's names.
    """

    kind: ClassVar[str]
    exactly_one_of: ClassVar[tuple[str, ...]] = ()
    """Parameters of which exactly one must be given."""

    options: Options = attrs.field(factory=Options, converter=read_options)

    def __attrs_post_init__(self) -> None:
        problems = [
            Problem.of(name, value, wrong)
            for name, value in self.arguments()
            if name in UNIVERSAL and (wrong := UNIVERSAL[name].wrong(value)) is not None
        ]
        problems += self._disagreements()
        if problems:
            raise TaskRefused(problems)

    def arguments(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the name and value of each parameter that was given, except ``options``."""
        for field in attrs.fields(type(self)):
            if field.name != "options" and (value := getattr(self, field.name)) is not None:
                yield field.name, value

    def _disagreements(self) -> Iterable[Problem]:
        """What is wrong between parameters that are each valid."""
        given = [name for name in self.exactly_one_of if getattr(self, name) is not None]
        if self.exactly_one_of and len(given) != 1:
            *names, last = self.exactly_one_of
            wanted = f"exactly one of {', '.join(names)} and {last} must be given"
            yield Problem(" and ".join(given) or " or ".join(self.exactly_one_of), "", wanted)

    def __repr__(self) -> str:
        parts = [f"{name}={shorten(value)}" for name, value in self.arguments()]
        parts += [f"options={shorten(self.options)}"] if self.options else []
        return f"{type(self).__name__}({', '.join(parts)})"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _Painted(Task):
    """What the tasks that paint something new have; see :class:`Generate`."""

    negative_prompt: NegativePrompt | None = attrs.field(default=None, converter=read_negative_prompt)
    n: int | None = attrs.field(default=None, converter=read_integer)
    size: Size | None = attrs.field(default=None, converter=read_sides)
    seed: int | None = attrs.field(default=None, converter=read_integer)
    guidance_scale: float | None = attrs.field(default=None, converter=read_real)
    steps: int | None = attrs.field(default=None, converter=read_integer)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _Edit(_Painted):
    """What the tasks that edit one picture have; see :class:`Inpaint`."""

    image: Image = attrs.field(converter=read_image)
    prompt: Prompt | None = attrs.field(default=None, converter=read_prompt)
    mask: Mask | Literal["alpha"] | None = attrs.field(default=None, converter=read_mask)
    preserve: bool | None = None

    @property
    def mask_is_known(self) -> bool:
        """Whether the pixels to repaint are known, so that all others can be preserved."""
        return self.mask is not None

    def _disagreements(self) -> Iterable[Problem]:
        yield from super()._disagreements()
        if isinstance(self.mask, Mask) and self.mask.size != self.image.size:
            (width, height), (wanted_width, wanted_height) = self.mask.size, self.image.size
            limit = f"must have the upright picture's size, {wanted_width}x{wanted_height} pixels"
            yield Problem("mask", f"{width}x{height}", limit)
        if isinstance(self.mask, Mask) and self.mask.is_black:
            limit = "is all black: nothing would be repainted; white marks what to repaint, Mask.inverted() swaps the two"
            yield Problem("mask", "{}x{}".format(*self.mask.size), limit)
        if self.mask == "alpha" and not self.image.has_alpha:
            yield Problem("mask", "'alpha'", "the picture has no transparency; give a mask")
        if self.preserve and not self.mask_is_known:
            yield Problem("preserve", "True", f"what to keep is not known from a {self.exactly_one_of[-1]}; give a mask")


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class Generate(_Painted):
    """Make pictures from a text prompt.

    Args:
        prompt: what to paint; one text, or several with weights.
        negative_prompt: what to avoid; one text or several.
        n: number of pictures, at least 1.
        size: width and height in pixels.
        seed: a whole number from 0; the same seed gives the same picture. 0 is a valid seed.
        guidance_scale: how closely the model follows the prompt.
        steps: number of diffusion steps, at least 1.
        options: provider-specific options, under the provider's names.

    Raises:
        TaskRefused: a value is invalid for every model.
    """

    kind: ClassVar[str] = "generate"

    prompt: Prompt = attrs.field(converter=read_needed_prompt)

    def _disagreements(self) -> Iterable[Problem]:
        if self.prompt is None:  # passed explicitly
            yield Problem.of("prompt", None, "is required: say what should be seen")


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class Vary(_Painted):
    """Make variations of a picture.

    Args:
        image: the picture, or several if the model supports it.
        prompt: what to paint.
        strength: 0 keeps the picture, 1 ignores it.
        negative_prompt: see :class:`Generate`, as for ``n``, ``size``, ``seed``, ``guidance_scale``, ``steps``, ``options``.

    Raises:
        TaskRefused: a value is invalid for every model.
    """

    kind: ClassVar[str] = "vary"

    image: tuple[Image, ...] = attrs.field(converter=read_images)
    prompt: Prompt | None = attrs.field(default=None, converter=read_prompt)
    strength: float | None = attrs.field(default=None, converter=read_real)

    def _disagreements(self) -> Iterable[Problem]:
        if not self.image:
            yield Problem("image", "()", "at least one picture is needed")


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class Inpaint(_Edit):
    """Repaint a part of a picture.

    Args:
        image: the picture.
        prompt: what to paint there.
        mask: the part to repaint: white is repainted, black is kept, grey is in between. It has the size of the upright
            picture. ``"alpha"`` uses the picture's own transparency.
        mask_prompt: a description of the part to repaint. Exactly one of ``mask`` and ``mask_prompt`` is required.
        preserve: return the pixels that the mask keeps exactly as they were. Default: True if the mask is known.
        negative_prompt: see :class:`Generate`, as for ``n``, ``size``, ``seed``, ``guidance_scale``, ``steps``, ``options``.

    Raises:
        TaskRefused: a value is invalid for every model.
    """

    kind: ClassVar[str] = "inpaint"
    exactly_one_of: ClassVar[tuple[str, ...]] = ("mask", "mask_prompt")

    mask_prompt: str | None = attrs.field(default=None, converter=read_text)


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class Outpaint(_Edit):
    """Extend a picture beyond its borders, or repaint what surrounds a part of it.

    Args:
        image: the picture; with ``mask`` or ``keep_prompt``, the final canvas.
        prompt: what to paint there.
        expand: pixels to add on the left, top, right and bottom.
        mask: the part to paint on the final canvas: white is painted, black is kept. ``"alpha"`` uses the picture's
            transparency.
        keep_prompt: a description of the part to keep. Exactly one of ``expand``, ``mask`` and ``keep_prompt`` is
            required.
        preserve: return the kept pixels exactly as they were. Default: True if they are known.
        negative_prompt: see :class:`Generate`, as for ``n``, ``size``, ``seed``, ``guidance_scale``, ``steps``, ``options``.

    Raises:
        TaskRefused: a value is invalid for every model.
    """

    kind: ClassVar[str] = "outpaint"
    exactly_one_of: ClassVar[tuple[str, ...]] = ("expand", "mask", "keep_prompt")

    expand: Box | None = attrs.field(default=None, converter=read_sides)
    keep_prompt: str | None = attrs.field(default=None, converter=read_text)

    @property
    def mask_is_known(self) -> bool:
        return self.mask is not None or self.expand is not None


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class RemoveBackground(Task):
    """Make everything except the subject transparent.

    Args:
        image: the picture.
        options: provider-specific options, under the provider's names.
    """

    kind: ClassVar[str] = "remove-background"

    image: Image = attrs.field(converter=read_image)


@attrs.frozen(kw_only=True, cache_hash=True, repr=False)
class Upscale(Task):
    """Make a picture larger.

    Args:
        image: the picture.
        prompt: what the picture shows, for models that repaint it.
        size: width and height of the result in pixels, if the model supports it.
        negative_prompt: see :class:`Generate`, as for ``seed`` and ``options``.
    """

    kind: ClassVar[str] = "upscale"

    image: Image = attrs.field(converter=read_image)
    prompt: Prompt | None = attrs.field(default=None, converter=read_prompt)
    size: Size | None = attrs.field(default=None, converter=read_sides)
    negative_prompt: NegativePrompt | None = attrs.field(default=None, converter=read_negative_prompt)
    seed: int | None = attrs.field(default=None, converter=read_integer)


TASKS: dict[str, type[Task]] = {task.kind: task for task in (Generate, Vary, Inpaint, Outpaint, RemoveBackground, Upscale)}
"""Every task by its kind."""
