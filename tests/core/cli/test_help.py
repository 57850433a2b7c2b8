"""Help and hints: what a user reads before and after a mistake."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from limner.cli.app import BUILT_IN, SECTIONS


def sections(text: str) -> list[str]:
    return [line.removesuffix(":") for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]


def test_help_lists_the_commands_in_sections_one_line_each(limner):
    done = limner("--help")
    assert [title for title in sections(done.stdout) if title in SECTIONS] == list(SECTIONS)
    lines = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and line.strip()]
    assert [word for word in lines if word in BUILT_IN] == list(BUILT_IN)
    assert "..." not in done.stdout.partition("Tasks:")[2]
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", BUILT_IN)
def test_each_page_has_an_example_that_parses(limner, command):
    """With --help at the end nothing runs, but an unknown option before it would be an error."""
    text = limner(command, "--help").stdout
    assert max(map(len, text.splitlines())) <= 80
    program, name, *words = shlex.split(text.rpartition("Example:\n")[2])
    assert (program, name) == ("limner", command)
    assert limner(name, *words, "--help").exit_code == 0


def test_the_options_of_a_task_are_in_sections(limner):
    text = limner("inpaint", "--help").stdout
    assert [title for title in sections(text) if "options" in title] == [
        "Task options",
        "Model options",
        "Output options",
        "Other options",
    ]
    assert text.index("Task options") < text.index("  --box") < text.index("Model options") < text.index("--fit")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("generate", "a", "--strength", "0.4"), "has no option --strength; it belongs to 'vary'"),
        (("vary", "photo.png", "--box", "1,2,3,4"), "it belongs to 'inpaint' and 'rerun'"),
        (("upscale", "photo.png", "--mask", "m.png"), "it belongs to 'inpaint', 'outpaint' and 'rerun'"),
        (("-m", "sketch", "generate", "a"), "put -m after the command, such as 'limner generate ... -m ...'"),
        (("generate", "a", "--debug"), "put --debug before the command: 'limner --debug generate ...'"),
        (("generate", "a", "--sed", "1"), "no such option --sed; did you mean --seed?; see"),
        (("generate", "a", "--sise", "1x1"), "no such option --sise; did you mean --size?; see"),
        (("generate", "a", "-m", "xyzzy"), "models are installed; 'limner models' lists them"),
        (("generate", "a", "fox", "in", "snow"), 'quote the prompt: "a fox in snow"'),
        (("inpaint", "photo.png", "a", "dog", "--box", "1,1,9,9"), 'quote the prompt: "a dog"'),
        (("vary", "photo.png", "add", "denser", "trees"), 'quote the prompt: "add denser trees"'),
        (("generate", "a fox", "fox.png"), "to name the output file, use '-o fox.png'"),
        (("upscale", "photo.png", "larger", "please"), 'quote the prompt: "larger please"'),
        (("remove-background", "photo.png", "now"), "unexpected argument 'now'"),
        (("upscale", "phot.png"), "phot.png not found; did you mean photo.png?"),
        (("inpaint", "photo.png", "a dog", "--mask", "maks.png"), "maks.png not found; did you mean mask.png?"),
        (("info", "none/photo.png"), "none/photo.png not found; there is no folder none"),
        (("generate", "a", "-O", "a=@phtoo.png"), "phtoo.png not found; did you mean photo.png?"),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(limner, words, hint):
    done = limner(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("error:"))
    assert hint in line


def test_the_nearest_file_is_named_with_its_folder(limner, workplace):
    (workplace / "out").mkdir()
    (workplace / "out" / "fox.png").touch()
    assert f"did you mean {Path('out/fox.png')}?" in limner("upscale", "out/fxo.png").stderr


def test_a_document_is_cited_once(limner):
    done = limner("generate", "a", "-m", "sketch", "--size", "9x9", "--negative-prompt", "x" * 20_000)
    lines = done.stderr.splitlines()
    assert (done.exit_code, len(lines)) == (2, 2)
    assert sum("[limner-sketch, README]" in line for line in lines) == 1


@pytest.mark.parametrize("command", [(), ("logs",), ("keys",)])
def test_a_group_without_a_command_shows_its_help(limner, command):
    done = limner(*command)
    assert done.exit_code == 2
    assert done.stdout == limner(*command, "--help").stdout


def test_a_command_of_a_plugin_that_is_not_installed_names_the_plugin(limner, monkeypatch):
    monkeypatch.setattr("limner.plugins.Registry.add_commands", lambda registry, cli: None)
    assert "it comes with limner-server: run 'limner install server'" in limner("serve").stderr
