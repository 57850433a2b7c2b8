"""What goes wrong: a line for each thing, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import limner as package
import pytest

from ..fakes import Fake, answer, registered


def plugin(send=answer, decode=None):
    """A plugin with one model; the test says how it sends."""

    class Painter(Fake):
        id = "fake.cli-1"
        aliases = ("cli",)
        transport = staticmethod(send)

    if decode is not None:
        Painter.decode = decode

    class Plugin:
        @staticmethod
        @package.hookimpl
        def limner_models():
            return [Painter]

    return Plugin


def failing(*seeds: int, error: BaseException):
    def send(request):
        if json.loads(request.body)["seed"] in seeds:
            raise error
        return answer(request, request_id="id-1")

    return plugin(send)


SIZES = "must have sides of 64 to 2048 pixels"
ERROR = package.RateLimited("too many requests; wait a minute", request_ids=["id-7"])


def test_the_pictures_that_came_are_kept_when_a_call_fails(limner):
    with registered(failing(5, error=ERROR)):
        done = limner("generate", "a fox", "-m", "cli", "-n", "4", "--seed", "3", "-o", "fox.png")
    assert done.exit_code == 1
    assert sorted(path.name for path in Path().glob("fox*")) == ["fox-1.png", "fox-2.png"]
    *_, second, error = done.stderr.splitlines()
    assert second == "wrote fox-2.png (seed 3, 2nd of 2)"
    assert error == "error: fake.cli-1: too many requests; wait a minute (request id-7)"


def test_json_names_the_error_and_the_pictures_that_came(limner):
    with registered(failing(5, error=ERROR)):
        done = limner("generate", "a fox", "-m", "cli", "-n", "4", "--seed", "3", "-o", "fox.png", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert [picture["file"] for picture in document["pictures"]] == ["fox-1.png", "fox-2.png"]
    assert "too many requests" in document["error"]


def test_a_failure_without_a_picture_leaves_none(limner):
    with registered(failing(3, error=ERROR)):
        done = limner("generate", "a fox", "-m", "cli", "--seed", "3", "-o", "fox.png")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert not Path("fox.png").exists()


def filtered(self, task, response):
    pictures = Fake.decode(self, task, response)
    return [package.Picture(outcome="filtered", reason="too \x1b[31mred\nand\tbright"), *pictures[1:]]


def test_filtered_pictures_are_an_error_or_what_came(limner):
    base = ("generate", "a fox", "-m", "cli", "--seed", "3", "-o", "fox.png")
    with registered(plugin(decode=filtered)):
        done = limner(*base, "-n", "2")
        assert done.exit_code == 1
        assert [path.name for path in Path().glob("fox*")] == ["fox-2.png"]
        assert limner(*base, "-n", "2", "--on-filtered", "return", "--force").exit_code == 0
        none = limner(*base, "--on-filtered", "return")
    assert none.exit_code == 1
    assert "\x1b" not in none.stderr
    assert r"filtered: too \x1b[31mred and bright" in none.stderr


def test_a_broken_model_is_said_in_a_line(limner):
    with registered(failing(3, error=KeyError("oops"))):
        done = limner("generate", "a fox", "-m", "cli", "--seed", "3")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert "KeyError('oops')" in done.stderr


def test_an_error_of_limner_itself_is_one_line_and_debug_shows_where(limner, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(package.Model, "run", broken)
    base = ("generate", "a fox", "-m", "sketch")
    done = limner(*base)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "RuntimeError: no such luck" in done.stderr
    assert "Traceback" in limner("--debug", *base).stderr
    assert "Traceback" in limner(*base, env={"LIMNER_DEBUG": "1"}).stderr
    assert "Traceback" not in limner(*base).stderr


def test_every_problem_has_a_line_and_the_name_that_was_typed(limner):
    words = ("--size", "9x9", "--steps", "3", "--guidance-scale", "2", "-O", "style=1")
    done = limner("generate", "a fox", "-m", "sketch", *words)
    assert done.exit_code == 2
    assert sorted(done.stderr.splitlines()) == [
        "error: limner.sketch-1: --guidance-scale 2.0: not supported by the model",
        f"error: limner.sketch-1: --size 9x9: {SIZES}; the nearest is 64x64 [limner-sketch, README]",
        "error: limner.sketch-1: --steps 3: not supported by the model",
        "error: limner.sketch-1: -O style=1: not supported by the model",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("generate",), "PROMPT"),
        (("generate", ""), "PROMPT"),
        (
            ("generate", "a", "--seed", "-1"),
            "--seed -1: must be a whole number from 0 to 18446744073709551615; the nearest is 0",
        ),
        (("generate", "a", "--seed", "1.5"), "'--seed'"),
        (("generate", "a", "--size", "12"), "'12' is not WIDTHxHEIGHT in whole pixels, such as 1024x768"),
        (("generate", "a", "--size", "12x12x12"), "WIDTHxHEIGHT"),
        (("generate", "a", "--size", "1_0x10"), "WIDTHxHEIGHT"),
        (("generate", "a", "--guidance-scale", "nan"), "finite"),
        (("generate", "a", "-O", "style"), "KEY=VALUE"),
        (("generate", "a", "-O", "=x"), "KEY=VALUE"),
        (("generate", "a", "-O", "a=1", "-O", "a=2"), "a is given twice"),
        (("generate", "a", "-O", "a=@nix.png"), "nix.png not found"),
        (("generate", "a", "-S", "timeout=soon"), "-S timeout='soon'"),
        (("generate", "a", "-S", "tiemout=1"), "did you mean timeout?"),
        (("generate", "a", "-S", "self=1"), "-S self"),
        (("generate", "a", "-S", "name=1"), "-S name"),
        (("generate", "a", "--fit", "loose"), "'--fit'"),
        (("generate", "a", "-n", "0"), "-n 0"),
        (("generate", "a", "-n", "21"), "max_n"),
        (("inpaint", "photo.png", "--box", "1,2"), "LEFT,TOP,RIGHT,BOTTOM in whole pixels, such as 80,200,160,380"),
        (("outpaint", "photo.png"), "exactly one of --expand, --mask and --keep-prompt"),
        (("outpaint", "photo.png", "--expand", "-1,0,0,0"), "--expand -1,0,0,0"),
        (("vary", "nix.png"), "nix.png not found"),
        (("vary", "."), "Is a directory"),
        (("frobnicate",), "no such command 'frobnicate'"),
        (("genrate",), "did you mean generate?"),
        (("--frobnicate",), "--frobnicate"),
    ],
)
def test_bad_usage_is_one_line_that_says_what_is_right(limner, words, said):
    model = ("-m", "sketch") if words[0] in {"generate", "inpaint", "outpaint", "vary"} else ()
    done = limner(*words, *model)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


@pytest.mark.parametrize("where", [("-o", "fox.png"), ("--seed", "1"), ("--dry-run",), ()])
def test_far_too_many_pictures_are_refused_before_their_files_are_looked_for(limner, where, monkeypatch):
    def looked_for(*_):
        raise AssertionError("a file is looked for")

    monkeypatch.setattr(Path, "exists", looked_for)
    done = limner("generate", "a fox", "-m", "sketch", "-n", "1000000000", *where)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "-n 1000000000: the setting max_n allows 20" in done.stderr


def test_an_unknown_model_and_what_there_is(limner):
    for words in (("generate", "a fox", "-m", "scketch"), ("show", "scketch")):
        done = limner(*words)
        assert done.exit_code == 2
        assert "did you mean sketch?" in done.stderr


def test_options_are_json_texts_and_pictures(limner):
    with registered(plugin()):
        words = ("-O", "style=anime", "-O", "tile=true", "-O", 'extra={"a": [1, 2.5]}', "-O", "condition_image=@photo.png")
        done = limner("generate", "a fox", "-m", "cli", *words, "--dry-run", "-S", "region=there-2")
        assert done.exit_code == 0, done.stderr
        used = {entry["parameter"]: entry["used"] for entry in json.loads(done.stdout)["account"]}
        assert used["options.style"] == "anime"
        assert used["options.tile"] is True
        assert used["options.extra"] == {"$object": {"a": [1, 2.5]}}
        assert used["options.condition_image"] == {"$picture": package.Image.read("photo.png").sha256}
        done = limner("generate", "a fox", "-m", "cli", "-O", "tile=NaN")
    assert "-O tile='NaN': must be true or false" in done.stderr


def test_requests_that_are_not_json_are_counted(limner, monkeypatch):
    monkeypatch.setattr(Fake, "encode", lambda self, task: package.Request(self.model_id, b"\xff" * 1234))
    with registered(plugin()):
        done = limner("generate", "a fox", "-m", "cli", "--dry-run")
    assert json.loads(done.stdout)["requests"][0]["body"] == "(1,234 bytes)"


def test_the_id_to_call_is_a_setting(limner):
    with registered(plugin()):
        done = limner("generate", "a fox", "-m", "cli", "-S", "model_id=arn:opaque", "--dry-run")
    assert json.loads(done.stdout)["requests"][0]["model_id"] == "arn:opaque"
