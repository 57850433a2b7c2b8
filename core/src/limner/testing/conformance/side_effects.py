"""What a model does besides what it is asked for: only ``send`` touches the network, and nothing touches the process."""

from __future__ import annotations

import contextlib
import http.client
import locale
import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from limner import LimnerError, Model, ProviderError, Task, TaskRefused
from limner.testing.conformance.answers import good_answers, small_tasks
from limner.testing.conformance.calls import good, model_at, sent
from limner.testing.kit import Conformance, check, expect
from limner.testing.loopback import provider
from limner.testing.watching import FILES, LEVELS_SET, NETWORK, PROCESSES, SLEEP, watching

_EVENTS = (*NETWORK, *PROCESSES, SLEEP)


@check
def test_only_send_does_io(conformance: Conformance) -> None:
    """Making a model, planning, decoding and everything but send does no I/O: no network, no process, no file, no wait."""
    kind, made = type(conformance.model), conformance.model
    for what, work in _but_send(conformance, kind, made):
        with (
            watching(*_EVENTS, *FILES, package=conformance.package, own_thread=True) as asked,
            contextlib.suppress(TaskRefused),
        ):
            work()
        expect(not asked, f"{what} does I/O: {', '.join(asked[:3])}; only send may")
    with watching(*_EVENTS, own_thread=True) as asked, contextlib.suppress(LimnerError):
        list(made.diagnose())
    expect(not asked, f"diagnose() without live=True does I/O: {', '.join(asked[:3])}")


def _but_send(conformance: Conformance, kind: type[Model], made: Model) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "making the settings", kind.Settings
    yield "making the model", lambda: kind(made.settings, model_id=made.model_id)
    yield "making the model with other settings", lambda: made.with_settings(fit="nearest")
    yield "repr", lambda: repr(made)
    yield "matches", lambda: kind.matches("another.model-1")
    yield "notices", made.notices
    yield "api_keys", kind.api_keys
    for task in small_tasks(conformance):
        yield "plan", partial(made.plan, task)
        yield "check", partial(_all_of, made.check, task)
        yield "warnings", partial(_all_of, made.warnings, task)
        yield "remarks", partial(made.remarks, task)
    for call, answer in good_answers(conformance) if conformance.answer is not None or made.offline else ():
        made.decode(call, answer)  # what it imports at first is not I/O
        yield "decode", partial(made.decode, call, answer)


def _all_of(method: Callable[[Task], Iterable[object]], task: Task) -> list[object]:
    return list(method(task))


@check
def test_calls_leave_the_process_alone(conformance: Conformance) -> None:
    """A call changes no environment variable, logger, warning filter, working directory or hook of the process."""
    model = conformance.model
    task = next(small_tasks(conformance))
    request = model.plan(task).requests[0]
    with _process_unchanged():
        if conformance.endpoint is not None:
            with provider(lambda call: good(conformance, call, request)) as there:
                sent(model_at(conformance, there.url), request)
        elif model.offline:
            sent(model, request)
        if conformance.answer is not None:
            with contextlib.suppress(ProviderError):
                conformance.connected(conformance.transport).run(task)
    changed = LEVELS_SET.get(conformance.package, [])
    expect(not changed, f"the first call changes the level of the logger {', '.join(changed[:1])} of the whole process")


@contextlib.contextmanager
def _process_unchanged() -> Iterator[None]:
    before = _process()
    with _marked_levels() as marked:
        yield
    after = _process()
    changed = [name for name, value in before.items() if after[name] != value]
    changed += [f"the level of the logger {name}" for name, level in marked.items() if level != _MARK]
    expect(not changed, f"a call changes {', '.join(changed)} of the whole process")


_MARK = 17
"""A level that no library uses. A call of an earlier check may have changed a level already; it then changes it again."""


@contextlib.contextmanager
def _marked_levels() -> Iterator[dict[str, int]]:
    """Set the levels of the libraries' loggers to the mark; yield what they are in the end."""
    known = {name: one for name, one in logging.root.manager.loggerDict.items() if isinstance(one, logging.Logger)}
    loggers = {name: one for name, one in known.items() if name.partition(".")[0] not in {"limner", "hypothesis"}}
    levels, marked = {name: one.level for name, one in loggers.items()}, dict[str, int]()
    try:
        for one in loggers.values():
            one.setLevel(_MARK)
        yield marked
        marked |= {name: one.level for name, one in loggers.items()}
    finally:
        for name, one in loggers.items():
            one.setLevel(levels[name])


def _process() -> dict[str, Any]:
    root, own = logging.getLogger(), logging.getLogger("limner")
    return {
        "the environment": dict(os.environ),
        "the working directory": Path.cwd(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the root logger": (repr(root.handlers), root.level, logging.root.manager.disable),
        "limner's logger": (repr(own.handlers), own.level, own.disabled, own.propagate),
        "warnings.filters": [one for one in warnings.filters if one[2] in _COMMON_WARNINGS],
        "sys.stdout or sys.stderr": (id(sys.stdout), id(sys.stderr)),
        "sys.excepthook": (sys.excepthook, threading.excepthook),
        "sys.setrecursionlimit": sys.getrecursionlimit(),
        "http.client's debuglevel": http.client.HTTPConnection.debuglevel,
        "socket.setdefaulttimeout": socket.getdefaulttimeout(),
    }


_COMMON_WARNINGS = (Warning, UserWarning, DeprecationWarning, FutureWarning, RuntimeWarning, ResourceWarning)
"""Libraries that are imported on the first call add filters for their own."""
