"""Long work: done in a thread, so that Ctrl-C is heard at once; shown on a terminal when it takes a while."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

QUIET_SECONDS = 0.5
"""Work that takes no longer shows no progress."""


def in_background(work: Callable[[], T], saying: str | None) -> T:
    """Do work in another thread and wait for it.

    What it prints goes to stderr: standard output is for results.

    Args:
        work: what to do.
        saying: what a terminal shows meanwhile; ``None`` shows nothing.
    """
    done: Future[T] = Future()

    def carry_out() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    context = contextvars.copy_context()
    worker = threading.Thread(target=context.run, args=(carry_out,), name="limner-cli", daemon=True)
    sys.stdout.flush()
    results, sys.stdout = sys.stdout, sys.stderr  # before it starts: a plugin may print at once
    worker.start()
    if not _finished(done) and saying is not None and sys.stderr.isatty():
        with _progress(saying):
            _wait(done)
    _wait(done)
    sys.stdout = results  # not after an interrupt: until the process ends the work goes on, and may print
    return done.result()


def _finished(done: Future[T]) -> bool:
    return bool(wait([done], QUIET_SECONDS).done)


def _wait(done: Future[T]) -> None:
    while not _finished(done):  # in short waits: on Windows a long one does not hear Ctrl-C
        pass


@contextlib.contextmanager
def _progress(saying: str) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        progress.add_task(saying, total=None)
        yield
