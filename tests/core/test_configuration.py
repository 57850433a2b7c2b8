"""The configuration file: the default model, own aliases, defaults per model."""

from __future__ import annotations

import os
from pathlib import Path

import limner
import pytest
from limner import configuration as module
from limner.configuration import change, configuration, configuration_file

from .fakes import Fake, registered


class Painter(Fake):
    id = "fake.painter-1"
    aliases = ("painter",)


class Plugin:
    @staticmethod
    @limner.hookimpl
    def limner_models():
        return [Painter]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMNER_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("LIMNER_MODEL", raising=False)
    return tmp_path


@pytest.fixture
def write(folder):
    def write(text: str) -> None:
        configuration_file().write_text(text)

    return write


@pytest.fixture
def painter():
    with registered(Plugin):
        yield


def test_without_a_file_nothing_is_configured():
    assert configuration() == module.Configuration()


def test_the_default_model_is_the_environments_then_the_files(write, painter, monkeypatch):
    write('model = "painter"')
    assert limner.get_model().id == "fake.painter-1"
    monkeypatch.setenv("LIMNER_MODEL", "sketch")
    assert limner.get_model().id == "limner.sketch-1"


def test_an_own_alias_is_a_name_of_its_model(write, painter):
    write('[aliases]\nmine = "painter"\nlocked = "fake.painter-1"')
    assert limner.get_model("mine").model_id == limner.get_model("locked").model_id == "fake.painter-1"
    with pytest.raises(limner.UnknownModel, match=r"did you mean mine or"):
        limner.get_model("mien")


def test_an_alias_of_a_model_that_is_gone_says_so(write):
    write('[aliases]\nmine = "fake.gone"')
    with pytest.raises(limner.UnknownModel, match=r"'fake.gone'.*'mine' is your own alias"):
        limner.get_model("mine")


def test_settings_of_a_model_hold_by_any_of_its_names_and_what_is_given_goes_first(write, painter):
    write(
        '[aliases]\nmine = "painter"\n[settings."fake.painter-1"]\ntimeout = 10\nregion = "a"\nmax_n = 3\n'
        '[settings.painter]\nregion = "b"\n[settings.mine]\nmax_n = 4'
    )
    settings = limner.get_model("painter").settings
    assert (settings.timeout, settings.region, settings.max_n) == (10.0, "b", 3)
    settings = limner.get_model("mine", timeout=20).settings
    assert (settings.timeout, settings.region, settings.max_n) == (20.0, "b", 4)
    assert limner.get_model("sketch").settings.timeout != 10.0


def test_a_wrong_default_names_the_file(write, painter):
    write("[settings.painter]\ntimeot = 1")
    with pytest.raises(limner.TaskRefused, match=r"config\.toml: setting timeot: is not a setting; did you mean timeout\?"):
        limner.get_model("painter")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle = 'x'", "modle is not a key; did you mean model?"),
        ("model = 3", "model must be the name of a model, not 3"),
        ("model = ''", "model must be the name of a model"),
        ("model = ", "is not TOML"),
        ("aliases = 'x'", "aliases must be a table"),
        ("[aliases]\na = 1", "aliases.a must be the name of a model, not 1"),
        ("settings = 1", "settings must be a table for each model, such as [settings.sketch], not 1"),
        ("[arguments]\nsketch = 1", "arguments.sketch must be a table"),
        ("logs = 'yes'", "logs must be true or false, not 'yes'"),
        ("#" * 1_000_001, "at most 1,000,000 bytes"),
    ],
)
def test_what_is_wrong_with_the_file_is_one_error(write, text, words):
    write(text)
    with pytest.raises(limner.TaskRefused) as error:
        limner.get_model("sketch")
    assert words in str(error.value)
    assert str(configuration_file()) in str(error.value)


def test_every_problem_is_named_at_once(write):
    write("logs = 1\nmodel = 2")
    with pytest.raises(limner.TaskRefused) as error:
        configuration()
    assert len(error.value.problems) == 2


def test_other_bytes_than_text_and_a_folder_are_errors(folder):
    configuration_file().write_bytes(b"\xff\xfe")
    with pytest.raises(limner.TaskRefused, match="is not UTF-8"):
        configuration()
    configuration_file().unlink()
    configuration_file().mkdir()
    with pytest.raises(limner.TaskRefused, match="cannot be read"):
        configuration()


def test_a_change_keeps_comments_and_order(write):
    write('# mine\nmodel = "sketch" # the painter\n\n[aliases]\nb = "sketch"\n')
    assert change(("aliases", "a"), "sketch")
    assert change(("settings", "v.1", "timeout"), 60)
    text = configuration_file().read_text()
    assert text.startswith('# mine\nmodel = "sketch" # the painter\n\n[aliases]\nb = "sketch"\na = "sketch"\n')
    assert configuration().settings == {"v.1": {"timeout": 60}}
    assert change(("aliases", "b"), None)
    assert not change(("aliases", "b"), None)
    assert not change(("arguments", "x", "y"), None)
    assert configuration().aliases == {"a": "sketch"}


def test_a_change_that_would_make_the_file_wrong_is_refused(write):
    write("logs = true\n")
    for keys, value in ((("logs",), "yes"), (("model",), 1), (("nothing",), 1), (("logs", "x"), 1)):
        with pytest.raises(limner.TaskRefused):
            change(keys, value)
    assert configuration_file().read_text() == "logs = true\n"


def test_what_is_wrong_can_be_removed(write):
    write("logs = 1\nmodle = 2\n")
    assert change(("modle",), None)
    assert change(("logs",), None)
    assert configuration() == module.Configuration()


def test_a_changed_file_is_read_again(write):
    write('model = "a"')
    assert configuration().model == "a"
    write('model = "bb"')
    os.utime(configuration_file())
    assert configuration().model == "bb"
