"""What needs a process of its own: start-up, signals, pipes, terminals, plugins that are found by their metadata."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

PAINTER = """
import base64, datetime, io, json, os, pathlib, sys, time
from limner import Generate, Lifecycle, Model, Picture, Request, Response, hookimpl, image_from_base64
from limner.limits import Count, PromptText, Seed, TaskLimits

class Painter(Model):
    id = "test.slow-1"
    aliases = ("slow",)
    limits = {Generate: TaskLimits({
        "prompt": PromptText(source="test"), "seed": Seed(0, 99, source="test"), "n": Count(1, source="test")})}
    lifecycle = Lifecycle(legacy_since=datetime.date(2020, 1, 1), replacement="something newer", source="test")

    def encode(self, task):
        return Request(self.model_id, json.dumps({"prompt": task.prompt}).encode())

    def send(self, request):
        print("printed by the plugin")
        print("sending", file=sys.stderr, flush=True)
        while not pathlib.Path("go").exists():
            time.sleep(0.02)
        return Response(b"{}")

    def decode(self, task, response):
        import PIL.Image
        buffer = io.BytesIO()
        PIL.Image.new("RGB", (8, 8)).save(buffer, "PNG")
        return [Picture(image=image_from_base64(base64.b64encode(buffer.getvalue()).decode()))]

@hookimpl
def limner_models():
    return [Painter]
"""


def test_help_loads_plugins_but_nothing_heavy(program):
    program.install("noisy", "raise RuntimeError('loaded')")
    script = (
        "import sys, limner; assert not {'click', 'rich', 'attrs', 'PIL'} & set(sys.modules)\n"
        "from limner.cli import main; sys.argv = ['limner', '--help']\n"
        "try: main()\n"
        "finally: print(*sorted(sys.modules), file=sys.stderr)"
    )
    status, out, err = program("-c", script)
    assert status == 0
    assert "limner plugins" in out
    loaded = set(err.split())
    assert "click" in loaded
    assert not {"rich", "PIL", "boto3", "botocore", "httpcore", "asyncio", "tomlkit", "sqlite3"} & loaded


def test_help_lists_the_commands_of_plugins(program):
    program.install(
        "helpful",
        "import click\nfrom limner import hookimpl\n@click.command()\ndef assist():\n    'Assist you.'\n"
        "@hookimpl\ndef limner_commands(cli): cli.add_command(assist)",
    )
    status, out, _ = program("-m", "limner", "--help")
    assert status == 0
    assert "assist" in out.partition("From plugins:")[2].partition("Assist you.")[0]
    assert "From plugins" not in program("generate", "--help")[1]


def test_a_run_imports_rich_only_to_show_something(program):
    script = (
        "import sys; from limner.cli import main\n"
        "sys.argv = ['limner', 'generate', 'a fox', '-m', 'sketch', '--size', '64x64', '-o', 'fox.png']\n"
        "try: main()\n"
        "finally: print('rich' in sys.modules)"
    )
    assert program("-c", script)[:2] == (0, "False\n")


@pytest.mark.parametrize(("signal_", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_an_interrupt_ends_it_at_once_and_leaves_no_file(program, workplace, signal_, status):
    program.install("slow", PAINTER)
    before = sorted(workplace.iterdir())
    process = program.start("generate", "a fox", "-m", "slow", "-n", "3", "-o", "fox.png")
    assert process.stderr is not None
    while b"sending" not in (line := process.stderr.readline()):
        assert line, "it ended before it sent anything"
    process.send_signal(signal_)
    started = time.monotonic()
    out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert time.monotonic() - started < 5
    assert b"interrupted" in err
    assert b"Traceback" not in err
    assert out == b""
    assert sorted(workplace.iterdir()) == before


def test_standard_output_has_the_picture_alone(program, workplace):
    program.install("slow", PAINTER)
    (workplace / "go").touch()
    with program.start("generate", "a fox", "-m", "slow", "--seed", "5", "-o", "-") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.startswith(b"\x89PNG")
    assert out.endswith(b"IEND\xaeB`\x82")
    assert b"printed by the plugin" in err
    assert b"seed 5" in err


def test_a_warning_is_a_line(program, workplace):
    program.install("slow", PAINTER)
    (workplace / "go").touch()
    status, _, err = program("generate", "a fox", "-m", "slow", "-n", "2", "-o", "fox.png")
    assert status == 0
    notes = [line for line in err.splitlines() if "legacy" in line]
    assert notes == ["warning: test.slow-1 is legacy since 2020-01-01; use something newer"]
    assert "UserWarning" not in err
    assert (workplace / "fox-1.png").exists()
    assert (workplace / "fox-2.png").exists()


@pytest.mark.parametrize("json", [False, True])
def test_progress_is_shown_on_a_terminal_and_never_with_json(program, workplace, json):
    program.install("slow", PAINTER)
    ours, theirs = pty.openpty()
    words = ("generate", "a fox", "-m", "slow", "-o", "fox.png", *(["--json"] if json else []))
    with program.start(*words, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        seen = b""
        while (b"test.slow-1: generate" if not json else b"sending") not in seen:
            seen += os.read(ours, 1000)
        if json:  # the time in which it would have been shown
            time.sleep(0.7)
        (workplace / "go").touch()
        assert process.wait(60) == 0
    os.set_blocking(ours, False)
    try:
        while more := os.read(ours, 1000):
            seen += more
    except OSError:
        pass
    os.close(ours)
    assert (b"test.slow-1: generate" in seen) is not json


def test_a_plugin_adds_a_command_and_a_broken_one_breaks_alone(program):
    greet = (
        "import click\nfrom limner import hookimpl\n\n"
        "@hookimpl\ndef limner_commands(cli):\n"
        "    @cli.command()\n    def greet():\n        'Greet.'\n        click.echo('hello')\n"
    )
    program.install("greeter", greet)
    program.install("greedy", greet.replace("greet", "generate"))
    program.install("leaver", "import sys\nsys.exit(3)")
    program.install(
        "stopper", "import sys\nfrom limner import hookimpl\n\n@hookimpl\ndef limner_commands(cli):\n    sys.exit()"
    )
    assert program("greet") == (0, "hello\n", "")
    status, out, err = program("plugins")
    assert (status, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert "greet" in rows["greeter"].split()
    assert "broken" not in rows["greeter"]
    assert "a command 'generate' already exists" in rows["greedy"]
    assert "sys.exit(3)" in rows["leaver"]
    assert "sys.exit(None)" in rows["stopper"]
    status, _, err = program("gret")
    assert status == 2
    assert "did you mean greet?" in err
    assert "sys.exit(3)" in err


def test_a_reader_that_leaves_is_no_traceback(program):
    reading, writing = os.pipe()
    os.close(reading)
    with program.start("models", stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == b""


def test_a_plugin_that_fails_halfway_is_said_to_be_broken(program):
    program.install(
        "half",
        "import click\nfrom limner import hookimpl\n\n@hookimpl\ndef limner_commands(cli):\n"
        "    print('HELLO')\n    cli.add_command(click.Command('halfway'))\n    raise RuntimeError('only half')",
    )
    assert program("halfway") == (0, "", "")  # what it added before it failed works
    status, out, err = program("plugins", "--json")
    assert (status, err) == (0, "")
    assert "only half" in next(plugin["broken"] for plugin in json.loads(out)["plugins"] if plugin["name"] == "half")
    status, out, err = program("no-such")
    assert (status, out) == (2, "")
    assert "plugin half is broken" in err


def test_one_picture_through_a_pipe_into_the_next_command(program, workplace):
    first = program.start("generate", "a city", "-m", "sketch", "--size", "64x64", "-o", "-")
    with program.start("vary", "-", "rain", "-m", "sketch", "-o", "rain.png", stdin=first.stdout) as second:
        second.communicate(timeout=60)
    first.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert Path("rain.png").read_bytes().startswith(b"\x89PNG")


def on_terminal(program, *words: str) -> str:
    """What a terminal of 80 columns shows."""
    ours, theirs = pty.openpty()
    environment = {"COLUMNS": "80", "TERM": "dumb", "AWS_EC2_METADATA_DISABLED": "true"}
    with program.start(*words, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while more := os.read(ours, 10_000):
                shown += more
        process.wait(60)
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize(
    "words",
    [("models", "--all"), ("show", "sketch"), ("show", "sketch", "--sources"), ("doctor",), ("plugins",)],
    ids=" ".join,
)
def test_tables_fit_80_columns_and_split_no_word(program, words):
    narrow = on_terminal(program, *words)
    wide = program(*words)[1]
    rule = re.compile("[─-]{10,}")
    assert max(map(len, narrow.splitlines())) <= 80
    assert {word for word in narrow.split() if not rule.match(word)} <= set(wide.split())
    assert narrow.strip()
