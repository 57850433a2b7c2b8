"""What becomes of a task of a batch, and what an error says of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from limner.errors import (
    AccessDenied,
    AuthenticationFailed,
    ContentFiltered,
    LimnerError,
    ModelRetired,
    ProviderUnavailable,
    RateLimited,
)

if TYPE_CHECKING:
    from limner.results import Result

Status = Literal["done", "filtered", "failed", "unknown"]

STATUSES: tuple[Status, ...] = ("done", "filtered", "failed", "unknown")
"""How a task ends."""

Record = dict[str, Any]
"""What a worker says of a task, and the journal keeps: JSON values."""

_ENDS_THE_BATCH = (AuthenticationFailed, AccessDenied, ModelRetired)
_PASSES = (RateLimited, ProviderUnavailable)


@attrs.frozen(kw_only=True)
class BatchOutcome:
    """What became of one task of a batch.

    Attributes:
        id: the task's id, with which the names of its pictures begin.
        line: its line in the manifest, or its place among the tasks, from 1.
        status: ``done``, every picture came; ``filtered``, the content filter held pictures back; ``failed``, nothing was
            made and nothing billed; ``unknown``, it may have been made and billed, but not every picture is here.
        files: the pictures that came.
        seed: that of its first call; ``None`` where the model has none.
        model: the model's id.
        reason: why it is not ``done``.
    """

    id: str
    line: int
    status: Status
    files: tuple[Path, ...] = ()
    seed: int | None = None
    model: str
    reason: str = ""


def verdict(result: Result | None, error: Exception | None) -> Record:
    """Say what a run's result or error means.

    Returns:
        ``outcome`` and ``reason``. An outcome ``unmade`` means that the task can be sent again without paying twice, after
        ``retry_after`` seconds where the provider says so; with ``stop``, nothing else should be sent either.
    """
    if error is None and result is not None:
        held_back = [picture for picture in result.pictures if picture.outcome != "ok"]
        reasons = "; ".join(dict.fromkeys(picture.reason for picture in held_back if picture.reason))
        return {"outcome": "filtered", "reason": reasons} if held_back else {"outcome": "done"}
    record: Record = {"outcome": "unknown", "reason": f"{type(error).__name__}: {error}"}
    if isinstance(error, ContentFiltered):
        record["outcome"] = "filtered"
    elif isinstance(error, LimnerError) and not error.may_be_billed:
        record["outcome"] = "unmade" if isinstance(error, (*_ENDS_THE_BATCH, *_PASSES)) else "failed"
    if isinstance(error, _ENDS_THE_BATCH):
        record["stop"] = True
    if isinstance(error, RateLimited) and error.retry_after is not None:
        record["retry_after"] = error.retry_after
    if record["outcome"] == "unmade" or "stop" in record:
        record |= {"error": type(error).__name__, "message": str(error)}
    return record
