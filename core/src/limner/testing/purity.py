"""Another world for a moment: other time, chance and environment, so that what depends on them shows."""

from __future__ import annotations

import datetime
import getpass
import inspect
import os
import platform
import random
import secrets
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import FrameType, ModuleType
from typing import Any, TypeVar
from unittest import mock

S = TypeVar("S")
T = TypeVar("T")
Patch = tuple[ModuleType, str, Any]


@contextmanager
def another_world(package: str, year: int) -> Iterator[None]:
    """Give a package another clock, other random numbers and another environment.

    Args:
        package: the plugin's import name; names that its modules imported earlier are replaced too.
        year: what the clock says; it seeds the random numbers as well.
    """
    drawn = random.Random(year)
    state = random.getstate()
    with ExitStack() as stack:
        for module, name, value in _everywhere(_stand_ins(year, drawn), package):
            stack.enter_context(mock.patch.object(module, name, value))
        stack.enter_context(another_environment(year))
        random.seed(year)
        try:
            yield
        finally:
            random.setstate(state)


@contextmanager
def another_environment(year: int = 2033) -> Iterator[None]:
    """Give every variable of the environment another value, but those without which nothing can be loaded."""
    with mock.patch.dict(os.environ, _environment(year), clear=True):
        yield


def _environment(year: int) -> dict[str, str]:
    """The names that are set, and the commonest ones, with other values."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    common = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "HOSTNAME", "TMPDIR", "USERNAME")
    return dict.fromkeys([*os.environ, *common], f"of-{year}") | kept


class RecordingEnvironment(dict[str, str]):
    """An environment that notes which names are asked for.

    Args:
        values: what it holds.
        package: the import name of whose code the questions count; empty: of anybody's.
    """

    def __init__(self, values: dict[str, str], package: str = "") -> None:
        super().__init__(values)
        self.asked: list[str] = []
        self._package = package

    def _note(self, name: object) -> None:
        frame: FrameType | None = inspect.currentframe()
        while frame is not None and frame.f_globals.get("__name__") in {__name__, "os"}:  # os.getenv
            frame = frame.f_back
        asker = "" if frame is None else str(frame.f_globals.get("__name__"))
        if not self._package or asker.partition(".")[0] == self._package:
            self.asked.append(str(name))

    def __getitem__(self, name: str) -> str:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._note(name)
        return super().get(name, default)


def in_another_thread(work: Callable[[], T]) -> T:
    """Do something in a thread of another name, and give back what came of it."""
    found: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="another-thread-of-the-kit")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return found[0]


def side_by_side(work: Callable[[S], T], several: Sequence[S]) -> list[T]:
    """Do something for each of several values, in threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(work, several))
    finally:
        sys.setswitchinterval(interval)


_gmtime, _strftime, _asctime = time.gmtime, time.strftime, time.asctime
_RANDOM = (
    *("random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss", "getrandbits"),
    *("normalvariate", "randbytes"),
)


def _stand_ins(year: int, drawn: random.Random) -> list[Patch]:
    now = datetime.datetime(year, 7, 9, 12, tzinfo=datetime.UTC)
    seconds = now.timestamp()
    clocks: dict[str, Callable[..., Any]] = {
        "time": lambda: seconds,
        "time_ns": lambda: int(seconds * 1e9),
        "monotonic": lambda: seconds,
        "monotonic_ns": lambda: int(seconds * 1e9),
        "perf_counter": lambda: seconds,
        "perf_counter_ns": lambda: int(seconds * 1e9),
        "process_time": lambda: seconds,
        "localtime": lambda at=None: _gmtime(seconds if at is None else at),
        "gmtime": lambda at=None: _gmtime(seconds if at is None else at),
        "ctime": lambda at=None: _asctime(_gmtime(seconds if at is None else at)),
        "strftime": lambda form, at=None: _strftime(form, _gmtime(seconds) if at is None else at),
    }
    patches: list[Patch] = [(time, name, clock) for name, clock in clocks.items()]
    patches += [(random, name, getattr(drawn, name)) for name in _RANDOM]
    patches += [(random, "SystemRandom", lambda: drawn), (os, "urandom", drawn.randbytes)]
    patches += [(secrets, "token_hex", lambda n=16: drawn.randbytes(n).hex()), (secrets, "randbelow", drawn.randrange)]
    patches += [(secrets, "token_urlsafe", lambda n=16: drawn.randbytes(n).hex()), (secrets, "choice", drawn.choice)]
    patches += [(secrets, "token_bytes", lambda n=16: drawn.randbytes(n)), (secrets, "randbits", drawn.getrandbits)]
    patches += [(uuid, name, lambda *_: uuid.UUID(bytes=drawn.randbytes(16), version=4)) for name in ("uuid1", "uuid4")]
    patches += [(os, "getpid", lambda: year), (os, "getcwd", lambda: f"{tempfile.gettempdir()}/{year}")]
    patches += [(socket, "gethostname", lambda: f"host-{year}"), (platform, "node", lambda: f"host-{year}")]
    patches += [(getpass, "getuser", lambda: f"user-{year}")]
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
