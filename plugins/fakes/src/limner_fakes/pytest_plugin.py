"""The pytest fixture ``limner_fake``; nothing is loaded until a test asks for it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from limner_fakes import Fake


@pytest.fixture
def limner_fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Fake]]:
    """Start stand-ins: a function that takes the arguments of :func:`limner_fakes.serve` and returns the ``Fake``.

    While the test runs, the environment leads limner's models (and OpenAI's and Google's own clients) to them. Each test
    has its own: no fault and no request outlives it.
    """
    from limner_fakes import serve

    with contextlib.ExitStack() as stack:

        def start(service: str, **arguments: Any) -> Fake:
            fake = stack.enter_context(serve(service, **arguments))
            for name, value in fake.environment.items():
                monkeypatch.setenv(name, value)
            return fake

        yield start
