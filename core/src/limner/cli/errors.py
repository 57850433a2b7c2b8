"""Error messages, one line on stderr for each problem, and exit statuses.

0 success, 1 the provider, the network or a plugin failed, or a picture had to be written elsewhere, 2 bad usage, a refused
task, or a file that cannot be read or written, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import NoReturn

import click

from limner.cli.console import format_problem, print_message
from limner.errors import LimnerError, TaskRefused, UnknownModel, did_you_mean

FAILED, REFUSED, INTERRUPTED, TERMINATED = 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM was received; it ends the program as Ctrl-C does."""


def handle_sigterm(*_: object) -> NoReturn:
    """Handle SIGTERM like Ctrl-C."""
    raise Terminated


def report_error(error: Exception, *, debug: bool) -> int:
    """Print the error and return the exit status."""
    if isinstance(error, click.Abort) and isinstance(error.__cause__, KeyboardInterrupt):
        exit_interrupted(error.__cause__)
    if isinstance(error, BrokenPipeError):
        discard_standard_output()
        return FAILED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return REFUSED
    if debug:
        import traceback

        traceback.print_exception(error)
    for line in error_lines(error):
        print_message(f"error: {line}")
    return _exit_status(error)


def exit_interrupted(interrupt: KeyboardInterrupt, message: str = "interrupted; no file is incomplete") -> NoReturn:
    """End the program at once, whatever its threads are doing."""
    with contextlib.suppress(OSError, ValueError, KeyboardInterrupt):
        print_message(message)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED)


def _exit_status(error: Exception) -> int:
    if isinstance(error, click.ClickException):
        return error.exit_code
    return REFUSED if isinstance(error, TaskRefused | UnknownModel | OSError) else FAILED


def error_lines(error: Exception) -> list[str]:
    """Describe an error, one line for each problem."""
    match error:
        case TaskRefused():
            return _refusal_lines(error)
        case click.UsageError():
            command = error.ctx.command_path if error.ctx is not None else "limner"
            message = (isinstance(error, click.NoSuchOption) and _option_hint(error)) or error.format_message()
            return [f"{message.rstrip('.')}; see '{command} --help'"]
        case click.ClickException():
            return [error.format_message()]
        case OSError() if error.strerror and error.filename is not None:
            return [f"{error.filename}: {error.strerror}"]
        case LimnerError() | OSError():
            return [str(error)]
    return [f"{type(error).__name__}: {error}; 'limner --debug ...' shows the traceback"]


def _refusal_lines(error: TaskRefused) -> list[str]:
    """Describe each problem; a document is cited once, however many limits come from it."""
    model = f"{error.model}: " if error.model else ""
    cited: set[str] = set()
    lines = []
    for problem in error.problems:
        document = _document(problem.source)
        source = f" [{problem.source}]" if problem.source and document not in cited else ""
        cited.add(document)
        lines.append(f"{model}{format_problem(problem)}{source}")
    return lines


def _document(source: str) -> str:
    """Return the first address in a source, or all of it where it has none."""
    address = re.search(r"[\w-]+(\.[\w-]+)+/[^\s:;,]+", source)
    return address[0] if address else source


def _option_hint(error: click.NoSuchOption) -> str | None:
    """Say where an option belongs that its command does not have; ``None`` where no command has it."""
    name, context = error.option_name, error.ctx
    cli = None if context is None else context.find_root().command
    if context is None or not isinstance(cli, click.Group):
        return None
    if context.command is not cli and _has_option(cli, name):
        return f"put {name} before the command: 'limner {name} {context.info_name} ...'"
    owners = [command for command in cli.list_commands(context) if _has_option(cli.get_command(context, command), name)]
    if not owners:
        known = [option for parameter in context.command.params for option in parameter.opts if option.startswith("--")]
        suggestion = did_you_mean(name, known)
        return f"no such option {name}" + (f"; {suggestion}" if suggestion else "")
    if context.command is cli:
        return f"put {name} after the command, such as 'limner {owners[0]} ... {name} ...'"
    return f"'{context.command_path}' has no option {name}; it belongs to {_join(owners)}"


def _has_option(command: click.Command | None, name: str) -> bool:
    return command is not None and any(name in (*option.opts, *option.secondary_opts) for option in command.params)


def _join(names: list[str]) -> str:
    *others, last = (f"'{name}'" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def discard_standard_output() -> None:
    """Redirect stdout once nothing can be written to it; otherwise Python reports an error at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
