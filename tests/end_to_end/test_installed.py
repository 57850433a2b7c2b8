"""The packages as a user gets them: wheels in a fresh environment, with just what was installed."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

from .installing import PACKAGES, install, project, run

USED_BY_NAME = {"fakes": {"limner-sketch"}}
"""What a package wants installed without importing it: the fakes paint through limner.get_model("sketch")."""

NAMESPACES = {"opentelemetry": ["opentelemetry-api"]}
"""Who is meant by a name that several distributions share; test_walls.py sees that it is no other."""

pytestmark = pytest.mark.xdist_group("installed")


def names(requirements: object) -> set[str]:
    assert isinstance(requirements, list)
    return {re.split(r"[<>=!~\[; ]", requirement)[0].lower() for requirement in requirements}


def test_the_core_alone_says_what_to_install(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, "limner")
    done = run(programs, "limner", "generate", "a fox")
    assert done.returncode == 2
    assert "limner-sketch" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(programs, "limner", "models").returncode == 0


@pytest.mark.parametrize("package", [path for path in PACKAGES if path.name != "core"], ids=lambda path: path.name)
def test_each_plugin_works_with_nothing_but_the_core(package: Path, wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, str(project(package)["name"]))
    listing = run(programs, "limner", "plugins")
    assert listing.returncode == 0, listing.stderr
    assert "broken" not in listing.stdout.lower()
    for module in (package / "src").iterdir():
        if module.is_dir() and module.name.startswith("limner"):
            done = run(programs, "python", "-W", "error", "-c", f"import {module.name}")
            assert done.returncode == 0, done.stderr


def test_all_packages_together(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, *(str(project(package)["name"]) for package in PACKAGES))
    found = json.loads(run(programs, "limner", "plugins", "--json").stdout)
    assert {plugin["name"] for plugin in found["plugins"]} == {path.name for path in PACKAGES} - {"core", "bedrock", "http"}
    assert not found["clashes"]
    assert not any(plugin["broken"] for plugin in found["plugins"])


def test_a_picture_from_an_installed_plugin(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, "limner-sketch")
    done = run(programs, "limner", "generate", "a fox", "--size", "128x96", "--seed", "1", "-o", str(tmp_path / "fox.png"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_the_wheel_holds_the_package_and_says_that_it_is_typed(package: Path, wheels: Path) -> None:
    name = str(project(package)["name"])
    (wheel,) = wheels.glob(f"{name.replace('-', '_')}-*.whl")
    files = zipfile.ZipFile(wheel).namelist()
    assert f"{name.replace('-', '_')}/py.typed" in files
    sources = {str(path.relative_to(package / "src")) for path in (package / "src").rglob("*") if path.is_file()}
    assert {path for path in sources if "__pycache__" not in path} <= set(files)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_declares_exactly_what_it_imports(package: Path) -> None:
    own = project(package)
    optional = own.get("optional-dependencies", {})
    assert isinstance(optional, dict)
    declared = names(own["dependencies"]).union(*map(names, optional.values())) if optional else names(own["dependencies"])
    modules = {path.name for path in (package / "src").iterdir()}
    owners = {**importlib.metadata.packages_distributions(), **NAMESPACES}
    imported = set()
    for file in (package / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                imported.add(node.module.partition(".")[0])
    imported -= modules | set(sys.stdlib_module_names)
    needed = {owners.get(module, [module.replace("_", "-")])[0].lower() for module in imported}
    assert needed == declared - USED_BY_NAME.get(package.name, set()), f"imports {needed}, declares {declared}"


@pytest.mark.parametrize("package", [path for path in PACKAGES if path.name != "core"], ids=lambda path: path.name)
def test_a_plugin_has_a_floor_and_a_cap_on_the_core(package: Path) -> None:
    requirements = project(package)["dependencies"]
    assert isinstance(requirements, list)
    assert "limner>=0.1,<0.2" in requirements
