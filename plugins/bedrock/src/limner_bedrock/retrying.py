"""When and how often a call is made again. Loaded when one has failed: most runs never need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import limner
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from limner_bedrock.errors import row_of
from limner_bedrock.translating import retry_after

T = TypeVar("T")

_BACKOFF_SECONDS = 1.0
"""The first wait is up to twice this long, every further one up to twice the one before: AWS advises full jitter."""

_MAX_BACKOFF_SECONDS = 20.0
_MAX_RETRY_AFTER_SECONDS = 60.0


def try_again(call: Callable[[], T], error: Exception, max_attempts: int) -> T:
    """Make a call again, as often as it is worth it.

    Args:
        call: what has failed.
        error: how it failed the first time.
        max_attempts: how often it is made at most, the first time included.

    Raises:
        ProviderError: the run's caller gave up meanwhile.
        Exception: how the call failed the last time.
    """
    failed = [error]

    def attempt() -> T:
        if failed:
            raise failed.pop()
        return call()

    cancelled = limner.cancellation()

    def pause(seconds: float) -> None:
        if cancelled.wait(seconds):
            raise limner.ProviderError("cancelled before it was sent again")

    retrying = Retrying(
        retry=retry_if_exception(_worth_another),
        stop=stop_after_attempt(max_attempts),
        wait=_seconds_to_wait,
        sleep=pause,
        reraise=True,
    )
    return retrying(attempt)


def _worth_another(error: BaseException) -> bool:
    row = row_of(error)
    return row is not None and row.retry


def _seconds_to_wait(state: RetryCallState) -> float:
    backoff = wait_random_exponential(multiplier=_BACKOFF_SECONDS * 2, max=_MAX_BACKOFF_SECONDS)(state)
    error = state.outcome.exception() if state.outcome is not None else None
    asked = 0.0 if error is None else retry_after(error)
    return max(backoff, min(asked, _MAX_RETRY_AFTER_SECONDS))
