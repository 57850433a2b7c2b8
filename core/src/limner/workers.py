"""Where runs work: slots that limit how many do so at once, threads that nobody waits for, and giving up."""

from __future__ import annotations

import contextvars
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar
from weakref import WeakValueDictionary

from limner.errors import LimnerError

T = TypeVar("T")

_IDLE_SECONDS = 5.0
"""A thread without work ends after so long."""


class Cancellation(threading.Event):
    """Set once a run's caller has given up; the run's slots are given back at once, whatever its threads are busy with."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[object, Callable[[], None]] = {}

    def set(self) -> None:
        super().set()
        for call in list(self._calls.values()):
            call()

    def call(self, key: object, call: Callable[[], None]) -> None:
        """Call something when this is set, or now if it is set already."""
        self._calls[key] = call
        if self.is_set():
            call()

    def forget(self, key: object) -> None:
        """Call it no longer."""
        self._calls.pop(key, None)


_cancelled: contextvars.ContextVar[Cancellation | None] = contextvars.ContextVar("cancelled", default=None)


def current_cancellation() -> Cancellation:
    """That of the run which this code is part of; outside a run one that nobody sets."""
    return _cancelled.get() or Cancellation()


def bound(job: Callable[[], T], cancelled: Cancellation) -> Callable[[], T]:
    """A job that sees the caller's context, and this cancellation, wherever it is done."""
    context = contextvars.copy_context()
    context.run(_cancelled.set, cancelled)
    return lambda: context.run(job)


class Slots:
    """At most ``size`` jobs at once; the others wait their turn, in the order in which they came."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._taken: set[object] = set()
        self._waiting: OrderedDict[object, Callable[[], None]] = OrderedDict()

    @contextmanager
    def held(self, cancelled: Cancellation) -> Iterator[None]:
        """Wait for a slot and hold it; once cancelled there is no waiting, and none is held."""
        turn: SimpleQueue[None] = SimpleQueue()  # has something in it once the turn has come; an Event takes longer

        def come() -> None:
            turn.put(None)

        def give_up() -> None:
            self._leave(turn)
            come()

        try:
            self._enter(turn, come)
            cancelled.call(turn, give_up)
            turn.get()
            yield
        finally:
            cancelled.forget(turn)
            self._leave(turn)

    def start(self, job: Callable[[], T], cancelled: Cancellation) -> Future[T]:
        """Do a job in a thread as soon as there is a slot.

        Returns:
            What becomes of it; cancelled where it was given up before it began, a LimnerError where there is no thread.
        """
        future: Future[T] = Future()
        turn = object()

        def job_in_turn() -> T:
            try:
                return job()
            finally:  # before the result is known: whoever waits for it may want the slot
                cancelled.forget(turn)
                self._leave(turn)

        def begin() -> None:
            try:
                _process.start_thread(partial(_settle, future, job_in_turn))
            except RuntimeError as error:  # no more threads, or the interpreter is shutting down
                with self._lock:
                    self._taken.discard(turn)
                failure = LimnerError(f"the call was not made: {error}")
                failure.__cause__, failure.may_be_billed = error, False
                if future.set_running_or_notify_cancel():
                    future.set_exception(failure)

        def give_up() -> None:
            self._leave(turn)
            future.cancel()

        cancelled.call(turn, give_up)
        self._enter(turn, begin)
        if cancelled.is_set():  # perhaps before it had entered
            give_up()
        return future

    def _enter(self, turn: object, begin: Callable[[], None]) -> None:
        with self._lock:
            self._waiting[turn] = begin
        self._admit()

    def _leave(self, turn: object) -> None:
        with self._lock:
            self._taken.discard(turn)
            self._waiting.pop(turn, None)
        self._admit()

    def _admit(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or len(self._taken) >= self._size:
                    return
                turn, begin = self._waiting.popitem(last=False)
                self._taken.add(turn)
            begin()


def slots(purpose: str, model_id: str, size: int) -> Slots:
    """The slots that all runs of a model share for a purpose."""
    return _process.slots(purpose, model_id, size)


class _Process:
    """What belongs to one process; a forked child starts with none of it."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Callable[[], None]]] = []
        self._slots: WeakValueDictionary[tuple[str, str, int], Slots] = WeakValueDictionary()

    def slots(self, purpose: str, model_id: str, size: int) -> Slots:
        """Kept for as long as a run uses them."""
        with self._lock:
            return self._slots.setdefault((purpose, model_id, size), Slots(size))

    def start_thread(self, work: Callable[[], None]) -> None:
        """Do work in an idle thread, or a new one: a daemon, which the end of the program does not wait for.

        Raises:
            RuntimeError: there is no idle thread, and no new one can be started.
        """
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), name="limner", daemon=True).start()
        inbox.put(work)

    def _work(self, inbox: SimpleQueue[Callable[[], None]]) -> None:
        while True:
            try:
                inbox.get(timeout=_IDLE_SECONDS)()
            except Empty:
                try:
                    self._idle.remove(inbox)
                except ValueError:  # it was taken a moment ago: there will be work
                    continue
                return
            self._idle.append(inbox)


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.start_afresh)


def _settle(future: Future[T], job: Callable[[], T]) -> None:
    """Do a job, and let the future know what became of it."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except BaseException as error:
        future.set_exception(error)
    finally:
        del future, job  # an error's traceback holds on to this frame
