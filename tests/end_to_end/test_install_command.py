"""`limner install` and `uninstall`, in environments of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .installing import ROOT, UV, install, run

ENVIRONMENT = {} if UV is None else {"UV": UV}

pytestmark = pytest.mark.xdist_group("installed")


def plugins(programs: Path) -> dict[str, str]:
    done = run(programs, "limner", "plugins", "--json")
    assert done.returncode == 0, done.stderr
    return {plugin["name"]: plugin["broken"] for plugin in json.loads(done.stdout)["plugins"]}


def with_pip(where: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", where], check=True, capture_output=True)
    return where


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_provider_is_installed_from_wheels_and_removed(wheels: Path, tmp_path: Path, installer: str) -> None:
    if installer == "uv" and UV is None:
        pytest.skip("there is no uv here")
    if installer == "pip":
        with_pip(tmp_path / "venv")
    programs = install(tmp_path / "venv", wheels, "limner")
    assert (programs / "pip").exists() == (installer == "pip")
    done = run(programs, "limner", "install", "gemini", "--find-links", str(wheels), environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert plugins(programs) == {"gemini": ""}
    (wheel,) = wheels.glob("limner_sketch-*.whl")
    assert run(programs, "limner", "install", str(wheel), environment=ENVIRONMENT).returncode == 0
    assert plugins(programs) == {"gemini": "", "sketch": ""}
    done = run(programs, "limner", "uninstall", "limner-http", "-y", environment=ENVIRONMENT)
    assert (done.returncode, "limner-gemini needs limner-http" in done.stderr) == (2, True)
    done = run(programs, "limner", "uninstall", "gemini", "-y", environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert plugins(programs) == {"sketch": ""}


def test_a_folder_brings_what_it_needs_from_beside_it(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, "limner")
    done = run(programs, "limner", "install", "-e", str(ROOT / "plugins" / "sdapi"), environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert plugins(programs) == {"sdapi": ""}
    script = "import limner_http, limner_sdapi; print(limner_http.__file__, limner_sdapi.__file__, sep='\\n')"
    files = run(programs, "python", "-c", script).stdout.split()
    assert [Path(file).parents[2].name for file in files] == ["http", "sdapi"]


def test_from_a_clone_a_short_name_is_enough(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, str(ROOT / "core"))
    done = run(programs, "limner", "install", "sketch", environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert plugins(programs) == {"sketch": ""}


def test_what_is_wrong_is_one_line_and_asks_no_index(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, "limner")
    for words, hint in (
        (("install",), "name a PROVIDER"),
        (("install", "openai"), "is not on a package index yet; install it from a clone of limner, such as"),
        (("install", "limner-openai>=0.1"), "is not on a package index yet"),
        (("install", "opnai"), "did you mean openai?"),
        (("install", "limner"), "limner is installed already"),
        (("install", "none.whl"), "none.whl not found"),
        (("install", str(tmp_path)), "is not a folder with a pyproject.toml"),
        (("install", "--", "--index-url=x"), "is not a package"),
        (("uninstall", "limner"), "limner does not remove itself"),
        (("uninstall", "Limner"), "limner does not remove itself"),
        (("uninstall", "openai"), "openai is not installed"),
    ):
        done = run(programs, "limner", *words)
        assert done.returncode == 2, words
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert hint in done.stderr, words


def test_without_an_answer_nothing_is_removed(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, "limner", "limner-sketch")
    done = run(programs, "limner", "uninstall", "sketch")
    assert done.returncode == 1
    assert plugins(programs) == {"sketch": ""}
