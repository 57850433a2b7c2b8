"""Every Python and shell example of the README and the documentation runs as it is written."""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]
ELSEWHERE = {"docs/cookbook/web-app.md", "docs/cookbook/testing.md"}
"""Pages whose examples need an environment or a runner of their own; see test_cookbook.py."""


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def examples(page: Path) -> Iterator[tuple[int, str, str]]:
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info in {"python", "console", "shell", "bash", "sh"}:
            assert token.map is not None
            yield token.map[0] + 1, token.info, token.content


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the commands of this environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIMNER_CONFIG_DIR", str(tmp_path / ".limner"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def make_pictures(folder: Path) -> None:
    """The pictures that the pages of docs/ use; the README makes its own."""
    for name in ("photo.jpg", "house.png", "scene.png"):
        picture = Image.linear_gradient("L").resize((512, 512)).convert("RGB")
        ImageDraw.Draw(picture).rectangle((90, 220, 150, 360), fill="brown")
        picture.save(folder / name)
    mask = Image.new("L", (512, 512), 0)
    ImageDraw.Draw(mask).rectangle((80, 200, 160, 380), fill=255)
    mask.save(folder / "mask.png")
    cutout = Image.open(folder / "house.png")
    cutout.putalpha(mask)
    cutout.save(folder / "cutout.png")


class Shell:
    """Runs the commands of a page: exports last, and what ends in & stays until the page is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.servers: list[subprocess.Popen[str]] = []

    def run(self, command: str, where: str) -> None:
        if command.startswith("export "):
            for setting in shlex.split(command)[1:]:
                self.monkeypatch.setenv(*setting.split("=", 1))
        elif command.endswith(" &"):
            server = subprocess.Popen(shlex.split(command.removesuffix(" &")), stdout=subprocess.PIPE, text=True)
            self.servers.append(server)
            assert server.stdout is not None
            assert server.stdout.readline(), f"{where}: {command} ended at once"
        else:
            script = ["bash", "-c", f"set -o pipefail; {command}"]
            done = subprocess.run(script, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{where}: {command}\n{done.stdout}\n{done.stderr}"

    def close(self) -> None:
        for server in self.servers:
            server.terminate()
            server.communicate()


@pytest.mark.parametrize("page", [page for page in PAGES if list(examples(page)) and name(page) not in ELSEWHERE], ids=name)
def test_every_example_of_the_page_runs(page: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.name != "README.md":
        make_pictures(workplace)
    namespace: dict[str, object] = {"__name__": "example"}
    handlers = logging.root.handlers[:]
    shell = Shell(monkeypatch)
    try:
        for line, language, code in examples(page):
            if language == "python":
                exec(compile("\n" * line + code, str(page), "exec"), namespace)
                continue
            commands = [command.removeprefix("$ ") for command in code.splitlines() if command.startswith("$ ")]
            assert commands, f"{page.name}:{line}: a console example has lines that start with '$ '"
            for command in commands:
                shell.run(command, f"{page.name}:{line}")
    finally:
        shell.close()
        logging.root.handlers[:] = handlers


def test_the_readme_has_the_two_commands_that_ci_runs() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line.startswith("python -m pip install uv && ")]
    assert len(commands) == 2
    assert commands[0].endswith('limner generate "a beautiful mountain landscape" -o mountain.png')
    assert commands[1].endswith("python -m uv run pytest")
    assert all(lines.index(command) < 30 for command in commands)


def test_the_hooks_on_the_plugin_page_are_the_hooks_of_the_core() -> None:
    import inspect

    from limner import hookspecs

    text = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    headings = {line.removeprefix("### ").strip("`") for line in text.splitlines() if line.startswith("### `limner_")}
    hooks = {name: getattr(hookspecs, name) for name in vars(hookspecs) if name.startswith("limner_")}
    assert headings == {f"{name}({', '.join(inspect.signature(hook).parameters)})" for name, hook in hooks.items()}
