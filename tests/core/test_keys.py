"""Keys: the environment first, then the user's own file, which nobody else can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import limner
import pytest
from limner import folders, keys

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
KEY = limner.Key("example", ("EXAMPLE_KEY", "EXAMPLE_OTHER_KEY"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIMNER_CONFIG_DIR", str(tmp_path / "own"))
    for name in KEY.variables:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "own"


def test_the_environment_goes_before_the_store(monkeypatch):
    assert KEY.find() is None
    keys.store_key("example", "stored-canary")
    found = KEY.find()
    assert (found.value, found.variable, found.source) == ("stored-canary", "", "from the key store")
    monkeypatch.setenv("EXAMPLE_KEY", "  ")
    assert KEY.find().value == "stored-canary"
    monkeypatch.setenv("EXAMPLE_OTHER_KEY", " other ")
    assert (KEY.find().value, KEY.find().source) == ("other", "from EXAMPLE_OTHER_KEY")
    assert limner.Key("", ("NOT_SET",)).find() is None


def test_no_repr_shows_a_key():
    keys.store_key("example", "stored-canary")
    assert "canary" not in f"{KEY.find()!r} {KEY.find()} {KEY!r}"


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_the_file_never_has_another_mode(folder, umask, monkeypatch):
    """Not even before it has its name: every descriptor is looked at as it is made."""
    seen = []
    real = os.open

    def watched(path, flags, mode=0o777, **more):
        descriptor = real(path, flags, mode, **more)
        if str(folder) in str(path):
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(umask)
    try:
        folders.write_private(keys.key_file(), b"{}")
    finally:
        os.umask(before)
    assert seen
    assert all(mode & 0o077 == 0 for mode in seen)
    assert stat.S_IMODE(keys.key_file().stat().st_mode) & 0o177 == 0
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


@posix
def test_a_file_that_others_can_read_is_made_private_when_a_key_is_stored(folder):
    folder.mkdir()
    keys.key_file().write_text('{"old": "o"}')
    keys.key_file().chmod(0o644)
    assert folders.others_can_read(keys.key_file())
    keys.store_key("example", "k")
    assert not folders.others_can_read(keys.key_file())
    assert keys.stored_keys() == {"example": "k", "old": "o"}
    keys.store_key("old", None)
    assert keys.stored_keys() == {"example": "k"}


@posix
def test_a_symbolic_link_stays_one(folder, tmp_path):
    folder.mkdir()
    keys.key_file().symlink_to(tmp_path / "elsewhere.json")
    keys.store_key("example", "k")
    assert keys.key_file().is_symlink()
    assert keys.stored_keys() == {"example": "k"}


@pytest.mark.parametrize("text", ["{", "[]", '{"example": 1}', "[" * 100_000, "\xff", " " * 1_000_001])
def test_a_damaged_store_is_one_error_that_names_the_file(folder, text):
    folder.mkdir()
    keys.key_file().write_bytes(text.encode("latin-1"))
    with pytest.raises(limner.TaskRefused, match="is not a JSON object of names and keys") as error:
        KEY.find()
    assert str(keys.key_file()) in str(error.value)
    with pytest.raises(limner.TaskRefused):
        keys.store_key("example", "k")


def test_a_store_that_cannot_be_read_is_one_error(folder):
    keys.key_file().mkdir(parents=True)
    with pytest.raises(limner.TaskRefused, match="cannot be read"):
        KEY.find()


def test_a_store_that_cannot_be_written_leaves_the_old_one(folder, monkeypatch):
    keys.store_key("example", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keys.store_key("example", "new")
    assert keys.stored_keys() == {"example": "old"}
    assert [path.name for path in folder.iterdir()] == ["keys.json"]


def test_without_the_variable_the_folders_are_the_platforms(monkeypatch, tmp_path):
    monkeypatch.delenv("LIMNER_CONFIG_DIR")
    folders._platform_folder.cache_clear()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    try:
        assert folders.config_folder().name == "limner"
        if os.name == "posix" and os.uname().sysname == "Linux":
            assert folders.config_folder() == tmp_path / "limner"
    finally:
        folders._platform_folder.cache_clear()
