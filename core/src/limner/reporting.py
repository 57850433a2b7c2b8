"""Progress of a run: reported by plugins with :func:`progress`, passed to the caller's ``on_progress``."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from limner.images import Image


@attrs.frozen
class Progress:
    """The progress of a run.

    Attributes:
        done: number of calls that have ended.
        calls: number of calls of the run.
        call: the call that this report is about, from 0; ``None`` for the whole run.
        step: progress of the call, such as a diffusion step or a percentage; ``None`` if unknown.
        of: the final value of ``step``; ``None`` if unknown.
        preview: an unfinished picture.
        message: the current state at the provider, such as ``queued, place 3``.
    """

    done: int
    calls: int
    call: int | None = None
    step: float | None = None
    of: float | None = None
    preview: Image | None = attrs.field(default=None, repr=False)
    message: str = ""


ProgressCallback = Callable[[Progress], object]


class Reporter:
    """Passes the progress of one run's calls on to its caller, from one thread at a time."""

    def __init__(self, callback: ProgressCallback, calls: int) -> None:
        self._callback, self._calls, self._done = callback, calls, 0
        self._lock = threading.Lock()

    def ended(self) -> None:
        """Report that one more call has ended."""
        with self._lock:
            self._done += 1
            self._report(Progress(self._done, self._calls))

    def advanced(self, call: int, step: float | None, of: float | None, preview: Image | None, message: str) -> None:
        """Report how far a call is."""
        with self._lock:
            self._report(Progress(self._done, self._calls, call, step, of, preview, message))

    def _report(self, progress: Progress) -> None:
        try:
            self._callback(progress)
        except Exception:  # the pictures are paid for: a broken progress bar must not lose them
            import logging

            logging.getLogger("limner").exception("on_progress failed")


_callback: contextvars.ContextVar[ProgressCallback | None] = contextvars.ContextVar("on_progress", default=None)
_call: contextvars.ContextVar[tuple[Reporter, int] | None] = contextvars.ContextVar("call", default=None)


@contextlib.contextmanager
def reported_to(callback: ProgressCallback | None) -> Iterator[None]:
    """Let runs in this context report to a callback."""
    token = _callback.set(callback)
    try:
        yield
    finally:
        _callback.reset(token)


def reporter(calls: int) -> Reporter | None:
    """Return what reports the progress of a run of so many calls; ``None`` where nobody listens."""
    callback = _callback.get()
    return None if callback is None else Reporter(callback, calls)


@contextlib.contextmanager
def reporting(run: Reporter | None, call: int) -> Iterator[None]:
    """Let :func:`progress` report for one call of a run."""
    if run is None:
        yield
        return
    token = _call.set((run, call))
    try:
        yield
    finally:
        _call.reset(token)
        run.ended()


def progress(step: float | None = None, of: float | None = None, *, preview: Image | None = None, message: str = "") -> None:
    """Report the progress of a call from a model's ``send``. Does nothing if no ``on_progress`` was given.

    Args:
        step: the current step, such as 12.
        of: the final step, such as 50.
        preview: an unfinished picture.
        message: the current state at the provider, such as ``queued, place 3``.
    """
    current = _call.get()
    if current is not None:
        run, call = current
        run.advanced(call, step, of, preview, message)
