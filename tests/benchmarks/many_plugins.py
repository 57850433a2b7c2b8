"""200 installed plugins, four of them broken or odd: what `limner models` costs for each, and that all are named.

python tests/benchmarks/many_plugins.py
"""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fresh import compiled

COUNT = 200
GOOD = """
from limner import Generate, Model, hookimpl
from limner.limits import PromptText, TaskLimits

class Dummy(Model):
    id = "dummy.{name}"
    limits = {{Generate: TaskLimits({{"prompt": PromptText(100, source="none")}})}}
    def encode(self, task): ...
    def send(self, request): ...
    def decode(self, task, response): ...

@hookimpl
def limner_models():
    return [Dummy]
"""
BAD = {
    "raises": "raise RuntimeError('broken on purpose')",
    "signature": "from limner import hookimpl\n@hookimpl\ndef limner_models(surplus):\n    return []\n",
    "exits": "import sys\nsys.exit(3)\n",
    "sleeps": "import time\nprint('hello')\ntime.sleep(1)\n" + GOOD.format(name="sleeps"),
}


def install(folder: Path, name: str, source: str) -> None:
    """Lay out a plugin as an installed distribution."""
    (folder / f"dummy_{name}.py").write_text(source)
    info = folder / f"limner_dummy_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: limner-dummy-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[limner]\n{name} = dummy_{name}\n")


def run(*words: str, environment: dict[str, str], path: str = "") -> tuple[float, str]:
    """Run limner in a fresh process; seconds and output."""
    started = time.perf_counter()
    environment = environment | {"PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "limner", *words], env=environment, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - started, done.stdout


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as bare,
        tempfile.TemporaryDirectory() as good,
        tempfile.TemporaryDirectory() as all_of,
        compiled() as environment,
    ):
        limner = functools.partial(run, environment=environment)
        for index in range(COUNT):
            install(Path(good), f"p{index}", GOOD.format(name=f"p{index}"))
        for name, source in BAD.items():
            install(Path(all_of), name, source)
        limner("models", path=good)
        empty = statistics.median(limner("models", path=bare)[0] for _ in range(5))
        full = statistics.median(limner("models", path=good)[0] for _ in range(5))
        print(f"limner models: {empty * 1000:.0f} ms without, {full * 1000:.0f} ms with {COUNT} dummy plugins:", end=" ")
        print(f"{(full - empty) / COUNT * 1000:.2f} ms for each")
        both = os.pathsep.join((good, all_of))
        models = limner("models", "--json", path=both)[1]
        working = sum(f'dummy.p{index}"' in models for index in range(COUNT)) + ("dummy.sleeps" in models)
        print(f"with the four odd ones: {working} of {COUNT + 1} models work")
        listing = limner("plugins", "--json", path=both)[1]
        print("named by `limner plugins`:", ", ".join(name for name in BAD if f'"{name}"' in listing))


if __name__ == "__main__":
    main()
