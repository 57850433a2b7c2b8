"""All errors that limner raises, in one tree.

LimnerError
├── TaskRefused             the task is invalid, or the model does not support it; nothing was sent
├── UnknownModel            no installed plugin offers a model of that name
├── PluginError             a plugin is broken, or two plugins claim the same name
├── BatchStopped            a batch ended before every task was sent
└── ProviderError           the provider or the connection to it failed
    ├── AuthenticationFailed    the credentials are missing, wrong or expired
    ├── AccessDenied            the credentials are valid but lack permission
    ├── RateLimited             too many requests, or the quota is used up
    ├── ContentFiltered         the provider's content filter held pictures back
    ├── ModelRetired            the provider reports that the model is retired
    ├── ProviderTimeout         no response before the deadline
    ├── ProviderUnavailable     the connection failed, or the provider has an internal error
    ├── RequestRejected         the provider considers the request invalid
    └── BadResponse             the response is not what the provider documents
"""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limner.results import Picture, Result

__all__ = [
    "AccessDenied",
    "AuthenticationFailed",
    "BadResponse",
    "BatchStopped",
    "ContentFiltered",
    "LimnerError",
    "ModelRetired",
    "PluginError",
    "Problem",
    "ProviderError",
    "ProviderTimeout",
    "ProviderUnavailable",
    "RateLimited",
    "RequestRejected",
    "TaskRefused",
    "UnknownModel",
]


class LimnerError(Exception):
    """The base of all limner errors.

    Attributes:
        result: the partial result, or ``None``.
        may_be_billed: whether a request may have been carried out and billed. ``False`` if it certainly was not, so that
            sending it again cannot be billed twice. A transport sets it if it knows better than the class.
    """

    result: Result | None = None
    may_be_billed: bool = True

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures that were made in spite of the error."""
        return () if self.result is None else self.result.images

    def __str__(self) -> str:
        return " ".join(line.strip() for line in self._message().splitlines())

    def _message(self) -> str:
        """The message, perhaps on several lines: parts of it may come from a provider."""
        return super().__str__()

    def _parts(self) -> list[str]:
        """The message in parts, for where there is room for several lines."""
        return str(self).split("; ")

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback: the error on short lines."""
        import textwrap

        first, *others = map(one_line, self._parts())
        lines = textwrap.wrap(f"{type(self).__name__}: {first}", 100, subsequent_indent="    ")
        for part in others:
            lines += textwrap.wrap(part, 100, initial_indent="  - ", subsequent_indent="    ")
        return [*lines, *_place_in_notebook(self)]


def one_line(text: object) -> str:
    """Bring a text onto one line, with control characters escaped so that it cannot steer a terminal."""
    line = " ".join(str(text).split())
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def _place_in_notebook(error: BaseException) -> list[str]:
    """The line of the user's own code that led to an error."""
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__") == "__main__":
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return [f"in line {line} of this cell"] if line else []


def did_you_mean(name: str, known: Iterable[str], most: int = 1, *, prefix: str = "") -> str:
    """Suggest the nearest known names, each with a prefix; empty if none is near."""
    import difflib

    near = difflib.get_close_matches(name, list(known), most)
    return f"did you mean {' or '.join(prefix + one for one in near)}?" if near else ""


def shorten(value: object, length: int = 60) -> str:
    """Show a value in an error, whatever it weighs and even where its own ``repr`` fails."""
    text = _shown(value)
    return text if len(text) <= length else f"{text[: length - 12]}... ({len(text)} characters)"


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # a huge whole number, a value nested too deep, somebody else's faulty __repr__
        return _Cautious().repr(value)


class _Cautious(reprlib.Repr):
    """Shows a few levels and items of what ``repr`` cannot show."""

    def repr1(self, x: object, level: int) -> str:
        try:
            return super().repr1(x, level)
        except Exception:
            return f"<{type(x).__name__}>"

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002
        bits = x.bit_length()
        return f"<whole number of {bits:,} bits>" if bits > 1024 else repr(x)

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002
        return f"<{type(x).__name__}>"


@attrs.frozen
class Problem:
    """One problem with a task.

    Attributes:
        parameter: the task's field, or ``options.NAME``.
        value: the value that was given, shortened for display.
        limit: what is allowed.
        source: where the limit is documented; empty for limner's own rules.
    """

    parameter: str
    value: str
    limit: str
    source: str = ""

    def __str__(self) -> str:
        what = f"{self.parameter}={self.value}" if self.value else self.parameter
        return f"{what}: {self.limit}" + (f" [{self.source}]" if self.source else "")

    @classmethod
    def of(cls, parameter: str, value: object, limit: str, source: str = "") -> Problem:
        """Make a problem, showing the value as Python would, shortened."""
        return cls(parameter, shorten(value), limit, source)


class TaskRefused(LimnerError, ValueError):
    """The task is invalid, or the model does not support it; nothing was sent.

    Attributes:
        problems: all problems.
        model: the id of the model, or ``None`` if the task is invalid for every model.
    """

    may_be_billed = False

    def __init__(self, problems: Iterable[Problem], model: str | None = None) -> None:
        self.problems = tuple(problems)
        self.model = model
        super().__init__(self.problems, model)

    def _message(self) -> str:
        who = f"{self.model} refuses the task: " if self.model else ""
        return who + "; ".join(map(str, self.problems))

    def _parts(self) -> list[str]:
        return [f"{self.model} refuses the task" if self.model else "the task is refused", *map(str, self.problems)]


class UnknownModel(LimnerError, LookupError):
    """No installed plugin offers a model of that name."""

    may_be_billed = False


class PluginError(LimnerError):
    """A plugin is broken, or two plugins claim the same name. The message names them."""


class BatchStopped(LimnerError):
    """A batch ended before every task was sent, such as because its budget is reached; the message says why."""

    may_be_billed = False


class ProviderError(LimnerError):
    """The provider or the connection to it failed.

    Attributes:
        message: what happened, and what to do.
        model: the id of the model that was called.
        request_ids: the provider's request ids, for its support.
    """

    def __init__(self, message: str, *, model: str | None = None, request_ids: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.model = model
        self.request_ids = tuple(request_ids)

    def _message(self) -> str:
        who = f"{self.model}: " if self.model else ""
        ids = f" (request {', '.join(self.request_ids)})" if self.request_ids else ""
        return f"{who}{self.message}{ids}"


class AuthenticationFailed(ProviderError):
    """The credentials are missing, wrong or expired."""

    may_be_billed = False


class AccessDenied(ProviderError):
    """The credentials are valid but lack permission for this model or region."""

    may_be_billed = False


class RateLimited(ProviderError):
    """Too many requests, or the quota is used up.

    Attributes:
        retry_after: seconds to wait before the next request, if the provider says so.
    """

    may_be_billed = False

    def __init__(
        self, message: str, *, model: str | None = None, request_ids: Iterable[str] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(message, model=model, request_ids=request_ids)
        self.retry_after = retry_after


class ContentFiltered(ProviderError):
    """The provider's content filter refused the input or held pictures back. ``pictures`` has the others."""


class ModelRetired(ProviderError):
    """The provider reports that the model is retired."""

    may_be_billed = False


class ProviderTimeout(ProviderError):
    """No response before the deadline. The provider may still have made and billed a picture."""


class ProviderUnavailable(ProviderError):
    """The connection failed, or the provider has an internal error."""


class RequestRejected(ProviderError):
    """The provider considers the request invalid."""

    may_be_billed = False


class BadResponse(ProviderError):
    """The response is not what the provider documents."""


def refused(value: object, why: str, parameter: str = "image") -> TaskRefused:
    """Make the error that refuses one picture, or something about it."""
    return TaskRefused([Problem(parameter, value if isinstance(value, str) else shorten(value), why)])
