"""The outcomes of a batch's tasks, and the outcome that an error means."""

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
"""The outcomes of a task."""

Record = dict[str, Any]
"""A worker's report of a task, as recorded in the journal: JSON values."""

_ENDS_THE_BATCH = (AuthenticationFailed, AccessDenied, ModelRetired)
_PASSES = (RateLimited, ProviderUnavailable)


@attrs.frozen(kw_only=True)
class BatchOutcome:
    """The outcome of one task of a batch.

    Attributes:
        id: the task's id, which begins the names of its pictures.
        line: its line in the manifest, or its position among the tasks, from 1.
        status: ``done`` (all pictures received), ``filtered`` (the content filter withheld pictures), ``failed`` (nothing
            generated or billed), or ``unknown`` (it may have been billed, but not all pictures were received).
        files: the received pictures.
        seed: the seed of its first call; ``None`` if the model has none.
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
    """Return the record for a run's result or error.

    Returns:
        ``outcome`` and ``reason``. An outcome ``unmade`` means that the task can be sent again without paying twice, after
        ``retry_after`` seconds if the provider sent that. With ``stop``, nothing else should be sent either.
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
