"""Errors: a line on stderr for each thing that is wrong, and the exit status.

0 success, 1 the provider, the network or a plugin failed, or a picture had to be written elsewhere, 2 bad usage, a refused
task or a file that cannot be read or written, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

import click

from limner.cli.console import problem_line, say
from limner.errors import LimnerError, TaskRefused, UnknownModel

FAILED, REFUSED, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came; it ends the program as Ctrl-C does."""


def terminate(*_: object) -> NoReturn:
    """Handle SIGTERM."""
    raise Terminated


def report(error: Exception, *, debug: bool) -> int:
    """Say on stderr what is wrong, and return the exit status."""
    if isinstance(error, click.Abort) and isinstance(error.__cause__, KeyboardInterrupt):
        leave(error.__cause__)
    if isinstance(error, BrokenPipeError):
        discard_standard_output()
        return FAILED
    if debug:
        import traceback

        traceback.print_exception(error)
    for line in lines_of(error):
        say(f"error: {line}")
    return _status(error)


def leave(interrupt: KeyboardInterrupt) -> NoReturn:
    """End the program at once, whatever its threads are busy with."""
    with contextlib.suppress(OSError, ValueError, KeyboardInterrupt):
        say("interrupted; nothing is half-written")
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED)


def _status(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        return error.exit_code
    return REFUSED if isinstance(error, TaskRefused | UnknownModel | OSError) else FAILED


def lines_of(error: Exception) -> list[str]:
    """Say what is wrong, a line for each thing."""
    match error:
        case TaskRefused():
            who = f"{error.model}: " if error.model else ""
            return [who + problem_line(problem) for problem in error.problems]
        case click.UsageError():
            command = error.ctx.command_path if error.ctx is not None else "limner"
            return [f"{error.format_message().rstrip('.')}; see '{command} --help'"]
        case click.ClickException():
            return [error.format_message()]
        case OSError() if error.strerror and error.filename is not None:
            return [f"{error.filename}: {error.strerror}"]
        case LimnerError() | OSError():
            return [str(error)]
    return [f"{type(error).__name__}: {error}; 'limner --debug ...' shows where it comes from"]


def discard_standard_output() -> None:
    """Point stdout elsewhere once nothing can be written to it, or Python complains at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
