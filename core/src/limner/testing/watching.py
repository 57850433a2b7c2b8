"""What a piece of code does to the world outside: sockets and processes, as Python's audit events tell, and waiting."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import attrs

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")
SLEEP = "time.sleep"
"""Which is not an event of every Python: it is replaced meanwhile, and does not wait."""

_lock = threading.Lock()
_watched: list[_Watch] = []
_installed: list[bool] = []


@attrs.define(eq=False)
class _Watch:
    events: tuple[str, ...]
    found: list[str] = attrs.field(factory=list)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    for watch in _watched:
        if event in watch.events:
            watch.found.append(f"{event}{_target(args)}")


def _target(args: tuple[Any, ...]) -> str:
    told = [arg for arg in args if isinstance(arg, str | tuple | list)]
    return f" {told[0]}" if told else ""


@contextmanager
def watching(*events: str) -> Iterator[list[str]]:
    """Gather the audit events of these names, of all threads, while the block runs."""
    with _lock:
        if not _installed:
            sys.addaudithook(_hook)  # for ever: Python has no way to take one out
            _installed.append(True)
    watch = _Watch(events)
    _watched.append(watch)
    try:
        if SLEEP not in events:
            yield watch.found
            return
        with mock.patch.object(time, "sleep", lambda seconds: watch.found.append(f"{SLEEP} {seconds}")):
            yield watch.found
    finally:
        _watched.remove(watch)
