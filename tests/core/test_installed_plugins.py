"""Installed plugins, as real distributions in a real process: each broken one is named, and all others work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PAINTER = """
import limner
from limner import Generate, Model, Picture, Request, Response, hookimpl
from limner.limits import PromptText, TaskLimits

class Painter(Model):
    id = "{id}"
    limits = {{Generate: TaskLimits({{"prompt": PromptText(source="")}})}}

    def encode(self, task):
        return Request(self.model_id, task.prompt.encode())

    def send(self, request):
        return Response(request.body)

    def decode(self, task, response):
        return [Picture(reason=response.body.decode())]

@hookimpl
def limner_models():
    return [Painter]
"""

PLUGINS = {
    "fine": PAINTER.format(id="fine.painter-1"),
    "fine2": PAINTER.format(id="fine.painter-2"),
    "raises": "raise ValueError('not today')",
    "missing": "import a_module_that_is_not_there",
    "syntax": "def (",
    "signature": PAINTER.format(id="x") + "\n@hookimpl\ndef limner_run(model, task, more): ...\n",
    "leaves": "import sys; sys.exit(4)",
    "slow": "import time; print('warming up'); time.sleep(0.3)\n" + PAINTER.format(id="slow.painter-1"),
    "misspelt": PAINTER.format(id="x").replace("def limner_models", "def limner_modles"),
    "unmarked": PAINTER.format(id="x").replace("@hookimpl\n", ""),
    "returns": PAINTER.format(id="x").replace("return [Painter]", "return Painter()"),
    "old": PAINTER.format(id="x").replace("    id = ", "    contract = 0\n    id = "),
    "twin1": PAINTER.format(id="twin.painter-1"),
    "twin2": PAINTER.format(id="twin.painter-1"),
}

CAUSES = {
    "raises": "ValueError: not today",
    "missing": "ModuleNotFoundError: No module named 'a_module_that_is_not_there'",
    "syntax": "SyntaxError",
    "signature": "more",
    "leaves": "it calls sys.exit(4)",
    "misspelt": "there is no hook limner_modles; did you mean limner_models?",
    "unmarked": "limner_models is not marked with @hookimpl",
    "returns": "limner_models returned Painter, not a list of Model classes",
    "old": "Painter is made for contract 0; this limner has 1",
    "nowhere": "No module named 'limner_test_nowhere'",
}

LOOK = """
import json, limner
from limner.plugins import registry
plugins = {
    plugin.name.removeprefix("test-"): [
        plugin.broken, list(plugin.remarks), plugin.distribution, [model.id for model in plugin.models]
    ]
    for plugin in registry().plugins
    if plugin.name.startswith("test-")
}
try:
    limner.get_model("twin.painter-1")
except limner.PluginError as error:
    twin = str(error)
reasons = [limner.get_model(f"fine.painter-{i}").plan(limner.Generate(prompt="a")).requests[0].body.decode() for i in (1, 2)]
print(json.dumps({"plugins": plugins, "twin": twin, "reasons": reasons}))
"""


def install(folder: Path, name: str, code: str | None) -> None:
    """Make an installed distribution of one module; without code, one whose module is gone."""
    info = folder / f"limner_test_{name}-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: limner-test-{name}\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text(f"[limner]\ntest-{name} = limner_test_{name}\n")
    if code is not None:
        (folder / f"limner_test_{name}.py").write_text(code)


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    for name, code in PLUGINS.items():
        install(folder, name, code)
    install(folder, "nowhere", None)
    ran = python(folder, LOOK)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return json.loads(ran.stdout)


def test_every_broken_plugin_is_named_with_its_cause(looked):
    broken = {name: plugin[0] for name, plugin in looked["plugins"].items() if plugin[0]}
    assert set(broken) == set(CAUSES)
    for name, cause in CAUSES.items():
        assert cause in broken[name]
        assert looked["plugins"][name][3] == []


def test_all_others_work(looked):
    assert looked["reasons"] == ["a", "a"]
    assert looked["plugins"]["fine"] == ["", [], "limner-test-fine 0.3", ["fine.painter-1"]]


def test_a_slow_and_loud_one_is_remarked(looked):
    broken, remarks, _, models = looked["plugins"]["slow"]
    assert broken == ""
    assert models == ["slow.painter-1"]
    assert any(remark.startswith("slow: took ") for remark in remarks)
    assert "printed 11 characters while loading" in remarks


def test_two_that_claim_one_id_are_both_named_and_neither_wins(looked):
    assert "test-twin1 (limner-test-twin1 0.3)" in looked["twin"]
    assert "test-twin2 (limner-test-twin2 0.3)" in looked["twin"]


def test_an_interrupt_while_loading_passes(tmp_path):
    install(tmp_path, "interrupted", "raise KeyboardInterrupt")
    ran = python(tmp_path, "import limner; limner.models()")
    assert "KeyboardInterrupt" in ran.stderr
    assert ran.returncode != 0
