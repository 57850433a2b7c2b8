"""The commands, as a user runs them."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from .studio import WAIT, Client

LIMNER = [sys.executable, "-m", "limner"]


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LIMNER_")} | more


def refused(*arguments: str, **more: str) -> str:
    ran = subprocess.run(
        [*LIMNER, *arguments], capture_output=True, check=False, text=True, timeout=WAIT, env=environment(**more)
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    return ran.stderr


class Program:
    """A running command; its address is the first line of standard output."""

    def __init__(self, *arguments: str, **more: str) -> None:
        # A shell in the background passes on that SIGINT is ignored; then asyncio does not handle it.
        start = (
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from limner.cli import main; main()"
        )
        command = [sys.executable, "-c", start, *arguments, "--port", "0"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=environment(**more), **pipes)
        self.url = self.process.stdout.readline().strip()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def interrupted(self, by: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Interrupt it, and return its status and what it said."""
        self.process.send_signal(by)
        _, said = self.process.communicate(timeout=WAIT)
        return self.process.returncode, said


def test_serving(tmp_path: Path):
    with Program("serve", "--as", "gpt-image-1=sketch", "--max-n", "2") as program:
        client = Client(program.url)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", program.url)
        assert client.get("/v1/models").json["data"][0]["id"] == "gpt-image-1"
        answer = client.generate(model="gpt-image-1", size="64x64", n=2)
        assert [picture.size for picture in answer.pictures] == [(64, 64)] * 2
        assert client.generate(model="gpt-image-1", n=3).error["param"] == "n"
        assert client.get("/playground/").status == 404
        status, said = program.interrupted()
    assert status == 130
    assert "POST /v1/images/generations status=200" in said
    assert "interrupted" in said


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_calls_under_way_and_reports_them(by, bedrock_emulator):
    bedrock_emulator.fail_with("hang")
    aws = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with Program("serve", AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock_emulator.url, **aws) as program:
        client = Client(program.url)

        def ask() -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                client.generate(model="nova", size="512x512")

        thread = threading.Thread(target=ask)
        thread.start()
        deadline = time.monotonic() + WAIT
        while not bedrock_emulator.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        started = time.monotonic()
        status, said = program.interrupted(by)
        assert time.monotonic() - started < WAIT / 3
        thread.join()
    assert status == {signal.SIGINT: 130, signal.SIGTERM: 143}[by]
    assert "interrupted with 1 in progress, which may be billed: amazon.nova-canvas-v1:0 generate" in said


def test_keys(tmp_path: Path):
    file = tmp_path / "keys"
    file.write_text("one\n\ntwo\n")
    with Program("serve", "--key-file", str(file), LIMNER_SERVER_KEY="three") as program:
        assert [Client(program.url, key).get("/v1/models").status for key in ("", "one", "two", "three")] == [
            401,
            200,
            200,
            401,
        ]
    with Program("serve", "--host", "0.0.0.0", LIMNER_SERVER_KEY="three") as program:
        url = program.url.replace("0.0.0.0", "127.0.0.1")
        assert [Client(url, key).get("/v1/models").status for key in ("", "three")] == [401, 200]


def test_refusals(tmp_path: Path):
    empty = tmp_path / "keys"
    empty.write_text("\n")
    assert "--host 0.0.0.0 can be reached from other machines and needs a key" in refused("serve", "--host", "0.0.0.0")
    assert "has no key" in refused("serve", "--key-file", str(empty))
    assert "NAME=MODEL" in refused("serve", "--as", "sketch")
    assert "no installed plugin offers a model 'skech'" in refused("serve", "--as", "dall-e-3=skech")
    assert "is not an origin" in refused("serve", "--allow-origin", "*")


def test_a_port_that_is_taken():
    with Program("serve") as program:
        port = program.url.rpartition(":")[2]
        ran = subprocess.run(
            [*LIMNER, "serve", "--port", port], capture_output=True, check=False, text=True, timeout=WAIT, env=environment()
        )
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert f"cannot listen on 127.0.0.1 port {port}" in ran.stderr


def test_the_playground_makes_its_own_key():
    with Program("playground") as program:
        url, _, key = program.url.partition("#key=")
        assert len(key) >= 32
        client = Client(url.removesuffix("/playground/"))
        assert client.get("/v1/models").status == 401
        assert Client(client.url, key).get("/v1/models").status == 200
        assert client.get("/playground/api/anything").status == 401
    with Program("playground", LIMNER_SERVER_KEY="my own") as program:
        assert program.url.endswith("#key=my%20own")
