"""Pictures are paid for: they are written where they should be, or elsewhere, and that is said."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import limner as package
import pytest

SMALL = ("-m", "sketch", "--size", "64x64", "--seed", "7")


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def only(folder: Path) -> package.Image:
    (path,) = folder.iterdir()
    assert path.name.startswith("limner-")
    return package.Image.read(path)


@pytest.mark.parametrize("length", [241, 250, 255])
def test_a_name_as_long_as_may_be_is_written(limner, workplace, length):
    name = "a" * (length - 4) + ".png"
    done = limner("generate", "a fox", *SMALL, "-o", name)
    assert (done.exit_code, done.stderr) == (0, f"wrote {name} (seed 7)\n")
    assert limner("generate", "a fox", *SMALL, "-o", name, "--force").exit_code == 0


@pytest.mark.parametrize(("length", "more"), [(256, ()), (1000, ()), (254, ("-n", "2"))])
def test_a_name_that_is_too_long_is_refused_before_anything_is_sent(limner, monkeypatch, length, more):
    monkeypatch.setattr(package.Model, "run", lambda *_, **__: pytest.fail("it was sent"))
    done = limner("generate", "a fox", *SMALL, *more, "-o", "a" * (length - 4) + ".png")
    assert done.exit_code == 2
    assert "File name too long" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_long_name_of_an_input_is_shortened_in_the_names_of_what_is_made(limner, workplace):
    name = "é" * 125 + ".png"
    (workplace / "photo.png").rename(name)
    done = limner("upscale", name, "-m", "sketch")
    assert (done.exit_code, done.stderr) == (0, f"wrote {'é' * 50}-upscale.png\n")


def vanishing(monkeypatch, change) -> None:
    """Something becomes of the place while the picture is made."""
    run = package.Model.run

    def meanwhile(*arguments, **more):
        result = run(*arguments, **more)
        change()
        return result

    monkeypatch.setattr(package.Model, "run", meanwhile)


def test_every_picture_is_written_elsewhere_when_the_folder_vanishes(limner, workplace, temporary, monkeypatch):
    (workplace / "out").mkdir()
    vanishing(monkeypatch, (workplace / "out").rmdir)
    done = limner("generate", "a fox", *SMALL, "-n", "2", "-o", "out/a.png")
    assert done.exit_code == 1
    first, second = done.stderr.splitlines()
    assert first.startswith("error: out/a-1.png: No such file or directory; it was written to ")
    assert second.startswith("error: out/a-2.png: ")
    for line in (first, second):
        assert package.Image.read(line.split(" to ")[1].removesuffix(" instead")).size == (64, 64)
    assert len(list(temporary.iterdir())) == 2


def test_json_says_where_it_is_instead(limner, workplace, temporary, monkeypatch):
    (workplace / "out").mkdir()
    vanishing(monkeypatch, (workplace / "out").rmdir)
    done = limner("generate", "a fox", *SMALL, "-o", "out/a.png", "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == 1
    assert package.Image.read(document["pictures"][0]["file"]) == only(temporary)
    assert document["error"].startswith("out/a.png: No such file")


def test_a_picture_too_large_for_its_format_is_written_as_it_came(limner, workplace, monkeypatch):
    monkeypatch.setattr(package.Image, "converted", _refusing(package.Image.converted))
    done = limner("generate", "a fox", *SMALL, "-o", "a.webp")
    assert done.exit_code == 1
    assert "cannot be encoded; it was written to" in done.stderr
    assert package.Image.read(next(workplace.glob("limner-*.png"))).size == (64, 64)


def _refusing(converted):
    def convert(image, suffix):
        if suffix == ".webp":
            raise package.TaskRefused([package.Problem("image", "64x64", "cannot be encoded")])
        return converted(image, suffix)

    return convert


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_behind_standard_output(program, temporary):
    with Path("/dev/full").open("wb") as full:
        status, _, err = program("generate", "a fox", *SMALL, "-o", "-", stdout=full)
    assert status == 1
    (line,) = err.splitlines()
    assert line.startswith("error: standard output: No space left on device; it was written to ")
    assert only(temporary).size == (64, 64)


def test_a_reader_that_leaves_costs_no_picture(program, temporary):
    reading, writing = os.pipe()
    os.close(reading)
    with program.start("generate", "a fox", *SMALL, "-o", "-", stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    (line,) = err.decode().splitlines()
    assert line.startswith("error: standard output: Broken pipe; it was written to ")
    assert only(temporary).size == (64, 64)


def test_a_device_is_refused_first_and_stays_one(limner):
    done = limner("generate", "a fox", *SMALL, "-o", "/dev/full", "--force")
    assert (done.exit_code, "not a regular file" in done.stderr) == (2, True)
    assert Path("/dev/full").is_char_device()


def test_a_sheet_is_written_elsewhere_too(limner, workplace, temporary, monkeypatch):
    done = limner("compare", "a fox", "-m", "sketch", "--size", "64x64", "-o", "none/sheet.png")
    assert (done.exit_code, "there is no folder none" in done.stderr) == (2, True)
    (workplace / "out").mkdir()
    vanishing(monkeypatch, (workplace / "out").rmdir)
    done = limner("compare", "a fox", "-m", "sketch", "--size", "64x64", "-o", "out/sheet.png")
    assert done.exit_code == 1
    assert "out/sheet.png: No such file or directory; it was written to " in done.stderr
    assert only(temporary).media_type == "image/png"
