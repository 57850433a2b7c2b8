"""The interface that a plugin implements, and its data: requests, responses, the lifecycle of a model."""

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
    """The lifecycle of a model.

    Attributes:
        legacy_since: the day from which the provider advises against the model.
        end_of_life: the day from which the model cannot be called.
        replacement: the model to use instead.
        source: the provider's document with these dates.
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
        """Return notices that the model is legacy or retired; empty while it is active."""
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
    """The request of one call to a provider.

    Args:
        model_id: the provider's id of the model; it may depend on the task.
        body: the payload in the provider's format.
        path: the path below the provider's address; empty if the transport chooses it.
        content_type: the media type of ``body``; for multipart, including the boundary.
        headers: further headers, without secrets. ``send`` adds keys and tokens from the settings.
    """

    model_id: str
    body: bytes = attrs.field(repr=_size_in_bytes)
    path: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)


@attrs.frozen
class Response:
    """The response of a provider to one call.

    Args:
        body: the payload in the provider's format.
        request_id: the provider's id of the call.
        attempts: number of attempts.
        region: the region that answered.
        content_type: the media type of ``body``; empty if the provider has only one.
        usage: what the call used, under the provider's names, such as ``output_tokens``; limner adds the numbers up.
        metadata: further facts about the call, such as the id of a job; JSON values.
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
    """Pictures together with usage and metadata from the body; ``decode`` may return it instead of a list.

    Args:
        pictures: the pictures of the response, at most as many as the call requested.
        usage: as in :class:`Response`, if the body contains it.
        metadata: as in :class:`Response`, if the body contains it.
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
    """One line of ``limner doctor``. It never contains a secret.

    Attributes:
        subject: what was checked, such as ``credentials``.
        fine: whether the check passed; ``None`` for a note.
        detail: what was found, and what to do if the check failed.
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
        """Convert a task, which is within the limits and for one call, to the provider's request. Pure."""

    @abstractmethod
    def send(self, request: Request) -> Response:
        """Send a request and return the response. This is the only method with I/O.

        It is called from up to ``max_in_flight`` threads at once; a model that computes on this machine sets the default
        of that setting to 1. Code that waits should wait on :func:`limner.cancellation` and report
        :func:`limner.progress`.

        Raises:
            ContentFiltered: the provider's filter refused the whole request.
            ProviderError: the call failed. Raise the subclass that fits, with the original exception as its cause.
        """

    @abstractmethod
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        """Convert a response to pictures, at most as many as the call requested. Pure.

        Raises:
            BadResponse: the response is not what the provider documents.
            ProviderError: the response is an error.
        """

    def check(self, task: Task) -> Iterable[Problem]:  # noqa: ARG002
        """Report combinations of allowed parameters that are not allowed together."""
        return ()

    @classmethod
    def matches(cls, model_id: str) -> bool:
        """Return whether an id, such as an ARN, names this model."""
        return model_id in {cls.id, *cls.ids}

    def notices(self) -> tuple[str, ...]:
        """Return notices for the caller, such as that the model is past its end of life."""
        return self.lifecycle.notices(self.id)

    def warnings(self, task: Task) -> Iterable[str]:  # noqa: ARG002
        """Warn about an allowed task that is unlikely to give a good result.

        Python's :mod:`warnings` shows each warning once, and ``warnings`` of plan and result contain it. Never quote a
        prompt.
        """
        return ()

    def remarks(self, task: Task) -> Mapping[str, str]:  # noqa: ARG002
        """Return notes for the account on how the model uses parameters, by the parameter's name.

        For example, ``{"prompt": "painted: beach; not known: spaceship"}``. Pure.
        """
        return {}

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:  # noqa: ARG002
        """Check whether the model can be called: credentials, endpoint, ...

        Never make a billed call, and never show a secret.

        Args:
            live: whether to contact the provider.
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
        """Return the estimated cost of an allowed task from the known prices, or ``None`` if it is unknown.

        Raises:
            TaskRefused: the file that ``LIMNER_PRICES`` names cannot be read, or is invalid.
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
