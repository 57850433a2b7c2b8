"""Runs long work in a thread, so that Ctrl-C takes effect at once, and shows progress on a terminal."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

PROGRESS_DELAY = 0.5
"""Seconds before progress is shown; between two checks whether the work is done."""


def run_in_thread(work: Callable[[], T], description: str | None) -> T:
    """Run a function in another thread and wait for it.

    What it prints goes to stderr: standard output is for results.

    Args:
        work: the function.
        description: the text that a terminal shows meanwhile; ``None`` shows nothing.
    """
    done: Future[T] = Future()

    def target() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    context = contextvars.copy_context()
    worker = threading.Thread(target=context.run, args=(target,), name="limner-cli", daemon=True)
    sys.stdout.flush()
    results, sys.stdout = sys.stdout, sys.stderr  # before the thread starts: a plugin may print at once
    worker.start()
    if not _finished(done) and description is not None and sys.stderr.isatty():
        with _progress(description):
            _wait(done)
    _wait(done)
    sys.stdout = results  # not after an interrupt: the work continues until the process ends, and may print
    return done.result()


def _finished(done: Future[T]) -> bool:
    return bool(wait([done], PROGRESS_DELAY).done)


def _wait(done: Future[T]) -> None:
    while not _finished(done):  # in short waits: on Windows a long wait ignores Ctrl-C
        pass


@contextlib.contextmanager
def _progress(description: str) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        progress.add_task(description, total=None)
        yield
