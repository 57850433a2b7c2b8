"""A batch through the emulator, of which three tasks in ten meet a fault: none is lost, none is paid for twice.

    python tests/benchmarks/batch.py [--tasks 10000] [--in-flight 32]

Real botocore over HTTP to the emulator, in a process of its own, which writes down every picture that it paints. Then what
the driver costs: CPU beside bare runs, and the time that is lost with 32 tasks at once.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import limner
from limner.limits import PromptText, Seed, TaskLimits

FAULTS = {
    "throttle": "done",
    "internal-error": "done",
    "unavailable": "done",
    "reset": "unknown",
    "truncated-json": "unknown",
    "bad-base64": "unknown",
    "missing-keys": "unknown",
    "model-timeout": "unknown",
    "input-filtered": "filtered",
    "filtered": "filtered",
}
"""What a task's first request meets, and how the task ends."""

SIZE = (320, 320)


# ---------------------------------------------------------------------------------------------- the emulator


def serve(bill: str) -> None:
    """Run the emulator; every picture that it paints is a line in the bill."""
    import limner_bedrock_emulator
    from limner_bedrock_emulator.faults import Faults
    from limner_fakes.faults import Fault
    from limner_fakes.painters import Invert

    class Once(Faults):
        """A prompt that asks for a fault meets it the first time that it comes."""

        def next(self, headers: Any, body: Any) -> Fault | None:
            asked = re.search(r"number \d+ \[\[fault:([a-z0-9-]+)\]\]", json.dumps(body))
            if asked is None or self._met[asked[0], ""]:
                return None
            self._met[asked[0], ""] += 1
            return Fault(asked[1])

    file = os.open(bill, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Billing(Invert):
        def paint(self, prompt: str, size: tuple[int, int], seed: int) -> Any:
            os.write(file, (json.dumps([prompt, seed]) + "\n").encode())
            return super().paint(prompt, size, seed)

    with limner_bedrock_emulator.serve() as emulator:
        emulator.service.painter, emulator.service.faults = Billing(), Once()
        print(emulator.url, flush=True)
        sys.stdin.read()  # until the other end is closed


@contextmanager
def emulator(bill: Path) -> Iterator[str]:
    """An emulator in another process; its address."""
    os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
    command = [sys.executable, __file__, "--serve", str(bill)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "the emulator has not started"
        yield url
        process.communicate()  # the end of its input ends it


# ---------------------------------------------------------------------------------------------- the trial


def fault_of(number: int) -> str | None:
    return list(FAULTS)[number // 10 % len(FAULTS)] if number % 10 in {1, 4, 7} else None


def prompt_of(number: int) -> str:
    fault = fault_of(number)
    return f"number {number}" + (f" [[fault:{fault}]]" if fault else "")


def write_manifest(path: Path, count: int) -> None:
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps({"prompt": prompt_of(number), "size": SIZE}) + "\n")


def trial(folder: Path, url: str, count: int, in_flight: int) -> dict[str, Any]:
    """Run a batch, and resume it with consent to pay again for what is unknown.

    Raises:
        AssertionError: a task is lost, paid for twice without consent, or has the wrong outcome or picture.
    """
    manifest, out, bill = folder / "tasks.jsonl", folder / "out", folder / "bill"
    write_manifest(manifest, count)
    model = limner.get_model("nova", endpoint_url=url, max_attempts=1)
    started, cpu = time.perf_counter(), time.process_time()
    memory = []
    statuses: dict[int, str] = {}
    for outcome in limner.batch(manifest, model=model, out=out, in_flight=in_flight):
        assert outcome.line not in statuses
        statuses[outcome.line] = outcome.status
        if len(statuses) % max(1, count // 20) == 0:
            memory.append(resident())
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert len(statuses) == count
    for number in range(count):
        assert statuses[number + 1] == FAULTS.get(fault_of(number) or "", "done"), (number, fault_of(number))
    paid = Counter(json.loads(line)[0] for line in bill.read_text().splitlines())
    assert max(paid.values()) == 1, "paid for twice"
    assert all(paid[prompt_of(number)] == 1 for number in range(count) if statuses[number + 1] == "done")

    unknown = {line for line, status in statuses.items() if status == "unknown"}
    again = {outcome.line: outcome for outcome in limner.batch(manifest, model=model, out=out, resend_unknown=True)}
    assert {again[line].status for line in unknown} <= {"done"}
    paid = Counter(json.loads(line)[0] for line in bill.read_text().splitlines())
    assert {prompt for prompt, times in paid.items() if times > 1} <= {prompt_of(line - 1) for line in unknown}
    assert paid.total() <= count + len(unknown)
    check_pictures(again)
    rows = [json.loads(line) for line in (out / "metadata.jsonl").read_text().splitlines()]
    assert len(rows) == sum(outcome.status == "done" for outcome in again.values())
    return {"statuses": Counter(statuses.values()), "seconds": seconds, "cpu": cpu, "memory": memory}


def check_pictures(outcomes: dict[int, limner.BatchOutcome]) -> None:
    """Check pictures against what the painter makes of prompt and seed."""
    from limner_fakes.painters import Invert

    for line, outcome in outcomes.items():
        if outcome.status == "done" and line % 7 == 0:
            expected = Invert().paint(prompt_of(line - 1), SIZE, outcome.seed or 0)
            assert limner.Image.read(outcome.files[0]).pil().convert("RGB").tobytes() == expected.tobytes(), line


def resident() -> float:
    """The memory of this process, in MiB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# ---------------------------------------------------------------------------------------------- what it costs


def cpu_beside_bare_runs(folder: Path, url: str, size: tuple[int, int], count: int, rounds: int = 7) -> dict[str, float]:
    """CPU of this process for each task, in ms, medians, interleaved: bare runs, runs that save, a batch."""
    model = limner.get_model("nova", endpoint_url=url)
    prompts = [f"cpu {number}" for number in range(count)]
    figures: dict[str, list[float]] = {"run": [], "run and save": [], "batch": [], "batch, no fsync": []}
    for number in range(rounds + 1):
        for name, work in (
            ("run", lambda: [model.generate(prompt, size=size) for prompt in prompts]),
            ("run and save", lambda: _run_and_save(model, prompts, size, folder / f"bare-{size[0]}-{number}")),  # noqa: B023
            ("batch", lambda: _batch(model, prompts, size, folder / f"batch-{size[0]}-{number}")),  # noqa: B023
            ("batch, no fsync", lambda: _unsafe_batch(model, prompts, size, folder / f"unsafe-{size[0]}-{number}")),  # noqa: B023
        ):
            started = time.process_time()
            work()
            if number:  # the first round warms up
                figures[name].append((time.process_time() - started) / count * 1000)
    return {name: statistics.median(times) for name, times in figures.items()}


def _run_and_save(model: limner.Model, prompts: list[str], size: tuple[int, int], folder: Path) -> None:
    folder.mkdir()
    for number, prompt in enumerate(prompts):
        model.generate(prompt, size=size).image.save(folder / f"{number}.png")


def _batch(model: limner.Model, prompts: list[str], size: tuple[int, int], folder: Path) -> None:
    tasks = [limner.Generate(prompt=prompt, size=size) for prompt in prompts]
    assert all(outcome.status == "done" for outcome in limner.batch(tasks, model=model, out=folder))


def _unsafe_batch(*arguments: Any) -> None:
    """What the batch would cost if it trusted that the machine never loses power."""
    fsync = os.fsync
    os.fsync = lambda _: None
    try:
        _batch(*arguments)
    finally:
        os.fsync = fsync


class Waiting(limner.Model):
    """A provider that only takes its time."""

    id = "benchmark.waiting-1"
    limits = {limner.Generate: TaskLimits({"prompt": PromptText(source="-"), "seed": Seed(0, 9999, source="-")})}  # noqa: RUF012
    seconds = 1.0

    def encode(self, task: limner.Task) -> limner.Request:
        return limner.Request(self.model_id, b"{}")

    def send(self, request: limner.Request) -> limner.Response:
        time.sleep(self.seconds)
        return limner.Response(b"{}")

    def decode(self, task: limner.Task, response: limner.Response) -> list[limner.Picture]:
        return [limner.Picture(image=PICTURE)]


def _picture() -> limner.Image:
    import PIL.Image

    return limner.Image.read(PIL.Image.new("RGB", (64, 64)))


PICTURE = _picture()


def of_ideal(folder: Path, in_flight: int = 32, waves: int = 10) -> float:
    """The time of a batch, planning included, against that of calls that follow each other without a gap."""
    tasks = [limner.Generate(prompt=f"{number}") for number in range(in_flight * waves)]
    started = time.perf_counter()
    assert all(outcome.status == "done" for outcome in limner.batch(tasks, model=Waiting(), out=folder, in_flight=in_flight))
    return (time.perf_counter() - started) / (waves * Waiting.seconds)


def main() -> None:
    """Run the trial and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--serve", metavar="BILL", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.serve is not None:
        serve(said.serve)
        return
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name, emulator(Path(name) / "bill") as url:
        folder = Path(name)
        for size, count in ((SIZE, 100), ((1024, 1024), 20)):
            print(f"CPU for each task, ms, pictures of {size[0]}x{size[1]}:", flush=True)
            figures = cpu_beside_bare_runs(folder, url, size, count)
            for what, milliseconds in figures.items():
                print(f"  {what:17}{milliseconds:6.2f}  {milliseconds / figures['run']:.2f} of a bare run")
        print(f"32 in flight, calls of 1 s: {of_ideal(folder / 'ideal'):.3f} of ideal", flush=True)
        (folder / "bill").write_text("")  # the emulator has it open
        done = trial(folder, url, said.tasks, said.in_flight)
        memory = done["memory"]
        print(f"{said.tasks} tasks in {done['seconds']:.0f} s, {done['cpu']:.0f} s of CPU; none lost, none paid for twice")
        print("  " + ", ".join(f"{count} {status}" for status, count in done["statuses"].most_common()))
        if memory:
            print(f"  memory: {memory[0]:.0f} MiB after a twentieth, at most {max(memory):.0f}, at the end {memory[-1]:.0f}")


if __name__ == "__main__":
    main()
