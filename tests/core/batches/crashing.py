"""Kills the driver of a batch, by SIGKILL, at every step of its protocol, and resumes it. A program: see test_crashes.py.

A step is a call of the system that changes something: each is met before it is made, and each write also half-way. The
driver runs in a forked child, which starts in a few milliseconds.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import attrs
import limner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from painter import Painter, bill_of, colour

STEPS = ("write", "fsync", "open", "replace", "link", "unlink", "ftruncate", "mkdir")
TASKS = [
    {"prompt": "a fox"},
    {"prompt": "a boat", "n": 3, "seed": 5},
    {"prompt": "a fox"},
    {"id": "city", "prompt": "a city [throttled]"},
]
FAULTY = [{"prompt": f"{number} [{fault}]"} for number, fault in enumerate(("timeout", "rejected", "filtered", "reset"))]


@attrs.frozen
class Life:
    """One run of the driver: killed at a step, or not at all.

    Attributes:
        step: the number of the step at which it dies; ``None`` for none.
        torn: whether it dies within the write rather than before the step.
        in_flight: tasks side by side.
        flags: how it resumes.
        slow: who is held up at every step, so that the others get ahead: ``driver`` or ``workers``.
    """

    step: int | None = None
    torn: bool = False
    in_flight: int = 1
    flags: tuple[str, ...] = ()
    slow: str = ""


def demand(holds: object, what: str) -> None:
    """End the child where something does not hold; an exception would become the outcome of a task."""
    if not holds:
        print(what, file=sys.stderr, flush=True)
        os._exit(1)


class Disk:
    """Checks the order in which things reach the disk, which a kill alone does not show: only a loss of power would."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "out" / "journal.jsonl"
        self.synced: set[int] = set()  # inodes
        self.names: set[str] = set()  # in the folder, as they are on the disk
        self.records = b""  # of the journal, as far as they are on the disk
        pay = Painter.pay

        def checked(model: Painter, prompt: str, seed: int, n: int) -> None:
            self.check_sent(prompt, seed)
            pay(model, prompt, seed, n)

        Painter.pay = checked
        sys.addaudithook(self.check_opened)

    def check_opened(self, event: str, arguments: tuple) -> None:
        if event == "open" and str(arguments[0]).endswith(".png"):
            demand(not arguments[2] & (os.O_WRONLY | os.O_RDWR), "a picture is written under its own name")

    def check(self, step: str, arguments: tuple) -> None:
        if step == "fsync":
            state = os.fstat(arguments[0])
            self.synced.add(state.st_ino)
            if self.journal.exists() and os.path.samestat(state, self.journal.stat()):
                self.records = self.journal.read_bytes()
            if os.path.samestat(state, self.journal.parent.stat()):
                self.names = {path.name for path in self.journal.parent.iterdir()}
        elif step in {"replace", "link"} and str(arguments[1]).endswith(".png"):
            demand(Path(arguments[0]).stat().st_ino in self.synced, "a picture has its name before it is on the disk")
        elif step == "write" and arguments[1].startswith(b'{"event":"done"'):
            names = {row["file_name"] for row in json.loads(arguments[1])["rows"]}
            demand(names <= self.names, "done is written before the picture's name is on the disk")

    def check_sent(self, prompt: str, seed: int) -> None:
        records = [json.loads(line) for line in self.records.splitlines()]
        sent = {record["id"] for record in records if record["event"] == "sent"}
        lines = (self.journal.parent.parent / "tasks.jsonl").read_text().splitlines()
        planned = [record for record in records if record["event"] == "planned"]
        mine = [record for record in planned if json.loads(lines[record["line"] - 1])["prompt"] == prompt]
        known = [record["id"] for record in mine if seed in {record["seed"], record["seed"] + 2}]
        demand(known, "the seed that is sent is not in the journal")
        demand(sent & set(known), "a call is made before the journal says so")


def note_steps(folder: Path, die: Life) -> list[str]:
    """Note the steps from now on, and die at one of them."""
    lock, noted = threading.RLock(), []
    disk = Disk(folder)

    def counted(name: str):
        real = getattr(os, name)

        def step(*arguments, **more):
            if die.slow == ("driver" if threading.current_thread() is threading.main_thread() else "workers"):
                time.sleep(0.001)
            with lock:
                disk.check(name, arguments)
                noted.append(name)
                if len(noted) == die.step and (not die.torn or name == "write"):
                    if die.torn:
                        real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **more)

        return step

    for name in STEPS:
        setattr(os, name, counted(name))
    return noted


def live(folder: Path, life: Life) -> list[str]:
    """Run the driver in a child.

    Returns:
        The steps that it took; none where it was killed.
    """
    report, told = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            real_write, steps = os.write, note_steps(folder, life)
            model = Painter(Painter.Settings(bill=str(folder / "bill")))
            list(
                limner.batch(
                    folder / "tasks.jsonl",
                    model=model,
                    out=folder / "out",
                    in_flight=life.in_flight,
                    **dict.fromkeys(("resume", *life.flags), True),
                )
            )
            real_write(told, " ".join(steps).encode())
            code = 0
        except BaseException as error:
            print(f"{life}: {error!r}", file=sys.stderr, flush=True)
        os._exit(code)
    os.close(told)
    _, status = os.waitpid(child, 0)
    with os.fdopen(report, "rb") as file:
        steps = file.read().decode().split()
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return []
    assert status == 0, f"the driver failed in {life}"
    return steps


def journal_of(folder: Path) -> dict[str, dict]:
    from limner.batches import journal

    return journal.settled(journal.read(folder / "out" / "journal.jsonl"))


def check_task(folder: Path, task: dict, state: dict) -> list[str]:
    """Check what became of one task.

    Returns:
        The names of its pictures, where it is done.
    """
    n, out = task.get("n", 1), folder / "out"
    assert state["seed"] == task.get("seed", state["seed"])
    if state["status"] == "unknown":
        assert len(list(out.glob(f"{state['id']}-*.png"))) < n, f"{state['id']} is unknown, and here"
        return []
    expected = {"rejected": "failed", "filtered": "filtered", "timeout": "unknown", "reset": "unknown"}
    fault = next((word for word in expected if f"[{word}]" in task["prompt"]), None)
    assert state["status"] == expected.get(fault, "done"), (task, state)
    if state["status"] != "done":
        return []
    assert len(state["rows"]) == n
    for row in state["rows"]:
        assert row["seed"] in {state["seed"], state["seed"] + 2}
        picture = limner.Image.read(out / row["file_name"])
        assert picture.pil().getpixel((4, 4)) == colour(task["prompt"], row["seed"] + row["place"] - 1)
    return [row["file_name"] for row in state["rows"]]


def check(folder: Path, tasks: list[dict], resent: int) -> None:
    """Check what holds after every history whose last life was not cut short."""
    known = journal_of(folder)
    assert len(known) == len(tasks)
    assert {task["status"] for task in known.values()} <= {"done", "filtered", "failed", "unknown"}, known
    bill = bill_of(folder / "bill")
    calls = sum(-(-task.get("n", 1) // 2) for task in tasks)
    assert len(bill) <= calls + resent, (bill, resent)
    if not resent:
        assert len({(prompt, seed) for prompt, seed, _ in bill}) == len(bill), f"paid twice: {bill}"
    by_line = {task["line"]: task for task in known.values()}
    files = {name for line, task in enumerate(tasks, 1) for name in check_task(folder, task, by_line[line])}
    paid = {(prompt, seed) for prompt, seed, _ in bill}
    for state in known.values():
        if state["status"] == "failed":
            assert not [1 for prompt, seed in paid if prompt == tasks[state["line"] - 1]["prompt"]], "failed, but paid"
    rows = (folder / "out" / "metadata.jsonl").read_text().splitlines() if files else []
    assert files <= {json.loads(row)["file_name"] for row in rows}
    pictures = {path.name for path in (folder / "out").glob("*.png")}
    assert pictures >= files
    for path in pictures:
        limner.Image.read(folder / "out" / path).pil()


def history(tasks: list[dict], lives: list[Life]) -> None:
    """Live one life after the other, and then one to the end."""
    folder = Path(tempfile.mkdtemp(prefix="limner-crash-"))
    try:
        (folder / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
        resent = 0
        for life in [*lives, Life(in_flight=2)]:
            if "resend_unknown" in life.flags:
                unknown = [task for task in journal_of(folder).values() if task["status"] in {"unknown", "sent"}]
                resent += sum(task["calls"] for task in unknown)
            live(folder, life)
        check(folder, tasks, resent)
    finally:
        shutil.rmtree(folder)


def warm_up() -> None:
    """Import, once for all children, what a batch imports."""
    import limner.batches

    with tempfile.TemporaryDirectory() as folder:
        model = Painter(Painter.Settings(bill=f"{folder}/bill"))
        picture = model.generate("a fox", seed=1).image
        picture.pil()
        limner.read_provenance(limner.Image(picture.encoded()))
        limner.from_json(limner.to_json(limner.Generate(prompt="a fox")))


def every_step() -> None:
    """Kill at every step once, before it and, where it writes, within it."""
    folder = Path(tempfile.mkdtemp(prefix="limner-crash-"))
    (folder / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in TASKS))
    steps = live(folder, Life())
    shutil.rmtree(folder)
    for number, name in enumerate(steps, 1):
        history(TASKS, [Life(number, slow=("driver", "workers")[number % 2])])
        if name == "write":
            history(TASKS, [Life(number, torn=True)])
    print(f"{len(steps)} steps, each survived: {' '.join(steps)}")


lives = st.builds(
    Life,
    step=st.none() | st.integers(1, 90),
    torn=st.booleans(),
    in_flight=st.integers(1, 3),
    slow=st.sampled_from(("", "driver", "workers")),
    flags=st.sets(st.sampled_from(("retry_failed", "resend_unknown")), max_size=2).map(lambda some: tuple(sorted(some))),
)


@given(st.lists(lives, max_size=4), st.booleans())
@settings(deadline=None, database=None, max_examples=int(sys.argv[1]), suppress_health_check=list(HealthCheck))
def any_history(lives: list[Life], faulty: bool) -> None:
    """Kill anywhere, several times, with and without consent to send again."""
    history(TASKS + (FAULTY if faulty else []), lives)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    warm_up()
    every_step()
    any_history()
    print("every history is survived")
