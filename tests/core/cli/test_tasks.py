"""The tasks, typed."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import attrs
import limner as package
import PIL.Image
import pytest
from limner.cli import tasks
from limner.tasks import TASKS

from ..fakes import png

SMALL = ("-m", "sketch", "--size", "64x64", "--seed", "7")


def pixels(name: str) -> bytes:
    with PIL.Image.open(name) as picture:
        return picture.tobytes()


def request(done) -> dict:
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["requests"][0]["body"]


def account(done) -> dict:
    assert done.exit_code == 0, done.stderr
    return {entry["parameter"]: entry for entry in json.loads(done.stdout)["account"]}


@pytest.mark.parametrize("kind", TASKS)
def test_each_command_has_the_fields_of_its_task(kind):
    command = getattr(tasks, kind.replace("-", "_"))
    said = {parameter.name for parameter in command.params}
    said = said - {"box", "ellipse", "words"} | ({"image", "prompt"} if "words" in said else set())
    controls = {"model", "fit", "output", "force", "provenance", "settings", "on_filtered", "previews", "dry_run", "as_json"}
    assert said == {field.name for field in attrs.fields(TASKS[kind])} | controls


def test_a_picture_is_written_with_its_seed_and_how_it_was_made(limner):
    done = limner("generate", "a fox", *SMALL, "-o", "fox.png")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "wrote fox.png (seed 7)\n"
    assert package.read_provenance(package.Image.read("fox.png"))["task"]["prompt"] == "a fox"
    assert limner("generate", "a fox", *SMALL, "-o", "bare.png", "--no-provenance").exit_code == 0
    assert package.read_provenance(package.Image.read("bare.png")) is None
    assert pixels("fox.png") == pixels("bare.png")


def test_a_drawn_seed_and_the_chosen_model_are_said(limner):
    done = limner("generate", "a fox", "--size", "64x64")
    model, drawn, wrote = done.stderr.splitlines()
    seed = package.read_provenance(package.Image.read(next(Path().glob("generate-*.png"))))["seed"]
    assert model == "model: limner.sketch-1 (use -m to choose another)"
    assert drawn == f"seed: {seed} (random)"
    assert wrote == f"wrote generate-{seed}.png (seed {seed})"


def test_the_model_of_the_environment(limner, monkeypatch):
    monkeypatch.setenv("LIMNER_MODEL", "sketch")
    assert "model: sketch" in limner("generate", "a fox", "--dry-run").stderr


def test_an_existing_file_is_refused_before_anything_is_sent(limner):
    Path("fox.png").write_text("mine")
    done = limner("generate", "a fox", *SMALL, "-o", "fox.png")
    assert done.exit_code == 2
    assert done.stderr == "error: fox.png already exists; --force overwrites, -o names another file\n"
    assert Path("fox.png").read_text() == "mine"
    assert limner("generate", "a fox", *SMALL, "-o", "fox.png", "--force").exit_code == 0
    assert pixels("fox.png")
    assert limner("generate", "a fox", *SMALL).exit_code == 0
    done = limner("generate", "a fox", *SMALL)
    assert (done.exit_code, "generate-7.png already exists" in done.stderr) == (2, True)


def test_several_pictures_are_numbered_and_every_name_is_checked_first(limner):
    done = limner("generate", "a fox", *SMALL, "-n", "3", "-o", "fox.jpg")
    assert done.exit_code == 0
    assert sorted(path.name for path in Path().glob("fox*")) == ["fox-1.jpg", "fox-2.jpg", "fox-3.jpg"]
    assert package.Image.read("fox-3.jpg").media_type == "image/jpeg"
    Path("fox-1.jpg").unlink()
    Path("fox-2.jpg").unlink()
    done = limner("generate", "a fox", *SMALL, "-n", "3", "-o", "fox.jpg")
    assert (done.exit_code, "fox-3.jpg already exists" in done.stderr) == (2, True)
    assert not Path("fox-1.jpg").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("none/fox.png", "there is no folder none"),
        ("fox.gif", ".png, .jpg, .jpeg, .webp"),
        (".", "'.' is a folder"),
        ("", "'' is a folder"),
        ("/dev/null", "not a regular file"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_refused_first(limner, output, said):
    done = limner("generate", "a fox", *SMALL, "-o", output, "--force")
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_comes_up_meanwhile_costs_no_picture(limner, monkeypatch):
    run = package.Model.run

    def meanwhile(*arguments, **more):
        Path("fox.png").write_text("somebody else's")
        return run(*arguments, **more)

    monkeypatch.setattr(package.Model, "run", meanwhile)
    done = limner("generate", "a fox", *SMALL, "-o", "fox.png")
    assert done.exit_code == 0
    assert "wrote fox_2.png" in done.stderr
    assert Path("fox.png").read_text() == "somebody else's"


def test_standard_output_takes_one_picture(limner):
    done = limner("generate", "a fox", *SMALL, "-o", "-")
    assert done.exit_code == 0
    assert PIL.Image.open(BytesIO(done.stdout_bytes)).size == (64, 64)
    assert "wrote to standard output (seed 7)" in done.stderr
    assert limner("generate", "a fox", *SMALL, "-o", "-", "-n", "2").exit_code == 2
    assert limner("generate", "a fox", *SMALL, "-o", "-", "--json").exit_code == 2


def test_a_picture_from_standard_input(limner):
    for words in (("vary", "-", "rain"), ("inpaint", "-", "a dog", "--mask", "mask.png"), ("upscale", "-")):
        assert limner(*words, "-m", "sketch", "-o", f"{words[0]}.png", input=png((64, 64))).exit_code == 0
    done = limner("inpaint", "-", "--mask", "-", "-m", "sketch", input=png((64, 64)))
    assert (done.exit_code, "one picture" in done.stderr) == (2, True)


def test_json_says_everything(limner):
    done = limner("generate", "a fox", *SMALL, "-n", "2", "--json", "-o", "fox.png")
    document = json.loads(done.stdout)
    assert document["model"] == "limner.sketch-1"
    assert document["task"]["prompt"] == "a fox"
    assert [(picture["file"], picture["seed"], picture["outcome"]) for picture in document["pictures"]] == [
        ("fox-1.png", 7, "ok"),
        ("fox-2.png", 7, "ok"),
    ]
    assert {entry["parameter"]: entry["outcome"] for entry in document["account"]}["n"] == "sent"
    assert document.keys() >= {"request_ids", "warnings", "seconds"}
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ("generate", "a fox"),
        ("vary", "photo.png", "rain"),
        ("inpaint", "photo.png", "a dog", "--box", "1,2,30,40"),
        ("outpaint", "photo.png", "a beach", "--expand", "8,0,8,0"),
        ("remove-background", "photo.png"),
        ("upscale", "photo.png"),
    ],
)
def test_a_dry_run_prints_the_requests_and_writes_nothing(limner, workplace, words):
    before = sorted(workplace.iterdir())
    done = limner(*words, "-m", "sketch", "--dry-run", "-o", "none/at/all.png")
    body = request(done)
    assert body["do"] == {"generate": "paint"}.get(words[0], words[0])
    assert all(len(value) < 80 for value in body.values() if isinstance(value, str))
    assert "characters)" in body.get("picture", body.get("pictures", "characters)"))
    assert sorted(workplace.iterdir()) == before


def test_what_is_said_reaches_the_request(limner):
    words = ("--negative-prompt", "rain", "--negative-prompt", "fog", "--size", "96x64", "--seed", "0", "-n", "4")
    body = request(limner("generate", "a fox", "-m", "sketch", *words, "--dry-run"))
    assert (body["without"], body["size"], body["seed"], body["n"]) == (["rain", "fog"], [96, 64], 0, 4)
    assert account(limner("vary", "photo.png", "--strength", "0", "-m", "sketch", "--dry-run"))["strength"]["asked"] == 0
    assert "prompt" not in account(limner("vary", "photo.png", "-m", "sketch", "--dry-run"))


def test_several_pictures_and_a_prompt_to_vary(limner):
    words = ("vary", "photo.png", "mask.png", "snow", "-m", "sketch", "--dry-run")
    assert "has 2 pictures" in limner(*words).stderr
    assert "snow" not in limner(*words).stderr
    done = limner("vary", "photo.png", "phoot.png", "-m", "sketch", "--dry-run")
    assert (done.exit_code, done.stderr) == (2, "error: phoot.png not found; did you mean photo.png?\n")
    assert limner("vary", "photo.png", "snow. " * 99, "-m", "sketch", "--dry-run").exit_code == 0


def test_the_ways_to_say_a_mask(limner):
    base = ("inpaint", "photo.png", "a dog", "-m", "sketch", "--dry-run")
    masks = [
        account(limner(*base, *way))["mask"]["used"]["$mask"]
        for way in (("--mask", "mask.png"), ("--box", "0,0,64,64"), ("--ellipse", "0,0,64,64"))
    ]
    assert masks[0] == masks[1] == package.Mask.box((0, 0, 64, 64), size=(64, 64)).sha256
    assert masks[2] == package.Mask.ellipse((0, 0, 64, 64), size=(64, 64)).sha256
    assert "has no transparency" in limner(*base, "--mask", "alpha").stderr
    done = limner(*base, "--ellipse", "5,5,65,65")
    assert done.stderr.startswith("error: --ellipse 5,5,65,65: ")
    assert "left < right and top < bottom" in done.stderr
    assert "64x64" in done.stderr
    for ways in ((), ("--mask", "mask.png", "--mask-prompt", "dog")):
        done = limner(*base, *ways)
        assert (done.exit_code, "exactly one of --mask, --box, --ellipse and --mask-prompt" in done.stderr) == (2, True)


def test_preserve_is_asked_for_or_not(limner):
    base = ("inpaint", "photo.png", "a dog", "-m", "sketch", "--dry-run", "--box", "1,1,9,9")
    said = [account(limner(*base, *flag))["preserve"]["asked"] for flag in ((), ("--preserve",), ("--no-preserve",))]
    assert said == [None, True, False]


def test_nearest_says_what_it_changed(limner):
    done = limner("generate", "a fox", "-m", "sketch", "--seed", "1", "--size", "9x9", "--steps", "3", "--fit", "nearest")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "adjusted: --size 9x9 became 64x64: the model wants sides of 64 to 2048 pixels",
        "dropped: --steps 3: not supported by the model",
        "wrote generate-1.png (seed 1)",
    ]
