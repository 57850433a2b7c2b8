"""batch: thousands of tasks, each paid for once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from limner.cli.commands import Command
from limner.cli.console import print_message
from limner.cli.errors import FAILED, INTERRUPTED, TERMINATED, exit_interrupted
from limner.cli.options import RUN_OPTIONS, json_option, model_option, output_option, task_option
from limner.cli.runner import RunOptions

if TYPE_CHECKING:
    from limner.batches.driver import Driver, Options
    from limner.batches.manifest import Source

STANDARD_INPUT = "-"


@click.command(cls=Command, example="limner batch tasks.jsonl -m sketch -o pictures --max-pictures 500")
@click.argument("manifest")
@RUN_OPTIONS["model"]
@RUN_OPTIONS["settings"]
@RUN_OPTIONS["fit"]
@model_option("--in-flight", type=click.IntRange(1), metavar="N", help="Tasks at the same time. Default: max_in_flight.")
@model_option("--rate", metavar="N/UNIT", help="Calls at most, such as 2/s, 60/min or 1000/h.")
@model_option("--dask", metavar="ADDRESS", help="Dask scheduler whose workers make the calls; local:4 starts four.")
@task_option("--max-pictures", type=click.IntRange(0), metavar="N", help="Pictures at most, earlier runs included.")
@task_option("--max-spend", metavar="SUM", help="Money at most by the known prices, such as 20USD; earlier runs included.")
@task_option("--resume", is_flag=True, help="Continue the batch in the folder; start it if there is none.")
@task_option("--retry-failed", is_flag=True, help="Resume, and send failed tasks again; they were not billed.")
@task_option("--resend-unknown", is_flag=True, help="Resume, and pay again for tasks that may have been billed.")
@output_option("-o", "--output", "output", metavar="DIR", required=True, help="Folder of the pictures and the journal.")
@output_option("--sheet", is_flag=True, help="Write contact sheets and index.html to the folder.")
@output_option("--dry-run", is_flag=True, help="Check every task and print what the batch may cost; send nothing.")
@json_option
@click.pass_context
def batch(
    context: click.Context, /, manifest: str, output: str, sheet: bool, dry_run: bool, as_json: bool, **values: Any
) -> None:
    """Run the tasks of a manifest, each paid for once.

    MANIFEST is a file of JSON lines (.jsonl) with a task in each line, a table (.csv, .tsv) with a parameter in each column,
    or - for standard input. Every line is checked before anything is sent.

    A batch that was interrupted, or killed, is continued with --resume: nothing is sent twice. A task of which nobody can
    tell whether it was billed is reported as unknown, and sent again only with --resend-unknown. The exit status is 0 if
    every task is done.
    """
    from limner.batches.driver import Driver
    from limner.cli import batch_view

    with _source(manifest) as source:
        driver = Driver(source, _options(Path(output), **values))
        if dry_run:
            batch_view.print_plan(driver.plan(), as_json=as_json)
            return
        driver.open()
        try:
            if driver.planned.gone:
                print_message(
                    f"{len(driver.planned.gone)} tasks of the journal are not in the manifest any more; their pictures stay"
                )
            status = _run(driver, as_json=as_json)
        finally:
            driver.close()
        if sheet:
            batch_view.write_sheets(Path(output))
        batch_view.print_summary(driver, Path(output), as_json=as_json)
        context.exit(status)


def _options(out: Path, model: str | None, settings: dict[str, str], fit: str | None, **values: Any) -> Options:
    """Make the batch's options of those of the command line."""
    from limner.batches import budget_of, models_by_name
    from limner.batches.driver import Options
    from limner.batches.pacing import parse_rate

    def find(name: str | None) -> Any:
        options = RunOptions(model=name, fit=fit, settings=settings)
        return options.configure_model(options.model_name(), settings.get("model_id"))

    rate = values["rate"]
    return Options(
        out=out,
        models=models_by_name(model, values["in_flight"], find),
        budget=budget_of(values["max_pictures"], values["max_spend"]),
        rate=None if rate is None else parse_rate(rate),
        **{name: values[name] for name in ("in_flight", "dask", "resume", "retry_failed", "resend_unknown")},
    )


@contextlib.contextmanager
def _source(manifest: str) -> Iterator[Source]:
    from limner.batches.manifest import opened, opened_stream
    from limner.cli.inputs import MissingFile

    if manifest != STANDARD_INPUT and not os.path.isfile(manifest):  # noqa: PTH113 - as Path, it loses a slash at the end
        raise MissingFile(manifest)
    with opened_stream(sys.stdin.buffer) if manifest == STANDARD_INPUT else opened(manifest) as source:
        yield source


def _run(driver: Driver, *, as_json: bool) -> int:
    """Run the batch and show its progress.

    Returns:
        The exit status.
    """
    from limner.batches.outcomes import STATUSES
    from limner.cli import batch_view
    from limner.cli.errors import error_lines

    failure: Exception | None = None
    with _interruptible(driver) as interrupted, batch_view.progress(driver) as show:
        try:
            for outcome in driver.outcomes():
                show(outcome)
                if as_json:
                    batch_view.print_outcome(outcome)
        except Exception as error:
            failure = error
    if failure is not None:
        for line in error_lines(failure):
            print_message(f"error: {line}")
    if interrupted:
        return interrupted[0]
    complete = driver.counts["done"] == sum(driver.counts[status] for status in (*STATUSES, "planned", "sent"))
    return 0 if complete and failure is None else FAILED


@contextlib.contextmanager
def _interruptible(driver: Driver) -> Iterator[list[int]]:
    """Let the first Ctrl-C or SIGTERM stop the driver, and the second end the program at once.

    Yields:
        A list that holds the exit status once that has happened.
    """
    status: list[int] = []

    def handle(number: int, _: object) -> None:
        if status:
            exit_interrupted(
                KeyboardInterrupt(), "interrupted; tasks in flight are unknown; --resume looks for their pictures"
            )
        status.append(TERMINATED if number == signal.SIGTERM else INTERRUPTED)
        driver.stop("interrupted")
        print_message(f"interrupted; waiting for {driver.out} tasks in flight (interrupt again to exit immediately)")

    if threading.current_thread() is not threading.main_thread():
        yield status
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield status
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
