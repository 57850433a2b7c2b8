"""From a task to files: the dry run, the run, and the report of what became of everything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from limner.cli.failing import FAILED
from limner.cli.files import STANDARD, Output
from limner.cli.speaking import account_line, print_json, say
from limner.cli.working import in_background
from limner.errors import BadResponse, ProviderError

if TYPE_CHECKING:
    from limner.interface import Request
    from limner.model import Model
    from limner.results import Picture, Result
    from limner.tasks import Task


@attrs.frozen(kw_only=True)
class Order:
    """How a task is to be carried out: what was said by the options in ``options.CONTROLS``."""

    model: str | None = None
    fit: str | None = None
    output: str | None = None
    force: bool = False
    provenance: bool = True
    settings: Mapping[str, str] = attrs.field(factory=dict)
    on_filtered: str | None = None
    dry_run: bool = False
    as_json: bool = False

    def __attrs_post_init__(self) -> None:
        if self.as_json and self.output == STANDARD and not self.dry_run:
            raise click.UsageError("standard output takes the picture or the JSON; name a file with -o, or leave out --json")

    def chosen_model(self) -> Model:
        """Find the model that was named, or the one for when none is, which is said."""
        from limner.catalog import default_model

        name = self.model
        if name is None:
            name = default_model()
            say(f"model: {name} (-m names another)")
        return self.model_of(name, self.settings.get("model_id"))

    def model_of(self, name: str, model_id: str | None) -> Model:
        """Find a model and set how to reach it."""
        from limner.catalog import get_model

        found = get_model(name, model_id=model_id)
        chosen = {"fit": self.fit, "on_filtered": self.on_filtered}
        said = {key: text for key, text in self.settings.items() if key != "model_id"}
        said |= {key: value for key, value in chosen.items() if value is not None}
        return type(found)(found.Settings.of(said), model_id=found.model_id)


def carry_out(model: Model, task: Task, order: Order, base: str) -> None:
    """Run a task, write its pictures and say what became of everything; in a dry run, print what would be sent.

    Args:
        model: who paints.
        task: what.
        order: how.
        base: what the names of the files start with where none was said.
    """
    if order.dry_run:
        from limner.cli.pricing import cost_document

        plan = in_background(lambda: model.plan(task), None)
        print_json(
            {
                "model": plan.model,
                "requests": [_request_document(request) for request in plan.requests],
                "account": _plain(plan.account),
                "warnings": list(plan.warnings),
                "cost": cost_document(plan.cost),
            }
        )
        return
    n, seed = getattr(task, "n", None), getattr(task, "seed", None)
    if n is not None and n > model.settings.max_n:
        in_background(lambda: model.plan(task), None)  # refuses, before so many files are looked for
    output = Output(name=order.output, base=base, n=1 if n is None else n, force=order.force, provenance=order.provenance)
    has_seed = "seed" in model.limits_of(type(task)).parameters
    output.check(seed, seed_is_known=seed is not None or not has_seed)
    try:
        result = in_background(lambda: model.run(task), None if order.as_json else f"{model.model_id}: {task.kind}")
    except ProviderError as error:
        if error.result is not None and error.pictures:
            _finish(error.result, error.pictures, output, order, str(error))
        raise
    came = [picture for picture in result.pictures if picture.image is not None]
    failure = None if came else _nothing_came(result)
    all_in_place = _finish(result, came, output, order, None if failure is None else str(failure))
    if failure is not None:
        raise failure
    if not all_in_place:
        click.get_current_context().exit(FAILED)


def _nothing_came(result: Result) -> BadResponse:
    reasons = "; ".join(f"{picture.outcome}: {picture.reason or 'no reason given'}" for picture in result.pictures)
    return BadResponse(f"no picture came: {reasons}", model=result.model, request_ids=result.request_ids)


def _finish(result: Result, came: Iterable[Picture], output: Output, order: Order, error: str | None) -> bool:
    """Write the pictures that came, and report; tell whether all are where they were asked for."""
    for line in () if order.as_json else filter(None, map(account_line, result.account)):
        say(line)
    wanted = {id(picture) for picture in came}
    files: list[Path | None] = []
    problems: list[str] = []
    for position, picture in enumerate(result.pictures):
        if id(picture) not in wanted:
            files.append(None)
            continue
        file, problem = output.write(position, picture, result.seed)
        files.append(file)
        if problem:
            problems.append(problem)
            say(f"error: {problem}")
        elif not order.as_json:
            _say_written(picture, file)
    if order.as_json:
        error = "; ".join(filter(None, (error, *problems)))
        print_json(_result_document(result, files) | ({"error": error} if error else {}))
    return not problems


def _say_written(picture: Picture, file: Path | None) -> None:
    remarks = [] if picture.seed is None else [f"seed {picture.seed}"]
    remarks += [] if picture.outcome == "ok" else [f"{picture.outcome}: {picture.reason or 'no reason given'}"]
    say(f"wrote {file or 'to standard output'}" + (f" ({', '.join(remarks)})" if remarks else ""))


# ---------------------------------------------------------------------------------------------- as JSON


def _result_document(result: Result, files: list[Path | None]) -> dict[str, Any]:
    pictures = [
        {
            "file": None if file is None else str(file),
            "outcome": picture.outcome,
            "reason": picture.reason,
            "seed": picture.seed,
            "index": picture.index,
            "size": None if picture.image is None else list(picture.image.size),
        }
        for picture, file in zip(result.pictures, files, strict=True)
    ]
    return {
        "model": result.model,
        "task": _plain(result.task),
        "pictures": pictures,
        "account": _plain(result.account),
        "request_ids": list(result.request_ids),
        "seconds": round(result.seconds, 3),
        "warnings": list(result.warnings),
    }


def _plain(value: Any) -> Any:
    """Tasks and account entries as JSON values, pictures as SHA-256."""
    from limner.serialization import fingerprint

    return [fingerprint(item) for item in value] if isinstance(value, tuple) else fingerprint(value)


def _request_document(request: Request) -> dict[str, Any]:
    try:
        body = _shortened(json.loads(request.body))
    except ValueError:
        body = f"({len(request.body):,} bytes that are not JSON)"
    return {"model_id": request.model_id, "body": body}


def _shortened(value: Any) -> Any:
    """Cut pictures short: long texts of nothing but base64, also as data URLs."""
    match value:
        case dict():
            return {key: _shortened(item) for key, item in value.items()}
        case list():
            return [_shortened(item) for item in value]
        case str() if len(value) > 100 and re.fullmatch(r"(data:[\w/+.;=-]*,)?[A-Za-z0-9+/_-]+=*", value):
            return f"{value[:40]}... ({len(value):,} characters)"
    return value
