"""models, show, plugins, info and rerun."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import limner as package
import pytest
from limner.plugins import registry

from ..fakes import LIMITS, Fake, png, registered

SMALL = ("-m", "sketch", "--size", "64x64", "--seed", "7")


ENDED = package.Lifecycle(end_of_life=datetime.date(2020, 1, 1))


class FakePlugin:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Fake]


def test_models_answers_questions(limner):
    with registered(FakePlugin):
        every = [model["id"] for model in json.loads(limner("models", "--json").stdout)]
        words = ("models", "--task", "inpaint", "--supports", "mask-prompt", "--supports", "steps", "--json")
        some = [model["id"] for model in json.loads(limner(*words).stdout)]
        tall = limner("models", "--task", "generate", "--size", "2048x2048").stdout
        none = limner("models", "--state", "active", "--task", "vary", "--supports", "no_such_thing")
    assert every == sorted({"fake.painter-1", *(model.id for model in package.models())})
    assert "fake.painter-1" in some
    assert "limner.sketch-1" not in some
    assert "limner.sketch-1" in tall
    assert "fake.painter-1" not in tall
    assert (none.exit_code, none.stdout) == (0, "")
    done = limner("models", "--task", "paint")
    assert (done.exit_code, "use one of generate, vary" in done.stderr) == (2, True)


def test_show_has_every_parameter_with_limit_default_and_source(limner):
    with registered(FakePlugin):
        shown = limner("show", "fake", "--sources").stdout
        bare = limner("show", "fake").stdout
        document = json.loads(limner("show", "fake", "--json").stdout)
    lines = shown.splitlines()
    assert "region=here-1" in shown
    assert "s3cr3t" not in shown + json.dumps(document)
    assert any(
        "--guidance-scale" in line and "1.1 to 10.0" in line and "8.0" in line and line.endswith("[1]") for line in lines
    )
    assert any(line.startswith("[1] ") and "Fake API" in line for line in lines)
    assert "Fake API" not in bare
    assert "[1]" not in bare
    assert any(line.startswith("-O style") and "anime, line-art" in line for line in lines)
    assert any(line.startswith("--size") and "96x64" in line and " 64x64 " in line for line in lines)
    for task, limits in LIMITS.items():
        assert document["tasks"][task.kind]["parameters"].keys() - {"preserve"} == limits.parameters.keys()
        assert document["tasks"][task.kind]["options"].keys() == limits.options.keys()


def test_models_folds_retired_models_away_and_starts_with_the_alias(limner):
    retired = type("Retired", (Fake,), {"id": "fake.old-1", "aliases": ("old",), "lifecycle": ENDED})

    class Plugin:
        limner_models = staticmethod(package.hookimpl(lambda: [retired, Fake]))

    with registered(Plugin):
        short = limner("models", "--supports", "strength")
        full = limner("models", "--supports", "strength", "--all")
        asked = limner("models", "--state", "retired", "--supports", "strength")
        documents = json.loads(limner("models", "--json").stdout)
    names = [line.split()[0] for line in short.stdout.splitlines() if line]
    assert "fake" in names
    assert "old" not in names
    assert "retired model" in short.stderr
    assert "use --all" in short.stderr
    for done in (full, asked):
        (line,) = (line for line in done.stdout.splitlines() if line.startswith("old "))
        assert "retired" in line
        assert done.stderr == ""
    assert {"fake.old-1", "fake.painter-1"} <= {document["id"] for document in documents}


def test_tasks_with_the_same_limits_share_a_table(limner):
    class Same(Fake):
        id = "fake.same-1"
        aliases = ()
        limits = dict.fromkeys((package.Inpaint, package.Outpaint), LIMITS[package.Inpaint])

    class Plugin:
        limner_models = staticmethod(package.hookimpl(lambda: [Same]))

    with registered(Plugin):
        assert "inpaint, outpaint" in limner("show", "fake.same-1").stdout.splitlines()


def test_plugins_names_what_is_broken(limner):
    class Misspelt:
        @staticmethod
        @package.hookimpl
        def limner_model():
            return []

    with registered(Misspelt, FakePlugin):
        done = limner("plugins")
        document = json.loads(limner("plugins", "--json").stdout)
    assert done.exit_code == 0
    assert "there is no hook limner_model; did you mean limner_models?" in done.stdout
    known = {plugin["name"]: plugin for plugin in document["plugins"]}
    assert known["test-plugin-1"]["models"] == ["fake.painter-1"]
    assert known["sketch"]["broken"] == ""
    assert known["sketch"]["milliseconds"] > 0
    assert len(known) == len(registry().plugins) + 2


@pytest.mark.parametrize(("count", "shown"), [(5, "m0, m1, m2, m3, m4"), (20, "m0, m1, m2, m3, and 16 more")])
def test_a_plugin_with_many_models_is_one_line(limner, count, shown):
    models = [type(f"Painter{n}", (Fake,), {"id": f"fake.m{n}", "aliases": (f"m{n}",)}) for n in range(count)]

    class Many:
        @staticmethod
        @package.hookimpl
        def limner_models():
            return models

    with registered(Many):
        done = limner("plugins")
        document = json.loads(limner("plugins", "--json").stdout)
    assert shown in done.stdout
    assert document["plugins"][-1]["models"] == [model.id for model in models]


def test_two_plugins_that_claim_a_name_are_said(limner):
    class Twin(FakePlugin):
        pass

    with registered(FakePlugin, Twin):
        done = limner("plugins")
        shown = limner("show", "fake")
    assert "'fake' is claimed by test-plugin-0 and test-plugin-1" in done.stderr
    assert (shown.exit_code, "claimed by" in shown.stderr) == (1, True)


def test_info_says_what_it_is_and_how_it_was_made(limner):
    limner("generate", "a \x1b[31mfox", *SMALL, "-o", "fox.png")
    done = limner("info", "fox.png")
    assert done.exit_code == 0
    assert r"a \x1b[31mfox" in done.stdout
    assert "64x64 pixels" in done.stdout
    assert package.Image.read("fox.png").sha256 in done.stdout
    document = json.loads(limner("info", "-", "--json", input=Path("fox.png").read_bytes()).stdout)
    assert (document["format"], document["size"], document["provenance"]["seed"]) == ("image/png", [64, 64], 7)
    plain = limner("info", "photo.png")
    assert (plain.exit_code, "does not record how it was made" in plain.stdout) == (0, True)
    Path("text.txt").write_text("no picture")
    assert limner("info", "text.txt").exit_code == 2


def test_rerun_makes_the_same_picture(limner):
    limner("generate", "a fox in the snow", *SMALL, "-n", "2", "-o", "fox.png")
    done = limner("rerun", "fox-2.png", "-o", "again.png")
    assert (done.exit_code, done.stderr) == (0, "wrote again.png (seed 7, 2nd of 2)\n")
    assert Path("again.png").read_bytes() == Path("fox-2.png").read_bytes()
    assert limner("rerun", "fox-1.png", "-o", "first.png").exit_code == 0
    assert Path("first.png").read_bytes() == Path("fox-1.png").read_bytes()
    assert limner("rerun", "fox-2.png").exit_code == 0
    assert Path("fox-2-rerun-7.png").exists()


def test_rerun_of_one_of_several_calls_makes_that_call_alone(limner):
    limner("generate", "a fox in the snow", *SMALL, "-n", "6", "-o", "fox.png")
    done = limner("rerun", "fox-6.png", "--dry-run")
    requests = json.loads(done.stdout)["requests"]
    assert len(requests) == 1
    assert (requests[0]["body"]["n"], requests[0]["body"]["seed"]) == (2, 11)
    assert limner("rerun", "fox-6.png", "-o", "again.png").exit_code == 0
    again, sixth = (package.Image.read(name).stripped().data for name in ("again.png", "fox-6.png"))
    assert again == sixth


def test_names_with_seed_and_place(limner):
    done = limner("generate", "a fox", *SMALL, "-n", "2", "-o", "fox-{seed}-{place}.png")
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in Path().glob("fox-7-*.png")) == ["fox-7-1.png", "fox-7-2.png"]


@pytest.mark.parametrize("way", [("--mask", "mask.png"), ("--box", "4,4,30,40"), ("--ellipse", "4,4,30,40")])
def test_rerun_of_an_edit_needs_what_went_in(limner, way):
    made = limner("inpaint", "photo.png", "a dog", "-m", "sketch", "--seed", "3", *way, "-o", "dog.png")
    assert made.exit_code == 0, made.stderr
    done = limner("rerun", "dog.png", "--image", "photo.png", *way, "-o", "again.png")
    assert done.exit_code == 0, done.stderr
    assert Path("again.png").read_bytes() == Path("dog.png").read_bytes()
    missing = limner("rerun", "dog.png", "-o", "no.png")
    picture, mask = missing.stderr.splitlines()
    assert missing.exit_code == 2
    assert f"needs the picture of SHA-256 {package.Image.read('photo.png').sha256}" in picture
    assert "give it with --mask, --box or --ellipse" in mask
    Path("other.png").write_bytes(png((64, 64), "red"))
    wrong = limner("rerun", "dog.png", "--image", "other.png", *way, "-o", "no.png")
    assert (wrong.exit_code, "--image other.png: is not an input" in wrong.stderr) == (2, True)
    assert not Path("no.png").exists()


def test_rerun_sends_the_same_requests_under_the_same_fit(limner):
    words = ("generate", "a fox", "-m", "sketch", "--size", "9x20", "--fit", "nearest", "--steps", "3")
    limner(*words, "--seed", "5", "-o", "fox.png")
    first = json.loads(limner(*words, "--seed", "5", "--dry-run").stdout)["requests"]
    again = limner("rerun", "fox.png", "--dry-run")
    assert json.loads(again.stdout)["requests"] == first


def test_rerun_of_a_picture_that_says_nothing_or_lies(limner):
    from limner.images.metadata import embed

    assert "does not record how it was made" in limner("rerun", "photo.png").stderr
    for lie in ({"model": 3}, {"model": "sketch", "model_id": "sketch", "fit": "strict", "task": {"task": "paint"}}):
        Path("lie.png").write_bytes(embed(png(), "image/png", json.dumps(lie).encode()))
        done = limner("rerun", "lie.png", "-o", "no.png")
        assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)


def test_rerun_with_a_mask_of_transparency(limner):
    holed = package.Image.read(png((64, 64), (0, 0, 0, 0), "RGBA"))
    holed.save("holed.png")
    made = package.get_model("sketch").inpaint("photo.png", "a dog", mask=package.Mask.from_alpha("holed.png"), seed=1)
    made.image.save("dog.png")
    assert limner("rerun", "dog.png", "--image", "photo.png", "--mask", "holed.png", "-o", "again.png").exit_code == 0
    assert Path("again.png").read_bytes() == Path("dog.png").read_bytes()
