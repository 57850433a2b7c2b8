"""Runs a task and writes its pictures: dry run, run, and the report of the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from limner.cli.console import format_entry, print_json, print_message
from limner.cli.errors import FAILED
from limner.cli.output import STANDARD_OUTPUT, Output
from limner.cli.progress import run_in_thread, run_with_progress
from limner.errors import BadResponse, ProviderError

if TYPE_CHECKING:
    from limner.model import Model
    from limner.results import Picture, Result
    from limner.tasks import Task


@attrs.frozen(kw_only=True)
class RunOptions:
    """How to run a task: the values of ``options.RUN_OPTIONS``."""

    model: str | None = None
    fit: str | None = None
    output: str | None = None
    force: bool = False
    provenance: bool = True
    settings: Mapping[str, str] = attrs.field(factory=dict)
    on_filtered: str | None = None
    previews: str | None = None
    dry_run: bool = False
    as_json: bool = False

    def __attrs_post_init__(self) -> None:
        if self.as_json and self.output == STANDARD_OUTPUT and not self.dry_run:
            raise click.UsageError("standard output cannot hold both picture and JSON; name a file with -o, or omit --json")

    def model_name(self) -> str:
        """Return the name of the model or, with a message, that of the default model."""
        from limner.catalog import default_model

        if self.model is not None:
            return self.model
        name = default_model()
        print_message(f"model: {name} (use -m to choose another)")
        return name

    def configure_model(self, name: str, model_id: str | None) -> Model:
        """Find a model and apply the settings."""
        from limner.catalog import configured

        settings = {key: text for key, text in self.settings.items() if key != "model_id"}
        options = {"fit": self.fit, "on_filtered": self.on_filtered}
        settings |= {key: value for key, value in options.items() if value is not None}
        return configured(name, model_id, settings)


def run_task(model: Model, task: Task, options: RunOptions, base: str, *, only: int | None = None) -> None:
    """Run a task, write its pictures and report the result; in a dry run, print what would be sent.

    Args:
        model: the model.
        task: the task.
        options: how to run it.
        base: how the default names of the files start.
        only: the index of the picture to write; by default all are written.
    """
    if options.dry_run:
        from limner.cli.prices import cost_document
        from limner.previews import preview

        plan = run_in_thread(lambda: model.plan(task), None)
        print_json(
            {
                "model": plan.model,
                "requests": [preview(request) for request in plan.requests],
                "account": _to_json(plan.account),
                "warnings": list(plan.warnings),
                "cost": cost_document(plan.cost),
            }
        )
        return
    n, seed = getattr(task, "n", None), getattr(task, "seed", None)
    if n is not None and n > model.settings.max_n:
        run_in_thread(lambda: model.plan(task), None)  # refuses n before so many files are checked
    files = 1 if n is None or only is not None else n
    output = Output(name=options.output, base=base, n=files, force=options.force, provenance=options.provenance)
    has_seed = "seed" in model.limits_of(type(task)).parameters
    output.check(seed, seed_is_known=seed is not None or not has_seed)
    try:
        description = None if options.as_json else f"{model.model_id}: {task.kind}"
        result = run_with_progress(
            lambda report: model.run(task, on_progress=report), description, previews=options.previews
        )
    except ProviderError as error:
        if error.result is not None and error.pictures:
            _write_and_report(error.result, error.pictures, output, options, str(error))
        raise
    if only is not None:
        result = attrs.evolve(result, pictures=result.pictures[only : only + 1])
    received = [picture for picture in result.pictures if picture.image is not None]
    failure = None if received else _no_picture(result)
    complete = _write_and_report(result, received, output, options, None if failure is None else str(failure))
    if failure is not None:
        raise failure
    if not complete:
        click.get_current_context().exit(FAILED)


def _no_picture(result: Result) -> BadResponse:
    reasons = "; ".join(f"{picture.outcome}: {picture.reason or 'no reason given'}" for picture in result.pictures)
    return BadResponse(f"no picture was returned: {reasons}", model=result.model, request_ids=result.request_ids)


def _write_and_report(
    result: Result, received: Iterable[Picture], output: Output, options: RunOptions, error: str | None
) -> bool:
    """Write the pictures received and report the result; return whether all were written where they belong."""
    for line in () if options.as_json else filter(None, map(format_entry, result.account)):
        print_message(line)
    ids = {id(picture) for picture in received}
    files: list[Path | None] = []
    problems: list[str] = []
    for position, picture in enumerate(result.pictures):
        if id(picture) not in ids:
            files.append(None)
            continue
        file, problem = output.write(position, picture, result.seed)
        files.append(file)
        if problem:
            problems.append(problem)
            print_message(f"error: {problem}")
        elif not options.as_json:
            _report_written(picture, file)
    if options.as_json:
        error = "; ".join(filter(None, (error, *problems)))
        print_json(_result_document(result, files) | ({"error": error} if error else {}))
    return not problems


def _report_written(picture: Picture, file: Path | None) -> None:
    notes = [f"seed {picture.seed}"] if picture.seed is not None else []
    notes += [picture.place] if picture.of > 1 else []
    notes += [] if picture.outcome == "ok" else [f"{picture.outcome}: {picture.reason or 'no reason given'}"]
    print_message(f"wrote {file or 'to standard output'}" + (f" ({', '.join(notes)})" if notes else ""))


# ---------------------------------------------------------------------------------------------- as JSON


def _result_document(result: Result, files: list[Path | None]) -> dict[str, Any]:
    pictures = [
        {
            "file": None if file is None else str(file),
            "outcome": picture.outcome,
            "reason": picture.reason,
            "seed": picture.seed,
            "index": picture.index,
            "of": picture.of,
            "size": None if picture.image is None else list(picture.image.size),
        }
        for picture, file in zip(result.pictures, files, strict=True)
    ]
    return {
        "model": result.model,
        "task": _to_json(result.task),
        "pictures": pictures,
        "account": _to_json(result.account),
        "request_ids": list(result.request_ids),
        "seconds": round(result.seconds, 3),
        "warnings": list(result.warnings),
        "usage": dict(result.usage),
        "metadata": [dict(metadata) for metadata in result.metadata],
    }


def _to_json(value: Any) -> Any:
    """Convert tasks and account entries to JSON values, with pictures as SHA-256."""
    from limner.documents import fingerprint

    return [fingerprint(item) for item in value] if isinstance(value, tuple) else fingerprint(value)
