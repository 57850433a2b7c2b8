"""The command line as it is typed: in this process for the many, as a program of its own for what needs one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from limner.cli.app import cli

from ..fakes import png

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with one picture and one mask, and no word from outside on which model to take."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIMNER_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("LIMNER_MODEL", "LIMNER_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "photo.png").write_bytes(png((64, 64), "teal"))
    (tmp_path / "mask.png").write_bytes(png((64, 64), "white"))
    return tmp_path


@pytest.fixture
def limner() -> Run:
    """Run a command line in this process."""

    def run(*words: str, **more: Any) -> Result:
        return CliRunner().invoke(cli, [*words], **more)

    return run


class Program:
    """``python -m limner`` with plugins that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def install(self, name: str, source: str) -> None:
        """Install a plugin: a module, and the folder that makes it a distribution."""
        (self.folder / f"{name}.py").write_text(source)
        about = self.folder / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[limner]\n{name} = {name}\n")

    def start(self, *words: str, **more: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        environment = os.environ | {"PYTHONPATH": str(self.folder), "COLUMNS": "100"} | more.pop("env", {})
        command = [sys.executable, *(words if words[0].startswith("-") else ("-m", "limner", *words))]
        # a shell in the background passes on that SIGINT is ignored
        heard = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
        return subprocess.Popen(command, env=environment, preexec_fn=heard, **(pipes | more))  # noqa: PLW1509 - it starts no thread

    def __call__(self, *words: str, **more: Any) -> tuple[int, str, str]:
        with self.start(*words, **more) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, (out or b"").decode(), (err or b"").decode()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "plugins")
