"""The pytest fixture ``bedrock_emulator``; nothing is loaded until a test uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from limner_bedrock_emulator.serving import Emulator


@pytest.fixture
def bedrock_emulator() -> Iterator[Emulator]:
    """A running emulator with the ``invert`` painter, new for each test, so tests share no faults or requests.

    Give its ``url`` to boto3 as ``endpoint_url``. Hypothesis tests, which share one server between examples, use
    :func:`limner_bedrock_emulator.serve` in a module-scoped fixture.
    """
    from limner_bedrock_emulator import serve

    with serve() as emulator:
        yield emulator
