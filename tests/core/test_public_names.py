"""The public face: every name in one place, imported when it is first used."""

from __future__ import annotations

import importlib
import subprocess
import sys

import limner
import pytest
from limner import limits

HEAVY = ["PIL", "attrs", "cattrs", "pluggy", "click", "rich", "hypothesis", "asyncio", "importlib.metadata"]


def test_every_name_is_listed_once():
    assert len(set(limner.__all__)) == len(limner.__all__)
    assert dir(limner) == sorted(limner.__all__)
    assert list(limner._NAMES) == sorted(limner._NAMES)
    for names in limner._NAMES.values():
        assert names.split() == sorted(names.split())


@pytest.mark.parametrize("name", limner.__all__)
def test_every_name_is_there_and_documented(name):
    value = getattr(limner, name)
    if name != "__version__":
        home = importlib.import_module(f"limner.{limner._MODULE_OF[name]}")
        assert getattr(home, name) is value
        assert value.__doc__


def test_there_is_nothing_else():
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        _ = limner.paint


def test_limits_name_every_constraint():
    assert limits.__all__ == sorted(limits.__all__)
    assert all(getattr(limits, name) for name in limits.__all__)
    found = {
        name for name, value in vars(limits).items() if isinstance(value, type) and issubclass(value, limits.Constraint)
    }
    assert found <= set(limits.__all__)


def test_type_checkers_see_every_name(tmp_path):
    """What is imported for type checkers is what is imported for use."""
    import ast
    from pathlib import Path

    tree = ast.parse(Path(limner.__file__).read_text())
    checking = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {node.module.removeprefix("limner."): [alias.name for alias in node.names] for node in checking.body}
    assert seen == {module: names.split() for module, names in limner._NAMES.items()}
    assert all(alias.asname == alias.name for node in checking.body for alias in node.names), (
        "else checkers take it as private"
    )


def test_importing_limner_loads_next_to_nothing():
    code = f"import sys, limner; print([name for name in {HEAVY} if name in sys.modules]); limner.Generate(prompt='a')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"


def test_a_task_of_words_loads_no_pillow():
    code = "import sys, limner; limner.Generate(prompt='a'); limner.models(); print('PIL' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False\n"
