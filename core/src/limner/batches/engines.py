"""The engines that make the calls of a batch: threads of this process, or an external executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import attrs

from limner.batches.locks import CLAIMS
from limner.batches.outcomes import Record
from limner.batches.work import PROOF, Job, perform
from limner.workers import Cancellation, Slots

Submit = Callable[[Job], "Future[Record]"]


@attrs.frozen
class Engine:
    """Makes calls.

    Attributes:
        submit: starts a job.
        window: the number of concurrent jobs.
        proof: the text that a worker must find in the folder; ``None`` for threads of the driver, which end with it.
    """

    submit: Submit
    window: int
    proof: str | None = None


def threads(in_flight: int) -> Engine:
    """Run jobs in limner's threads, which do not delay the exit of the program."""
    slots = Slots(in_flight)
    return Engine(lambda job: slots.start(partial(perform, job), Cancellation()), in_flight)


@contextmanager
def proven(folder: Path) -> Iterator[str]:
    """Write a random text to the folder, by which workers verify that they share it."""
    proof = os.urandom(16).hex()
    path = folder / CLAIMS / PROOF
    path.write_text(proof)
    try:
        yield proof
    finally:
        with suppress(OSError):
            path.unlink()


def executed(executor: Executor, in_flight: int, proof: str) -> Engine:
    """Run jobs in an executor, which may start a job twice or lose it."""
    return Engine(lambda job: executor.submit(perform, job), in_flight, proof)
