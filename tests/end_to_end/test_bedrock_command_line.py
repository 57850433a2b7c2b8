"""The Bedrock models from the command line: what works, and what each wrong start says."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import PIL.Image
import pytest
from limner import Image
from limner_bedrock_emulator import Emulator

EDITS = {
    "vary": ["vary", "in.png", "a boat", "--strength", "0.4"],
    "inpaint": ["inpaint", "in.png", "a red door", "--box", "10,10,50,50"],
    "outpaint": ["outpaint", "in.png", "a beach", "--expand", "16,0,16,0"],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    PIL.Image.frombytes("RGB", (96, 64), random.Random(3).randbytes(96 * 64 * 3)).save("in.png")
    return tmp_path


def limner(*words: str, endpoint: str | None = None, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in without}
    if endpoint is not None:
        environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = endpoint
    return subprocess.run(
        [sys.executable, "-m", "limner", *words], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def refused(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    """One clear line, the right status, no traceback, no file."""
    assert done.returncode == status, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    for word in words:
        assert word in errors[0]
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["in.png"]


@pytest.mark.parametrize("model", ["sdxl", "titan", "titan-v1"])
def test_generate(model: str, emulator: Emulator) -> None:
    done = limner("generate", "a fox", "-m", model, "--size", "1024x1024", "-o", "out.png", endpoint=emulator.url)
    assert done.returncode == 0, done.stderr
    assert Image.read("out.png").size == (1024, 1024)


@pytest.mark.parametrize("model", ["sdxl", "titan"])
@pytest.mark.parametrize("task", EDITS)
def test_edits(task: str, model: str, emulator: Emulator) -> None:
    done = limner(*EDITS[task], "-m", model, "-o", "out.png", endpoint=emulator.url)
    assert done.returncode == 0, done.stderr
    expected = {"outpaint": (128, 64), "inpaint": (96, 64), "vary": (96, 64) if model == "sdxl" else (1024, 1024)}
    assert Image.read("out.png").size == expected[task]


def test_remove_background(emulator: Emulator) -> None:
    done = limner("remove-background", "in.png", "-m", "titan", "-o", "out.png", endpoint=emulator.url)
    assert done.returncode == 0, done.stderr
    assert Image.read("out.png").mode == "RGBA"


def test_a_rerun_sends_the_same_body(emulator: Emulator) -> None:
    emulator.clear()
    assert limner(*EDITS["vary"], "-m", "sdxl", "-o", "out.png", endpoint=emulator.url).returncode == 0
    again = limner("rerun", "out.png", "--image", "in.png", "-o", "again.png", endpoint=emulator.url)
    assert again.returncode == 0, again.stderr
    first, second = emulator.requests
    assert first.raw == second.raw


def test_a_dry_run_needs_nothing() -> None:
    done = limner("generate", "a fox", "-m", "sdxl", "--dry-run", without=("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"))
    assert done.returncode == 0
    assert '"cfg_scale"' in done.stdout


def test_no_region(emulator: Emulator) -> None:
    done = limner("generate", "a fox", "-m", "sdxl", endpoint=emulator.url, without=("AWS_DEFAULT_REGION",))
    refused(done, 2, "region")


def test_no_credentials(emulator: Emulator) -> None:
    without = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    refused(limner("generate", "a fox", "-m", "sdxl", endpoint=emulator.url, without=without), 1, "credentials")


@pytest.mark.parametrize(
    ("fault", "word"), [("expired-token", "expired"), ("end-of-life", "end of its life"), ("access-denied", "access")]
)
def test_what_the_provider_refuses(fault: str, word: str, emulator: Emulator) -> None:
    done = limner("generate", f"a fox [[fault:{fault}]]", "-m", "titan", endpoint=emulator.url)
    refused(done, 1, word)


def test_an_unreachable_endpoint() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    refused(limner("generate", "a fox", "-m", "titan", "-S", "max_attempts=1", endpoint=address), 1, address)


def test_a_body_that_is_too_large(emulator: Emulator) -> None:
    emulator.clear()
    PIL.Image.frombytes("RGB", (2600, 2600), random.Random(1).randbytes(2600 * 2600 * 3)).save("in.png")
    refused(limner("vary", "in.png", "a fox", "-m", "sdxl", endpoint=emulator.url), 2, "25,000,000")
    assert not emulator.requests


def test_an_unknown_option(emulator: Emulator) -> None:
    done = limner("generate", "a fox", "-m", "sdxl", "-O", "style_prest=anime", endpoint=emulator.url)
    refused(done, 2, "style_prest", "style_preset")


def test_an_opaque_arn(emulator: Emulator) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefabcdef"
    refused(limner("generate", "a fox", "-m", arn, endpoint=emulator.url), 2, "alias")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_emulator_killed_in_mid_call() -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "limner", "bedrock-emulator", "--fault", "hang"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    address = server.stdout.readline().strip()
    waiting = threading.Event()

    def kill_once_connected() -> None:
        while not waiting.wait(0.05):
            table = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
            port = f":{int(address.rpartition(':')[2]):04X}"
            if any(port in line and " 01 " in line for line in table.splitlines()):
                break
        waiting.wait(0.3)
        server.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill_once_connected)
    killer.start()
    try:
        refused(limner("generate", "a fox", "-m", "titan", "-S", "max_attempts=1", endpoint=address), 1)
    finally:
        waiting.set()
        killer.join()
        server.wait()
        server.stdout.close()
