"""Batches: thousands of tasks, each paid for once.

:func:`batch` and :func:`abatch` are public; the command line is ``limner batch``.

outcomes     the outcomes of tasks, and the outcome that an error means
manifest     the sources of tasks: JSON Lines, CSV, tasks in Python
planning     plans every task before the first is sent
journal      the append-only record of planned and sent tasks and their outcomes
locks        one driver per folder; one worker per attempt
pictures     saves pictures, and finds them after a crash
budget       limits on spending
pacing       the rate limit, and pauses
work         the work of one worker
engines      threads and executors
dask_engine  Dask distributed
driver       the protocol
index        metadata.jsonl
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from limner.batches.budget import Budget, parse_sum
from limner.batches.driver import Driver, Options
from limner.batches.manifest import Tasks, opened
from limner.batches.outcomes import BatchOutcome
from limner.batches.pacing import parse_rate
from limner.catalog import get_model
from limner.errors import Problem, TaskRefused

if TYPE_CHECKING:
    from limner.model import Model

__all__ = ["BatchOutcome", "abatch", "batch"]


def batch(
    tasks: Tasks,
    *,
    out: str | os.PathLike[str],
    model: str | Model | None = None,
    executor: Executor | None = None,
    dask: str | None = None,
    in_flight: int | None = None,
    rate: str | None = None,
    max_pictures: int | None = None,
    max_spend: str | None = None,
    resume: bool = False,
    retry_failed: bool = False,
    resend_unknown: bool = False,
) -> Iterator[BatchOutcome]:
    """Run many tasks, pay for each once, and save their pictures in a folder.

    All tasks are planned before the first is sent. A journal in the folder is flushed to disk before each call,
    so that an interrupted batch can always be resumed. Tasks are sent while the caller iterates. When the caller stops
    iterating or presses Ctrl-C, nothing more is sent, and the calls in flight are awaited.

    Args:
        tasks: the path of a manifest (JSON Lines, CSV or TSV), tasks, or a mapping of ids to tasks.
        out: the folder of the pictures and the journal. It is created if it does not exist.
        model: a name or a model, for tasks that do not name one; the default is that of :func:`get_model`.
        executor: an executor that makes the calls instead of threads. Its workers must share the folder.
        dask: the address of a Dask scheduler, or ``local:4`` for four processes on this machine.
        in_flight: the number of concurrent tasks; by default the model's setting ``max_in_flight``, or the workers' threads.
        rate: the maximum rate of calls, such as ``60/min``.
        max_pictures: the maximum number of pictures, including earlier runs in the folder.
        max_spend: the maximum cost by the known prices, such as ``20USD``, including earlier runs in the folder.
        resume: continue the batch in the folder, or start one if there is none.
        retry_failed: resume, and resend failed tasks, for which nothing was billed.
        resend_unknown: resume, and resend tasks that may already have been billed.

    Yields:
        An outcome for each task: first those known from earlier runs, then the others in order of completion.

    Raises:
        TaskRefused: tasks or arguments are invalid, or the folder is in use; nothing was sent.
        BatchStopped: the budget was reached before every task was sent.
        ProviderError: an error that affects every task, such as AuthenticationFailed; calls in flight were awaited.
        OSError: the folder cannot be written.
    """
    options = Options(
        out=Path(out),
        models=models_by_name(model, in_flight),
        budget=budget_of(max_pictures, max_spend),
        rate=None if rate is None else parse_rate(rate),
        in_flight=checked_in_flight(in_flight),
        executor=executor,
        dask=dask,
        resume=resume,
        retry_failed=retry_failed,
        resend_unknown=resend_unknown,
    )
    if executor is not None and dask is not None:
        raise TaskRefused([Problem("executor", "", "and dask cannot be combined; give one")])
    return _outcomes(tasks, options)


def _outcomes(tasks: Tasks, options: Options) -> Iterator[BatchOutcome]:
    with _opened(tasks, options) as driver, closing(driver.outcomes()) as outcomes:
        while True:
            with _interrupts_deferred(driver):
                outcome = next(outcomes, None)
            if outcome is None:
                return
            yield outcome


@contextmanager
def _interrupts_deferred(driver: Driver) -> Iterator[None]:
    """Make Ctrl-C stop the driver gracefully; a second Ctrl-C interrupts it."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if pressed:
            signal.default_int_handler(number, frame)
        pressed.append(number)
        driver.stop("interrupted")

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def _opened(tasks: Tasks, options: Options) -> Iterator[Driver]:
    with opened(tasks) as source:
        driver = Driver(source, options)
        driver.open()
        try:
            yield driver
        finally:
            driver.close()


async def abatch(tasks: Tasks, *, out: str | os.PathLike[str], **arguments: object) -> AsyncIterator[BatchOutcome]:
    """Run :func:`batch` without blocking the event loop. Cancelling sends nothing more; calls in flight are awaited."""
    outcomes = batch(tasks, out=out, **arguments)  # type: ignore[arg-type]
    following: asyncio.Future[BatchOutcome | None] | None = None
    try:
        while True:
            following = asyncio.ensure_future(asyncio.to_thread(next, outcomes, None))
            outcome = await asyncio.shield(following)
            if outcome is None:
                return
            yield outcome
    finally:
        if following is not None and not following.done():
            await asyncio.wait([following])
        await asyncio.shield(asyncio.to_thread(outcomes.close))  # type: ignore[attr-defined]


def models_by_name(
    default: str | Model | None, in_flight: int | None, find: Callable[[str | None], Model] = get_model
) -> Callable[[str | None], Model]:
    """Return a function that finds a task's model by its name, or the default model; each model is created once.

    Args:
        default: a name, a model, or ``None`` for limner's default.
        in_flight: the minimum for the setting ``max_in_flight``; ``None`` keeps the setting.
        find: the function that finds and configures a model.
    """
    known: dict[str | None, Model] = {}

    def model_of(name: str | None) -> Model:
        if name not in known:
            named = default if name is None else name
            found = find(named) if named is None or isinstance(named, str) else named
            if in_flight is not None and found.settings.max_in_flight < in_flight:
                found = found.with_settings(max_in_flight=in_flight)
            known[name] = found
        return known[name]

    return model_of


def budget_of(max_pictures: int | None, max_spend: str | None) -> Budget:
    """Create a budget.

    Raises:
        TaskRefused: a limit is invalid.
    """
    if max_pictures is not None and (isinstance(max_pictures, bool) or max_pictures < 0):
        raise TaskRefused([Problem.of("max_pictures", max_pictures, "must be a whole number of at least 0")])
    return Budget(max_pictures, None if max_spend is None else parse_sum(max_spend))


def checked_in_flight(in_flight: int | None) -> int | None:
    """Check the number of concurrent tasks.

    Raises:
        TaskRefused: it is not above 0.
    """
    if in_flight is not None and in_flight < 1:
        raise TaskRefused([Problem.of("in_flight", in_flight, "must be a whole number of at least 1")])
    return in_flight
