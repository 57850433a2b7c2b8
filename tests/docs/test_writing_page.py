"""The pieces on docs/writing-a-plugin.md are pieces of what ``limner new-plugin example`` writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from limner.cli.new_plugin import project
from markdown_it import MarkdownIt

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-plugin.md"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return dict(project("example"))


@pytest.fixture(scope="module")
def pieces() -> list[tuple[str, str]]:
    """Each block that follows a paragraph which names its file, and blocks that follow on such a block."""
    found: list[tuple[str, str]] = []
    path = ""
    for token in MarkdownIt().parse(PAGE.read_text("utf-8")):
        if token.type == "inline":
            named = re.findall(r"`((?:src/|tests/)[\w/]+\.py|pyproject\.toml)`", token.content)
            path = named[-1] if named and token.content.endswith((":", "with")) else ""
        elif token.type == "fence" and path:
            found.append((path, token.content))
    return found


def test_every_piece_is_in_its_file(written: dict[str, str], pieces: list[tuple[str, str]]) -> None:
    for path, piece in pieces:
        assert piece.rstrip("\n") in written[path], f"{path} has no longer\n{piece}"


def test_every_module_is_explained(written: dict[str, str], pieces: list[tuple[str, str]]) -> None:
    modules = {path for path in written if path.startswith("src/") and path.endswith(".py") and "__init__" not in path}
    assert {path for path, _ in pieces} == modules | {"pyproject.toml", "tests/conftest.py", "tests/test_conformance.py"}


def test_the_listing_is_what_is_written(written: dict[str, str]) -> None:
    listed = re.findall(r"^limner-example/(\S+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(written)
