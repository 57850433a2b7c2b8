"""Plans, results and errors as JSON."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import attrs
import limner

from limner_server.playground.snippets import in_python, on_the_command_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from limner_server.playground.reading import Order

LONGEST = 300
"""The maximum length of a value in the account; long prompts are visible in the form."""

Document = dict[str, Any]


def plan_document(model: limner.Model, task: limner.Task, plan: limner.Plan, order: Order) -> Document:
    """Return what would be sent: the requests, the equivalent code, the account, and the cost."""
    seed = getattr(plan.task, "seed", None)
    if seed is not None and getattr(task, "seed", 0) is None:
        task = attrs.evolve(task, seed=seed)  # type: ignore[call-arg]
    name = model.aliases[0] if model.aliases else model.id
    return {
        "model": model.id,
        "problems": [],
        "requests": [limner.preview(request) for request in plan.requests],
        "python": in_python(name, task, order.fit, order.names),
        "command": on_the_command_line(name, task, order.fit, order.names),
        "account": account_document(plan.account),
        "warnings": list(plan.warnings),
        "cost": cost_document(plan.cost),
        "seed": None if seed is None else str(seed),  # it may exceed JavaScript's safe integers
    }


def account_document(account: Sequence[limner.Entry]) -> list[Document]:
    """Return the account of every input, with values in words."""
    return [
        {
            "parameter": entry.parameter,
            "outcome": entry.outcome,
            "asked": None if entry.asked is None else _shown(entry.asked),
            "used": None if entry.used is None else _shown(entry.used),
            "why": entry.why,
        }
        for entry in account
    ]


def cost_document(cost: limner.Cost | None) -> str | None:
    """Return the cost of a task in words; ``None`` if it is unknown."""
    return None if cost is None else str(cost)


def error_document(error: limner.LimnerError) -> Document:
    """Return an error; for a refused task, each problem with its parameter."""
    problems = [
        {"parameter": problem.parameter, "value": problem.value, "limit": problem.limit, "source": problem.source}
        for problem in getattr(error, "problems", ())
    ]
    return {"kind": type(error).__name__, "message": str(error), "problems": problems}


def refused_plan(model: str, error: limner.LimnerError) -> Document:
    """Return a plan that failed."""
    described = error_document(error)
    problems = described["problems"] or [{"parameter": "", "value": "", "limit": described["message"], "source": ""}]
    return {"model": model, "problems": problems}


def picture_document(picture: limner.Picture) -> Document:
    """Return one picture of a result; its file includes provenance."""
    document: Document = {
        "outcome": picture.outcome,
        "reason": picture.reason,
        "seed": None if picture.seed is None else str(picture.seed),
        "index": picture.index,
        "of": picture.of,
        "place": picture.place,
    }
    if picture.image is not None:
        file = base64.b64encode(picture.encoded()).decode()
        document |= {"size": list(picture.size), "media_type": picture.media_type, "file": file}
    return document


def result_document(result: limner.Result) -> Document:
    """Return a result without its pictures."""
    return {
        "model": result.model,
        "account": account_document(result.account),
        "request_ids": list(result.request_ids),
        "seconds": round(result.seconds, 3),
        "warnings": list(result.warnings),
        "usage": dict(result.usage),
    }


def progress_document(progress: limner.Progress) -> Document:
    """Return the progress of a run, with the unfinished picture if there is one."""
    preview = progress.preview
    return {
        "done": progress.done,
        "calls": progress.calls,
        "call": progress.call,
        "step": progress.step,
        "of": progress.of,
        "message": progress.message,
        "preview": None
        if preview is None
        else {"media_type": preview.media_type, "file": base64.b64encode(preview.data).decode()},
    }


def _shown(value: Any) -> str:
    match value:
        case str():
            text = value
        case (int(width), int(height)):
            text = f"{width}x{height}"
        case tuple():
            text = ", ".join(map(_shown, value))
        case limner.WeightedText():
            text = f"{value.text} ({value.weight:g})"
        case _:
            text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
