"""The driver of a batch: sends every task once and records its outcome.

The protocol is in docs/batch.md. In short: ``planned`` (with the drawn seed), ``sent`` on the disk before the call, the
picture on the disk before ``done``. If a task has a ``sent`` record but no outcome, its pictures are looked for on the
disk; if they are missing, the outcome is unknown.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import attrs

from limner import errors
from limner.batches import index, journal, locks, pictures
from limner.batches.budget import Budget
from limner.batches.engines import Engine, executed, proven, threads
from limner.batches.journal import Journal
from limner.batches.manifest import Source
from limner.batches.outcomes import STATUSES, BatchOutcome, Record
from limner.batches.pacing import Pace
from limner.batches.planning import Item, Planned, Spent, key_of, plan_all, seeded
from limner.batches.work import Job, TravellingModel
from limner.errors import BatchStopped, LimnerError, Problem, TaskRefused
from limner.model import Model
from limner.tasks import Task

MOST_UNMADE = 8
"""After so many attempts that were certainly not executed, a task has failed; if no other task succeeded, the batch ends."""

_LATE_SECONDS = 60.0
"""Seconds after the latest end of its calls until a silent worker is considered lost."""

_LEFT_SECONDS = 3600.0
"""Longer than writing any picture takes."""

_TICK = 0.5
"""Seconds between checks for a stop request: on Windows, a long wait ignores Ctrl-C."""


@attrs.frozen(kw_only=True)
class Options:
    """The options of a batch; see :func:`limner.batch`."""

    out: Path
    models: Callable[[str | None], Model]
    budget: Budget = attrs.field(factory=Budget)
    rate: float | None = None
    in_flight: int | None = None
    executor: Executor | None = None
    dask: str | None = None
    resume: bool = False
    retry_failed: bool = False
    resend_unknown: bool = False


class Driver:
    """One run of a batch.

    Args:
        source: the source of the tasks.
        options: the options of the batch.

    Attributes:
        planned: the planned tasks; available once the driver is open.
        counts: the number of tasks in each state.
        budget: the spending so far.
        stopped: why nothing more is sent, if so.
    """

    planned: Planned

    def __init__(self, source: Source, options: Options) -> None:
        self._source, self._options = source, options
        self.budget = options.budget
        self.counts: Counter[str] = Counter()
        self.stopped = ""
        self._error: BaseException | None = None
        self._pace = Pace(options.rate)
        self._pending: deque[Item] = deque()
        self._ended: deque[Item] = deque()
        self._out: dict[Future[Record], Item] = {}
        self._arrived: SimpleQueue[Future[Record] | None] = SimpleQueue()
        self._stopping = threading.Event()
        self._resources = contextlib.ExitStack()
        self._journal: Journal | None = None
        self._made = 0

    # ------------------------------------------------------------------------------------------ planning

    def plan(self) -> Planned:
        """Plan all tasks without writing anything.

        Raises:
            TaskRefused: the manifest is invalid, or does not match the journal.
        """
        options = self._options
        known = journal.settled(journal.read(options.out / journal.NAME))
        resume = options.resume or options.retry_failed or options.resend_unknown
        if known and not resume:
            limit = "holds a batch already; continue it with resume=True (--resume), or use another folder"
            raise TaskRefused([Problem("out", str(options.out), limit)])
        retry = options.retry_failed or options.resend_unknown
        planned = plan_all(self._source, options.models, known, self.budget, retry=retry)
        if known and len(planned.new) == len(planned.items) and any(record["attempt"] for record in known.values()):
            limit = "none of its tasks is in the manifest, or they are for another model or setting; use another folder"
            raise TaskRefused([Problem("out", str(options.out), limit)])
        for record in known.values():  # including tasks that are no longer in the manifest
            for _ in range(record["spent"]):
                self.budget.take(Spent.of(record))
        return planned

    def open(self) -> None:
        """Lock the folder, plan, and record new tasks.

        Raises:
            TaskRefused: another batch uses the folder, or :meth:`plan` refused; nothing was sent.
            OSError: the folder cannot be written.
        """
        options = self._options
        options.out.mkdir(parents=True, exist_ok=True)
        self._folder = options.out.resolve()
        (options.out / locks.CLAIMS).mkdir(exist_ok=True)
        try:
            self._resources.enter_context(locks.locked(options.out))
            _sweep(options.out)
            self.planned = self.plan()
            self._journal = self._resources.enter_context(Journal(options.out / journal.NAME))
            self._engine = self._resources.enter_context(self._engine_for(self.planned.items))
            self._write(*(item.planned() for item in self.planned.new))
        except BaseException:
            self.close()
            raise
        self.counts.update(item.status for item in self.planned.items)

    @contextlib.contextmanager
    def _engine_for(self, items: list[Item]) -> Iterator[Engine]:
        options, folder = self._options, self._folder
        in_flight = options.in_flight or max((item.model.settings.max_in_flight for item in items), default=1)
        if options.dask is not None:
            from limner.batches.dask_engine import connected

            models = sorted({item.model.id for item in items})
            with connected(options.dask, folder, models, options.in_flight) as engine:
                yield engine
        elif options.executor is not None:
            with proven(folder) as proof:
                yield executed(options.executor, in_flight, proof)
        else:
            yield threads(in_flight)

    # ------------------------------------------------------------------------------------------ running

    def stop(self, why: str = "stopped") -> None:
        """Send nothing more, and wait for the calls in flight. Can be called from any thread and from a signal handler."""
        self.stopped = self.stopped or why
        self._stopping.set()
        self._arrived.put(None)

    @property
    def out(self) -> int:
        """The number of tasks in flight."""
        return len(self._out)

    def outcomes(self) -> Generator[BatchOutcome, None, None]:
        """Run the batch.

        Yields:
            An outcome for each task: first those known from earlier runs, then the others in order of completion.

        Raises:
            BatchStopped: the budget was reached before every task was sent.
            ProviderError: an error that affects every other task too.
            OSError: the folder cannot be written any more.
        """
        try:
            yield from self._earlier()
            while self._pending or self._out:
                seconds = self._send()
                while self._ended:
                    yield self._outcome(self._ended.popleft())
                item = self._next(seconds) if self._pending or self._out else None
                if item is not None:
                    yield self._outcome(item)
            self._look_again()
        except BaseException as error:
            self._fail(error)
        finally:
            self._drain()
            try:
                self.close()
            except OSError as error:
                self._fail(error)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Write the index of the pictures, and unlock the folder.

        Raises:
            OSError: the index cannot be written.
        """
        with self._resources:
            if self._journal is not None:
                self._journal = None
                index.write_metadata(self._options.out)

    def _earlier(self) -> Iterator[BatchOutcome]:
        """Settle unfinished tasks of earlier runs, look for existing pictures, and queue the remaining tasks."""
        with_files = {path.name.rpartition("-")[0] for path in self._options.out.iterdir()}
        again = {"failed"} if self._options.retry_failed else set()
        again |= {"unknown"} if self._options.resend_unknown else set()
        for item in self.planned.items:
            if item.status == "sent":
                self._settle(item, self._lost(item, "the driver ended while the call was in flight"))
            elif item.status in {"planned", "unknown"} and item.id in with_files:
                self._take_found(item)
            if item.status == "planned" or item.status in again:
                self._pending.append(item)
            else:
                yield self._outcome(item)

    def _take_found(self, item: Item) -> None:
        found = pictures.find(self._options.out, item.id, item.key, item.pictures)
        if found is None or (item.status == "unknown" and found["outcome"] == "unknown"):
            return
        if item.status == "planned":
            self.budget.take(item)
        self._settle(item, found)

    def _look_again(self) -> None:
        """Look again for pictures of workers that were considered lost."""
        for item in self.planned.items:
            if item.status == "unknown" and item.claimed:
                self._take_found(item)

    def _send(self) -> float:
        """Send all tasks that can be sent now.

        Returns:
            The seconds until more tasks can be sent; an earlier outcome may change this.
        """
        ready: list[tuple[Item, Task]] = []
        seconds = 60.0
        while self._pending and not self._stopping.is_set() and len(self._out) + len(ready) < self._engine.window:
            item = self._pending[0]
            seconds = self._pace.wait()
            if seconds > 0:
                break
            exceeded = self.budget.exceeded_by(item)
            if exceeded is not None:
                self._fail(BatchStopped(f"{exceeded}; tasks not sent: {len(self._pending)}"))
                break
            self._pending.popleft()
            try:
                ready.append((item, self._task(item)))
            except LimnerError as error:
                outcome = "unknown" if item.status == "unknown" else "failed"
                self._settle(item, {"outcome": outcome, "reason": str(error)})
                self._ended.append(item)
                continue
            self.budget.take(item)
            self._pace.sent(item.calls)
        claimed = self._engine.proof is not None
        for item, _ in ready:
            self._mark(item, "sent")
            item.attempt, item.claimed = item.attempt + 1, claimed
        sent = [{"event": "sent", "id": item.id, "attempt": item.attempt, "claimed": item.claimed} for item, _ in ready]
        if sent:
            self._write(*sent, durable=True)
        for item, task in ready:
            self._start(item, task)
        if self._stopping.is_set():
            self._pending.clear()
        return seconds

    def _task(self, item: Item) -> Task:
        """Read a task again.

        Raises:
            TaskRefused: the task has changed since it was planned.
        """
        task = self._source.entry(item.place).task
        if key_of(item.model, task) != item.key:
            raise TaskRefused(
                [Problem("task", "", "the manifest or a picture changed after it was planned; resume the batch")]
            )
        return seeded(task, item.seed)

    def _start(self, item: Item, task: Task) -> None:
        job = Job(
            folder=self._folder,
            id=item.id,
            key=item.key,
            attempt=item.attempt,
            asked=item.pictures,
            model=TravellingModel(item.model),
            task=task,
            proof=self._engine.proof,
        )
        try:
            future = self._engine.submit(job)
        except Exception as error:  # the executor is broken or shut down
            future = Future()
            future.set_exception(error)
            self._fail(error)
        item.sent_at = time.monotonic()
        self._out[future] = item
        future.add_done_callback(self._arrived.put)

    def _next(self, seconds: float) -> Item | None:
        """Wait for the next outcome.

        Returns:
            The task that ended; ``None`` on timeout, on a stop request, or if the task will be resent.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                arrived = self._arrived.get(timeout=max(0.0, min(_TICK, until - time.monotonic())))
            except Empty:
                arrived = self._overheard()
                if arrived is None and time.monotonic() < until:
                    continue
            return None if arrived is None else self._arrive(arrived)

    def _overheard(self) -> Future[Record] | None:
        """Find a task that ended without a report from the executor, such as Dask after a worker died.

        Its worker recorded the outcome beside the claim, or its calls have exceeded their time limit.
        """
        if self._engine.proof is not None:
            for future, item in self._out.items():
                longest = item.model.settings.timeout * item.calls + _LATE_SECONDS
                if time.monotonic() - item.sent_at > longest:
                    return future
                if locks.claimed_record(self._options.out, item.id, item.attempt) is not None:
                    return future
        return None

    def _arrive(self, future: Future[Record]) -> Item | None:
        item = self._out.get(future)
        if item is None:  # its outcome was already found
            return None
        try:
            record: Record = future.result(timeout=0)
        except BaseException as error:
            record = self._lost(item, f"its worker was lost: {type(error).__name__}: {error}")
        if record.get("outcome") == "claimed":
            record = self._lost(item, "its worker was lost, and the executor ran the task again")
        self._settle(item, record, again=True)
        self._out.pop(future, None)
        return item if item.status in STATUSES else None

    def _drain(self) -> None:
        """Wait for the calls in flight, and record their outcomes."""
        self._pending.clear()
        while self._out:
            done = wait(self._out, _TICK, FIRST_COMPLETED).done
            ended = next(iter(done), None) or self._overheard()
            if ended is None:
                continue
            try:
                self._arrive(ended)
            except (OSError, LimnerError) as error:  # a resumed batch looks for its pictures
                self._fail(error)
                self._out.pop(ended, None)

    # ------------------------------------------------------------------------------------------ settling

    def _lost(self, item: Item, why: str) -> Record:
        """Determine the outcome of a task whose worker did not report it."""
        folder = self._options.out
        if item.claimed:
            if locks.take_claim(folder, item.id, item.attempt):  # so no worker has made the call, nor ever will
                return {"outcome": "unmade", "reason": why}
            record = locks.claimed_record(folder, item.id, item.attempt)
            if record is not None:
                return record
        return pictures.find(folder, item.id, item.key, item.pictures) or {"outcome": "unknown", "reason": why}

    def _settle(self, item: Item, record: Record, *, again: bool = False) -> None:
        """Record the outcome of a task and act on it.

        Args:
            item: the task.
            record: the outcome.
            again: whether to queue the task again if it was not executed.
        """
        if record["outcome"] == "unmade":
            record = self._unmade(item, record)
        else:
            self._made += 1
            self._pace.answered()
        kept = {name: record[name] for name in ("rows", "reason", "request_ids") if record.get(name)}
        self._write({"event": record["outcome"], "id": item.id, **kept})
        if record["outcome"] in {"unmade", "failed"} and item.status == "sent":
            self.budget.give_back(item)
        self._mark(item, "planned" if record["outcome"] == "unmade" else record["outcome"])
        item.record = kept
        if record["outcome"] == "unmade" and again and not self._stopping.is_set():
            self._pending.append(item)
        if record.get("stop"):
            self._fail(_error_of(record))

    def _unmade(self, item: Item, record: Record) -> Record:
        """Slow down. After too many attempts, give up the task, or the batch if no other task succeeds."""
        self._pace.throttled(record.get("retry_after"))
        if not item.unmade:
            item.made_before = self._made
        item.unmade += 1
        if item.unmade < MOST_UNMADE or record.get("stop"):
            return record
        if item.made_before < self._made:
            return record | {"outcome": "failed"}
        return {"error": "BatchStopped", "message": record["reason"], **record, "stop": True}

    def _write(self, *records: Record, durable: bool = False) -> None:
        if self._journal is None:
            raise BatchStopped("the batch is closed")
        self._journal.append(*records, durable=durable)

    def _mark(self, item: Item, status: str) -> None:
        self.counts[item.status] -= 1
        self.counts[status] += 1
        item.status = status

    def _fail(self, error: BaseException) -> None:
        """Send nothing more, and raise this error after the calls in flight have ended."""
        if self._error is None or not isinstance(error, Exception):
            self._error = error
        self.stop(str(error))

    def _outcome(self, item: Item) -> BatchOutcome:
        rows: list[dict[str, Any]] = item.record.pop(
            "rows", []
        )  # they are in the journal; with many tasks they would use much memory
        return BatchOutcome(
            id=item.id,
            line=item.line,
            status=item.status,  # type: ignore[arg-type]
            files=tuple(self._options.out / row["file_name"] for row in rows),
            seed=item.seed,
            model=item.model.id,
            reason=item.record.get("reason", ""),
        )


def _error_of(record: Record) -> Exception:
    """Recreate an error that a worker reported, possibly on another machine."""
    kind: type[Exception] = OSError if record["error"] == "OSError" else getattr(errors, record["error"], LimnerError)
    return kind(record["message"])


def _sweep(folder: Path) -> None:
    """Remove incomplete files of killed processes; newer ones may still be in use by a remote worker."""
    for path in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFT_SECONDS:
                path.unlink()
