"""install and uninstall: plugins in the environment that limner runs in."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

from limner.cli.commands import Command
from limner.cli.completing import complete_folders, completing

CORE = "limner"

PROVIDERS = {
    "openai": ("limner-openai",),
    "gemini": ("limner-gemini",),
    "bfl": ("limner-bfl",),
    "sdapi": ("limner-sdapi",),
    "stability": ("limner-bedrock-stability",),
    "titan": ("limner-bedrock-titan",),
    "sdxl": ("limner-bedrock-sdxl",),
    "bedrock": ("limner-bedrock-stability", "limner-bedrock-titan", "limner-bedrock-sdxl"),
    "sketch": ("limner-sketch",),
    "opentelemetry": ("limner-opentelemetry",),
    "emulator": ("limner-bedrock-emulator",),
}
"""Short names and the distributions that they stand for."""

_OWN = {name for names in PROVIDERS.values() for name in names} | {"limner-http", "limner-bedrock"}

PUBLISHED = False
"""Whether limner's own packages are on the package index.

Until they are, their names are never asked for there: anyone could register them.
"""

complete_providers = completing(lambda _: PROVIDERS)

_ORIGIN = "direct_url.json"


@click.command(cls=Command, example="limner install openai")
@click.argument("packages", metavar="PROVIDER|PACKAGE...", nargs=-1, shell_complete=complete_providers)
@click.option(
    "-e",
    "--editable",
    "editable",
    metavar="DIR",
    multiple=True,
    shell_complete=complete_folders,
    help="Install a folder in place. Repeatable.",
)
@click.option("-U", "--upgrade", is_flag=True, help="Replace installed versions by newer ones.")
@click.option(
    "--find-links", metavar="DIR", multiple=True, shell_complete=complete_folders, help="A folder with wheels. Repeatable."
)
def install(packages: Sequence[str], editable: Sequence[str], upgrade: bool, find_links: Sequence[str]) -> None:
    """Install plugins beside limner.

    They are installed by pip, or by uv where there is no pip, into the environment that this command runs in. PROVIDER is
    openai, gemini, bfl, sdapi, stability, titan, sdxl, bedrock (all models on Bedrock), sketch, opentelemetry or emulator.
    PACKAGE is a name, a folder, a wheel or an address, as pip takes it.

    limner's own packages are not on a package index yet. A PROVIDER is taken from the clone that limner was installed
    from, or from --find-links; with a folder or a wheel, packages of limner that it needs are taken from beside it.
    """
    from limner.cli.console import print_message

    if not packages and not editable:
        raise click.UsageError("name a PROVIDER or a PACKAGE, such as openai", click.get_current_context())
    wanted = _Wanted(clone=_clone(), links=tuple(find_links))
    for package in packages:
        wanted.add(package)
    for folder in editable:
        wanted.add_folder(Path(folder), editable=True)
    arguments = ["--upgrade"] if upgrade else []
    arguments += [word for link in wanted.all_links() for word in ("--find-links", link)]
    _run("install", [*arguments, *wanted.arguments()])
    print_message("installed; 'limner models' lists the models, 'limner keys list' the keys that they use")


@click.command(cls=Command, example="limner uninstall openai")
@click.argument("packages", metavar="PROVIDER|PACKAGE...", nargs=-1, required=True, shell_complete=complete_providers)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def uninstall(packages: Sequence[str], yes: bool) -> None:
    """Remove plugins.

    PROVIDER is a short name as in 'limner install', PACKAGE the name of a distribution. limner itself is not removed.
    """
    from limner.cli.console import print_message

    names = list(dict.fromkeys(name for package in packages for name in PROVIDERS.get(package, (package,))))
    installed = {_normalized(found.name): found for found in importlib.metadata.distributions()}
    for package, members in ((package, PROVIDERS.get(package, ())) for package in packages):
        if _normalized(package) == CORE:
            raise click.UsageError("limner does not remove itself; use pip or uv for that")
        if not any(_normalized(name) in installed for name in members or (package,)):
            raise click.UsageError(f"{package} is not installed")
    names = [name for name in names if _normalized(name) in installed]
    going = {_normalized(name) for name in names}
    for name, found in installed.items():
        needed = sorted(
            going & {_name_of(requirement) for requirement in found.requires or () if "extra ==" not in requirement}
        )
        if needed and name not in going and name.startswith(f"{CORE}-"):
            raise click.UsageError(f"{name} needs {' and '.join(needed)}; remove it too")
    if not yes:
        click.confirm(f"Remove {', '.join(names)}?", abort=True, err=True)
    _run("uninstall", names)
    print_message(f"removed {', '.join(names)}")


# ---------------------------------------------------------------------------------------------- what is to be installed


@attrs.frozen
class _Project:
    """A folder with the sources of a distribution."""

    name: str
    path: Path
    needs: tuple[str, ...]


@attrs.define
class _Wanted:
    """Gathers what is to be installed."""

    clone: Path | None
    links: tuple[str, ...]
    names: list[str] = attrs.field(factory=list)
    folders: dict[Path, bool] = attrs.field(factory=dict)
    wheels: list[Path] = attrs.field(factory=list)

    def add(self, package: str) -> None:
        """Add what a word of the command line names."""
        path = Path(package)
        if package in PROVIDERS and not path.exists():
            for distribution in PROVIDERS[package]:
                self._add_own(distribution)
        elif path.is_dir():
            self.add_folder(path, editable=False)
        elif path.suffix == ".whl" or path.is_file():
            if not path.is_file():
                raise click.UsageError(f"{package} not found")
            self.wheels.append(path)
        elif _name_of(package) in _OWN:
            self._add_own(package)
        else:
            self.names.append(_checked_name(package))

    def _add_own(self, distribution: str) -> None:
        """Add one of limner's own packages: from a folder of wheels, from the clone, or from the index."""
        local = _projects(self.clone / "plugins") if self.clone is not None else {}
        if self.links or PUBLISHED:
            self.names.append(distribution)
        elif distribution in local:
            self.add_folder(local[distribution].path, editable=False)
        else:
            folder = distribution.removeprefix(f"{CORE}-")
            raise click.UsageError(
                f"{distribution} is not on a package index yet; install it from a clone of limner, such as "
                f"'limner install ./plugins/{folder}', or from a folder of wheels with --find-links DIR"
            )

    def add_folder(self, folder: Path, *, editable: bool) -> None:
        """Add a folder, and those beside it that it needs and that are not installed."""
        if not (folder / "pyproject.toml").is_file() and not (folder / "setup.py").is_file():
            raise click.UsageError(f"{folder} is not a folder with a pyproject.toml; name that of one package")
        folder = folder.resolve()
        self.folders[folder] = editable
        beside = _projects(folder.parent)
        own = next((project for project in beside.values() if project.path == folder), None)
        for name in own.needs if own is not None else ():
            needed = beside.get(name)
            if needed is not None and needed.path not in self.folders and not _is_installed(name):
                self.add_folder(needed.path, editable=editable)

    def all_links(self) -> Iterator[str]:
        """The folders of wheels: those named, and those of wheels that are named."""
        yield from self.links
        yield from dict.fromkeys(str(wheel.resolve().parent) for wheel in self.wheels)

    def arguments(self) -> list[str]:
        """What is to be installed, as pip and uv take it."""
        folders = [word for path, editable in self.folders.items() for word in (["-e"] if editable else []) + [str(path)]]
        return [*self.names, *map(str, self.wheels), *folders]


def _checked_name(package: str) -> str:
    """Refuse a misspelt provider; what is nobody's name is pip's matter."""
    from limner.errors import did_you_mean

    if package.startswith("-"):
        raise click.UsageError(f"{package!r} is not a package")
    if _normalized(package) == CORE:
        raise click.UsageError("limner is installed already; name a PROVIDER, such as openai")
    hint = did_you_mean(package, PROVIDERS) if package.isalpha() else ""
    if hint:
        raise click.UsageError(f"there is no provider {package!r}; {hint}")
    return package


def _clone() -> Path | None:
    """The clone that limner was installed from; ``None`` where it was installed from a wheel."""
    import json
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        origin: Any = json.loads(importlib.metadata.distribution(CORE).read_text(_ORIGIN) or "null")
        address = urlsplit(origin["url"])
    except (importlib.metadata.PackageNotFoundError, ValueError, TypeError, KeyError):
        return None
    folder = Path(url2pathname(address.path)).parent if address.scheme == "file" else None
    return folder if folder is not None and (folder / "plugins").is_dir() else None


def _projects(folder: Path) -> dict[str, _Project]:
    """The projects in a folder, by their names."""
    import tomllib

    found = {}
    for file in sorted(folder.glob("*/pyproject.toml")):
        try:
            about = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
            needs = tuple(_name_of(requirement) for requirement in about.get("dependencies", ()))
            found[_normalized(about["name"])] = _Project(_normalized(about["name"]), file.parent.resolve(), needs)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _name_of(requirement: str) -> str:
    """The distribution that a requirement such as ``limner-http>=0.1,<0.2`` names."""
    return _normalized(re.split(r"[\s<>=!~\[;(@]", requirement.strip(), maxsplit=1)[0])


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# ---------------------------------------------------------------------------------------------- pip and uv


def _run(action: str, arguments: Iterable[str]) -> None:
    """Run pip, or uv where there is no pip; what it prints goes to stderr."""
    command = [*_installer(action), *arguments]
    status = subprocess.run(command, stdout=sys.stderr, check=False).returncode  # noqa: S603 - what the user asks for
    if status:
        raise click.ClickException(f"{action} failed (exit status {status}); the reason is above")


def _installer(action: str) -> list[str]:
    """Return the command that changes this environment."""
    if importlib.util.find_spec("pip") is not None:  # -P: a file pip.py in the current folder is not pip
        return [sys.executable, "-P", "-m", "pip", action, *(["--yes"] if action == "uninstall" else [])]
    uv = shutil.which("uv") or os.environ.get("UV")
    if uv is None and importlib.util.find_spec("uv") is None:
        raise click.ClickException(f"there is neither pip nor uv; '{sys.executable} -m ensurepip' installs pip")
    return [*([uv] if uv is not None else [sys.executable, "-P", "-m", "uv"]), "pip", action, "--python", sys.executable]
