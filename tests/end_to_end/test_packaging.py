"""What a package index shows of every distribution, and that each works alone on every supported Python."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import limner
import pytest
import yaml

from .installing import PACKAGES, ROOT, UV, install, interpreter, project, run

SUPPORTED = ("3.11", "3.12", "3.13")
"""What the classifiers promise; newer versions are tried where they are installed."""

RELATIVE_LINK = re.compile(r"\]\((?!https?://|#|mailto:)[^)]+\)")

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
pytestmark = pytest.mark.xdist_group("installed")


def file_of(package: Path, folder: Path, suffix: str) -> Path:
    name = str(project(package)["name"]).replace("-", "_")
    (found,) = folder.glob(f"{name}-[0-9]*{suffix}")
    return found


@each_package
def test_the_declared_metadata_is_complete(package: Path) -> None:
    own = project(package)
    assert own["version"] == limner.__version__
    assert own["license"] == "MIT"
    assert own["license-files"] == ["LICENSE"]
    assert own["readme"] == "README.md"
    assert own["requires-python"] == ">=3.11"
    assert own["keywords"]
    assert own["classifiers"] == project(ROOT / "core")["classifiers"]
    assert 20 < len(str(own["description"])) < 160
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@each_package
def test_no_address_is_invented(package: Path) -> None:
    """There is no public address of the project yet: a link is https and leads to what exists, or is not there."""
    urls = project(package).get("urls", {})
    assert isinstance(urls, dict)
    assert all(re.fullmatch(r"https://(?!.*(example|invalid|localhost|TODO)).+", url) for url in urls.values())


@each_package
def test_the_readme_has_no_link_that_an_index_cannot_follow(package: Path) -> None:
    assert not RELATIVE_LINK.findall((package / "README.md").read_text("utf-8"))


def test_the_classifiers_name_the_supported_versions() -> None:
    classifiers = project(ROOT / "core")["classifiers"]
    assert isinstance(classifiers, list)
    assert {f"Programming Language :: Python :: {version}" for version in SUPPORTED} <= set(classifiers)


@each_package
def test_what_is_built_has_the_metadata(package: Path, wheels: Path) -> None:
    own = project(package)
    with zipfile.ZipFile(file_of(package, wheels, ".whl")) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(wheel.read(name).decode())
        assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (package / "README.md").read_text("utf-8")
    assert metadata.get_all("Classifier") == own["classifiers"]
    with tarfile.open(file_of(package, wheels, ".tar.gz")) as source:
        files = {name.partition("/")[2] for name in source.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= files
    assert not any(name.startswith(("tests/", "dist/", ".")) and name != ".gitignore" for name in files)


def test_twine_accepts_every_distribution(wheels: Path) -> None:
    if UV is None:
        pytest.skip("needs uv, which runs twine in an environment of its own")
    files = [*wheels.glob("*.whl"), *wheels.glob("*.tar.gz")]
    assert len(files) == 2 * len(PACKAGES)
    run_twine = [UV, "tool", "run", "twine"]
    if subprocess.run([*run_twine, "--version"], capture_output=True, check=False, timeout=300).returncode != 0:
        pytest.skip("twine cannot be installed here")
    done = subprocess.run(
        [*run_twine, "check", "--strict", *files], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", [*SUPPORTED[1:], "3.14"])
def test_every_wheel_works_alone_on_other_versions(version: str, wheels: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    if UV is None:
        pytest.skip("needs uv: pip takes minutes for so many environments")
    for package in PACKAGES:
        modules = [path.name for path in (package / "src").iterdir() if path.name.startswith("limner") and path.is_dir()]
        where = tmp_path / package.name
        programs = install(where, wheels, str(project(package)["name"]), python=python)
        code = f"import limner, {', '.join(modules)}; from limner.plugins import registry as r; r().models(); "
        code += "print([p.name for p in r().plugins if p.broken], limner.__version__)"
        done = run(programs, "python", "-W", "error", "-c", code)
        assert done.stdout == f"[] {limner.__version__}\n", (package.name, done.stderr)


def test_the_command_tells_its_version(wheels: Path, tmp_path: Path) -> None:
    programs = install(tmp_path / "venv", wheels, "limner")
    assert run(programs, "limner", "--version").stdout.strip() == f"limner, version {limner.__version__}"


def workflow(name: str) -> dict[str, Any]:
    """A workflow; YAML reads its key ``on`` as true."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text("utf-8"))
    return loaded


def test_a_release_is_built_checked_and_published_without_a_token() -> None:
    jobs = workflow("release.yml")["jobs"]
    commands = " ".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert all(command in commands for command in (".ci/run", "build --all-packages", "twine check --strict", ".ci/audit"))
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert "password" not in (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")


def test_ci_runs_the_supported_versions() -> None:
    jobs = workflow("ci.yml")["jobs"]
    assert jobs["tests"]["strategy"]["matrix"]["python-version"] == list(SUPPORTED)


@pytest.mark.parametrize("name", ["run", "audit"])
def test_the_scripts_of_the_workflows_are_programs(name: str) -> None:
    script = ROOT / ".ci" / name
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


def test_the_dockerfile_installs_packages_that_exist() -> None:
    text = (ROOT / "docs" / "Dockerfile").read_text("utf-8")
    (plugins,) = re.findall(r'^ARG PLUGINS="(.+)"$', text, re.MULTILINE)
    folders = [*plugins.split(), *re.findall(r"\./plugins/([\w-]+)", text)]
    missing = {folder for folder in folders if not (ROOT / "plugins" / folder / "pyproject.toml").exists()}
    assert not missing
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert not {"core", "plugins"} & set(ignored)
