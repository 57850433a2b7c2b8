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
    """Build the source distribution of a package, and the wheel from it."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(package)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def interpreter(version: str) -> str | None:
    """Find a Python of another version: on the path, of pyenv or of uv; none is fetched."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    if UV is not None:
        find = [UV, "python", "find", "--no-python-downloads", "--no-project", version]
        found.append(subprocess.run(find, capture_output=True, text=True, check=False).stdout.strip())
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    for python in filter(None, found):
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return str(python)
    return None


def install(where: Path, wheels: Path, *distributions: str, python: str = sys.executable) -> Path:
    """Install some of the wheels, and what they declare.

    Args:
        where: the environment; it is made where there is none.
        wheels: the folder with the wheels.
        distributions: what to install.
        python: the interpreter of a new environment.

    Returns:
        The folder of the environment's programs.
    """
    own = where / "bin" / "python"
    make = [UV, "venv", "-q", "--python", python, where] if UV is not None else [python, "-m", "venv", where]
    pip = [UV, "pip", "install", "--python", own] if UV is not None else [own, "-m", "pip", "install"]
    if not own.exists():
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
