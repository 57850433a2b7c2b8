"""The log of runs: off until it is asked for, of every run, in the command line and in Python."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import limner as package
import pytest
from limner import plugins

from ..fakes import Fake, answer, registered

CANARY = "s3cr3t-key"


class Logged(Fake):
    id = "fake.logged-1"
    aliases = ("logged",)

    def send(self, request):
        if b"refuse" in request.body:
            raise package.RateLimited("too many", request_ids=["r-1"])
        if b"crash" in request.body:
            raise RuntimeError("out of order")
        return answer(request, usage={"tokens": 3})


class Plugin:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Logged]


@pytest.fixture
def logging(limner):
    """Logging is on, and this process has read that."""
    assert limner("logs", "on").exit_code == 0
    plugins._loaded.cache_clear()
    with registered(Plugin):
        yield
    plugins._loaded.cache_clear()


@pytest.fixture
def runs(limner):
    def runs(*words: str) -> list[dict[str, object]]:
        return json.loads(limner("logs", *(words or ("list",)), "--json").stdout)

    return runs


def test_nothing_is_logged_before_it_is_asked_for(limner, workplace):
    assert limner("generate", "a fox", "-m", "sketch", "--size", "64x64", "-o", "a.png").exit_code == 0
    assert not (workplace / "config" / "logs.db").exists()
    assert "'limner logs on' starts logging" in limner("logs", "list").stderr


def test_off_is_off_again_and_keeps_what_was_logged(program, workplace):
    generate = ("generate", "a fox", "-m", "sketch", "--size", "64x64", "--force", "-o", "a.png")
    for words in (("logs", "on"), generate, ("logs", "off"), generate):
        assert program(*words)[0] == 0
    (run,) = json.loads(program("logs", "list", "--json")[1])
    assert run["prompt"] == "a fox"


def test_a_run_of_the_command_line(limner, logging, runs, workplace):
    done = limner("generate", "a fox", "-m", "logged", "-n", "3", "--seed", "5", "-o", "fox.png", "-S", "region=there-1")
    assert done.exit_code == 0, done.stderr
    (run,) = runs()
    assert (run["kind"], run["model"], run["prompt"], run["outcome"]) == ("generate", "fake.logged-1", "a fox", "ok")
    assert run["usage"] == {"tokens": 6}
    assert [picture["file"] for picture in run["pictures"]] == [str(workplace / f"fox-{n}.png") for n in (1, 2, 3)]
    assert {picture["seed"] for picture in run["pictures"]} == {5, 7}
    assert any(entry["parameter"] == "seed" for entry in run["account"])
    assert "there-1" not in json.dumps(run)


def test_runs_of_python_sync_and_async_and_saving(logging, runs, tmp_path):
    model = package.get_model("logged", key=CANARY)
    model.generate("one", seed=1).image.save(tmp_path / "one.png")
    asyncio.run(model.agenerate("two", seed=2))
    second, first = runs()
    assert (first["prompt"], second["prompt"]) == ("one", "two")
    assert first["pictures"][0]["file"] == str(tmp_path / "one.png")
    assert second["pictures"][0]["file"] is None
    assert CANARY.encode() not in Path(os.environ["LIMNER_CONFIG_DIR"], "logs.db").read_bytes()


def test_failures_are_logged_with_their_class(logging, runs):
    model = package.get_model("logged")
    with pytest.raises(package.RateLimited):
        model.generate("please refuse", seed=1)
    with pytest.raises(package.PluginError):
        model.generate("please crash", seed=1)
    with pytest.raises(package.TaskRefused):
        model.generate("x" * 61)
    refused, crashed, limited = runs()
    assert [run["outcome"] for run in (limited, crashed, refused)] == ["RateLimited", "PluginError", "TaskRefused"]
    assert limited["request_ids"] == ["r-1"]
    assert "too many" in limited["error"]
    assert limited["cost"] is None


def test_search_list_and_show(limner, logging, runs):
    for prompt in ("a red fox", "a boat", "100% wool"):
        package.get_model("logged").generate(prompt, seed=1)
    package.get_model("sketch").generate("a fox", size=(64, 64), seed=1)
    assert [run["prompt"] for run in runs("search", "FOX")] == ["a fox", "a red fox"]
    assert [run["prompt"] for run in runs("search", "0% w")] == ["100% wool"]
    assert runs("search", "%") == runs("search", "100%")
    assert [run["model"] for run in runs("list", "-m", "sketch")] == ["limner.sketch-1"]
    assert len(runs("list", "-n", "2")) == 2
    table = limner("logs", "list").stdout
    assert "a red fox" in table
    shown = limner("logs", "show", "1").stdout
    assert "a red fox" in shown
    assert "fake.logged-1" in shown
    assert json.loads(limner("logs", "show", "1", "--json").stdout)["prompt"] == "a red fox"
    done = limner("logs", "show", "99")
    assert (done.exit_code, "there is no run 99" in done.stderr) == (2, True)


def test_a_run_is_made_again(limner, logging, runs):
    assert limner("inpaint", "photo.png", "x", "--mask", "mask.png", "-m", "logged", "-o", "a.png").exit_code == 0
    again = ("logs", "rerun", "1", "-o", "b.png")
    done = limner(*again)
    assert done.exit_code == 2
    assert "needs the picture of SHA-256" in done.stderr
    assert limner(*again, "--image", "photo.png", "--mask", "mask.png").exit_code == 0
    assert package.Image.read("a.png").pil().tobytes() == package.Image.read("b.png").pil().tobytes()
    second, first = runs()
    assert first["task"] == second["task"]


def test_a_log_that_cannot_be_written_does_not_lose_the_picture(logging, workplace):
    (workplace / "config" / "logs.db").write_bytes(b"no database, but long enough to look at" * 40)
    with pytest.warns(UserWarning, match=r"is not in the log .*logs\.db"):
        result = package.get_model("logged").generate("a fox", seed=1)
    assert result.image.data
    with pytest.warns(UserWarning, match="is not in the log"):
        result.image.save(workplace / "fox.png")
    assert (workplace / "fox.png").exists()


def test_a_damaged_log_is_one_error(limner, logging, workplace):
    (workplace / "config" / "logs.db").write_bytes(b"no database, but long enough to look at" * 40)
    done = limner("logs", "list")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "logs.db" in done.stderr


def test_a_log_of_a_newer_limner_is_left_alone(limner, logging, workplace):
    package.get_model("logged").generate("a fox", seed=1)
    with sqlite3.connect(workplace / "config" / "logs.db") as log:
        log.execute("PRAGMA user_version = 99")
    assert "newer limner" in limner("logs", "list").stderr


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_only_the_user_can_read_the_log(logging, workplace):
    package.get_model("logged").generate("a fox", seed=1)
    assert stat.S_IMODE((workplace / "config" / "logs.db").stat().st_mode) == 0o600


def test_processes_and_threads_log_side_by_side(limner, logging, runs):
    script = (
        "import limner, concurrent.futures as f\n"
        "model = limner.get_model('sketch')\n"
        "with f.ThreadPoolExecutor(4) as pool:\n"
        "    list(pool.map(lambda n: model.generate('a fox', size=(64, 64), seed=n), range(10)))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", script]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert len(runs("list", "-n", "100")) == 30


def test_a_run_without_the_log_calls_nothing_of_it():
    """What is off costs nothing: no module, no hook."""
    script = (
        "import sys, limner; m = limner.get_model('sketch'); m.generate('a fox', size=(64, 64), seed=1)\n"
        "assert not {'sqlite3', 'limner.logs', 'tomllib', 'tomlkit'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
