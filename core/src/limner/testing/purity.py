"""Another world for a moment: another time, other random numbers, so that what depends on them shows."""

from __future__ import annotations

import datetime
import os
import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

Patch = tuple[ModuleType, str, Any]


@contextmanager
def another_world(package: str, year: int) -> Iterator[None]:
    """Give a package another clock and other random numbers.

    Args:
        package: the plugin's import name; names that its modules imported earlier are replaced too.
        year: what the clock says; it seeds the random numbers as well.
    """
    drawn = random.Random(year)
    state = random.getstate()
    with ExitStack() as stack:
        for module, name, value in _everywhere(_stand_ins(year, drawn), package):
            stack.enter_context(mock.patch.object(module, name, value))
        random.seed(year)
        try:
            yield
        finally:
            random.setstate(state)


def _stand_ins(year: int, drawn: random.Random) -> list[Patch]:
    now = datetime.datetime(year, 7, 9, 12, tzinfo=datetime.UTC)
    seconds = now.timestamp()
    clocks: dict[str, Callable[[], Any]] = {
        "time": lambda: seconds,
        "time_ns": lambda: int(seconds * 1e9),
        "monotonic": lambda: seconds,
        "perf_counter": lambda: seconds,
    }
    patches: list[Patch] = [(time, name, clock) for name, clock in clocks.items()]
    patches += [(random, name, getattr(drawn, name)) for name in ("random", "randint", "randrange", "choice", "getrandbits")]
    patches += [(random, "SystemRandom", lambda: drawn), (os, "urandom", drawn.randbytes)]
    patches += [(secrets, "token_hex", lambda n=16: drawn.randbytes(n).hex()), (secrets, "randbelow", drawn.randrange)]
    patches += [(uuid, "uuid4", lambda: uuid.UUID(bytes=drawn.randbytes(16), version=4))]
    return [*patches, (datetime, "datetime", _stopped(now)), (datetime, "date", _stopped_day(now.date()))]


def _stopped(now: datetime.datetime) -> type[datetime.datetime]:
    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return now.astimezone(tz) if tz is not None else now.replace(tzinfo=None)

        utcnow = classmethod(lambda _: now.replace(tzinfo=None))  # type: ignore[assignment]

    return Stopped


def _stopped_day(day: datetime.date) -> type[datetime.date]:
    class StoppedDay(datetime.date):
        @classmethod
        def today(cls) -> Any:
            return day

    return StoppedDay


def _everywhere(patches: list[Patch], package: str) -> list[Patch]:
    """Add the plugin's modules that imported a name from its home."""
    values = {id(getattr(owner, name)): value for owner, name, value in patches}
    ours = [module for key, module in list(sys.modules.items()) if key == package or key.startswith(f"{package}.")]
    found = [(module, alias, original) for module in ours for alias, original in vars(module).items()]
    return patches + [(module, alias, values[id(original)]) for module, alias, original in found if id(original) in values]
