"""Runs of models. A run outlives the client that asked for it, and its result is kept for when the client asks again."""

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
    """One run, and those who wait for it.

    Attributes:
        digest: what was asked, and by whom.
        name: the model and the task, for the log.
        clients: how many wait for it.
        delivered: whether a client has got its result, or its error.
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
        """Whether there is neither a result nor an error."""
        return not self._task.done()

    def worth_keeping(self) -> bool:
        """Tell whether a client that comes back would pay again for what has not been delivered yet."""
        if self.clients or self._ended is None:
            return True
        if self.delivered or self._task.cancelled() or self._loop.time() - self._ended >= KEPT_SECONDS:
            return False
        error = self._task.exception()
        return error is None or (isinstance(error, LimnerError) and error.may_be_billed)

    def weight(self, weigh: Callable[[T], int]) -> int:
        """Return the bytes of the result; 0 where there is none."""
        made = not self.under_way and not self._task.cancelled() and self._task.exception() is None
        return weigh(self._task.result()) if made else 0

    async def result(self) -> T:
        """Wait for the result; giving up the wait does not end the run."""
        try:
            return await asyncio.shield(self._task)
        except LimnerError:
            self.delivered = True
            raise

    async def wait(self, seconds: float) -> None:
        """Wait until there is a result, but no longer than this."""
        await asyncio.wait([self._task], timeout=seconds)

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Call back when there is a result or an error."""
        self._task.add_done_callback(lambda _: callback())

    def give_up(self) -> None:
        """End the run; what is sent already may be billed."""
        self.given_up = True
        self._task.cancel()

    @contextlib.contextmanager
    def heard_by(self, listener: Callable[[Progress], None]) -> Iterator[None]:
        """Let a listener hear of progress, in the event loop."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _report(self, progress: Progress) -> None:
        """Pass progress on, from the thread that runs."""
        if self._listeners:
            self._loop.call_soon_threadsafe(self._hear, progress)

    def _hear(self, progress: Progress) -> None:
        for listener in self._listeners:
            listener(progress)

    def _end(self, _task: asyncio.Task[T]) -> None:
        self._ended = self._loop.time()


class Runs(Generic[T]):
    """The runs under way, and the results that nobody has got yet: these for a time, and within a number of bytes.

    A client that asks again joins its run, or gets its result: where the client that asked first is gone without an answer,
    or where the request says that it is a repetition. Two clients that ask for the same at once get two runs.
    """

    def __init__(self, weigh: Callable[[T], int]) -> None:
        self._runs: list[Run[T]] = []
        self._weigh = weigh

    @property
    def under_way(self) -> list[Run[T]]:
        """The runs without a result."""
        return [run for run in self._runs if run.under_way]

    @contextlib.asynccontextmanager
    async def joined(self, digest: str, name: str, start: Start[T], *, repeated: bool) -> AsyncIterator[tuple[Run[T], bool]]:
        """Join a run, or start one.

        Args:
            digest: what was asked, and by whom.
            name: the model and the task, for the log.
            start: starts the run; is given what to report progress to.
            repeated: whether the request says that it is a repetition.

        Yields:
            The run, and whether it is an earlier one.

        Raises:
            RequestRefused: too many runs are under way.
        """
        await asyncio.sleep(0)  # a client that hung up a moment ago is seen to be gone
        self._tidy()
        earlier = self._found(digest, repeated=repeated)
        run = earlier or self._started(digest, name, start)
        run.clients += 1
        try:
            yield run, earlier is not None
        finally:
            run.clients -= 1
            if not (run.clients or run.delivered or run.given_up):
                log.info("%s: the client is gone; the result is kept for when it asks again", run.name)
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
        """Forget what is not worth keeping, and the oldest results of those that weigh too much."""
        self._runs = [run for run in self._runs if run.worth_keeping()]
        weight = sum(run.weight(self._weigh) for run in self._runs)
        for run in [run for run in self._runs if not run.clients and not run.under_way]:
            if weight <= KEPT_BYTES:
                break
            weight -= run.weight(self._weigh)
            self._runs.remove(run)

    async def close(self, _app: web.Application) -> None:
        """End the runs under way, and report them."""
        runs = self.under_way
        for run in runs:
            run.give_up()
        if runs:
            names = ", ".join(run.name for run in runs)
            log.warning("interrupted with %d under way, which may be billed: %s", len(runs), names)
