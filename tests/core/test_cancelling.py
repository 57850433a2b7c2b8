"""Cancelling stops what is unsent."""

from __future__ import annotations

import asyncio
import logging
import threading

import limner
import pytest
from limner import (
    Generate,
    Request,
    Response,
    Result,
)

from .fakes import answer, fake
from .transports import WAIT, Transport, seed_of


class Finished(logging.Handler):
    """Set once a run has written its log record."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


@pytest.fixture
def finished():
    logger, handler = logging.getLogger("limner"), Finished()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler.event
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_cancelling_stops_what_is_unsent(finished):
    started, release, given_up = threading.Event(), threading.Event(), []

    def wait(request: Request) -> Response:
        started.set()
        assert release.wait(WAIT)
        given_up.append(limner.cancellation().is_set())
        return answer(request)

    transport = Transport(wait)

    async def cancel() -> None:
        running = asyncio.create_task(fake(transport, max_in_flight=1).arun(Generate(prompt="a", n=8)))
        await asyncio.to_thread(started.wait, WAIT)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        release.set()
        await asyncio.to_thread(finished.wait, WAIT)

    asyncio.run(cancel())
    assert finished.is_set()
    assert len(transport.sent) == 1
    assert given_up == [True]


def test_cancelling_a_run_that_waits_its_turn_sends_nothing():
    started, release = threading.Event(), threading.Event()

    def wait(request: Request) -> Response:
        started.set()
        assert release.wait(WAIT)
        return answer(request)

    transport = Transport(wait)
    model = fake(transport, max_in_flight=1)

    async def cancel() -> Result:
        first = asyncio.create_task(model.arun(Generate(prompt="first", seed=1)))
        await asyncio.to_thread(started.wait, WAIT)
        second = asyncio.create_task(model.arun(Generate(prompt="second", seed=2)))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        release.set()
        return await first

    assert asyncio.run(cancel()).seed == 1
    assert [seed_of(request) for request in transport.sent] == [1]


def test_an_interrupt_passes_and_stops_what_is_unsent():
    release = threading.Event()

    def interrupted(request: Request) -> Response:
        if seed_of(request) == 0:
            raise KeyboardInterrupt
        assert release.wait(WAIT)
        return answer(request)

    transport = Transport(interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            fake(transport, max_in_flight=2).run(Generate(prompt="a", n=8, seed=0))
    finally:
        release.set()
    assert len(transport.sent) < 4


def test_nobody_gives_up_outside_a_run():
    assert not limner.cancellation().is_set()
