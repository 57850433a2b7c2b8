"""A caller who gives up ends the waiting between attempts."""

import asyncio
import os
import signal
import threading

import limner
import pytest


@pytest.fixture(autouse=True)
def sigint_is_heard():
    """A shell passes on to what it runs in the background that SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def patient(stub, painter):
    """A model that is told to wait for 50 seconds, and an event that is set when a send has ended."""
    stub.otherwise = stub.error(429, "ThrottlingException", Retry_After="50")
    ended = threading.Event()

    class Patient(type(painter())):
        def send(self, request):
            if b"interrupt" in request.body:
                stub.wait_for(lambda: stub.requests)
                os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does: it reaches the main thread
                return limner.Response(b"")
            try:
                return super().send(request)
            finally:
                ended.set()

        def encode(self, task):
            return super().encode(task) if task.seed == 0 else limner.Request(self.model_id, b"interrupt")

    return Patient(painter().settings), ended


def test_a_cancelled_coroutine(stub, patient):
    model, ended = patient

    async def cancel():
        running = asyncio.create_task(model.agenerate("a fox", seed=0))
        await asyncio.to_thread(stub.wait_for, lambda: stub.requests)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await asyncio.to_thread(ended.wait, 60)

    asyncio.run(cancel())
    assert len(stub.requests) == 1


def test_an_interrupted_run_of_several_calls(stub, patient):
    model, ended = patient
    with pytest.raises(KeyboardInterrupt):
        model.generate("a fox", n=2, seed=0)
    assert ended.wait(60)
    assert len(stub.requests) == 1


def test_giving_up_ends_the_wait(stub, send, monkeypatch):
    class GivesUp(threading.Event):
        def wait(self, timeout=None):
            self.set()
            return super().wait(timeout)

    event = GivesUp()
    monkeypatch.setattr(limner, "cancellation", lambda: event)
    stub.otherwise = stub.error(429, "ThrottlingException")
    with pytest.raises(limner.ProviderError, match="cancelled before the next attempt"):
        send()
    assert len(stub.requests) == 1
