"""A broken contract: what is said of it, and how a crash of the plugin's own code is told."""

from __future__ import annotations

import traceback
from pathlib import Path

from limner import LimnerError


class ContractBroken(AssertionError):
    """A plugin does not do what the contract says.

    Args:
        seen: what was seen.
        task: the task that shows it.
    """

    def __init__(self, seen: str, task: object = None) -> None:
        super().__init__(seen if task is None else f"{seen}\ntask: {task!r}")


def expect(fine: object, seen: str, task: object = None) -> None:
    """Fail with what was seen, and the task that shows it."""
    __tracebackhide__ = True
    if not fine:
        raise ContractBroken(seen, task)


def broken_by(error: BaseException, package: str) -> AssertionError:
    """Say as a broken contract what a check met: an error in the plugin's code with the line that raised it.

    Args:
        error: what ended the check.
        package: the plugin's import name.
    """
    chain = _chain(error)
    for found in chain:
        if isinstance(found, AssertionError):
            return found
    where = next(filter(None, (_place_in(found, package) for found in reversed(chain))), "")
    name = "" if isinstance(error, LimnerError) else f"{type(error).__name__}: "
    if where:
        return ContractBroken(f"{name}{error}\nraised {where}")
    if isinstance(error, LimnerError):
        return ContractBroken(f"{type(error).__name__}: {error}")
    advice = "what the plugin, or what was given to Conformance, returned is not of the documented type"
    return ContractBroken(
        f"the check could not go on after {name}{error}\n{advice}; the traceback above shows where it was used"
    )


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what caused it, the outermost first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__
    return chain


def _place_in(error: BaseException, package: str) -> str:
    """The last line of a package that an error came through."""
    place = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").partition(".")[0] == package:
            place = f"in {frame.f_code.co_qualname}, {Path(frame.f_code.co_filename).name} line {line}"
    return place
