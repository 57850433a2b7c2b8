"""The providers' own Python clients, each in an environment of its own, made once for all processes of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

CLIENTS = {"openai": "openai==3.54.0", "google-genai": "google-genai==3.4.0"}


class CannotInstall(Exception):
    """A client could not be installed; the message says why."""


def interpreter(name: str, folder: Path) -> Path:
    """Return the Python of an environment with a client, which is made where there is none.

    uv makes it where there is one, as under ``uv run``: then it takes two seconds instead of twenty.

    Raises:
        CannotInstall: the client cannot be installed here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    where = folder / name
    python = where / "bin" / "python"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # processes of one run share the environment
        if not (where / "done").exists():
            try:
                _install(CLIENTS[name], where, python)
            except subprocess.CalledProcessError as error:
                raise CannotInstall(f"{CLIENTS[name]} cannot be installed here: {error.stderr[-500:]}") from error
            except (OSError, subprocess.TimeoutExpired) as error:
                raise CannotInstall(f"{CLIENTS[name]} cannot be installed here: {error}") from error
            (where / "done").touch()
    return python


def _install(client: str, where: Path, python: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv")
    make = [uv, "venv", "-q", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    pip = [uv, "pip", "install", "-q", "--python", python] if uv else [python, "-m", "pip", "install", "-q"]
    for command in ([*make, where], [*pip, client]):
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
