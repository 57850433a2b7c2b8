"""``limner batch`` as it is typed: plans, progress, Ctrl-C, a full disk, what is printed at the end."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..cli.conftest import Program
from .painter import bill_of


class Command(Program):
    """``limner batch`` with the painter, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "plugins")
        self.install("painter", Path(__file__).with_name("painter.py").read_text())
        self.place = folder

    def manifest(self, *tasks: dict) -> None:
        (self.place / "tasks.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))

    def words(self, *more: str, seconds: float = 0) -> list[str]:
        settings = ["-S", f"bill={self.place / 'bill'}", "-S", f"seconds={seconds}"]
        return ["batch", "tasks.jsonl", "-m", "painter", *settings, "-o", "out", *more]

    def batch(self, *more: str, seconds: float = 0, **how) -> tuple[int, str, str]:
        return self(*self.words(*more, seconds=seconds), cwd=self.place, **how)

    @property
    def bill(self) -> list:
        return bill_of(self.place / "bill")

    def sent(self, count: int) -> None:
        journal = self.place / "out" / "journal.jsonl"
        until = time.monotonic() + 60
        while not journal.exists() or journal.read_text().count('"sent"') < count:
            assert time.monotonic() < until
            time.sleep(0.02)

    def paid(self, count: int) -> None:
        until = time.monotonic() + 60
        while len(self.bill) < count:
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def numbered(count: int, text: str = "") -> list[dict]:
    return [{"prompt": f"{number}{text}"} for number in range(count)]


def summary(out: str) -> dict:
    return json.loads(out.splitlines()[-1])["summary"]


def test_a_batch_from_plan_to_pages(command):
    command.manifest(*numbered(3), {"prompt": "<b> [filtered]"}, {"prompt": "x [timeout]", "n": 2})
    status, out, _ = command.batch("--dry-run")
    assert (status, command.bill) == (0, [])
    assert not (command.place / "out").exists()
    assert [line.split() for line in out.strip().splitlines()] == [
        ["tasks", "5"],
        ["to", "send", "5"],
        ["calls", "5"],
        ["pictures", "6"],
        ["cost", "0.3", "USD"],
    ]
    assert json.loads(command.batch("--dry-run", "--json")[1])["cost"] == [{"low": 0.3, "high": 0.3, "currency": "USD"}]

    status, out, err = command.batch("--sheet", "--max-spend", "1USD")
    assert status == 1
    lines = dict(line.split(maxsplit=1) for line in out.strip().splitlines())
    assert lines["done"] == "3"
    assert lines["unknown"].startswith("1 they may be billed: --resend-unknown")
    assert lines["spent"] == "0.3 USD, 6 pictures"
    assert "line 4 (" in err
    assert "filtered: not this" in err
    page = (command.place / "out" / "index.html").read_text()
    assert page.count("<img") == 3
    assert "line 5 (" in page
    assert (command.place / "out" / "_sheet-1.png").exists()

    status, out, _ = command.batch("--resend-unknown", "--json")
    *outcomes, last = map(json.loads, out.splitlines())
    assert [outcome["line"] for outcome in outcomes] == [1, 2, 3, 4, 5]
    assert last["summary"]["unknown"] == 1
    assert len(command.bill) == 5


def test_all_done_is_status_0_and_standard_input_is_a_manifest(command):
    words = [word if word != "tasks.jsonl" else "-" for word in command.words()]
    with command.start(*words, cwd=command.place, stdin=subprocess.PIPE) as process:
        out, _ = process.communicate(b"prompt,seed\na,1\nb,2\n", timeout=60)
    assert process.returncode == 0
    assert out.split()[:2] == [b"done", b"2"]
    assert [(prompt, seed) for prompt, seed, _ in sorted(command.bill)] == [("a", 1), ("b", 2)]


def test_mistakes_are_lines_with_status_2(command):
    command.manifest({"prompt": "a", "seed": -1}, {"prompt": "b", "sed": 1})
    status, out, err = command.batch()
    assert (status, out) == (2, "")
    assert [line[:13] for line in err.splitlines()] == ["error: line 1", "error: line 2"]
    for more, said in (
        (("--max-spend", "20"), "such as 20USD"),
        (("--rate", "fast"), "60/min"),
        (("--in-flight", "0"), "--in-flight"),
    ):
        status, _, err = command.batch(*more)
        assert status == 2
        assert said in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_ctrl_c_waits_for_what_is_out_and_resume_does_the_rest(command, number, expected):
    command.manifest(*numbered(20))
    with command.start(*command.words("--in-flight", "2", seconds=0.2), cwd=command.place) as process:
        command.paid(3)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == expected
    assert b"interrupted; waiting for" in err
    events = [json.loads(line)["event"] for line in (command.place / "out" / "journal.jsonl").read_text().splitlines()]
    assert 0 < events.count("sent") == events.count("done") == len(command.bill) < 20
    assert command.batch("--resume")[0] == 0
    assert len({prompt for prompt, _, _ in command.bill}) == len(command.bill) == 20


def test_a_second_ctrl_c_leaves_at_once_and_what_was_out_is_unknown(command):
    command.manifest(*numbered(4))
    with command.start(*command.words("--in-flight", "2", seconds=60), cwd=command.place) as process:
        command.sent(2)
        process.send_signal(signal.SIGINT)
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130
    status, out, _ = command.batch("--resume", "--json")
    assert status == 1
    assert (summary(out)["done"], summary(out)["unknown"]) == (2, 2)
    status, out, _ = command.batch("--resend-unknown", "--json")
    assert (status, summary(out)["done"], len(command.bill)) == (0, 4, 4)


def test_a_second_driver_is_refused_in_one_line(command):
    command.manifest(*numbered(4))
    with command.start(*command.words("--in-flight", "1", seconds=600), cwd=command.place) as process:
        command.sent(1)
        status, _, err = command.batch("--resume")
        process.kill()
    assert status == 2
    assert len(err.splitlines()) == 1
    assert f"another batch uses this folder (process {process.pid} on" in err


def test_a_terminal_shows_a_bar(command):
    command.manifest(*numbered(3), {"prompt": "x [rejected]"})
    ours, theirs = pty.openpty()
    with command.start(*command.words(), cwd=command.place, stderr=theirs, env={"TERM": "xterm"}) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        process.communicate(timeout=60)
    os.close(ours)
    assert b"4/4" in shown
    assert b"3 done, 1 failed, spent 0.15 USD" in shown.replace(b"\r\n", b" ")


FULL = """
mount -t tmpfs -o size=100k none out || exit 99
{limner} > first.out 2> first.err; echo $? > first.status
mount -o remount,size=20m out
{limner} --resume --json > second.out 2> second.err
cp bill second.bill
{limner} --resend-unknown --json > third.out 2> third.err; echo $? > third.status
cp -r out kept
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root, unshare")
def test_a_full_disk_loses_no_picture_and_pays_for_none_twice(command):
    """A small file system is mounted there."""
    place = command.place
    command.manifest(*numbered(40))
    (place / "out").mkdir()
    (place / "elsewhere").mkdir()
    words = " ".join([sys.executable, "-m", "limner", *command.words("--in-flight", "4")])
    environment = os.environ | {"PYTHONPATH": str(command.folder), "TMPDIR": str(place / "elsewhere")}
    script = ["unshare", "-m", "bash", "-c", FULL.format(limner=words)]
    done = subprocess.run(script, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode in {1, 99} and not (place / "first.status").exists():
        pytest.skip(f"nothing can be mounted here: {done.stderr}")
    said = (place / "first.err").read_text()
    assert (place / "first.status").read_text() == "1\n"
    assert "No space left on device" in said
    assert not [path for path in (place / "kept").iterdir() if path.name.endswith(".part")]
    paid = bill_of(place / "second.bill")
    assert len({prompt for prompt, _, _ in paid}) == len(paid)
    counts = summary((place / "second.out").read_text())
    assert counts["done"] + counts["unknown"] == 40
    assert counts["unknown"] <= 4
    assert len(list((place / "elsewhere").glob("limner-*.png"))) <= counts["unknown"]
    assert (place / "third.status").read_text() == "0\n"
    assert len(command.bill) == len(paid) + counts["unknown"]
    assert len(list((place / "kept").glob("*.png"))) == 40


PROGRAM = """
import sys
import limner

tasks = [limner.Generate(prompt=str(number)) for number in range(30)]
model = limner.get_model("painter", bill="bill", seconds=0.3)
for outcome in limner.batch(tasks, model=model, out="out", in_flight=3):
    print(outcome.status, flush=True)
"""


def test_ctrl_c_in_a_program_waits_for_what_is_out_too(command):
    with command.start("-c", PROGRAM, cwd=command.place) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert b"KeyboardInterrupt" in err
    events = [json.loads(line)["event"] for line in (command.place / "out" / "journal.jsonl").read_text().splitlines()]
    assert 0 < events.count("sent") == events.count("done") == len(command.bill) < 30
