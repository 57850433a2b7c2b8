"""Dask's workers, really killed: a batch on a cluster pays once, whatever the scheduler starts again."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..cli.conftest import Program
from .painter import bill_of

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs limner[dask]"),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL"),
]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The command line, with the painter as a plugin that workers find too."""
    made = Program(tmp_path / "plugins")
    made.install("painter", Path(__file__).with_name("painter.py").read_text())
    return made


def manifest(folder: Path, count: int) -> Path:
    path = folder / "tasks.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"number {number}"}) + "\n" for number in range(count)))
    return path


def words(folder: Path, *more: str, seconds: float = 0.0) -> list[str]:
    settings = ("-S", f"bill={folder / 'bill'}", "-S", f"seconds={seconds}")
    return ["batch", str(folder / "tasks.jsonl"), "-m", "painter", *settings, "-o", str(folder / "out"), *more]


def workers_of(driver: int) -> list[int]:
    """The processes that Dask started below a process, except its resource tracker."""
    import psutil

    children = psutil.Process(driver).children(recursive=True)
    return [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]


def summary(out: str) -> dict[str, int]:
    return json.loads(out.splitlines()[-1])["summary"]


def check_paid_once(folder: Path, count: int) -> None:
    bill = bill_of(folder / "bill")
    assert len({prompt for prompt, _, _ in bill}) == len(bill) <= count


def test_killed_workers_pay_for_nothing_twice(program, tmp_path):
    count = 60
    manifest(tmp_path, count)
    with program.start(*words(tmp_path, "--dask", "local:2", "--in-flight", "6", "--json", seconds=0.08)) as driver:
        killed, chosen = 0, random.Random(7)
        until = time.monotonic() + 60
        while killed < 4 and driver.poll() is None and time.monotonic() < until:
            paid = len(bill_of(tmp_path / "bill"))
            workers = workers_of(driver.pid) if paid > 8 * (killed + 1) else []
            if workers:
                os.kill(chosen.choice(workers), signal.SIGKILL)
                killed += 1
            time.sleep(0.02)
        out, err = driver.communicate(timeout=120)
    assert killed >= 2
    counts = summary(out.decode())
    assert counts["done"] + counts["unknown"] == count, err.decode()[-2000:]
    assert counts["unknown"] <= 3 * killed  # what a worker had in its threads
    check_paid_once(tmp_path, count)
    status, out, _ = program(*words(tmp_path, "--resume", "--json"))
    assert summary(out)["done"] >= counts["done"]
    check_paid_once(tmp_path, count)
    status, out, err = program(*words(tmp_path, "--resend-unknown", "--json"))
    assert (status, summary(out)["done"]) == (0, count), err
    assert len(bill_of(tmp_path / "bill")) <= count + counts["unknown"]


def test_a_killed_driver_is_resumed_without_the_cluster(program, tmp_path):
    """What no worker had claimed is sent again, and nothing else is."""
    count = 40
    manifest(tmp_path, count)
    with program.start(*words(tmp_path, "--dask", "local:2", "--in-flight", "8", seconds=0.05)) as driver:
        while len(bill_of(tmp_path / "bill")) < 12:
            assert driver.poll() is None
            time.sleep(0.02)
        workers = workers_of(driver.pid)
        driver.kill()
        driver.communicate()
    until = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < until:
        time.sleep(0.1)
    _, out, err = program(*words(tmp_path, "--resume", "--json"))
    counts = summary(out)
    assert counts["done"] + counts["unknown"] == count, err
    assert counts["unknown"] <= 8
    check_paid_once(tmp_path, count)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root, unshare")
def test_a_worker_with_another_folder_of_that_name_is_refused(program, tmp_path):
    """The worker has a file system of its own mounted there."""
    manifest(tmp_path, 3)
    (tmp_path / "out").mkdir()
    mounted = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", str(tmp_path / "out")], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode()}")
    environment = os.environ | {"PYTHONPATH": str(program.folder)}
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard"]
    worker = f"mount -t tmpfs none {tmp_path / 'out'} && exec {sys.executable} -m distributed.cli.dask_worker"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": tmp_path}
    with subprocess.Popen([*dask, "--scheduler-file", str(file)], **quiet) as scheduler:
        try:
            until = time.monotonic() + 60
            while not file.exists() and time.monotonic() < until:
                time.sleep(0.1)
            address = json.loads(file.read_text())["address"]
            command = ["unshare", "-m", "bash", "-c", f"{worker} {address} --no-nanny --no-dashboard"]
            with subprocess.Popen(command, **quiet) as alone:
                try:
                    status, _, err = program(*words(tmp_path, "--dask", address))
                finally:
                    alone.kill()
        finally:
            scheduler.kill()
    assert status == 2
    assert "does not share the folder" in err
    assert not bill_of(tmp_path / "bill")


def test_what_is_no_scheduler_is_said_in_a_line(program, tmp_path):
    manifest(tmp_path, 1)
    status, _, err = program(*words(tmp_path, "--dask", "nonsense://x:1"))
    assert status == 2
    assert "there is no Dask scheduler" in err
    assert len(err.splitlines()) == 1
