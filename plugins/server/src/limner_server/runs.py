"""Runs of models. A run continues if its client disconnects, and its result is kept for a retry of the client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Generic, TypeVar

from aiohttp import web
from limner import LimnerError, Progress

from limner_server.errors import RequestRefused
from limner_server.settings import KEPT_BYTES, KEPT_SECONDS, MOST_RUNS

T = TypeVar("T")
Report = Callable[[Progress], object]
Start = Callable[[Report], Coroutine[Any, Any, T]]

log = logging.getLogger("limner.server")


class Run(Generic[T]):
    """One run and its waiting clients.

    Attributes:
        digest: the digest of request and key.
        name: the model and the task, for the log.
        clients: the number of waiting clients.
        delivered: whether a client has received its result or error.
        given_up: whether the server ended it.
    """

    def __init__(self, digest: str, name: str, start: Start[T]) -> None:
        self.digest, self.name = digest, name
        self.clients, self.delivered, self.given_up = 0, False, False
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[Progress], None]] = []
        self._task = self._loop.create_task(start(self._report))
        self._ended: float | None = None
        self._task.add_done_callback(self._end)

    @property
    def under_way(self) -> bool:
        """Whether the run is still in progress."""
        return not self._task.done()

    def worth_keeping(self) -> bool:
        """Return whether a retry would pay again for an undelivered result."""
        if self.clients or self._ended is None:
            return True
        if self.delivered or self._task.cancelled() or self._loop.time() - self._ended >= KEPT_SECONDS:
            return False
        error = self._task.exception()
        return error is None or (isinstance(error, LimnerError) and error.may_be_billed)

    def weight(self, weigh: Callable[[T], int]) -> int:
        """Return the size of the result in bytes; 0 if there is none."""
        made = not self.under_way and not self._task.cancelled() and self._task.exception() is None
        return weigh(self._task.result()) if made else 0

    async def result(self) -> T:
        """Wait for the result; cancelling the wait does not end the run."""
        try:
            return await asyncio.shield(self._task)
        except LimnerError:
            self.delivered = True
            raise

    async def wait(self, seconds: float) -> None:
        """Wait for the result, up to a timeout."""
        await asyncio.wait([self._task], timeout=seconds)

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Register a callback for the result or error."""
        self._task.add_done_callback(lambda _: callback())

    def give_up(self) -> None:
        """End the run; requests already sent may be billed."""
        self.given_up = True
        self._task.cancel()

    @contextlib.contextmanager
    def heard_by(self, listener: Callable[[Progress], None]) -> Iterator[None]:
        """Register a listener for progress, called in the event loop."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _report(self, progress: Progress) -> None:
        """Pass on progress from the thread of the run."""
        if self._listeners:
            self._loop.call_soon_threadsafe(self._hear, progress)

    def _hear(self, progress: Progress) -> None:
        for listener in self._listeners:
            listener(progress)

    def _end(self, _task: asyncio.Task[T]) -> None:
        self._ended = self._loop.time()


class Runs(Generic[T]):
    """The runs in progress, and the undelivered results, which are kept for a limited time and within a total size.

    A repeated request joins its run or receives its result if the first client disconnected without a response, or if
    the request is marked as a retry. Two simultaneous requests with the same content get two runs.
    """

    def __init__(self, weigh: Callable[[T], int]) -> None:
        self._runs: list[Run[T]] = []
        self._weigh = weigh

    @property
    def under_way(self) -> list[Run[T]]:
        """The runs in progress."""
        return [run for run in self._runs if run.under_way]

    @contextlib.asynccontextmanager
    async def joined(self, digest: str, name: str, start: Start[T], *, repeated: bool) -> AsyncIterator[tuple[Run[T], bool]]:
        """Join a run, or start one.

        Args:
            digest: the digest of request and key.
            name: the model and the task, for the log.
            start: starts the run; its argument is the progress callback.
            repeated: whether the request is marked as a retry.

        Yields:
            The run, and whether it is an earlier one.

        Raises:
            RequestRefused: too many runs are in progress.
        """
        await asyncio.sleep(0)  # lets the server notice a client that has just disconnected
        self._tidy()
        earlier = self._found(digest, repeated=repeated)
        run = earlier or self._started(digest, name, start)
        run.clients += 1
        try:
            yield run, earlier is not None
        finally:
            run.clients -= 1
            if not (run.clients or run.delivered or run.given_up):
                log.info("%s: the client disconnected; the result is kept for a retry", run.name)
            self._tidy()

    def _found(self, digest: str, *, repeated: bool) -> Run[T] | None:
        same = [run for run in self._runs if run.digest == digest and not run.delivered]
        return next((run for run in same if not run.clients or repeated), None)

    def _started(self, digest: str, name: str, start: Start[T]) -> Run[T]:
        if len(self.under_way) >= MOST_RUNS:
            message = f"the server is busy with {MOST_RUNS} runs; try again later"
            raise RequestRefused(503, message, kind="server_error", code="busy", headers={"Retry-After": "5"})
        run = Run(digest, name, start)
        self._runs.append(run)
        run.when_ended(self._tidy_in_time)
        return run

    def _tidy_in_time(self) -> None:
        self._tidy()
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._tidy)

    def _tidy(self) -> None:
        """Discard expired results, and the oldest results beyond the total size."""
        self._runs = [run for run in self._runs if run.worth_keeping()]
        weight = sum(run.weight(self._weigh) for run in self._runs)
        for run in [run for run in self._runs if not run.clients and not run.under_way]:
            if weight <= KEPT_BYTES:
                break
            weight -= run.weight(self._weigh)
            self._runs.remove(run)

    async def close(self, _app: web.Application) -> None:
        """End the runs in progress, and report them."""
        runs = self.under_way
        for run in runs:
            run.give_up()
        if runs:
            names = ", ".join(run.name for run in runs)
            log.warning("interrupted with %d in progress, which may be billed: %s", len(runs), names)
