"""Completion, as bash asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASH = shutil.which("bash")


@pytest.fixture
def offered(limner, monkeypatch):
    """What limner offers a shell for the last of some words."""

    def offered(*words: str) -> list[str]:
        line = ["limner", *words]
        environment = {"COMP_WORDS": " ".join(line), "COMP_CWORD": str(len(line) - 1), "_LIMNER_COMPLETE": "bash_complete"}
        done = limner(env=environment, prog_name="limner")
        assert done.exit_code == 0, done.output
        assert done.stderr == ""
        return done.stdout.split()

    return offered


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("gen",), {"plain,generate"}),
        (("bedrock-e",), {"plain,bedrock-emulator"}),
        (("keys", "re"), {"plain,remove"}),
        (("keys", "set", "ope"), {"plain,openai"}),
        (("generate", "fox", "-m", "ske"), {"plain,sketch"}),
        (("generate", "fox", "-m", "limner.s"), {"plain,limner.sketch-1"}),
        (("generate", "fox", "--model", "dra"), {"plain,draft"}),
        (("generate", "fox", "--neg"), {"plain,--negative-prompt"}),
        (("generate", "fox", "-m", "titan", "-S", "reg"), {"plain,region="}),
        (("generate", "fox", "-m", "titan", "-O", "qual"), {"plain,quality="}),
        (("generate", "fox", "--fit", "n"), {"plain,nearest"}),
        (("generate", "fox", "-o", "out"), {"file,out"}),
        (("inpaint", "ph"), {"file,ph"}),
        (("vary", "photo.png", "--mask"), set()),
        (("inpaint", "photo.png", "--mask", "m"), {"file,m"}),
        (("models", "--task", "inp"), {"plain,inpaint"}),
        (("models", "--supports", "mask_p"), {"plain,mask_prompt"}),
        (("show", "sket"), {"plain,sketch"}),
        (("compare", "fox", "-m", "sket"), {"plain,sketch"}),
        (("install", "gem"), {"plain,gemini"}),
        (("completion", "f"), {"plain,fish"}),
        (("info", "fo"), {"file,fo"}),
    ],
)
def test_what_is_completed(limner, offered, words, wanted):
    limner("aliases", "set", "draft", "sketch")
    assert set(offered(*words)) == wanted


def test_a_wrong_configuration_offers_nothing_and_prints_nothing(offered, workplace):
    (workplace / "config").mkdir()
    (workplace / "config" / "config.toml").write_text("x = 1")
    assert offered("generate", "fox", "-m", "ske") == []
    assert offered("gener") == ["plain,generate"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_accepted_by_it(limner, shell):
    script = limner("completion", shell).stdout
    assert "_LIMNER_COMPLETE" in script
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_bash_completes(workplace):
    """The function that `complete` names, called as bash calls it."""
    (workplace / "probe.bash").write_text(
        'eval "$(limner completion bash)"\n'
        "complete -p limner\n"
        'try() { COMP_WORDS=(limner "$@"); COMP_CWORD=$#; COMPREPLY=(); compopt() { echo compopt $*; };'
        ' $(complete -p limner | sed "s/.*-F \\([^ ]*\\).*/\\1/") limner; echo "${COMPREPLY[*]}"; }\n'
        "try gene\ntry generate fox -m sket\ntry generate fox -m titan -S regi\ntry info pho\n"
    )
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [BASH, "--norc", "probe.bash"], capture_output=True, text=True, check=True, env=environment, cwd=workplace
    )
    assert done.stderr == ""
    first, *answers = done.stdout.splitlines()
    assert first.startswith("complete ")
    assert answers == ["generate", "sketch", "compopt -o nospace", "region=", "compopt -o default", ""]
