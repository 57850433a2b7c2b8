"""The input of the conformance kit, and how its checks run."""

from __future__ import annotations

import functools
import json
import math
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, get_args

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from limner import Decoded, Model, Picture, ProviderError, Request, Response, Task
from limner.errors import shorten
from limner.results import PictureOutcome
from limner.testing.broken import ContractBroken, broken_by, expect
from limner.testing.loopback import Call, Reply
from limner.testing.watching import noting_levels

__all__ = ["Conformance", "ContractBroken", "Recorded", "check", "decoded", "expect", "explore", "facts", "schema_problems"]

UNREADABLE = "Conformance(body_problems=...) cannot read the body"
Schema = Mapping[str, Any]
Send = Callable[[Request], Response]
Example = tuple[Task, Any]


def _outcomes(values: Iterable[PictureOutcome]) -> tuple[PictureOutcome, ...]:
    """Make a tuple: a converter that type checkers understand."""
    return tuple(values)


@attrs.frozen(kw_only=True)
class Recorded:
    """A stored response of the provider, and what limner must make of it.

    Args:
        task: a task for one call, as a user writes it; with a seed if the model supports seeds.
        body: the provider's bytes.
        service: instead of ``body``, what the provider answers to each call of HTTP for this task: a function of a
            :class:`Call` that returns a :class:`Reply`, for a job that is refused or fails. Requires ``endpoint``.
        outcomes: the outcomes of the pictures that :meth:`limner.Model.decode` returns, in order.
        error: the class of the error that is raised instead: by ``decode``, or by ``send`` if ``status`` is an error or
            there is a ``service``.
        name: a name for messages, such as that of the file.
        status: the HTTP status. ``send`` receives a response with another status than 2xx, through ``endpoint`` or
            ``failing``.
        headers: HTTP headers of the response, such as the request id. With an ``endpoint``, ``send`` receives a
            response that has any.
        usage: the usage that ``send`` and ``decode`` read, such as ``{"output_tokens": 272}``. Default: it is not compared.
    """

    task: Task
    body: bytes = b""
    outcomes: tuple[PictureOutcome, ...] = attrs.field(default=("ok",), converter=_outcomes)
    error: type[ProviderError] | None = None
    name: str = ""
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    usage: Mapping[str, float] | None = None
    service: Callable[[Call], Reply] | None = None

    @property
    def is_http_error(self) -> bool:
        """Whether ``send`` meets it, and ``decode`` never does."""
        return self.status // 100 != 2

    def __str__(self) -> str:
        status = f"HTTP {self.status}, " if self.is_http_error else ""
        return self.name or f"{self.task.kind}, {status}{shorten(self.body)}"


@attrs.frozen(kw_only=True)
class Conformance:
    """A model and the facts that its provider documents: the input of every check.

    Only ``model`` is required. A check that needs something else is skipped and names it.

    Args:
        model: the model to check. Its ``send`` is called only if it is ``offline`` and there is no ``answer``.
        body_schema: the JSON Schema of request bodies, written from the provider's documents and not from the limits; or a
            function that returns one for a task's kind, such as ``inpaint``. Enables the checks of bodies and of the ends of
            limits. A multipart or form body is validated as an object of its fields: a text counts as the number, flag or
            list of one that the schema's ``properties`` want.
        body_problems: instead of ``body_schema`` or in addition to it, a function that returns the violations of the
            documents in a request, for example in one of its pictures.
        examples: tasks, each with the part of the body that the provider's documents show for it. An object must contain at
            least these keys, a list exactly these items. For a body that is not JSON, a text or bytes that it must contain.
            Enables the checks of meaning: in which direction a number runs, and what a name stands for.
        answer: returns the response that the provider documents for a successful request, with the requested number of
            pictures in the requested size. Enables the checks of responses. An ``offline`` model does not need it.
        reference_painter: returns, for an edit request, the request's picture with inverted colours where the provider
            documents that the request's mask selects it, and unchanged elsewhere; in any size. Enables the checks of masks.
        vary_painter: returns, for a variation request, the request's picture blended with its inverted colours as far as
            the provider documents that the request departs from it. Enables the check of ``strength``.
        endpoint: returns the model, connected to a URL instead of the provider's address, such as
            ``lambda url: Painter(Painter.Settings.of({"endpoint_url": url, "api_key": "k"}))``. The kit starts a server
            at that URL on this machine and counts the calls. Enables the checks of ``send``.
        service: what the provider answers to each call of HTTP at that URL: a function of a :class:`Call` that returns a
            :class:`Reply`. Default: ``answer`` to every call. Enables the checks of jobs that are submitted, polled and
            downloaded; URLs in a reply begin with ``call.base_url``.
        failing: instead of ``endpoint``, for a model with another kind of transport: a function of an HTTP status and a
            body that returns the model (or its ``send``) over a transport that gives this response to every call.
        retryable: HTTP statuses after which ``send`` may call again, because the provider documents that nothing was made.
        recorded: real responses of the provider, at least one for each task and one for each kind of refusal.
        deviations: checks that cannot pass, by name, each with the reason; they are then expected to fail.
        module: the module that the plugin's entry point names. Default: the module that defines the model.
    """

    model: Model
    body_schema: Schema | Callable[[str], Schema] | None = None
    body_problems: Callable[[Request], Sequence[str]] | None = None
    examples: Sequence[Example] = ()
    answer: Send | None = None
    reference_painter: Send | None = None
    vary_painter: Send | None = None
    endpoint: Callable[[str], Model] | None = None
    service: Callable[[Call], Reply] | None = None
    failing: Callable[..., Model | Send] | None = None
    recorded: Sequence[Recorded] = ()
    retryable: Collection[int] = (429, 503)
    deviations: Mapping[str, str] = attrs.field(factory=dict)
    module: str | None = None

    @property
    def tasks(self) -> list[type[Task]]:
        """The classes of the tasks that the model does."""
        return list(self.model.limits)

    @property
    def package(self) -> str:
        """The import name of the plugin."""
        return type(self.model).__module__.partition(".")[0]

    @property
    def transport(self) -> Send:
        """What answers; skips the check where nothing does."""
        if self.answer is not None:
            return _given("answer", self.answer)
        return self.model.send if self.model.offline else skip("answer", "a function that answers a request well")

    @property
    def painter(self) -> Send:
        """The reference painter; skips the check where there is none."""
        if self.reference_painter is None:
            skip("reference_painter", "a function that inverts what a request's mask opens")
        return _given("reference_painter", self.reference_painter)

    def connected(self, send: Send) -> Model:
        """Return the model with another transport."""

        def decode(model: Model, call: Task, response: Response) -> Any:
            found = type(self.model).decode(model, call, response)
            _expect_facts(found, call)  # here, for what runs around a model trusts them
            return found

        return self.overriding(send=lambda _, request: send(request), decode=decode)

    def overriding(self, **methods: Callable[..., Any]) -> Model:
        """Return the model, of a subclass with other methods: a model with other settings has them too."""
        kind = type(self.model)
        made: Model = type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__})(
            self.model.settings, model_id=self.model.model_id
        )
        return made

    @property
    def has_oracle(self) -> bool:
        """Whether there is anything that says what is wrong with a body."""
        return self.body_problems is not None or self.body_schema is not None

    def schema_of(self, task: Task) -> Schema | None:
        """The JSON Schema of the bodies of a kind of task."""
        return self.body_schema(task.kind) if callable(self.body_schema) else self.body_schema

    def problems_of(self, task: Task, request: Request) -> Sequence[str]:
        """Say what is wrong with a request by the provider's documents; skips the check where they were not given."""
        if not self.has_oracle:
            skip("body_schema", "the JSON Schema of the provider's request bodies (or body_problems)")
        schema = self.schema_of(task)
        found = [] if schema is None else schema_problems(schema, request)
        if self.body_problems is None:
            return found
        try:
            return [*found, *self.body_problems(request)]
        except Exception as error:
            return [*found, f"{UNREADABLE}: {error!r}"]


def schema_problems(schema: Schema, request: Request) -> list[str]:
    """Hold a body against a schema: JSON, or the fields of a form."""
    from jsonschema.validators import validator_for

    from limner.testing import bodies

    tree = bodies.parsed(request.body)
    if isinstance(tree, str) and not bodies.is_json(request.body):
        return [f"the body is neither JSON nor a form: {shorten(tree)}"]
    plain = bodies.plain(tree)
    read = plain if bodies.is_json(request.body) else bodies.typed_form(plain, schema)
    found = validator_for(schema)(schema).iter_errors(read)
    return [f"{error.json_path}: {_ends_of(error.message)}" for error in found]


def _ends_of(message: str) -> str:
    """Shorten a message of jsonschema in the middle: the value comes first, what is wrong with it last."""
    return message if len(message) < 200 else f"{message[:80]} ... {message[-80:]}"


def skip(field: str, what: str) -> NoReturn:
    """Skip a check for what was not given."""
    pytest.skip(f"give Conformance({field}=...): {what}")


def _given(field: str, send: Send) -> Send:
    """What was given in place of the provider; that it fails is said in so many words."""

    def answered(request: Request) -> Response:
        try:
            response = send(request)
        except (ContractBroken, ProviderError):
            raise
        except Exception as error:
            seen = f"Conformance({field}=...) raised {error!r} for the request {shorten(request.body, 200)}"
            raise ContractBroken(f"{seen}; look whether the request is as documented, then at {field}") from error
        fine = isinstance(response, Response) and isinstance(response.body, bytes)
        expect(fine, f"Conformance({field}=...) returned {response!r} instead of a Response(bytes)")
        return response

    return answered


def decoded(model: Model, call: Task, response: Response) -> list[Picture]:
    """Decode an answer, and hold that what comes are pictures."""
    found: Any = model.decode(call, response)
    _expect_facts(found, call)
    fine = isinstance(found, Iterable) and not isinstance(found, str | bytes | Mapping)
    expect(fine, f"decode returned {shorten(found)}, must be a list of Pictures", call)
    pictures = list(found)
    for picture in pictures:
        expect(isinstance(picture, Picture), f"decode gave {shorten(picture)} for a picture, must be a Picture", call)
        _expect_types(picture, call)
    return pictures


def _expect_facts(found: Any, call: Task) -> None:
    """Hold that usage is numbers, and metadata JSON values."""
    for name, value in getattr(found, "usage", {}).items() if isinstance(found, Decoded) else ():
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
        expect(isinstance(name, str) and number, f"decode gave the usage {name!r}: {value!r}, must be a number from 0", call)
    if isinstance(found, Decoded):
        try:
            json.dumps(dict(found.metadata), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ContractBroken(
                f"decode gave metadata that is not JSON: {shorten(found.metadata)} ({error})", call
            ) from error


def facts(model: Model, call: Task, response: Response) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode an answer, and give what it says of the call: usage and metadata."""
    found: Any = model.decode(call, response)
    return (dict(found.usage), dict(found.metadata)) if isinstance(found, Decoded) else ({}, {})


def _expect_types(picture: Picture, call: Task) -> None:
    from limner import Image

    allowed: dict[str, tuple[type, ...]] = {"image": (Image, type(None)), "seed": (int, type(None)), "index": (int,)}
    allowed |= {"reason": (str,), "raw": (Image, type(None)), "mask": (Image, type(None))}
    for name, kinds in allowed.items():
        value = getattr(picture, name)
        words = " or ".join(kind.__name__ for kind in kinds)
        expect(isinstance(value, kinds), f"decode gave a picture whose {name} is {shorten(value)}, must be {words}", call)
    outcomes = get_args(PictureOutcome)
    expect(picture.outcome in outcomes, f"decode gave the outcome {picture.outcome!r}, must be one of {outcomes}", call)


# ---------------------------------------------------------------------------------------------- how a check runs

Check = Callable[[Conformance], None]


def check(function: Check) -> Check:
    """Make a check of the kit: its contract is the docstring's first line, and a plugin may declare that it deviates."""
    contract = (function.__doc__ or "").splitlines()[0]

    @functools.wraps(function)
    def checked(conformance: Conformance) -> None:
        __tracebackhide__ = True
        reason = conformance.deviations.get(function.__name__)
        try:
            with _quiet(), noting_levels(conformance.package):
                function(conformance)
        except (Exception, SystemExit) as error:
            if (skipped := _skip_in(error)) is not None:
                raise skipped from None
            failure = broken_by(error, conformance.package)
            if reason is not None:
                pytest.xfail(f"{reason} (seen: {shorten(str(failure), 200)})")
            failure.add_note(f"contract: {contract}")
            if failure is error:
                raise
            raise failure from error
        if reason is not None:
            pytest.fail(f"{function.__name__} passes; take its deviation out: {reason}")

    return checked


def _skip_in(error: BaseException) -> BaseException | None:
    """Find the skip that a function given in place of the model's own has raised: core takes it for the plugin's failure."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, pytest.skip.Exception):
            return cause
        cause = cause.__cause__
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """That a model is past its end of life warns every user, and is no fault of the plugin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", ResourceWarning)
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
