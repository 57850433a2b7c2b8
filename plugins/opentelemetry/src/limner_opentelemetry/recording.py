"""One run as a span and in metrics, by OpenTelemetry's semantic conventions for generative AI."""

from __future__ import annotations

import functools
import logging
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import limner
from limner import LimnerError, Model, ProviderError, Result, Task
from opentelemetry import context, metrics, trace
from opentelemetry.metrics import Histogram
from opentelemetry.trace import SpanKind, Status, StatusCode

from limner_opentelemetry.content import captures_prompts, input_messages

log = logging.getLogger("limner")

OPERATION = "generate_content"
"""The conventions' value for multimodal generation; which task it is stands in ``limner.task``."""

DURATION_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKEN_BUCKETS = tuple(4**power for power in range(14))

FINISH_REASONS = {"ok": "stop", "filtered": "content_filter", "failed": "error"}
TOKEN_TYPES = {"input_tokens": "input", "output_tokens": "output"}

_MAX_INT = 2**63 - 1


class Recording:
    """The record of a run from its start to its end. What goes wrong at its end is logged: the pictures are paid for."""

    def __init__(self, model: Model, task: Task) -> None:
        self._model, self._task = model, task
        self._names = {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.provider.name": model.provider or model.plugin or "_OTHER",
            "gen_ai.request.model": model.model_id,
        }
        kind = SpanKind.INTERNAL if model.offline else SpanKind.CLIENT
        self._span = _tracer().start_span(f"{OPERATION} {model.model_id}", kind=kind, attributes=self._names)
        self._token = context.attach(trace.set_span_in_context(self._span))
        self._started = time.perf_counter()
        if self._span.is_recording():
            self._span.set_attributes(_request_attributes(task))

    def succeeded(self, result: Result) -> None:
        """End the record with a result."""
        self._end(result)

    def failed(self, error: BaseException) -> None:
        """End the record with an error, and with what came out in spite of it."""
        self._end(error.result if isinstance(error, LimnerError) else None, error)

    def _end(self, result: Result | None, error: BaseException | None = None) -> None:
        seconds = time.perf_counter() - self._started
        try:
            if self._span.is_recording():
                self._describe(result, error)
            self._measure(seconds, result, error)
        except Exception:
            log.exception("limner-opentelemetry failed")
        finally:
            context.detach(self._token)
            self._span.end()

    def _describe(self, result: Result | None, error: BaseException | None) -> None:
        if error is not None:
            self._describe_error(error)
        if result is not None:
            self._span.set_attributes(_response_attributes(result))
            self._span.set_attributes(_cost_attributes(self._model, result))

    def _describe_error(self, error: BaseException) -> None:
        """Name the error; its message may quote the prompt."""
        kind = type(error)
        event = {"exception.type": f"{kind.__module__}.{kind.__qualname__}"}
        if captures_prompts():
            event["exception.message"] = str(error)
        self._span.set_attribute("error.type", kind.__qualname__)
        self._span.add_event("exception", event)
        self._span.set_status(Status(StatusCode.ERROR, kind.__qualname__))
        if isinstance(error, ProviderError):
            self._span.set_attributes(_id_attributes(error.request_ids))

    def _measure(self, seconds: float, result: Result | None, error: BaseException | None) -> None:
        failure = {} if error is None else {"error.type": type(error).__qualname__}
        _duration().record(seconds, {**self._names, **failure})
        for name, count in _tokens(result.usage if result is not None else {}).items():
            _token_usage().record(count, {**self._names, "gen_ai.token.type": TOKEN_TYPES[name]})


def _request_attributes(task: Task) -> dict[str, Any]:
    attributes: dict[str, Any] = {"gen_ai.output.type": "image", "limner.task": task.kind}
    n, seed = getattr(task, "n", None), getattr(task, "seed", None)
    if n not in {None, 1}:
        attributes["gen_ai.request.choice.count"] = n
    if seed is not None and seed <= _MAX_INT:
        attributes["gen_ai.request.seed"] = seed
    if captures_prompts() and (messages := input_messages(task)):
        attributes["gen_ai.input.messages"] = messages
    return attributes


def _response_attributes(result: Result) -> dict[str, Any]:
    outcomes = Counter(picture.outcome for picture in result.pictures)
    attributes: dict[str, Any] = {
        f"limner.pictures.{outcome}": outcomes[outcome] for outcome in ("ok", "filtered", "failed")
    }
    attributes["gen_ai.response.finish_reasons"] = [FINISH_REASONS[picture.outcome] for picture in result.pictures]
    attributes |= {f"gen_ai.usage.{name}": count for name, count in _tokens(result.usage).items()}
    return attributes | _id_attributes(result.request_ids)


def _id_attributes(ids: tuple[str, ...]) -> dict[str, Any]:
    """The conventions know one response; a run of several calls has several."""
    return {"gen_ai.response.id": ids[0]} if len(ids) == 1 else {"limner.response.ids": ids} if ids else {}


def _cost_attributes(model: Model, result: Result) -> dict[str, Any]:
    """What the run costs by the known prices; nothing where that is unknown."""
    try:
        cost = model.cost_of(result.task)
    except LimnerError as error:  # the user's price file is wrong
        log.warning("limner-opentelemetry: the cost is unknown: %s", error)
        return {}
    if cost is None:
        return {}
    return {
        "limner.cost.low": float(cost.low),
        "limner.cost.high": float(cost.high),
        "limner.cost.currency": cost.currency,
    }


def _tokens(usage: Mapping[str, float]) -> dict[str, int]:
    return {name: int(usage[name]) for name in TOKEN_TYPES if name in usage}


@functools.cache
def _tracer() -> trace.Tracer:
    return trace.get_tracer("limner", limner.__version__)


@functools.cache
def _duration() -> Histogram:
    return metrics.get_meter("limner", limner.__version__).create_histogram(
        "gen_ai.client.operation.duration",
        unit="s",
        description="GenAI operation duration.",
        explicit_bucket_boundaries_advisory=DURATION_BUCKETS,
    )


@functools.cache
def _token_usage() -> Histogram:
    return metrics.get_meter("limner", limner.__version__).create_histogram(
        "gen_ai.client.token.usage",
        unit="{token}",
        description="Number of input and output tokens used.",
        explicit_bucket_boundaries_advisory=TOKEN_BUCKETS,
    )
