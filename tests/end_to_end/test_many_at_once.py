"""Many tasks at once, some of which meet a fault: no task is lost, and Ctrl-C ends it all."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from limner_bedrock_emulator import Emulator

from ..benchmarks import many_at_once

WAIT = 30  # seconds after which a test that hangs fails; none waits for it


@pytest.mark.filterwarnings("ignore:.*end of life")
@pytest.mark.parametrize("max_in_flight", [3, 32])
def test_no_task_is_lost_and_each_has_its_own_picture(emulator: Emulator, monkeypatch, max_in_flight):
    """The benchmark of this name does it with 6,400."""
    monkeypatch.setattr("limner_bedrock.retries._BACKOFF_SECONDS", 0.0)
    outcomes = many_at_once.trial(emulator.url, threads=16, tasks=11, max_in_flight=max_in_flight)
    assert outcomes.total() == 176
    assert 110 < outcomes["Result"] < 130


PROGRAM = """
import asyncio, itertools, signal, sys, warnings
import limner
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background passes on that it is ignored
warnings.simplefilter("ignore")
model = limner.get_model("nova", endpoint_url=sys.argv[1], max_in_flight=8)
faults = itertools.cycle(["", "[[fault:hang]]", "[[fault:throttle]]", "[[fault:reset]]"])

def prompts(count):
    return [f"{number} {next(faults)}" for number in range(count)]

async def later():
    await asyncio.gather(*(model.agenerate(prompt, size=(320, 320), n=2) for prompt in prompts(200)), return_exceptions=True)

def now():
    for prompt in prompts(200):
        try:
            model.generate(prompt, size=(320, 320), n=4)
        except limner.LimnerError:
            pass

print("started", flush=True)
asyncio.run(later()) if sys.argv[2] == "later" else now()
"""


@pytest.mark.parametrize("way", ["now", "later"])
def test_an_interrupt_amid_many(emulator: Emulator, way):
    emulator.clear()
    command = [sys.executable, "-c", PROGRAM, emulator.url, way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "started\n"
        while not any("hang" in str(request.body) for request in emulator.requests):
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        _, err = program.communicate(timeout=WAIT)
    assert program.returncode == -signal.SIGINT
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert err.count("Traceback") == err.count("During handling") + err.count("direct cause") + 1
