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
        rows = [line.strip("| ").split(" | ") for line in sections[model.id].splitlines() if line.startswith("| `")]
        for task, limits in model.limits.items():
            shown = [row[0] for row in rows if len(model.limits) == 1 or row[1] == "all" or task.kind in row[1].split(", ")]
            names = [*limits.parameters, *(f"options.{name}" for name in limits.options)]
            assert sorted(shown) == sorted(f"`{name}`" for name in names), (model.id, task.kind)


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
