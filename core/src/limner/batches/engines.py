"""Where the calls of a batch are made: in threads of this process, or by an executor that somebody else made."""

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
        window: how many jobs are out at once.
        proof: what a worker must find in the folder; ``None`` for threads of the driver, which end with it.
    """

    submit: Submit
    window: int
    proof: str | None = None


def threads(in_flight: int) -> Engine:
    """Work in limner's threads, which the end of the program does not wait for."""
    slots = Slots(in_flight)
    return Engine(lambda job: slots.start(partial(perform, job), Cancellation()), in_flight)


@contextmanager
def proven(folder: Path) -> Iterator[str]:
    """Leave a proof in the folder, by which workers tell that it is theirs too."""
    proof = os.urandom(16).hex()
    path = folder / CLAIMS / PROOF
    path.write_text(proof)
    try:
        yield proof
    finally:
        with suppress(OSError):
            path.unlink()


def executed(executor: Executor, in_flight: int, proof: str) -> Engine:
    """Work in an executor; it may start a job twice, or lose it."""
    return Engine(lambda job: executor.submit(perform, job), in_flight, proof)
