"""fit: a task and a model's limits become a task that the model takes, and the account of what became of every input.

It is the only place that draws randomness: a seed that was not given.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import attrs

from limner import display
from limner.errors import Problem, TaskRefused, did_you_mean
from limner.images import Box, Image, Mask, Size
from limner.limits import Constraint, Expand, Picture, Seed, SizeRule, Sizes, TaskLimits, in_words
from limner.options import Options
from limner.regions import Region, region_around
from limner.synonyms import parameter_meant_by
from limner.tasks import Inpaint, Outpaint, Task

Mode = Literal["strict", "nearest"]
Outcome = Literal["sent", "defaulted", "adjusted", "dropped"]

MODES: tuple[Mode, ...] = ("strict", "nearest")

_NEVER_DROPPED = {"prompt", "image", "mask", "mask_prompt", "keep_prompt", "expand", "n"}
_NO_BORDER: Box = (0, 0, 0, 0)
_NEVER_SENT = {"preserve"}  # limner's own: the kept pixels are laid back over whatever the provider made


@attrs.frozen
class Entry:
    """What happened to one input.

    Attributes:
        parameter: the task's field, or ``options.NAME``.
        outcome: ``sent`` unchanged; ``defaulted``: it was not given; ``adjusted``: ``used`` is sent instead of ``asked``;
            ``dropped``: the model does not support it.
        asked: the value that was given, or ``None``.
        used: the value that is sent, or ``None``.
        why: the reason, for ``adjusted`` and ``dropped``; otherwise a remark of the model, if any.
    """

    parameter: str
    outcome: Outcome
    asked: Any = None
    used: Any = None
    why: str = ""

    def __str__(self) -> str:
        match self.outcome:
            case "sent":
                return f"{self.parameter}: sent {self.used!r}" + (f"; {self.why}" if self.why else "")
            case "defaulted":
                return f"{self.parameter}: {self.used!r} by default" + (f"; {self.why}" if self.why else "")
            case "adjusted":
                return f"{self.parameter}: {self.asked!r} became {self.used!r}: {self.why}"
        return f"{self.parameter}: {self.asked!r} dropped: {self.why}"


class Account(tuple[Entry, ...]):
    """What became of every input: an entry for each."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return display.account(self)


@attrs.frozen
class Fitted:
    """A task that keeps within a model's limits.

    Attributes:
        task: what is sent: everything that was left to limner is filled in.
        calls: the part of the task that each call makes.
        account: an entry for every input, and for everything that was filled in.
        original: the task as it was asked.
        border: the pixels that an outpaint adds to the original picture on the left, top, right and bottom.
        region: the part of the original picture that is sent, where an inpaint does not send it whole.
        warnings: what else there is to know, such as a model past its end of life.
    """

    task: Task
    calls: tuple[Task, ...]
    account: tuple[Entry, ...]
    original: Task
    border: Box | None = None
    region: Region | None = None
    warnings: tuple[str, ...] = ()

    @property
    def sent_size(self) -> Size | None:
        """The size in pixels of the picture or canvas that an edit sends; ``None`` for other tasks."""
        if not isinstance(self.task, Inpaint | Outpaint):
            return None
        return canvas_size(self.task.image.size, getattr(self.task, "expand", None) or _NO_BORDER)

    @property
    def restored_size(self) -> Size | None:
        """The size in pixels that the result of an edit is brought back to, where its picture was scaled to be sent."""
        if not isinstance(self.original, Inpaint | Outpaint):
            return None
        canvas = canvas_size(self.original.image.size, self.border or _NO_BORDER)
        return None if canvas == self.sent_size else canvas

    def annotated(self, warnings: tuple[str, ...], remarks: Mapping[str, str]) -> Fitted:
        """Return it with warnings, and with remarks on parameters in the account."""
        if not warnings and not remarks:
            return self
        account = Account(
            attrs.evolve(entry, why="; ".join(filter(None, (entry.why, remarks.get(entry.parameter, "")))))
            for entry in self.account
        )
        return attrs.evolve(self, warnings=warnings, account=account)

    def repeatable(self) -> Task:
        """Return the task that makes the same pictures again: the original pictures, everything else as it was sent."""
        original = {name: getattr(self.original, name) for name in ("image", "mask") if hasattr(self.original, name)}
        if isinstance(self.original, Outpaint):
            original["expand"] = self.border
        asked = self.original.options
        options = {
            name: asked[name] if isinstance(asked.get(name), Image) else used for name, used in self.task.options.items()
        }
        return attrs.evolve(self.task, **original, options=options)


def fit(
    task: Task,
    limits: TaskLimits,
    mode: Mode = "strict",
    *,
    max_n: int | None = None,
    strip_metadata: bool = False,
    model: str = "",
) -> Fitted:
    """Hold a task against limits.

    Args:
        task: what is wanted.
        limits: what the model accepts for this task.
        mode: ``strict`` refuses what is not allowed; ``nearest`` moves it to the nearest allowed value and drops what the
            model does not support, but never cuts a prompt and never drops a picture or a mask.
        max_n: the most pictures that may be asked for.
        strip_metadata: take EXIF, XMP, IPTC and texts out of pictures.
        model: its id, for messages.

    Raises:
        TaskRefused: with every problem at once.
    """
    fitting = _Fitting(task, limits, mode, strip_metadata)
    fitting.cut_region()
    fitting.parameters()
    fitting.options()
    fitting.canvas()
    fitting.mask_follows_image()
    fitting.seed_leaves_room()
    fitting.count(max_n)
    if fitting.problems:
        raise TaskRefused(fitting.problems, model or None)
    return fitting.result()


class _Fitting:
    """One fit, on its way: the values found so far, the account and the problems."""

    def __init__(self, task: Task, limits: TaskLimits, mode: Mode, strip_metadata: bool) -> None:
        self.task, self.limits = task, limits
        self.nearest, self.strip_metadata = mode == "nearest", strip_metadata
        self.values: dict[str, Any] = {}
        self.entries: dict[str, Entry] = {}
        self.problems: list[Problem] = []
        self.border: Box | None = None  # what is added to the picture as it came
        self.region: Region | None = None
        self.cut: dict[str, tuple[Any, str]] = {}  # what is sent of the picture and its mask, and why

    def cut_region(self) -> None:
        """Cut out the surroundings of the mask where the model does not take the whole picture."""
        task, rule = self.task, self._size_rule()
        if not self.nearest or rule is None or not isinstance(task, Inpaint) or task.preserve is False:
            return
        if rule.wrong(task.image.size) is None or "mask" not in self.limits.parameters:
            return
        with self._gathering("image"):
            mask = Mask.from_alpha(task.image) if task.mask == "alpha" else task.mask
            box = None if mask is None else mask.box_of_white
            self.region = None if box is None else region_around(box, task.image.size, rule)
            if self.region is not None and mask is not None:
                why = f"the surroundings of the mask are sent, {self.region}; {rule.describe()}"
                self.cut["image"] = self.region.of_image(task.image), why
                self.cut["mask"] = self.region.of_mask(mask), "cut out with the picture"
                if "size" in self.limits.parameters and task.size is None:
                    self.cut["size"] = self.region.size, "the size of the part that is sent"

    def _size_rule(self) -> SizeRule | Sizes | None:
        """The sizes that an edit may send: a rule for pictures, or for results where there is none."""
        image, size = self.limits.parameters.get("image"), self.limits.parameters.get("size")
        rule = image.size if isinstance(image, Picture) and image.size is not None else size
        return rule if isinstance(rule, SizeRule | Sizes) else None

    def parameters(self) -> None:
        for field in attrs.fields(type(self.task)):
            if field.name in _NEVER_SENT:
                self._preserve(getattr(self.task, field.name))
            elif field.name != "options":
                limit = self.limits.parameters.get(field.name)
                self.values[field.name] = self._one(field.name, getattr(self.task, field.name), limit)

    def options(self) -> None:
        asked = self.task.options
        names = [*asked, *(name for name in self.limits.options if name not in asked)]
        fitted = {name: self._one(f"options.{name}", asked.get(name), self.limits.options.get(name)) for name in names}
        self.values["options"] = Options({name: value for name, value in fitted.items() if value is not None})

    def _one(self, name: str, asked: Any, limit: Constraint | None) -> Any:
        if asked is None and name not in self.cut:
            return self._default(name, limit)
        if limit is None:
            return self._own_size(asked) if name == "size" and self.limits.own_size else self._unknown(name, asked)
        used: Any = None
        notes: list[str] = []
        with self._gathering(name):
            given, why = self.cut.get(name, (asked, ""))
            used, notes = self._moved(given, limit)
            notes = [*filter(None, [why]), *notes]
            if (wrong := limit.wrong(used)) is not None:
                self.problems.append(Problem.of(name, asked, wrong + self._way_out(name), limit.source))
        self.entries[name] = Entry(name, "adjusted" if notes else "sent", asked, used, "; ".join(notes))
        return used

    def _way_out(self, name: str) -> str:
        """Name the way to edit a picture that the model does not take whole."""
        rule = self._size_rule()
        if (
            name != "image"
            or self.nearest
            or not isinstance(self.task, Inpaint)
            or not self.task.mask_is_known
            or rule is None
        ):
            return ""
        fits = rule.wrong(self.task.image.size) is None
        return "" if fits else "; fit='nearest' sends the surroundings of the mask and keeps everything else as it is"

    def _moved(self, asked: Any, limit: Constraint) -> tuple[Any, list[str]]:
        """The value that is sent for another, and what was done to it."""
        used, note = limit.adapted(asked)
        notes = [note] if note else []
        if self.strip_metadata and (stripped := _stripped(used)) != used:
            used, notes = stripped, [*notes, "metadata taken out"]
        if self.nearest and limit.wrong(used) is not None and (near := limit.nearest(used)) is not None:
            used, notes = near, [*notes, f"the model wants {limit.describe()}"]
        return used, notes

    @contextmanager
    def _gathering(self, name: str) -> Iterator[None]:
        """A picture that cannot be decoded is one problem among the others."""
        try:
            yield
        except TaskRefused as refused:
            self.problems += (attrs.evolve(problem, parameter=name) for problem in refused.problems)

    def _default(self, name: str, limit: Constraint | None) -> Any:
        if limit is None:
            return None
        if limit.required:
            self.problems.append(Problem(name, "", f"is required: {limit.describe()}", limit.source))
        used = self._draw(limit) if isinstance(limit, Seed) else limit.default
        if used is not None:
            self.entries[name] = Entry(name, "defaulted", None, used)
        return used

    def _draw(self, limit: Seed) -> int:
        room = self.limits.seed_offset(self.values.get("n"))
        return random.SystemRandom().randint(limit.min_value, max(limit.min_value, limit.max_value - room))

    def _unknown(self, name: str, asked: Any) -> Any:
        why = "not supported by the model" + self._similar(name)
        if self.nearest and name not in _NEVER_DROPPED:
            self.entries[name] = Entry(name, "dropped", asked, None, why)
        else:
            self.problems.append(Problem.of(name, asked, why))
        return None

    def _own_size(self, asked: Size) -> None:
        """Handle a size for a model whose result has the size of the picture: only that size is allowed."""
        image, expand = self.task.image, getattr(self.task, "expand", None)  # type: ignore[attr-defined]
        first = image[0] if isinstance(image, tuple) else image
        own = canvas_size(first.size, expand or (0, 0, 0, 0))
        why = f"the result has the size of the picture, {in_words(own)}"
        if self.nearest or asked == own:
            self.entries["size"] = Entry("size", "dropped", asked, None, f"{why}; none is sent")
        else:
            self.problems.append(Problem.of("size", asked, f"{why}; leave size out", self.limits.own_size))

    def _similar(self, name: str) -> str:
        option = name.removeprefix("options.")
        if option == name:
            return ""
        parameter = parameter_meant_by(option, self.limits.parameters)
        if parameter is not None:
            return f"; did you mean the parameter {parameter}?"
        meant = did_you_mean(option, self.limits.options, prefix="options.")
        return f"; {meant}" if meant else ""

    def _preserve(self, asked: bool | None) -> None:
        used = self.task.mask_is_known if asked is None else asked  # type: ignore[attr-defined]
        self.values["preserve"] = used
        self.entries["preserve"] = Entry("preserve", "defaulted" if asked is None else "sent", asked, used)

    def canvas(self) -> None:
        """Hold the canvas that an outpaint's ``expand`` makes against its rule; nearest scales picture and border alike."""
        limit, expand, image = self.limits.parameters.get("expand"), self.values.get("expand"), self.values.get("image")
        self.border = expand
        if not isinstance(limit, Expand) or expand is None or not isinstance(image, Image):
            return
        if image.size != self.task.image.size:  # type: ignore[attr-defined]
            expand = _scaled_border(expand, self.task.image.size, image.size)  # type: ignore[attr-defined]
            self._adjust("expand", expand, "scaled with the picture")
        size = canvas_size(image.size, expand)
        wrong = limit.wrong(expand) or limit.wrong_canvas(size)
        if self.nearest and limit.wrong_canvas(size) and limit.canvas is not None and (near := limit.canvas.nearest(size)):
            with self._gathering("image"):
                image, expand = _scaled_to_canvas(image, expand, near)
            why = f"the canvas is scaled from {in_words(size)} to {in_words(near)}"
            self._adjust("image", image, why)
            self._adjust("expand", expand, why)
            wrong = limit.wrong(expand) or limit.wrong_canvas(canvas_size(image.size, expand)) or self._wrong_part(image)
        if wrong is not None:
            self.problems.append(Problem.of("expand", self.entries["expand"].asked, wrong, limit.source))

    def _wrong_part(self, image: Image) -> str | None:
        wrong = self.limits.parameters["image"].wrong(image)
        return None if wrong is None else f"on the canvas that the model takes, the picture itself {wrong}"

    def mask_follows_image(self) -> None:
        """Make a mask of the picture's transparency where the model wants a mask, and scale it as the picture was."""
        limit, mask, image = self.limits.parameters.get("mask"), self.values.get("mask"), self.values.get("image")
        if mask is None or limit is None or not isinstance(image, Image):
            return
        if mask == "alpha" and not (getattr(limit, "alpha", False) and image.has_alpha):
            with self._gathering("image"):
                mask = Mask.from_alpha(self.task.image)  # type: ignore[attr-defined]
            if (wrong := limit.wrong(mask)) is not None:
                mask = limit.nearest(mask)
            self._adjust("mask", mask, "made from the picture's transparency" + (f"; it {wrong}" if wrong else ""))
        if isinstance(mask, Mask) and mask.size != image.size:
            mask = mask.resized(image.size)
            mask = mask if limit.wrong(mask) is None else limit.nearest(mask)
            self._adjust("mask", mask, "scaled with the picture")
        if isinstance(mask, Mask) and mask.is_black:
            wrong = "leaves nothing to repaint: in the form that the model takes, the mask is all black"
            self.problems.append(Problem.of("mask", self.entries["mask"].asked, wrong, limit.source))

    def _adjust(self, name: str, used: Any, why: str) -> None:
        self.values[name] = used
        earlier = self.entries[name]
        self.entries[name] = attrs.evolve(
            earlier, outcome="adjusted", used=used, why="; ".join(filter(None, (earlier.why, why)))
        )

    def seed_leaves_room(self) -> None:
        """See that the last call's seed is allowed too: each further call's is the first plus the pictures before it."""
        limit, seed = self.limits.parameters.get("seed"), self.values.get("seed")
        if not isinstance(limit, Seed) or seed is None or limit.wrong(seed) is not None:
            return
        top = limit.max_value - self.limits.seed_offset(self.values.get("n"))
        if seed <= top:
            return
        why = f"the last of several calls would have a seed over {limit.max_value}; the first can be {top} at most"
        if self.nearest and top >= limit.min_value:
            self._adjust("seed", top, why)
        else:
            self.problems.append(Problem.of("seed", seed, why, limit.source))

    def count(self, max_n: int | None) -> None:
        n = self.values.get("n")
        if isinstance(n, int) and max_n is not None and n > max_n:
            self.problems.append(
                Problem.of("n", n, f"the setting max_n allows {max_n}; raise it to make, and pay for, more")
            )

    def result(self) -> Fitted:
        fitted = attrs.evolve(self.task, **self.values)
        return Fitted(
            task=fitted,
            calls=split(fitted, self.limits.per_call),
            account=Account(self.entries.values()),
            original=self.task,
            border=self.border,
            region=self.region,
        )


def split(task: Task, per_call: int) -> tuple[Task, ...]:
    """Split a task into calls of at most ``per_call`` pictures; each seed is the first plus the pictures before it."""
    n, seed = getattr(task, "n", None), getattr(task, "seed", None)
    if n is None or n <= per_call:
        return (task,)
    starts = range(0, n, per_call)
    shares: list[dict[str, Any]] = [{"n": min(per_call, n - done)} for done in starts]
    if seed is not None:
        shares = [share | {"seed": seed + done} for share, done in zip(shares, starts, strict=True)]
    return tuple(attrs.evolve(task, **share) for share in shares)


def _stripped(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_stripped, value))
    return value.stripped() if isinstance(value, Image) else value


def canvas_size(size: Size, expand: Box) -> Size:
    """The size in pixels of a picture with ``expand`` added to it."""
    left, top, right, bottom = expand
    return left + size[0] + right, top + size[1] + bottom


def _scaled_border(border: Box, before: Size, after: Size) -> Box:
    across, down = after[0] / before[0], after[1] / before[1]
    left, top, right, bottom = border
    return round(left * across), round(top * down), round(right * across), round(bottom * down)


def _scaled_to_canvas(image: Image, expand: Box, canvas: Size) -> tuple[Image, Box]:
    before = canvas_size(image.size, expand)
    across, down = canvas[0] / before[0], canvas[1] / before[1]
    left, top, _, _ = _scaled_border(expand, before, canvas)
    width, height = max(1, round(image.size[0] * across)), max(1, round(image.size[1] * down))
    return image.resized((width, height)), (
        left,
        top,
        max(0, canvas[0] - left - width),
        max(0, canvas[1] - top - height),
    )
