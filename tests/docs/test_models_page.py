"""docs/models.md says what the plugins' limits say."""

from __future__ import annotations

import difflib
import importlib.util
from pathlib import Path
from types import ModuleType

import limner
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_models", DOCS / "generate_models.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_limits_say(generator: ModuleType) -> None:
    written, right = ((DOCS / "models.md").read_text("utf-8").splitlines(), generator.page().splitlines())
    stale = "\n".join(difflib.unified_diff(written, right, "docs/models.md", "the limits", n=0, lineterm=""))
    assert not stale, f"run 'python docs/generate_models.py'\n{stale}"


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
