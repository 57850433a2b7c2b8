"""docs/models.md and docs/capabilities.md say what the plugins' limits say."""

from __future__ import annotations

import difflib
import importlib.util
from pathlib import Path
from types import ModuleType

import limner
import pytest

DOCS = Path(__file__).parents[2] / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    return script("generate_models")


@pytest.fixture(scope="module")
def capabilities() -> ModuleType:
    return script("generate_capabilities")


def stale(page: str, right: str) -> str:
    written = (DOCS / page).read_text("utf-8").splitlines()
    return "\n".join(difflib.unified_diff(written, right.splitlines(), f"docs/{page}", "the limits", n=0, lineterm=""))


def test_the_page_is_what_the_limits_say(generator: ModuleType) -> None:
    found = stale("models.md", generator.page())
    assert not found, f"run 'python docs/generate_models.py'\n{found}"


def test_the_capabilities_are_what_the_limits_say(generator: ModuleType, capabilities: ModuleType) -> None:
    found = stale("capabilities.md", capabilities.page(generator.first_party_models(), generator.link))
    assert not found, f"run 'python docs/generate_models.py'\n{found}"


def test_the_capabilities_name_every_model_once_and_read_as_the_limits(generator: ModuleType) -> None:
    text = (DOCS / "capabilities.md").read_text("utf-8")
    for model in generator.first_party_models():
        assert text.count(f"{generator.link(model)},") + text.count(f"{generator.link(model)} |") == 1, model.id
    (row,) = (line for line in text.splitlines() if "[sdxl-local]" in line)
    assert row.split(" | ")[1:4] == ["GVIOBU", "1", "GVIO"]
    assert "grey IO" in row


def test_every_parameter_of_every_task_is_in_its_models_table(generator: ModuleType) -> None:
    text = (DOCS / "models.md").read_text("utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n### ")[1:]}
    found = generator.first_party_models()
    assert [model.id for model in found] == list(sections)
    for model in found:
        parameters, _, options = sections[model.id].partition("\nOptions:\n")
        for task, limits in model.limits.items():
            own_size = ["size"] if limits.own_size else []
            assert names_in(parameters, task.kind) == sorted([*limits.parameters, *own_size]), (model.id, task.kind)
            assert names_in(options, task.kind) == sorted(limits.options), (model.id, task.kind)


def names_in(table: str, task: str) -> list[str]:
    """The names whose rows hold for a task; a model with one task has no column for it."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return sorted(row[0].strip("`") for row in rows if len(row) == 4 or row[3] == "all" or task in row[3].split(", "))


def test_models_of_others_are_not_on_the_page(generator: ModuleType) -> None:
    from limner.plugins import registry

    class Foreign:
        @staticmethod
        @limner.hookimpl
        def limner_models() -> list[type[limner.Model]]:
            sketch = type(limner.get_model("sketch"))
            return [type("Foreign", (sketch,), {"id": "foreign.painter-1", "aliases": ()})]

    before = generator.page()
    registry().register(Foreign, "foreign")
    try:
        assert generator.page() == before
    finally:
        registry().unregister("foreign")
