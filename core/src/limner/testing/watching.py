"""What a piece of code does to the world outside: sockets, processes and sleep, as Python's audit events tell."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")

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
        yield watch.found
    finally:
        _watched.remove(watch)
