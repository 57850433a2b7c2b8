"""new-plugin: what it writes, and what it refuses. That the plugin works is tested where it is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from limner.cli import new_plugin

LONG = "three-parts-of-a-name-of-30-ab"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def texts(folder: Path) -> dict[str, str]:
    return {path: content.decode() for path, content in files(folder).items()}


def test_it_writes_a_whole_project(limner, workplace):
    done = limner("new-plugin", "two-words")
    assert (done.exit_code, done.stdout) == (0, "limner-two-words\n")
    written = texts(workplace / "limner-two-words")
    assert {".github/workflows/ci.yml", ".gitignore", "README.md", "pyproject.toml", "src/limner_two_words/py.typed"} < {
        *written
    }
    project = tomllib.loads(written["pyproject.toml"])["project"]
    assert project["name"] == "limner-two-words"
    assert project["entry-points"]["limner"] == {"two-words": "limner_two_words.plugin"}
    assert "limner>=0.1,<0.2" in project["dependencies"]
    assert "class TwoWords(Model):" in written["src/limner_two_words/plugin.py"]
    assert "TWO_WORDS_API_KEY" in written["src/limner_two_words/settings.py"]
    assert "${{ matrix.python }}" in written[".github/workflows/ci.yml"]
    for path, content in written.items():
        assert "MODULE" not in path
        assert "template" not in path
        if path.endswith(".py"):
            ast.parse(content)
            assert "$" not in content


def test_what_stands_in_the_readme_is_there(limner, workplace):
    limner("new-plugin", "example")
    written = texts(workplace / "limner-example")
    named = [line.split("`")[1] for line in written["README.md"].splitlines() if line.startswith(("| `src/", "| `tests/"))]
    code = [path for path in written if path.endswith(".py") and not path.endswith("__init__.py")]
    assert sorted(named) == sorted(code)


@pytest.mark.parametrize("name", ["x", LONG])
def test_the_linter_finds_nothing_whatever_the_length_of_the_name(limner, workplace, name):
    assert len(LONG) == new_plugin.MAX_NAME
    assert limner("new-plugin", name).exit_code == 0
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache"]
        done = subprocess.run(command, cwd=workplace / f"limner-{name}", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["", "Example", "9lives", "a--b", "-a", "a-", "a_b", "ü", "a b", "../a", f"{LONG}c", "a\n"])
def test_a_name_that_is_none(limner, workplace, name):
    before = files(workplace)
    done = limner("new-plugin", "--", name)
    assert done.exit_code == 2
    assert "lowercase letters, digits and single hyphens" in done.stderr
    assert files(workplace) == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("limner-example", "starts with limner-, which is added"),
        ("sketch", "a distribution limner-sketch already exists"),
        ("bedrock-titan", "a distribution limner-bedrock-titan already exists"),
    ],
)
def test_a_name_that_is_taken(limner, name, said):
    done = limner("new-plugin", name)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_there_stays(limner, workplace, kind):
    target = workplace / "limner-example"
    if kind == "folder":
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    else:
        target.write_text("mine")
    before = files(workplace)
    done = limner("new-plugin", "example")
    assert done.exit_code == 2
    assert "'limner-example' already exists" in done.stderr
    assert files(workplace) == before


def test_nothing_half_written(limner, workplace, monkeypatch):
    whole = new_plugin.project

    def cut(name):
        yield next(whole(name))
        raise OSError(28, "No space left on device", "limner-example")

    monkeypatch.setattr(new_plugin, "project", cut)
    done = limner("new-plugin", "example")
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    assert not (workplace / "limner-example").exists()
