"""doctor: what a plugin finds out about its model, and what limner finds out about the plugin."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable

import limner as package
import pytest
from limner import Finding

from ..fakes import DRASTIC, Fake, registered


class Patient(Fake):
    """Has a key that is wrong, and shows with what it was asked."""

    id = "fake.patient-1"
    aliases = ("patient",)

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        settings = self.settings
        yield Finding("region", True, f"{settings.region}, live {live}")
        yield Finding("credentials", settings.key == "right", "a key\nfrom the settings")
        yield Finding("quota", None, "not known")


class Old(Fake):
    id = "fake.old-1"
    aliases = ("old",)
    lifecycle = package.Lifecycle(end_of_life=datetime.date(2020, 1, 1), replacement="patient")


class Clinic:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Patient, Old]


class OtherClinic(Clinic):
    """Another plugin with the same models."""


class Broken:
    @staticmethod
    @package.hookimpl
    def limner_models():
        raise RuntimeError("out of order")


@pytest.fixture(autouse=True)
def no_machine(monkeypatch):
    """The installed Bedrock models look for credentials; there is no use in asking the network for the machine's."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def examined(limner):
    """A function that gives exit status and findings, as (of, subject, fine, detail)."""

    def examined(*words):
        done = limner("doctor", *words, "--json")
        return done.exit_code, [tuple(finding.values()) for finding in json.loads(done.stdout)]

    return examined


def test_what_the_model_finds(examined):
    with registered(Clinic):
        status, findings = examined("patient")
        fine = examined("patient", "-S", "key=right", "-S", "region=there-2", "--live")
    of = "fake.patient-1"
    assert status == 1
    assert findings[-4:] == [
        (of, "state", True, "no known problem"),
        (of, "region", True, "here-1, live False"),
        (of, "credentials", False, "a key\nfrom the settings"),
        (of, "quota", None, "not known"),
    ]
    assert fine[0] == 0
    assert (of, "region", True, "there-2, live True") in fine[1]


def test_every_model_and_plugin(examined):
    with registered(Clinic, Broken):
        status, findings = examined()
    assert status == 1
    of = {finding[0] for finding in findings}
    assert of >= {
        "fake.patient-1",
        "fake.old-1",
        "test-plugin-0",
        "test-plugin-1",
        *(model.id for model in package.models()),
    }
    assert ("test-plugin-0", "plugin", True, "in memory") in findings
    assert ("test-plugin-1", "plugin", False, "RuntimeError: out of order") in findings


def test_a_model_past_its_end_is_a_note(examined):
    with registered(Clinic):
        status, findings = examined("old")
    assert status == 0
    of, subject, fine, detail = findings[-1]
    assert (of, subject, fine) == ("fake.old-1", "state", None)
    assert "past its end of life (2020-01-01)" in detail
    assert "use patient" in detail


def test_two_plugins_of_one_name(examined):
    with registered(Clinic, OtherClinic):
        status, findings = examined("sketch")
    assert status == 1
    assert ("patient", "name", False, "claimed by test-plugin-0 and test-plugin-1; uninstall one of them") in findings


def test_the_table_is_one_line_for_each_finding(limner):
    with registered(Clinic):
        done = limner("doctor", "patient")
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert "s3cr3t" not in done.output
    assert [line.split(maxsplit=2)[1:] for line in lines if line.startswith("FAIL")] == [
        ["credentials", "fake.patient-1: a key from the settings"]
    ]
    assert any(line.startswith("note") and "quota" in line for line in lines)


def test_an_unknown_model_or_setting(limner):
    for words in (("doctor", "nobody"), ("doctor", "sketch", "-S", "nothing=1")):
        done = limner(*words)
        assert done.exit_code == 2
        assert "nobody" in done.stderr or "there is no such setting" in done.stderr


@pytest.mark.parametrize("fault", [RuntimeError("boom"), *DRASTIC], ids=repr)
@pytest.mark.parametrize("step", ["__init__", "notices", "diagnose"])
def test_a_plugin_that_fails_while_it_looks_breaks_alone(limner, step, fault):
    def fail(*_, **__):
        raise fault

    raising = type("Raising", (Fake,), {"id": "fake.raising-1", "aliases": (), step: fail})

    class RaisingClinic:
        limner_models = staticmethod(package.hookimpl(lambda: [raising, Patient]))

    with registered(RaisingClinic):
        done = limner("doctor", "--json")
    findings = {(found["of"], found["subject"]): found for found in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert f"Raising.{step} failed: {fault!r}" in findings["fake.raising-1", "plugin"]["detail"]
    assert ("fake.patient-1", "region") in findings


def test_what_is_no_finding_is_said(limner):
    class Wordy(Fake):
        id = "fake.wordy-1"

        def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
            return ["all is well"]

    class WordyClinic:
        limner_models = staticmethod(package.hookimpl(lambda: [Wordy]))

    with registered(WordyClinic):
        assert "diagnose failed: TypeError('returned str, not Finding')" in limner("doctor", "fake.wordy-1", "--json").stdout


def test_settings_go_with_a_model(limner):
    done = limner("doctor", "-S", "regoin=x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "-S needs a MODEL" in done.stderr
