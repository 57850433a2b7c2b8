"""models --live: what plugins say of their providers, and what becomes of those that fail."""

from __future__ import annotations

import json

import limner as package
from limner import Finding

from ..fakes import DRASTIC, Fake, registered


class Lister(Fake):
    id = "fake.lister-1"
    aliases = ("lister",)
    provider = "fake.good"

    def available_ids(self):
        return ["fake.lister-1", "fake.unknown-2"]


class Second(Lister):
    """Of the same provider, asked with the same settings."""

    id = "fake.lister-2"
    aliases = ("lister-2",)


class Keyless(Lister):
    id = "fake.keyless-1"
    aliases = ("keyless",)
    provider = "fake.keyless"

    def available_ids(self):
        raise package.AuthenticationFailed("there is no key")

    def diagnose(self, *, live=False):
        assert not live
        return [Finding("credentials", False, "no key; set FAKE_KEY")]


class Down(Lister):
    id = "fake.down-1"
    aliases = ("down",)
    provider = "fake.down"

    def available_ids(self):
        raise package.ProviderUnavailable("nobody answers")


class Clinic:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Lister, Second, Keyless, Down, Fake]


def asked(limner, *words):
    done = limner("models", "--live", "--json", *words)
    return done.exit_code, {row["provider"]: row for row in json.loads(done.stdout) if row["provider"].startswith("fake")}


def test_a_row_for_each_provider_and_a_failure_hides_nothing(limner):
    with registered(Clinic):
        status, found = asked(limner, "--supports", "steps")
        table = limner("models", "--live", "--supports", "steps").stdout
    assert status == 1
    assert found["fake.good"] == {
        "provider": "fake.good",
        "models": ["lister", "lister-2"],
        "fine": True,
        "ids": ["fake.lister-1", "fake.unknown-2"],
        "detail": "",
    }
    assert (found["fake.keyless"]["fine"], found["fake.keyless"]["detail"]) == (None, "no key; set FAKE_KEY")
    assert found["fake.down"]["fine"] is False
    assert "nobody answers" in found["fake.down"]["detail"]
    assert "fake.lister-1 (lister); and 1 others" in table


def test_what_a_plugin_raises_or_returns_is_its_own_failure(limner):
    def rude(self):
        raise DRASTIC[0]

    wrong = {"fake.rude": rude, "fake.wrong": lambda self: [7], "fake.text": lambda self: 7}
    kinds = [
        type("Wrong", (Lister,), {"id": f"{name}-1", "aliases": (), "provider": name, "available_ids": method})
        for name, method in wrong.items()
    ]

    class Rude:
        @staticmethod
        @package.hookimpl
        def limner_models():
            return [*kinds, Lister]

    with registered(Rude):
        status, found = asked(limner)
    assert status == 1
    assert [found[name]["fine"] for name in wrong] == [False] * 3
    assert found["fake.good"]["fine"] is True


def test_settings_that_are_wrong_fail_alone(limner, workplace):
    (workplace / "config").mkdir()
    (workplace / "config" / "config.toml").write_text('[settings.lister]\nno_such = 1\n[aliases]\nmine = "lister-2"\n')
    with registered(Clinic):
        _, found = asked(limner)
        listed = json.loads(limner("models", "--live", "--json").stdout)
    rows = [row for row in listed if row["provider"] == "fake.good"]
    assert [(row["models"], row["fine"]) for row in rows] == [(["lister"], False), (["lister-2", "mine"], True)]
    assert "no_such" in rows[0]["detail"]
    assert found["fake.down"]["fine"] is False
