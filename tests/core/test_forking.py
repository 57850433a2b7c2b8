"""Other processes: a forked child has none of its parent's threads, and needs none of its slots and locks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

HERE = Path(__file__).parent
START = """
import asyncio, os, signal, threading, time
import limner
from fakes import answer, fake

def pictures(model):
    result = model.generate("a", n=4, seed=1)
    later = asyncio.run(model.agenerate("a", n=4, seed=1))
    assert [p.seed for p in result.pictures] == [p.seed for p in later.pictures] == [1, 1, 3, 3]
    return len(result.images)

def in_child(work):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(work())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def ran(script: str, folder: Path) -> str:
    """What a program prints; it ends well, and soon."""
    (folder / "program.py").write_text(START + script)
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    command = [sys.executable, str(folder / "program.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_parent_and_child_go_on(tmp_path):
    script = """
model = fake(max_in_flight=2)
print(pictures(model), in_child(lambda: pictures(model)), pictures(model))
"""
    assert ran(script, tmp_path) == "4 4 4\n"


def test_slots_that_the_parent_has_out(tmp_path):
    script = """
inside, go_on = threading.Semaphore(0), threading.Event()

def wait(request):
    inside.release()
    go_on.wait(30)
    return answer(request)

busy = fake(wait, max_in_flight=1)

async def ask():
    await busy.agenerate("a")

for work in (lambda: busy.generate("a"), lambda: asyncio.run(ask())):
    threading.Thread(target=work, daemon=True).start()
inside.acquire()
print(in_child(lambda: pictures(fake(max_in_flight=1))))
go_on.set()
print(pictures(busy))
"""
    assert ran(script, tmp_path) == "4\n4\n"


def test_plugins_that_are_just_being_loaded(tmp_path):
    script = """
from limner import plugins

loading = threading.Event()

def load_slowly(self, entry_points):
    loading.set()
    time.sleep(0.3)

plugins.Registry.load = load_slowly
threading.Thread(target=plugins.registry, daemon=True).start()
loading.wait()
print(in_child(lambda: pictures(fake())), pictures(fake()))
"""
    assert ran(script, tmp_path) == "4 4\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method, tmp_path):
    script = f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

def work(task):
    model = fake(max_in_flight=1)
    assert asyncio.run(model.arun(task)).seed == task.seed
    return model.run(task).seed

if __name__ == "__main__":
    pictures(fake(max_in_flight=1))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context({method!r})) as pool:
        print(list(pool.map(work, [limner.Generate(prompt="a", seed=seed, n=3) for seed in range(4)], timeout=50)))
"""
    assert ran(script, tmp_path) == "[0, 1, 2, 3]\n"
