"""Cancelling stops what is unsent."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import limner
import pytest
from limner import (
    Generate,
    Request,
    Response,
    Result,
    workers,
)

from .fakes import Fake, answer, fake
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


class Hanging:
    """A transport that hangs for some prompts until it is let go."""

    def __init__(self) -> None:
        self.inside, self.go_on = threading.Semaphore(0), threading.Event()

    def __call__(self, request: Request) -> Response:
        if b"hang" in request.body:
            self.inside.release()
            assert self.go_on.wait(WAIT)
        return answer(request)


@pytest.mark.parametrize("n", [1, 8])
def test_a_cancelled_run_lets_go_at_once(n, finished):
    """Its thread still hangs in a read; the next run in sync and in async has its place."""
    transport = Hanging()
    model = fake(transport, max_in_flight=1)

    async def cancel() -> Result:
        running = asyncio.create_task(model.agenerate("hang", n=n))
        assert await asyncio.to_thread(transport.inside.acquire, timeout=WAIT)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await model.agenerate("next", n=2)
        return await asyncio.to_thread(model.generate, "next", n=2)

    try:
        assert len(asyncio.run(asyncio.wait_for(cancel(), WAIT)).images) == 2
    finally:
        finished.clear()
        transport.go_on.set()
    assert finished.wait(WAIT), "its thread ends once it is let go"


def test_a_cancelled_run_no_longer_waits_for_a_slot(finished):
    transport = Hanging()
    model = fake(transport, max_in_flight=1)

    async def cancel(n: int) -> None:
        running = asyncio.create_task(model.agenerate("next", n=n))
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    busy = threading.Thread(target=model.generate, args=("hang",))
    busy.start()
    try:
        assert transport.inside.acquire(timeout=WAIT)
        for n in (1, 8):
            finished.clear()
            asyncio.run(cancel(n))
            assert finished.wait(WAIT), "though the slot is still taken"
    finally:
        transport.go_on.set()
        busy.join()


class Alone(Fake):
    """A model that no other test runs."""

    id = "fake.alone-1"


def test_slots_and_threads_do_not_pile_up(monkeypatch):
    threads = set()

    def note(request: Request) -> Response:
        threads.add(threading.current_thread())
        return answer(request)

    async def many() -> None:
        for most in range(1, 41):
            await fake(note, Alone, max_in_flight=most).agenerate("a")

    monkeypatch.setattr(workers, "_IDLE_SECONDS", 0.5)
    asyncio.run(many())
    assert len(threads) < 35, "a thread that is done takes further work"
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive(), "and ends when there is none"
    gc.collect()
    assert Alone.id not in {model_id for _, model_id, _ in workers._process._slots}


# ---------------------------------------------------------------------------------------------- the program's end

PROGRAM = """
import asyncio, atexit, signal, threading, time
import limner
from fakes import answer, fake

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background passes on that it is ignored

def hang(request):
    print("inside", flush=True)
    time.sleep(60)

model = fake(hang, max_in_flight=4)
limner.models()  # while plugins are loaded, what is printed is taken for theirs
"""


def start(script: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", PROGRAM + script], env=environment, **pipes)


def test_a_program_ends_though_a_cancelled_run_hangs():
    script = """
try:
    asyncio.run(asyncio.wait_for(model.agenerate("a", n=8), 0.2))
except TimeoutError:
    print("timed out")
"""
    with start(script) as program:
        out, err = program.communicate(timeout=WAIT)
    assert (program.returncode, out.split("\n")[-2:], err) == (0, ["timed out", ""], "")


@pytest.mark.parametrize("call", ['model.generate("a", n=8)', 'asyncio.run(model.agenerate("a", n=8))'])
def test_an_interrupted_program_ends(call):
    with start(call) as program:
        for _ in range(4):
            program.stdout.readline()
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=WAIT)
    assert program.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("n", [1, 8])
def test_calls_while_the_interpreter_shuts_down(n):
    """Whether they can still be made depends on the version of Python; what is raised is limner's own."""
    script = f"""
def late():
    for call in (lambda: fake().generate("a", n={n}), lambda: asyncio.run(fake().agenerate("a", n={n}))):
        try:
            print(len(call().images))
        except limner.LimnerError:
            print({n})

def in_thread():
    threading.main_thread().join()
    late()

threading.Thread(target=in_thread).start()
atexit.register(late)
"""
    with start(script) as program:
        out, err = program.communicate(timeout=WAIT)
    assert (program.returncode, out.split(), err) == (0, [str(n)] * 4, "")


def test_no_thread_is_to_be_had():
    script = """
threading.stack_size(1 << 46)  # more than there is room for
async def several():
    return await asyncio.gather(*(fake(max_in_flight=1).agenerate("a") for _ in range(2000)), return_exceptions=True)

try:
    fake(max_in_flight=2).generate("a", n=8)
except limner.LimnerError as error:
    print(error)
print({type(error).__name__ for error in asyncio.run(several())})
"""
    with start(script) as program:
        out, err = program.communicate(timeout=WAIT)
    assert out.splitlines() == ["the call was not made: can't start new thread", "{'LimnerError'}"], err
