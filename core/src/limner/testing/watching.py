"""What a piece of code does to the world outside: sockets and processes, as Python's audit events tell, and waiting."""

from __future__ import annotations

import inspect
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import attrs

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
FILES = ("open", "os.mkdir", "os.remove", "os.rename", "os.listdir", "os.scandir")
"""Of which only those of the watched package's own code count."""

PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")
SLEEP = "time.sleep"
"""Which is not an event of every Python: it is replaced meanwhile, and does not wait."""

_lock = threading.Lock()
_watched: list[_Watch] = []
_installed: list[bool] = []


@attrs.define(eq=False)
class _Watch:
    events: tuple[str, ...]
    package: str = ""
    thread: int | None = None
    found: list[str] = attrs.field(factory=list)

    def is_of_this_thread(self) -> bool:
        """Whether what happens in this thread counts."""
        return self.thread in {None, threading.get_ident()}

    def sleep(self, seconds: float) -> None:
        """Note that somebody would wait, and let other threads do so."""
        if self.is_of_this_thread():
            self.found.append(f"{SLEEP} {seconds}")
        else:
            _sleep(seconds)


_sleep = time.sleep


LEVELS_SET: dict[str, list[str]] = {}
"""By the import names of packages, the loggers whose level their code set: a plugin may do so once, at its first call."""


@contextmanager
def noting_levels(package: str) -> Iterator[None]:
    """Note the loggers of others whose level a package's own code sets while the block runs."""
    set_level = logging.Logger.setLevel

    def noted(logger: logging.Logger, level: int | str) -> None:
        frame = inspect.currentframe()
        caller = frame.f_back if frame is not None else None
        asker = "" if caller is None else str(caller.f_globals.get("__name__"))
        if asker.partition(".")[0] == package and logger.name.partition(".")[0] != package:
            LEVELS_SET.setdefault(package, []).append(logger.name)
        set_level(logger, level)

    with mock.patch.object(logging.Logger, "setLevel", noted):
        yield


def _hook(event: str, args: tuple[Any, ...]) -> None:
    for watch in _watched:
        if event in watch.events and watch.is_of_this_thread() and (event not in FILES or _asked_by(watch.package)):
            watch.found.append(f"{event}{_target(args)}")


def _asked_by(package: str) -> bool:
    """Tell whether a package's own code touches a file, and not a module that it imports."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package


_BETWEEN = frozenset({"limner", "pathlib", "io", "codecs", "json", "os", "tempfile", "shutil", "PIL", "gzip", "random"})


def _target(args: tuple[Any, ...]) -> str:
    told = [arg for arg in args if isinstance(arg, str | tuple | list)]
    return f" {told[0]}" if told else ""


@contextmanager
def watching(*events: str, package: str = "", own_thread: bool = False) -> Iterator[list[str]]:
    """Gather the audit events of these names while the block runs.

    Args:
        events: their names.
        package: the import name of whose code the events of files count.
        own_thread: whether only this thread counts, and not also all others.
    """
    with _lock:
        if not _installed:
            sys.addaudithook(_hook)  # for ever: Python has no way to take one out
            _installed.append(True)
    watch = _Watch(events, package, threading.get_ident() if own_thread else None)
    _watched.append(watch)
    try:
        if SLEEP not in events:
            yield watch.found
            return
        with mock.patch.object(time, "sleep", watch.sleep):
            yield watch.found
    finally:
        _watched.remove(watch)
