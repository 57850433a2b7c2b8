"""limner against the providers' own Python clients on the same work, openai and google-genai, over real HTTP.

    python tests/benchmarks/provider_clients.py [FOLDER]

Each client gets an environment of its own in FOLDER, which is kept (not said: for this run alone). limner runs in this one,
with all its plugins. All against `provider_stub.py`: wall time and CPU of a fresh process to its first saved picture, and
CPU of each later call.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fresh import compiled

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
ROUNDS, CALLS = 11, 20
TARGET = 0.5

FIRST = """
import json, resource
first()
print(json.dumps(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])))
"""
LATER = f"""
import json, time
first()
for _ in range(3): again()
started = time.process_time()
for _ in range({CALLS}): again()
print(json.dumps((time.process_time() - started) / {CALLS}))
"""
THEIRS = {
    "openai": """
import base64, pathlib
from openai import OpenAI
client = OpenAI(base_url=f"{address}/v1", api_key="k")
def again():
    answer = client.images.generate(model="gpt-image-2", prompt="a fox", n=1, size="1024x1024")
    return base64.b64decode(answer.data[0].b64_json)
def first(): pathlib.Path(path).write_bytes(again())
""",
    "google-genai": """
import pathlib
from google import genai
from google.genai import types
client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=address, api_version="v1beta"))
config = types.GenerateContentConfig(response_modalities=["IMAGE"], image_config=types.ImageConfig(aspect_ratio="1:1"))
def again():
    answer = client.models.generate_content(model="gemini-nano-banana-2.1", contents="a fox", config=config)
    return answer.candidates[0].content.parts[0].inline_data.data
def first(): pathlib.Path(path).write_bytes(again())
""",
}
OURS = """
import limner
model = limner.get_model({model!r}, base_url=f"{{address}}/{version}", api_key="k")
def again(): return model.generate("a fox", size={size}).image.data
def first(): model.generate("a fox", size={size}).image.save(path, provenance=False)
"""
LIMNER = {
    "openai": OURS.format(model="openai", version="v1", size=(1024, 1024)),
    "google-genai": OURS.format(model="gemini", version="v1beta", size=(1, 1)),
}


@contextmanager
def stub() -> Iterator[str]:
    """Run the stub in another process; its address."""
    process = subprocess.Popen([sys.executable, str(FOLDER / "provider_stub.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def run(python: Path, script: str, rest: str, address: str, environment: dict[str, str]) -> tuple[float, float]:
    """Run a script in a fresh process: wall seconds, and what it measured of itself."""
    with tempfile.TemporaryDirectory() as folder:
        code = f"path, address = {f'{folder}/fox.png'!r}, {address!r}\n{script}\n{rest}"
        started = time.perf_counter()
        done = subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=environment)
        return time.perf_counter() - started, float(done.stdout)


def main(folder: Path) -> None:
    """Measure and print."""
    from clients import interpreter

    print(f"{'':14} {'what':16} {'client':>9} {'limner':>9} {'ratio':>6} {'target':>7}")
    with stub() as address, compiled() as environment:
        for name, script in THEIRS.items():
            sides = ((interpreter(name, folder), script), (Path(sys.executable), LIMNER[name]))
            rows: dict[str, list[list[float]]] = {
                "first picture": [[], []],
                "its CPU": [[], []],
                "CPU a later call": [[], []],
            }
            for done in range(ROUNDS + 1):
                for side, (python, code) in enumerate(sides):
                    wall, cpu = run(python, code, FIRST, address, environment)
                    later = run(python, code, LATER, address, environment)[1] if done % 3 == 0 else None
                    if done:
                        rows["first picture"][side].append(wall)
                        rows["its CPU"][side].append(cpu)
                        rows["CPU a later call"][side] += [later] if later is not None else []
            for what, (theirs, ours) in rows.items():
                before, after = statistics.median(theirs) * 1000, statistics.median(ours) * 1000
                print(f"{name:14} {what:16} {before:6.1f} ms {after:6.1f} ms {after / before:6.2f} {TARGET:7}", flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", nargs="?", type=Path, help="for the clients' environments")
    given = arguments.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        main(given.absolute() if given else Path(temporary))
