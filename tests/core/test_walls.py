"""Who may know whom, read from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import limner
import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "src" / "limner"
PLUGINS = sorted(path for path in (ROOT / "plugins").glob("*/src/limner_*") if path.is_dir())
MAY_KNOW_BEDROCK = {"limner_bedrock_sdxl", "limner_bedrock_titan", "limner_bedrock_stability"}
STAND_INS = {"limner_bedrock_emulator": {"limner_fakes"}, "limner_fakes": set()}
"""They are written from documents alone, and know no transport; the emulator has the server of the fakes."""
PUBLIC_MODULES = {"limner.limits", "limner.testing", "limner.testing.conformance", "limner.testing.strategies"}


def imports(path: Path, *, module_level: bool = False, at_run_time: bool = False) -> set[tuple[str, str]]:
    """Every import of a file as (module, name); at module level alone, or all but those for type checkers."""
    found = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            found.update((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.update((node.module or "", alias.name) for alias in node.names)
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        checking = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not (module_level and (inner or checking)) and not (at_run_time and checking):
            for child in ast.iter_child_nodes(node):
                visit(child)

    visit(ast.parse(path.read_text()))
    return found


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_there_is_something_to_look_at():
    assert len(sources(CORE)) > 20
    assert PLUGINS


def test_core_knows_no_plugin():
    for path in sources(CORE):
        assert not [module for module, _ in imports(path) if module.startswith("limner_")], path


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_imports_only_the_public_face(package):
    for path in sources(package):
        for module, name in imports(path):
            if module == "limner":
                assert name in {*limner.__all__, "limits", "testing", ""}, f"{path} imports {name}"
            elif module.startswith("limner."):
                assert module in PUBLIC_MODULES, f"{path} imports {module}"


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_plugins_do_not_know_each_other(package):
    for path in sources(package):
        known = {module.partition(".")[0] for module, _ in imports(path) if module.startswith("limner_")} - {package.name}
        allowed = {"limner_bedrock"} if package.name in MAY_KNOW_BEDROCK else {"limner_http"}
        assert known <= STAND_INS.get(package.name, allowed), path


@pytest.mark.parametrize("package", PLUGINS, ids=lambda path: path.name)
def test_plugins_touch_no_private_names_of_core(package):
    for path in sources(package):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "limner":
                assert not node.attr.startswith("_") or node.attr == "__version__", path


def test_telemetry_is_a_plugins_alone_and_needs_no_sdk():
    """And the module of the hook, which every program loads, does not import it."""
    for folder in (CORE, *PLUGINS):
        for path in sources(folder):
            known = {module for module, _ in imports(path) if module.split(".")[0] == "opentelemetry"}
            if folder.name != "limner_opentelemetry":
                assert not known, path
            assert not [module for module in known if module.startswith(("opentelemetry.sdk", "opentelemetry.semconv"))], (
                path
            )
            if path.name == "plugin.py":
                at_once = {module.split(".")[0] for module, _ in imports(path, module_level=True)}
                assert "opentelemetry" not in at_once, path


CHECKS = {"limner.testing.conformance", "limner.testing.conformance.interface"}
"""The kit looks at the list of its own checks."""


def graph() -> dict[str, set[str]]:
    """Which module of core imports which at run time, within functions too; the package itself loads lazily."""
    names = {}
    for path in sources(CORE):
        parts = path.relative_to(CORE.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    edges: dict[str, set[str]] = {}
    for name, path in names.items():
        found = set()
        for module, imported in imports(path, at_run_time=True):
            inner = f"{module}.{imported}"
            found |= {inner} if inner in names else {module} & set(names)
        edges[name] = found - {name, "limner", *(CHECKS if name in CHECKS else ())}
    return edges


def test_no_module_of_core_imports_itself_on_a_detour():
    edges, done = graph(), set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for other in sorted(edges[name]):
                walk(other, (*way, name))
            done.add(name)

    for name in edges:
        walk(name, ())


def test_only_the_command_line_knows_click_and_rich():
    for path in sources(CORE):
        known = {module.partition(".")[0] for module, _ in imports(path, module_level=True)}
        if CORE / "cli" not in path.parents and path.name != "__main__.py":
            assert not known & {"click", "rich"}, path
        if CORE / "testing" not in path.parents:
            assert not known & {"hypothesis", "pytest", "jsonschema"}, path


def test_pillow_is_imported_when_a_pixel_is_touched():
    for path in sources(CORE):
        if CORE / "testing" not in path.parents:
            assert not {module for module, _ in imports(path, module_level=True) if module.startswith("PIL")}, path


def test_batches_are_a_room_that_no_single_call_enters():
    """And one module in it knows Dask."""
    for path in sources(CORE):
        known = {module for module, _ in imports(path)}
        if CORE / "batches" not in path.parents and CORE / "cli" not in path.parents:
            assert not [m for m, _ in imports(path, at_run_time=True) if m.startswith("limner.batches")], path
        if path.name != "dask_engine.py":
            assert not {module.partition(".")[0] for module in known} & {"dask", "distributed"}, path
    once = "import sys, limner; limner.generate('a', model='sketch', size=(64, 64))"
    ran = f"{once}; print([name for name in sys.modules if 'batches' in name])"
    done = subprocess.run([sys.executable, "-c", ran], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
