"""The rate of a batch: a token bucket, and pauses while the provider is throttling."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

from limner.errors import Problem, TaskRefused

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0


def parse_rate(text: str) -> float:
    """Parse a rate such as ``60/min`` to calls per second.

    Raises:
        TaskRefused: the text is not a rate.
    """
    form = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*/\s*(s|min|h)", text.strip(), re.ASCII)
    if form is None or not float(form[1]):
        raise TaskRefused([Problem.of("rate", text, "must be a number above 0 and a unit: 2/s, 60/min or 1000/h")])
    return float(form[1]) / _SECONDS[form[2]]


class Pace:
    """Computes the delay before the next task is sent.

    Args:
        rate: calls per second; ``None`` for no limit. A burst has at most one second's worth of calls.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(1.0, rate or 0.0)
        self._tokens, self._filled = self._most, clock()
        self._resume = 0.0
        self._throttled = 0

    def wait(self) -> float:
        """Return the seconds until a task may be sent; 0 if it may be sent now."""
        now = self._clock()
        seconds = self._resume - now
        if self._rate is not None:
            self._tokens = min(self._most, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            seconds = max(seconds, (1.0 - self._tokens) / self._rate)
        return max(0.0, seconds)

    def sent(self, calls: int) -> None:
        """Count calls; those of one task are sent together, and the next task waits for all of them."""
        self._tokens -= calls

    def throttled(self, retry_after: float | None) -> None:
        """Pause for as long as the provider asks, or twice as long as the last pause."""
        now = self._clock()
        if now >= self._resume:  # ignore responses to calls sent before the pause
            self._throttled += 1
        backoff = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._throttled - 1, 16)) * random.uniform(0.5, 1.0)
        self._resume = max(self._resume, now + (backoff if retry_after is None else retry_after))

    def answered(self) -> None:
        """Reset the pause, because the provider responds again."""
        self._throttled = 0
