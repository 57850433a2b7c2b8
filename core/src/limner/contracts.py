"""The data a Model deals in: where it stands in its life, how to reach it, what is sent and answered, the plan."""

from __future__ import annotations

import datetime
import math
import operator
from collections.abc import Mapping
from typing import Any, Self

import attrs

from limner.errors import Problem, TaskRefused, did_you_mean
from limner.fitting import MODES, Entry, Mode
from limner.tasks import Task


@attrs.frozen
class Lifecycle:
    """Where a model stands in its life.

    Attributes:
        legacy_since: the day from which the provider advises against it.
        end_of_life: the day from which it cannot be called.
        replacement: what to use instead.
        source: the provider's document that says so.
    """

    legacy_since: datetime.date | None = None
    end_of_life: datetime.date | None = None
    replacement: str = ""
    source: str = ""

    def state(self, today: datetime.date | None = None) -> str:
        """Return ``active``, ``legacy`` or ``retired``."""
        today = today or datetime.datetime.now(datetime.UTC).date()
        if self.end_of_life is not None and today >= self.end_of_life:
            return "retired"
        return "legacy" if self.legacy_since is not None and today >= self.legacy_since else "active"

    def notices(self, model: str) -> tuple[str, ...]:
        """Say in words that the model is legacy or retired; nothing while it is active."""
        instead = f"; use {self.replacement}" if self.replacement else ""
        match self.state():
            case "retired":
                return (f"{model} is past its end of life ({self.end_of_life}) and cannot be called any more{instead}",)
            case "legacy":
                ends = f", its end of life is {self.end_of_life}" if self.end_of_life else ""
                return (f"{model} is legacy since {self.legacy_since}{ends}{instead}",)
        return ()


def _one_of(*values: str) -> Any:
    return attrs.validators.in_(values)


def _real(value: float | str) -> float:  # attrs reads the signature of a converter, which takes long for float itself
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError("must be a number") from None


def _whole(value: int | str) -> int:
    try:
        return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        raise ValueError("must be a whole number") from None


@attrs.frozen(kw_only=True)
class Settings:
    """How to reach a provider and how to treat it; plugins add their own by inheritance. Texts are converted.

    Args:
        fit: ``strict`` refuses what is not allowed, ``nearest`` moves it to the nearest allowed value.
        on_filtered: ``raise`` ContentFiltered when the provider's filter held a picture back, or ``return`` what came.
        timeout: seconds for one answer in all, from connecting to its last byte.
        max_in_flight: requests side by side, at most.
        max_n: pictures in one task, at most.
        strip_metadata: take EXIF (GPS with it), XMP, IPTC, texts and what stands behind a file's end (such as a motion
            photo's video) out of the pictures that are sent.
    """

    fit: Mode = attrs.field(default="strict", validator=_one_of(*MODES))
    on_filtered: str = attrs.field(default="raise", validator=_one_of("raise", "return"))
    timeout: float = attrs.field(
        default=300.0, converter=_real, validator=[attrs.validators.gt(0), attrs.validators.lt(math.inf)]
    )
    max_in_flight: int = attrs.field(default=8, converter=_whole, validator=attrs.validators.ge(1))
    max_n: int = attrs.field(default=20, converter=_whole, validator=attrs.validators.ge(1))
    strip_metadata: bool = attrs.field(default=False, converter=attrs.converters.to_bool)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Make settings from names and values.

        Raises:
            TaskRefused: a name is unknown, or a value is wrong.
        """
        shown = {field.name: field.repr for field in attrs.fields(cls)}
        for name in values:
            if name not in shown:
                meant = did_you_mean(name, shown) or f"there are {', '.join(shown)}"
                raise TaskRefused([Problem(f"setting {name}", "", f"there is no such setting; {meant}")])
        for name, value in values.items():
            try:
                cls(**{name: value})
            except (TypeError, ValueError) as error:
                if not shown[name]:  # maybe a secret, which the validator's own words may quote
                    words = str(error.args[0])
                    safe = "is not as it must be (not shown)" if str(value) in words else words
                    raise TaskRefused([Problem(f"setting {name}", "", safe)]) from None
                show = shown[name]
                problem = Problem.of(f"setting {name}", value, str(error.args[0]))
                raise TaskRefused([attrs.evolve(problem, value=show(value)) if callable(show) else problem]) from error
        return cls(**values)


@attrs.frozen
class Request:
    """What is sent to a provider in one call.

    Args:
        model_id: the provider's id of the model, which may differ from task to task.
        body: the provider's own payload.
    """

    model_id: str
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")


@attrs.frozen
class Response:
    """What a provider answers to one call.

    Args:
        body: the provider's own payload.
        request_id: the provider's id of the call.
        attempts: how often it was sent.
        region: where it was answered.
    """

    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    request_id: str | None = None
    attempts: int = 1
    region: str | None = None


@attrs.frozen
class Plan:
    """What would be sent for a task; nothing was.

    Attributes:
        model: the model's id.
        task: the task within the model's limits, its seed filled in; running it sends exactly ``requests``.
        requests: one for each call.
        account: what became of every input.
        calls: the part of the task that each request carries.
        warnings: what else there is to know, such as a model past its end of life or a prompt that will hardly work.
    """

    model: str
    task: Task
    requests: tuple[Request, ...]
    account: tuple[Entry, ...]
    calls: tuple[Task, ...] = attrs.field(repr=False)
    warnings: tuple[str, ...] = ()


@attrs.frozen
class Finding:
    """What ``limner doctor`` found out about one thing; never a secret.

    Attributes:
        subject: what was looked at, such as ``credentials``.
        fine: whether it is as it should be; ``None`` where that is not for limner to judge.
        detail: what was seen, and what to do where it is not fine.
    """

    subject: str
    fine: bool | None
    detail: str
