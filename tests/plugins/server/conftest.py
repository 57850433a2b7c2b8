"""A running server for each module, and a model that is there for the tests."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from limner_server.serving import serve
from limner_server.settings import ServerSettings

from . import studio

OPENAI = "openai==3.54.0"


@pytest.fixture(scope="module", autouse=True)
def _installed() -> Iterator[None]:
    with studio.installed(studio.Studio, studio.Enlarger):
        yield


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LIMNER_MODEL", raising=False)
    studio.CALLS.clear()
    studio.GATE.clear()
    yield
    studio.GATE.set()


@pytest.fixture(scope="module")
def client() -> Iterator[studio.Client]:
    with serve(ServerSettings(names={"gpt-image-1": "studio"})) as url:
        yield studio.Client(url)


@pytest.fixture
def serving() -> Iterator[object]:
    """Start servers that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(serve(ServerSettings(**settings)))


@pytest.fixture(scope="session")
def openai_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python in an environment of its own with the real client; the processes of a test run share it."""
    folder = tmp_path_factory.getbasetemp().parent / OPENAI
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            try:
                _install(folder)
            except (OSError, subprocess.SubprocessError) as error:
                pytest.skip(f"{OPENAI} cannot be installed here: {error}")
    return folder / "bin" / "python"


def _install(folder: Path) -> None:
    python, uv = str(folder / "bin" / "python"), os.environ.get("UV") or shutil.which("uv")
    if uv:
        steps = [
            [uv, "venv", "-q", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "-q", "--python", python, OPENAI],
        ]
    else:
        pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", OPENAI]
        steps = [[sys.executable, "-m", "venv", str(folder)], [python, *pip]]
    for step in steps:
        subprocess.run(step, check=True, capture_output=True, timeout=300)
    (folder / "complete").touch()
