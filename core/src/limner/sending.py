"""Sending: a run's requests side by side, in the model's slots. An error of one does not lose the answers of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import TypeVar

import attrs

from limner import reporting, workers
from limner.errors import LimnerError, ProviderError
from limner.interface import ModelInterface, Request, Response
from limner.isolation import blaming, checked

T = TypeVar("T")


@attrs.frozen
class Answers:
    """What became of the requests: an answer or an error for each, in their order."""

    outcomes: tuple[Response | LimnerError, ...]
    seconds: float
    bytes_sent: int

    @property
    def responses(self) -> list[Response]:
        """The answers, without the errors."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Response)]

    @property
    def may_be_billed(self) -> bool:
        """Whether at least one call was answered, or failed in a way that may have been billed."""
        return any(isinstance(outcome, Response) or outcome.may_be_billed for outcome in self.outcomes)


def send(model: ModelInterface, requests: Sequence[Request]) -> Answers:
    """Send requests side by side."""
    started = time.perf_counter()
    outcomes = _send_all(model, requests)
    seconds = time.perf_counter() - started
    return Answers(tuple(outcomes), seconds, sum(len(request.body) for request in requests))


def _send_all(model: ModelInterface, requests: Sequence[Request]) -> list[Response | LimnerError]:
    slots = workers.slots("send", model.id, model.settings.max_in_flight)
    cancelled = workers.current_cancellation()
    reporter = reporting.reporter(len(requests))
    jobs = [partial(_send_one, model, request, cancelled, reporter, call) for call, request in enumerate(requests)]
    if len(jobs) == 1:
        with slots.held(cancelled):
            return [_outcome(jobs[0])]
    try:
        futures = [slots.start(workers.bound(job, cancelled), cancelled) for job in jobs]
        return [_outcome(future.result) for future in futures]
    except BaseException:  # a KeyboardInterrupt, while others are still out
        cancelled.set()
        raise


def _send_one(
    model: ModelInterface, request: Request, cancelled: threading.Event, reporter: reporting.Reporter | None, call: int
) -> Response:
    if cancelled.is_set():
        raise CancelledError
    with reporting.reporting(reporter, call), blaming(type(model), "send"):
        return checked(model.send(request), Response)


def _outcome(get: Callable[[], Response]) -> Response | LimnerError:
    try:
        return get()
    except CancelledError:
        error: LimnerError = ProviderError("cancelled before it was sent")
        error.may_be_billed = False
        return error
    except LimnerError as failure:
        return failure


async def in_worker(model: ModelInterface, job: Callable[[], T]) -> T:
    """Do a job in one of limner's threads; cancelling stops what is not sent yet, and frees the model's slot at once."""
    import asyncio  # takes as long to import as everything else here

    cancelled = workers.Cancellation()
    slots = workers.slots("run", model.id, model.settings.max_in_flight)
    try:
        return await asyncio.wrap_future(slots.start(workers.bound(job, cancelled), cancelled))
    except asyncio.CancelledError:
        cancelled.set()
        raise


def cancellation() -> threading.Event:
    """Return the event that is set once the caller has given up; code in ``send`` that waits should wait on it."""
    return workers.current_cancellation()
