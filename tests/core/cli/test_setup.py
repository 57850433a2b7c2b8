"""keys, aliases, config: what a user sets up once."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import attrs
import limner as package
import pytest

from ..fakes import Fake, FakeSettings, registered

CANARY = "sk-canary-0123456789"


class Locked(Fake):
    id = "fake.locked-1"
    aliases = ("locked",)

    @classmethod
    def api_keys(cls):
        return [package.Key("locksmith", ("LOCKSMITH_KEY",)), package.Key("other", ("OTHER_KEY", "LAST_KEY"))]

    @attrs.frozen(kw_only=True)
    class Settings(FakeSettings):
        pass


class Faulty(Fake):
    id = "fake.faulty-1"
    aliases = ()

    @classmethod
    def api_keys(cls):
        return ["locksmith"]


class Plugin:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Locked]


class FaultyPlugin:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Faulty]


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    for name in ("LOCKSMITH_KEY", "OTHER_KEY", "LAST_KEY"):
        monkeypatch.delenv(name, raising=False)
    with registered(Plugin), registered(FaultyPlugin):
        yield


@pytest.fixture
def sources(limner):
    def sources() -> dict[str, str]:
        return {key["name"]: key["source"] for key in json.loads(limner("keys", "list", "--json").stdout)}

    return sources


def config_file(workplace: Path) -> Path:
    return workplace / "config" / "config.toml"


# ---------------------------------------------------------------------------------------------- keys


def test_a_key_is_stored_from_standard_input_listed_and_removed(limner, sources, workplace, monkeypatch):
    assert sources()["locksmith"] == "none"
    done = limner("keys", "set", "locksmith", input=f"{CANARY}\n")
    assert done.exit_code == 0
    file = Path(limner("keys", "path").stdout.strip())
    assert file == workplace / "config" / "keys.json"
    assert json.loads(file.read_text()) == {"locksmith": CANARY}
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sources()["locksmith"] == "store"
    monkeypatch.setenv("LOCKSMITH_KEY", CANARY)
    assert sources()["locksmith"] == "environment (LOCKSMITH_KEY)"
    assert "LOCKSMITH_KEY is set and goes before" in limner("keys", "set", "locksmith", input=CANARY).stderr
    for words in (("keys", "list"), ("show", "locked"), ("doctor", "locked"), ("config", "get"), ("plugins",)):
        done = limner(*words)
        assert CANARY not in done.stdout + done.stderr
    assert limner("keys", "remove", "LOCKSMITH_KEY").exit_code == 0
    assert json.loads(file.read_text()) == {}


def test_a_key_can_be_named_by_its_variable(limner, sources):
    assert limner("keys", "set", "LAST_KEY", input=CANARY).exit_code == 0
    assert sources()["other"] == "store"


@pytest.mark.parametrize(
    ("words", "typed", "hint"),
    [
        (("keys", "set", "lokcsmith"), CANARY, "did you mean locksmith?"),
        (("keys", "set", "locksmith"), "\n", "the key is empty"),
        (("keys", "set", "locksmith"), "two\nlines", "one line of printable ASCII"),
        (("keys", "set", "locksmith"), "ключ", "one line of printable ASCII"),
        (("keys", "set", "locksmith"), "x" * 10_001, "one line of printable ASCII"),
        (("keys", "set", "locksmith", CANARY), "", "unexpected argument"),
        (("keys", "remove", "locksmith"), "", "none is stored"),
        (("keys", "sett"), "", "did you mean set?"),
    ],
)
def test_a_wrong_key_is_refused_and_nothing_is_stored(limner, workplace, words, typed, hint):
    done = limner(*words, input=typed)
    assert done.exit_code == 2
    assert hint in done.stderr
    assert not (workplace / "config" / "keys.json").exists()


def test_a_plugin_whose_keys_are_wrong_breaks_alone(limner, sources):
    assert "locksmith" in sources()


def test_a_stored_key_that_no_model_uses_is_listed_and_can_be_removed(limner, sources, workplace):
    (workplace / "config").mkdir()
    (workplace / "config" / "keys.json").write_text('{"gone": "k"}')
    assert sources()["gone"] == "store"
    assert "no installed model" in limner("keys", "list").stdout
    assert "stored: gone" in limner("keys", "remove", "locksmith").stderr
    assert limner("keys", "remove", "gone").exit_code == 0


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
def test_a_file_that_others_can_read_is_reported(limner, workplace):
    (workplace / "config").mkdir()
    (workplace / "config" / "keys.json").write_text("{}")
    (workplace / "config" / "keys.json").chmod(0o644)
    assert "other users can read" in limner("keys", "list").stderr
    done = limner("doctor", "locked")
    assert done.exit_code == 1
    assert "FAIL     key store" in done.stdout


def test_a_prompt_does_not_show_the_key(workplace):
    """At a terminal: what is typed is not echoed, and is nowhere in the process's arguments."""
    environment = os.environ | {"LIMNER_CONFIG_DIR": str(workplace / "config")}
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "limner", "keys", "set", "openai"]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment) as process:
        os.close(follower)
        shown = b""
        while b"hidden" not in shown:
            shown += os.read(leader, 1000)
        os.write(leader, f"{CANARY}\n".encode())
        while True:
            try:
                more = os.read(leader, 1000)
            except OSError:
                break
            if not more:
                break
            shown += more
        assert process.wait(60) == 0
    os.close(leader)
    assert CANARY.encode() not in shown
    assert json.loads((workplace / "config" / "keys.json").read_text()) == {"openai": CANARY}


# ---------------------------------------------------------------------------------------------- aliases


def test_an_alias_is_set_used_listed_and_removed(limner):
    assert limner("aliases", "set", "draft", "sketch").exit_code == 0
    assert json.loads(limner("aliases", "list", "--json").stdout) == {"draft": "sketch"}
    assert "draft   sketch" in limner("aliases", "list").stdout
    assert "limner.sketch-1" in limner("show", "draft").stdout
    assert limner("generate", "a fox", "-m", "draft", "--size", "64x64", "-o", "fox.png").exit_code == 0
    assert "did you mean draft?" in limner("generate", "a fox", "-m", "darft").stderr
    assert limner("aliases", "remove", "draft").exit_code == 0
    assert limner("generate", "a fox", "-m", "draft").exit_code == 2
    assert "no alias is set" in limner("aliases", "list").stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("set", "sketch", "locked"), "is already a name of limner.sketch-1"),
        (("set", "draft", "skecth"), "did you mean sketch?"),
        (("set", "a b", "sketch"), "must consist of letters"),
        (("remove", "draft"), "there is no alias 'draft'; none is set"),
    ],
)
def test_a_wrong_alias_is_refused(limner, workplace, words, hint):
    done = limner("aliases", *words)
    assert (done.exit_code, config_file(workplace).exists()) == (2, False)
    assert hint in done.stderr


# ---------------------------------------------------------------------------------------------- config


def test_values_are_set_read_used_and_removed(limner, workplace):
    for key, value in (
        ("model", "locked"),
        ("settings.locked.region", "there-2"),
        ("settings.locked.timeout", "60"),
        ("arguments.locked.size", "[96, 64]"),
        ("arguments.locked.options", '{style = "anime"}'),
        ("arguments.locked.strength", "0.3"),
    ):
        assert limner("config", "set", key, value).exit_code == 0, key
    assert limner("config", "path").stdout.strip() == str(config_file(workplace))
    assert limner("config", "get", "settings.locked.timeout").stdout == "60\n"
    assert 'region = "there-2"' in limner("config", "get", "settings").stdout
    assert limner("config", "get").stdout == config_file(workplace).read_text()
    done = json.loads(limner("generate", "a fox", "--dry-run").stdout)
    asked = {entry["parameter"]: entry["asked"] for entry in done["account"] if entry["outcome"] == "sent"}
    assert asked["size"] == [96, 64]
    assert asked["options.style"] == "anime"
    given = json.loads(limner("generate", "a fox", "--size", "32x32", "-O", "quality=premium", "--dry-run").stdout)
    asked = {entry["parameter"]: entry["asked"] for entry in given["account"] if entry["outcome"] == "sent"}
    assert (asked["size"], asked["options.style"], asked["options.quality"]) == ([32, 32], "anime", "premium")
    assert limner("config", "unset", "arguments.locked").exit_code == 0
    assert "is not set" in limner("config", "get", "arguments.locked").stderr


def test_settings_of_the_file_hold_with_settings_of_the_command_line(limner, workplace):
    config_file(workplace).parent.mkdir()
    config_file(workplace).write_text('[settings.locked]\nregion = "there-2"\nmax_n = 1\n')
    done = limner("generate", "a fox", "-m", "locked", "-n", "2", "-S", "timeout=9")
    assert done.exit_code == 2
    assert "1" in done.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("set", "modle", "sketch"), "did you mean model?"),
        (("set", "model", "skech"), "did you mean sketch?"),
        (("set", "settings.locked.timeot", "6"), "did you mean timeout?"),
        (("set", "settings.locked.timeout", "soon"), "number"),
        (("set", "settings.locked.key", CANARY), "limner keys set"),
        (("set", "settings.locked", "6"), "must be settings.MODEL.SETTING"),
        (("set", "arguments.locked.sise", "6"), "did you mean size?"),
        (("set", "arguments.skech.size", "6"), "did you mean sketch?"),
        (("set", "logs", "yes"), "must be true or false"),
        (("set", "a=b", "yes"), "is not a key"),
        (("get", "model"), "is not set"),
        (("unset", "model"), "is not set"),
    ],
)
def test_a_wrong_value_is_refused(limner, workplace, words, hint):
    done = limner("config", *words)
    assert (done.exit_code, config_file(workplace).exists()) == (2, False)
    assert hint in done.stderr
    assert CANARY not in done.stderr


def test_an_argument_of_the_file_that_is_unknown_names_the_file(limner, workplace):
    config_file(workplace).parent.mkdir()
    config_file(workplace).write_text("[arguments.locked]\nsise = 1\n")
    done = limner("generate", "a fox", "-m", "locked")
    assert done.exit_code == 2
    assert f"{config_file(workplace)}: arguments.locked.sise: is not an argument; did you mean size?" in done.stderr


def test_a_broken_file_is_one_line_and_can_be_mended(limner, workplace):
    config_file(workplace).parent.mkdir()
    config_file(workplace).write_text("modle = 1\n")
    done = limner("generate", "a fox")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "modle is not a key; did you mean model?" in done.stderr
    assert limner("--help").exit_code == 0
    assert limner("config", "unset", "modle").exit_code == 0
    assert limner("models").exit_code == 0
