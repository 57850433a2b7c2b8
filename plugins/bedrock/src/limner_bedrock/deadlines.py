"""When a request must be answered, however often it is sent."""

from __future__ import annotations

import contextlib
import contextvars
import math
import time
from collections.abc import Iterator

_end: contextvars.ContextVar[float] = contextvars.ContextVar("end", default=math.inf)


@contextlib.contextmanager
def one_deadline(seconds: float) -> Iterator[None]:
    """Give all calls within the same deadline."""
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def within(seconds: float) -> float:
    """Return when a call that may take so long must end, by the clock of :func:`time.monotonic`."""
    return min(time.monotonic() + seconds, _end.get())
