"""A new plugin: new-plugin."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SUFFIX = ".template"
LONGEST = 30
"""Characters of a name: with more, lines of the files would be too long."""


@click.command()
@click.argument("name")
def new_plugin(name: str) -> None:
    """Write a plugin for an HTTP image API into the folder limner-NAME, to start from.

    It is complete: limits, mapping, transport with every error, and tests with limner's conformance kit, for an API that
    is made up. NAME is the provider's: small letters, digits and single hyphens.
    """
    from limner.cli.console import say

    _check(name)
    folder = Path(f"limner-{name}")
    write(name, folder)
    click.echo(folder)
    say(f"next: cd {folder} && python -m pip install -e '.[dev]' && python -m pytest; README.md says what to change")


def _check(name: str) -> None:
    """Refuse a name that no distribution, module and alias can have, or that is taken."""
    from importlib.metadata import distributions

    from limner.plugins import FIRST_PARTY

    if name.startswith("limner-"):
        raise click.BadParameter(f"{name!r} begins with limner-, which is added; say the rest", param_hint="NAME")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > LONGEST:
        rule = f"small letters, digits and single hyphens, a letter first, at most {LONGEST} characters"
        raise click.BadParameter(f"{name!r} is not made of {rule}", param_hint="NAME")
    installed = {str(found.name).lower().replace("_", "-") for found in distributions() if found.name}
    if f"limner-{name}" in installed | set(FIRST_PARTY.values()):
        raise click.BadParameter(f"there is a distribution limner-{name} already; take another name", param_hint="NAME")


def write(name: str, folder: Path) -> None:
    """Write the project of a plugin, whole or not at all.

    Args:
        name: of the provider.
        folder: where to; it must not exist.
    """
    try:
        folder.mkdir()
    except FileExistsError:
        said = f"{str(folder)!r} exists already; move it away, or take another name"
        raise click.BadParameter(said, param_hint="NAME") from None
    try:
        for path, content in project(name):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def project(name: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the content of each file of a plugin's project."""
    from importlib.resources import files
    from string import Template

    module = f"limner_{name.replace('-', '_')}"
    words = {
        "name": name,
        "module": module,
        "title": " ".join(part.capitalize() for part in name.split("-")),
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "variable": name.replace("-", "_").upper(),
    }
    for path, template in _templates(files("limner.cli") / "templates" / "new-plugin"):
        yield path.replace("MODULE", module), Template(template.read_text("utf-8")).substitute(words)


def _templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield the templates below a folder, each with the path of what it becomes."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield path + entry.name.removesuffix(SUFFIX), entry
