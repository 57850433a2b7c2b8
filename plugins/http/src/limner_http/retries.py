"""When and how often a request is sent again. Loaded when one has failed: most runs never need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from limner_http.attempts import Failed
from limner_http.deadlines import Deadline

T = TypeVar("T")

_BACKOFF_SECONDS = 1.0
"""The first wait is up to so long, every further one up to twice the one before; a wait that the provider names is kept."""

_MAX_BACKOFF_SECONDS = 20.0


def try_again(attempt: Callable[[], T], failed: Failed, deadline: Deadline, max_attempts: int, *, repeatable: bool) -> T:
    """Make further attempts, as often as it is worth it and there is time.

    Args:
        attempt: what has failed.
        failed: how it failed the first time.
        deadline: of the call; where the wait would outlast it, there is no further attempt.
        max_attempts: how often it is made at most, the first time included.
        repeatable: whether it does no harm to make it twice.

    Raises:
        Failed: how it failed the last time.
        ProviderError: the caller gave up meanwhile.
    """
    first = [failed]

    def made() -> T:
        if first:
            raise first.pop()
        return attempt()

    def worth_another(error: BaseException) -> bool:
        if not isinstance(error, Failed) or (error.wait or 0.0) >= deadline.remaining():
            return False
        return error.unmade or (repeatable and error.passing)

    retrying = Retrying(
        retry=retry_if_exception(worth_another),
        stop=stop_after_attempt(max_attempts),
        wait=_seconds_to_wait,
        sleep=deadline.sleep,
        reraise=True,
    )
    return retrying(made)


def _seconds_to_wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, Failed) and error.wait is not None:
        return error.wait
    return wait_random_exponential(multiplier=_BACKOFF_SECONDS, max=_MAX_BACKOFF_SECONDS)(state)
