"""new-plugin: a plugin to start from."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from limner.cli.commands import Command

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SUFFIX = ".template"
MAX_NAME = 30
"""Characters of a name; a longer one would make lines of the files too long."""


@click.command(cls=Command, example="limner new-plugin acme")
@click.argument("name")
def new_plugin(name: str) -> None:
    """Create a plugin project in the folder limner-NAME.

    The project is a complete plugin for a fictitious HTTP image API: limits, mapping, transport with error handling, and
    tests with limner's conformance kit. NAME is the provider's name: lowercase letters, digits and single hyphens.
    """
    from limner.cli.console import print_message

    _check(name)
    folder = Path(f"limner-{name}")
    write(name, folder)
    click.echo(folder)
    print_message(
        f"next: cd {folder} && python -m pip install -e '.[dev]' && python -m pytest; README.md says what to change"
    )


def _check(name: str) -> None:
    """Refuse a name that is invalid for a distribution, module or alias, or that is taken."""
    from importlib.metadata import distributions

    from limner.plugins import FIRST_PARTY

    if name.startswith("limner-"):
        raise click.BadParameter(f"{name!r} starts with limner-, which is added; give the rest", param_hint="NAME")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > MAX_NAME:
        rule = f"lowercase letters, digits and single hyphens, starting with a letter, at most {MAX_NAME} characters"
        raise click.BadParameter(f"{name!r} is not a valid name; use {rule}", param_hint="NAME")
    installed = {str(found.name).lower().replace("_", "-") for found in distributions() if found.name}
    if f"limner-{name}" in installed | set(FIRST_PARTY.values()):
        raise click.BadParameter(f"a distribution limner-{name} already exists; choose another name", param_hint="NAME")


def write(name: str, folder: Path) -> None:
    """Write the project of a plugin, completely or not at all.

    Args:
        name: the provider's name.
        folder: where to write it; it must not exist.
    """
    try:
        folder.mkdir()
    except FileExistsError:
        message = f"{str(folder)!r} already exists; move it away, or choose another name"
        raise click.BadParameter(message, param_hint="NAME") from None
    try:
        for path, content in project(name):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def project(name: str) -> Iterator[tuple[str, str]]:
    """Yield the path and content of each file of a plugin's project."""
    from importlib.resources import files
    from string import Template

    module = f"limner_{name.replace('-', '_')}"
    names = {
        "name": name,
        "module": module,
        "title": " ".join(part.capitalize() for part in name.split("-")),
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "variable": name.replace("-", "_").upper(),
    }
    for path, template in _templates(files("limner.cli") / "templates" / "new-plugin"):
        yield path.replace("MODULE", module), Template(template.read_text("utf-8")).substitute(names)


def _templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield the templates below a folder, each with the path of the file made from it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield path + entry.name.removesuffix(SUFFIX), entry
