"""The pytest fixture ``limner_fake``; nothing is loaded until a test uses it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from limner_fakes import Fake


@pytest.fixture
def limner_fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Fake]]:
    """Return a function that starts a fake server, with the arguments and the result of :func:`limner_fakes.serve`.

    During the test, environment variables point limner's models (and OpenAI's and Google's own clients) to the servers.
    Each test has its own servers: faults and requests are not shared between tests.
    """
    from limner_fakes import serve

    with contextlib.ExitStack() as stack:

        def start(service: str, **arguments: Any) -> Fake:
            fake = stack.enter_context(serve(service, **arguments))
            for name, value in fake.environment.items():
                monkeypatch.setenv(name, value)
            return fake

        yield start
