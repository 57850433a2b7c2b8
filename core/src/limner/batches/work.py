"""The work of one worker, in a thread or on another machine: claim a task, run it, save its pictures, report the outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import attrs

from limner.batches import pictures
from limner.batches.locks import CLAIMS, settle_claim, take_claim
from limner.batches.outcomes import Record, verdict
from limner.model import Model
from limner.plugins import registry
from limner.tasks import Task

PROOF = "shared"
"""The file among the claims whose content proves that a worker shares the batch's folder."""


class TravellingModel:
    """A model that is pickled as its id and settings, and loaded from the plugins of the other process."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __getstate__(self) -> tuple[Any, ...]:
        return self.model.id, self.model.model_id, self.model.settings

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        name, model_id, settings = state
        self.model = cast("type[Model]", registry().find(name))(settings, model_id=model_id)


@attrs.frozen(kw_only=True)
class Job:
    """One attempt at a task.

    Attributes:
        folder: the batch's folder.
        id: the task's id.
        key: the hash of its content.
        attempt: the number of the attempt, from 1.
        asked: the number of requested pictures.
        model: the model.
        task: the task, its seed filled in.
        proof: the content of the file ``PROOF``, if the attempt must be claimed first; ``None`` for threads of the driver,
            which never receive a job twice.
    """

    folder: Path
    id: str
    key: str
    attempt: int
    asked: int
    model: TravellingModel
    task: Task
    proof: str | None = None


def perform(job: Job) -> Record:
    """Run a job and report the outcome, including any error, in the record."""
    if job.proof is None:
        return _run(job)
    try:
        if not sees(job.folder, job.proof):
            return _not_begun("this worker does not share the batch's folder", stop=True)
        if not take_claim(job.folder, job.id, job.attempt):
            return {"outcome": "claimed"}
    except OSError as error:
        return _not_begun(f"this worker cannot write to the batch's folder: {error}", stop=True)
    earlier = pictures.find(job.folder, job.id, job.key, job.asked)
    record = earlier if earlier is not None and earlier["outcome"] == "done" else _run(job)
    settle_claim(job.folder, job.id, job.attempt, record)
    return record


def sees(folder: Path, proof: str) -> bool:
    """Return whether this process shares the batch's folder, rather than another folder with the same name."""
    try:
        return (folder / CLAIMS / PROOF).read_text() == proof
    except OSError:
        return False


def _not_begun(why: str, *, stop: bool) -> Record:
    return {"outcome": "unmade", "stop": stop, "error": "BatchStopped", "message": why, "reason": why}


def _run(job: Job) -> Record:
    result, error = None, None
    try:
        result = job.model.model.run(job.task, on_filtered="return")
    except Exception as raised:
        result, error = getattr(raised, "result", None), raised
    record = verdict(result, error)
    came = (
        []
        if result is None
        else [(number, picture) for number, picture in enumerate(result.pictures, 1) if picture.outcome == "ok"]
    )
    if came:
        record |= pictures.save(job.folder, job.id, job.key, came, record["outcome"])
    ids = result.request_ids if result is not None else getattr(error, "request_ids", ())
    return record | ({"request_ids": list(ids)} if ids else {})
