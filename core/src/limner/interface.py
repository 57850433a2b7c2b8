"""What a plugin implements, and the data that it deals in: requests, responses, the life of a model."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload

import attrs

from limner import display, settings
from limner.errors import Problem, TaskRefused
from limner.limits import Limits, TaskLimits
from limner.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limner.keys import Key
    from limner.prices import Cost, Price
    from limner.results import Picture

CONTRACT = 1
"""The version of what a plugin must implement; it grows when a plugin written for the last one would no longer work."""


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


def _size_in_bytes(body: bytes) -> str:
    return f"<{len(body)} bytes>"


@attrs.frozen
class Request:
    """What is sent to a provider in one call.

    Args:
        model_id: the provider's id of the model, which may differ from task to task.
        body: the provider's own payload.
        path: where it is sent, below the provider's address; empty where the transport decides.
        content_type: the media type of ``body``; for multipart, with its boundary.
        headers: further headers that are not secret. Keys and tokens are added by ``send``, from the settings.
    """

    model_id: str
    body: bytes = attrs.field(repr=_size_in_bytes)
    path: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)


@attrs.frozen
class Response:
    """What a provider answers to one call.

    Args:
        body: the provider's own payload.
        request_id: the provider's id of the call.
        attempts: how often it was sent.
        region: where it was answered.
        content_type: the media type of ``body``; empty where the provider always answers in the same.
        usage: what the call used, by the provider's names, such as ``output_tokens``; numbers, added up over all calls.
        metadata: what else the provider says of the call, such as the id of a job; JSON values.
    """

    body: bytes = attrs.field(repr=_size_in_bytes)
    request_id: str | None = None
    attempts: int = 1
    region: str | None = None
    content_type: str = ""
    usage: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    metadata: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


@attrs.frozen
class Decoded(Sequence["Picture"]):
    """Pictures with what a response's body says of the call; ``decode`` may return it in place of a list.

    Args:
        pictures: one for each that the call asked for, as far as there are.
        usage: as in :class:`Response`, where the body has it.
        metadata: as in :class:`Response`, where the body has it.
    """

    pictures: Sequence[Picture]
    usage: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    metadata: Mapping[str, Any] = attrs.field(factory=dict, hash=False)

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Picture]: ...
    def __getitem__(self, index: int | slice) -> Picture | Sequence[Picture]:
        return self.pictures[index]

    def __len__(self) -> int:
        return len(self.pictures)


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


class ModelInterface(ABC):
    """The part of :class:`limner.Model` that a plugin implements; see there."""

    id: ClassVar[str]
    ids: ClassVar[tuple[str, ...]] = ()
    aliases: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[Limits]
    lifecycle: ClassVar[Lifecycle] = Lifecycle()
    prices: ClassVar[Mapping[type[Task], tuple[Price, ...]]] = {}
    provider: ClassVar[str] = ""
    offline: ClassVar[bool] = False
    Settings: ClassVar[type[settings.Settings]] = settings.Settings
    contract: ClassVar[int] = CONTRACT
    plugin: ClassVar[str] = ""

    def __init__(self, settings: settings.Settings | None = None, *, model_id: str | None = None) -> None:
        self.settings = self.Settings() if settings is None else settings
        self.model_id = self.id if model_id is None else model_id

    # ------------------------------------------------------------------ what a plugin implements

    @abstractmethod
    def encode(self, task: Task) -> Request:
        """Turn a task that keeps the limits, and is for one call, into the provider's request. Pure."""

    @abstractmethod
    def send(self, request: Request) -> Response:
        """Send a request and return the answer: the only place with I/O.

        It may be called from several threads at once, at most ``max_in_flight``; a model that computes on this machine sets
        the default of that setting to 1. Code that waits should wait on :func:`limner.cancellation`; long work reports
        :func:`limner.progress`.

        Raises:
            ContentFiltered: the provider's filter refused the whole request.
            ProviderError: of the class that fits, the provider's own error chained.
        """

    @abstractmethod
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Turn an answer into pictures, one for each that the call asked for, as far as there are. Pure.

        Raises:
            BadResponse: the answer is not what the provider documents.
            ProviderError: the answer is an error.
        """

    def check(self, task: Task) -> Iterable[Problem]:  # noqa: ARG002
        """Report what is wrong between parameters that are each allowed."""
        return ()

    @classmethod
    def matches(cls, model_id: str) -> bool:
        """Tell whether a longer id, such as an ARN, names this model."""
        return model_id in {cls.id, *cls.ids}

    def notices(self) -> tuple[str, ...]:
        """Return what a caller should know before calling, such as that the model is past its end of life."""
        return self.lifecycle.notices(self.id)

    def warnings(self, task: Task) -> Iterable[str]:  # noqa: ARG002
        """Warn about a task that keeps the limits but will hardly give what is wanted.

        Each warning is shown once by :mod:`warnings`, and is in ``warnings`` of plan and result. Never quote a prompt.
        """
        return ()

    def remarks(self, task: Task) -> Mapping[str, str]:  # noqa: ARG002
        """Note in the account what the provider makes of a parameter, by the parameter's name.

        For example, ``{"prompt": "painted: beach; not known: spaceship"}``. Pure.
        """
        return {}

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:  # noqa: ARG002
        """Check whether the model can be called: credentials, endpoint, ...

        Never make a call that is billed, and never show a secret.

        Args:
            live: whether the provider may be asked.
        """
        return ()

    def available_ids(self) -> Sequence[str] | None:
        """Ask the provider which models it has, for ``limner models --live``.

        Never make a call that is billed.

        Returns:
            The provider's own ids or names; ``None`` where it cannot be asked.

        Raises:
            ProviderError: of the class that fits.
        """
        return None

    def cost_of(self, task: Task) -> Cost | None:
        """Return what a task that keeps the limits costs, by the known prices; ``None`` where that is unknown.

        Raises:
            TaskRefused: the file that ``LIMNER_PRICES`` names cannot be read, or is wrong.
        """
        from limner.prices import cost

        return cost(type(self), task)

    @classmethod
    def api_keys(cls) -> Sequence[Key]:
        """Return the keys that the model can use, which ``limner keys`` offers to store; ``send`` calls ``Key.find``."""
        return ()

    @classmethod
    def limits_of(cls, task: type[Task]) -> TaskLimits:
        """Return the limits of one task.

        Raises:
            TaskRefused: the model does not support the task.
        """
        if task not in cls.limits:
            supported = ", ".join(sorted(known.kind for known in cls.limits))
            raise TaskRefused([Problem("task", task.kind, f"not supported by the model; supported: {supported}")], cls.id)
        return cls.limits[task]

    def _repr_html_(self) -> str:
        names = ", ".join(self.aliases)
        facts = [f"{self.model_id}" + (f" ({names})" if names else ""), f"plugin {self.plugin or 'none'}"]
        facts += [self.lifecycle.state()]
        tables = (display.limits(limits.flattened().items(), caption=task.kind) for task, limits in self.limits.items())
        return display.paragraph(" · ".join(facts)) + "".join(tables)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.model_id}>"
