"""The hook around every run. OpenTelemetry is imported when a program that uses it runs a task."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from limner import hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator

    from limner import Model, Result, Task

_API = ("opentelemetry.trace", "opentelemetry.metrics")
_PROVIDERS = ("OTEL_PYTHON_TRACER_PROVIDER", "OTEL_PYTHON_METER_PROVIDER")


@hookimpl(wrapper=True)
def limner_run(model: Model, task: Task) -> Generator[None, Result, Result]:
    """Record the run as a span and in metrics; its result and its error are passed on as they are."""
    if not _is_configured():
        return (yield)
    from limner_opentelemetry.recording import Recording

    recording = Recording(model, task)
    try:
        result = yield
    except BaseException as error:
        recording.failed(error)
        raise
    recording.succeeded(result)
    return result


def _is_configured() -> bool:
    """Tell whether anybody may listen: an SDK that is set up has imported the API, or is named by the environment."""
    return any(name in sys.modules for name in _API) or any(os.environ.get(name) for name in _PROVIDERS)
