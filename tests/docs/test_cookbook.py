"""Recipes that need more than this environment: a web framework, or pytest itself as the runner."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook"
UV = os.environ.get("UV")
WEB = ["fastapi>=0.115", "httpx>=0.27"]


def code(page: str) -> str:
    """The Python of a page, block after block."""
    tokens = MarkdownIt().parse((COOKBOOK / page).read_text("utf-8"))
    return "\n\n".join(token.content for token in tokens if token.type == "fence" and token.info == "python")


def test_the_web_app_answers(tmp_path: Path) -> None:
    """FastAPI gets a folder of its own, so that the development environment stays small."""
    packages = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip"] if UV is None else [UV, "pip"]
    command = [*pip, "install", "-q", "--target", str(packages), *WEB]
    if UV is not None:
        command += ["--python", sys.executable]
    installed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if installed.returncode != 0:
        pytest.skip(f"FastAPI cannot be installed here: {installed.stderr.strip().splitlines()[-1:]}")
    (tmp_path / "app.py").write_text(code("web-app.md"), "utf-8")
    environment = os.environ | {
        "PYTHONPATH": f"{packages}{os.pathsep}{sysconfig.get_path('purelib')}",
        "LIMNER_MODEL": "sketch",
    }
    run = [sys.executable, "app.py"]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_tests_with_the_emulator_pass(tmp_path: Path) -> None:
    (tmp_path / "test_posters.py").write_text(code("testing.md"), "utf-8")
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_posters.py"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
