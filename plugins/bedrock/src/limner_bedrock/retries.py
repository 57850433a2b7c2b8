"""Retries. Imported only after a call failed, because most runs never need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import limner
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    wait_random_exponential,
)

from limner_bedrock.error_translation import retry_after
from limner_bedrock.errors import row_of

T = TypeVar("T")

_BACKOFF_SECONDS = 1.0
"""The first delay is random up to twice this value, each further limit doubles (full jitter, as AWS recommends)."""

_MAX_BACKOFF_SECONDS = 20.0
_MAX_RETRY_AFTER_SECONDS = 60.0


def retry_call(call: Callable[[], T], error: Exception, max_attempts: int, timeout: float) -> T:
    """Retry a failed call as long as its error allows.

    Args:
        call: the call.
        error: its first error.
        max_attempts: the total number of attempts, including the first.
        timeout: no attempt begins after so many seconds.

    Raises:
        ProviderError: the run was cancelled in the meantime.
        Exception: the last error of the call.
    """
    failed = [error]

    def attempt() -> T:
        if failed:
            raise failed.pop()
        return call()

    cancelled = limner.cancellation()

    def pause(seconds: float) -> None:
        if cancelled.wait(seconds):
            raise limner.ProviderError("cancelled before the next attempt")

    def is_worth_it(error: BaseException) -> bool:
        return _is_retryable(error) and retry_after(error) <= timeout

    retrying = Retrying(
        retry=retry_if_exception(is_worth_it),
        stop=stop_any(stop_after_attempt(max_attempts), stop_before_delay(timeout)),
        wait=_seconds_to_wait,
        sleep=pause,
        reraise=True,
    )
    return retrying(attempt)


def _is_retryable(error: BaseException) -> bool:
    row = row_of(error)
    return row is not None and row.retry


def _seconds_to_wait(state: RetryCallState) -> float:
    backoff = wait_random_exponential(multiplier=_BACKOFF_SECONDS * 2, max=_MAX_BACKOFF_SECONDS)(state)
    error = state.outcome.exception() if state.outcome is not None else None
    requested = 0.0 if error is None else retry_after(error)
    return max(backoff, min(requested, _MAX_RETRY_AFTER_SECONDS))
