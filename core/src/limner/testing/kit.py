"""What a plugin gives to the conformance kit, and how its checks run."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from limner.errors import ProviderError, shorten
from limner.interface import Request, Response
from limner.model import Model
from limner.results import PictureOutcome
from limner.tasks import Task

Schema = Mapping[str, Any]
Send = Callable[[Request], Response]


def _outcomes(values: Iterable[PictureOutcome]) -> tuple[PictureOutcome, ...]:
    """Make a tuple: a converter that type checkers understand."""
    return tuple(values)


@attrs.frozen(kw_only=True)
class Recorded:
    """A stored answer of the provider, and what must become of it.

    Args:
        task: a task for one call, as a user says it; with a seed where the model takes one.
        body: the provider's own bytes.
        outcomes: of the pictures that :meth:`limner.Model.decode` makes of it, in order.
        error: what ``decode`` raises in place of pictures.
        name: for messages, such as that of the file.
    """

    task: Task
    body: bytes
    outcomes: tuple[PictureOutcome, ...] = attrs.field(default=("ok",), converter=_outcomes)
    error: type[ProviderError] | None = None
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{self.task.kind}, {shorten(self.body)}"


@attrs.frozen(kw_only=True)
class Conformance:
    """A model, and what its provider documents: all that the checks need.

    Only ``model`` must be given; a check that needs something else is skipped and says what to give.

    Args:
        model: the model to check. Its ``send`` is called only where it is ``offline`` and there is no ``answer``.
        body_schema: the JSON Schema of request bodies, written from the provider's documents, not from the limits; or a
            function from a task's kind, such as ``inpaint``, to one. Enables the checks of bodies and of the limits' ends.
        body_problems: in place of ``body_schema``, a function that says what is wrong with a request by those documents.
        answer: answers a request as the provider does when all goes well, with the documented number of pictures, in the
            size that was asked for. Enables what needs an answer; an ``offline`` model answers for itself.
        reference_painter: answers a request for an edit with the request's picture, its colours inverted where the
            provider's documents say that the request's mask opens it, and unchanged elsewhere. Enables the checks of masks.
        recorded: true answers of the provider, at least one for each task and one for each kind of refusal.
        deviations: checks that cannot pass, by name, each with the reason; they must then fail.
        module: the module that the plugin's entry point names; not said, the one that defines the model.
    """

    model: Model
    body_schema: Schema | Callable[[str], Schema] | None = None
    body_problems: Callable[[Request], Sequence[str]] | None = None
    answer: Send | None = None
    reference_painter: Send | None = None
    recorded: Sequence[Recorded] = ()
    deviations: Mapping[str, str] = attrs.field(factory=dict)
    module: str | None = None

    @property
    def tasks(self) -> list[type[Task]]:
        """The classes of the tasks that the model does."""
        return list(self.model.limits)

    @property
    def transport(self) -> Send:
        """What answers; skips the check where nothing does."""
        if self.answer is not None:
            return self.answer
        return self.model.send if self.model.offline else _skip("answer", "a function that answers a request well")

    @property
    def painter(self) -> Send:
        """The reference painter; skips the check where there is none."""
        return self.reference_painter or _skip("reference_painter", "a function that inverts what a request's mask opens")

    def connected(self, send: Send) -> Model:
        """Return the model with another transport."""
        return self.overriding(send=lambda _, request: send(request))

    def overriding(self, **methods: Callable[..., Any]) -> Model:
        """Return the model, of a subclass with other methods: a model with other settings has them too."""
        kind = type(self.model)
        made: Model = type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__})(
            self.model.settings, model_id=self.model.model_id
        )
        return made

    def problems_of(self, task: Task, request: Request) -> Sequence[str]:
        """Say what is wrong with a request by the provider's documents; skips the check where they were not given."""
        if self.body_problems is not None:
            return self.body_problems(request)
        if self.body_schema is None:
            _skip("body_schema", "the JSON Schema of the provider's request bodies (or body_problems)")
        schema = self.body_schema(task.kind) if callable(self.body_schema) else self.body_schema
        return schema_problems(schema, request)


def schema_problems(schema: Schema, request: Request) -> list[str]:
    """Hold a JSON body against a schema."""
    import json

    from jsonschema.validators import validator_for

    try:
        body = json.loads(request.body)
    except ValueError as error:
        return [f"the body is no JSON: {error}"]
    found = validator_for(schema)(schema).iter_errors(body)
    return [f"{error.json_path}: {_ends_of(error.message)}" for error in found]


def _ends_of(message: str) -> str:
    """Shorten a message of jsonschema in the middle: the value comes first, what is wrong with it last."""
    return message if len(message) < 200 else f"{message[:80]} ... {message[-80:]}"


def _skip(field: str, what: str) -> NoReturn:
    pytest.skip(f"give Conformance({field}=...): {what}")


# ---------------------------------------------------------------------------------------------- how a check runs


class ContractBroken(AssertionError):
    """A plugin does not do what the contract says.

    Args:
        seen: what was seen.
        task: the task that shows it.
    """

    def __init__(self, seen: str, task: object = None) -> None:
        super().__init__(seen if task is None else f"{seen}\ntask: {task!r}")


def expect(fine: object, seen: str, task: object = None) -> None:
    """Fail with what was seen, and the task that shows it."""
    __tracebackhide__ = True
    if not fine:
        raise ContractBroken(seen, task)


Check = Callable[[Conformance], None]


def check(function: Check) -> Check:
    """Make a check of the kit: its contract is the docstring's first line, and a plugin may declare that it deviates."""
    contract = (function.__doc__ or "").splitlines()[0]

    @functools.wraps(function)
    def checked(conformance: Conformance) -> None:
        __tracebackhide__ = True
        reason = conformance.deviations.get(function.__name__)
        try:
            with _quiet():
                function(conformance)
        except Exception as error:
            if reason is not None:
                pytest.xfail(f"{reason} (seen: {shorten(str(error), 200)})")
            error.add_note(f"contract: {contract}")
            raise
        if reason is not None:
            pytest.fail(f"{function.__name__} passes; take its deviation out: {reason}")

    return checked


@contextmanager
def _quiet() -> Iterator[None]:
    """That a model is past its end of life warns every user, and is no fault of the plugin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def explore(strategy: SearchStrategy[Any], holds: Callable[[Any], None], examples: int = 25) -> None:
    """Try examples of a strategy; of those that fail the smallest is shown.

    Args:
        strategy: what is drawn.
        holds: raises where the contract is broken.
        examples: how many, where Hypothesis' profile says 100; more or fewer in proportion.
    """

    @settings(
        max_examples=max(1, examples * settings().max_examples // 100),
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(drawn=strategy)
    def example(drawn: Any) -> None:
        holds(drawn)

    example()
