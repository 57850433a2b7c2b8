"""Runs long work in a thread, so that Ctrl-C takes effect at once, and shows progress on a terminal."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TypeVar

from limner.cli.console import one_line
from limner.images.files import SUFFIXES
from limner.reporting import Progress, ProgressCallback

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
    return run_with_progress(lambda _: work(), description)


def run_with_progress(work: Callable[[ProgressCallback], T], description: str | None, *, previews: str | None = None) -> T:
    """As :func:`run_in_thread`, for a function that reports its progress to the callback it is given.

    Args:
        work: the function.
        description: the text that a terminal shows meanwhile; ``None`` shows nothing.
        previews: the folder in which unfinished pictures are kept; ``None`` keeps none.
    """
    bar = Bar(description or "", previews)
    done: Future[T] = Future()

    def target() -> None:
        try:
            done.set_result(work(bar))
        except BaseException as error:
            done.set_exception(error)

    context = contextvars.copy_context()
    worker = threading.Thread(target=context.run, args=(target,), name="limner-cli", daemon=True)
    sys.stdout.flush()
    results, sys.stdout = sys.stdout, sys.stderr  # before the thread starts: a plugin may print at once
    worker.start()
    if not _finished(done) and description is not None and sys.stderr.isatty():
        with bar.shown():
            _wait(done)
    _wait(done)
    sys.stdout = results  # not after an interrupt: the work continues until the process ends, and may print
    return done.result()


def _finished(done: Future[T]) -> bool:
    return bool(wait([done], PROGRESS_DELAY).done)


def _wait(done: Future[T]) -> None:
    while not _finished(done):  # in short waits: on Windows a long wait ignores Ctrl-C
        pass


class Bar:
    """The progress bar of one run, fed by ``on_progress``; it keeps the previews in a folder where one is named."""

    def __init__(self, description: str, previews: str | None = None) -> None:
        self._description, self._previews, self._kept = description, previews, 0
        self._lock = threading.Lock()
        self._update: Callable[[str], None] | None = None
        self._latest = description

    def __call__(self, progress: Progress) -> None:
        """Report progress."""
        if progress.preview is not None and self._previews is not None:
            self._keep(progress)
        with self._lock:
            self._latest = f"{self._description}: {describe(progress)}"
            if self._update is not None:
                self._update(self._latest)

    def _keep(self, progress: Progress) -> None:
        assert progress.preview is not None  # noqa: S101
        self._kept += 1
        folder = Path(self._previews or ".")
        folder.mkdir(parents=True, exist_ok=True)
        suffix = SUFFIXES.get(progress.preview.media_type, ".png")
        progress.preview.save(folder / f"call-{(progress.call or 0) + 1}-preview-{self._kept:03}{suffix}", overwrite=True)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar on stderr."""
        from rich.console import Console
        from rich.progress import Progress as Display
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Display(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as display:
            task = display.add_task(self._latest, total=None)
            with self._lock:
                self._update = lambda text: display.update(task, description=text)
            yield
            with self._lock:
                self._update = None


def describe(progress: Progress) -> str:
    """Describe progress in a few words, such as ``2 of 4, step 12 of 50``."""
    parts = [f"{progress.done} of {progress.calls} done"] if progress.calls > 1 else []
    if progress.step is not None:
        parts.append(f"step {progress.step:g}" + (f" of {progress.of:g}" if progress.of is not None else ""))
    parts += [one_line(progress.message)] if progress.message else []
    return ", ".join(parts) or "working"
