"""The packages as a user gets them: wheels, and fresh environments with some of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent for path in [ROOT / "core" / "pyproject.toml", *(ROOT / "plugins").glob("*/pyproject.toml")])
UV = os.environ.get("UV") or shutil.which("uv")


def project(package: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def build(package: Path, folder: Path) -> None:
    """Build the wheel of a package."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=package, check=True, capture_output=True)


def install(where: Path, wheels: Path, *distributions: str) -> Path:
    """Install some of the wheels, and what they declare.

    Args:
        where: the environment; it is made where there is none.
        wheels: the folder with the wheels.
        distributions: what to install.

    Returns:
        The folder of the environment's programs.
    """
    python = where / "bin" / "python"
    make = [UV, "venv", "-q", "--python", sys.executable, where] if UV is not None else [sys.executable, "-m", "venv", where]
    pip = [UV, "pip", "install", "--python", python] if UV is not None else [python, "-m", "pip", "install"]
    if not python.exists():
        subprocess.run(make, check=True, capture_output=True)
    command = [*pip, "-q", "--find-links", wheels, *distributions]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return where / "bin"


def run(
    programs: Path, *words: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of an environment's programs, with nothing of the caller's own settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LIMNER", "AWS"))}
    plain["LIMNER_CONFIG_DIR"] = str(programs.parent / "limner-config")
    command = [programs / words[0], *words[1:]]
    where = programs.parent if cwd is None else cwd
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=where, env=plain | dict(environment or {})
    )
