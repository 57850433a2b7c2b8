"""Manifests: JSON lines and CSV, pictures by path, and every mistake with its line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import limner
import pytest
from limner import Mask
from limner.batches.manifest import Entry, opened, opened_stream

from ..fakes import fake, png


@pytest.fixture(autouse=True)
def pictures(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png((32, 32), "teal"))
    (tmp_path / "b.png").write_bytes(png((32, 32), "navy"))
    (tmp_path / "mask.png").write_bytes(png((32, 32), "white"))


def tasks_in(path):
    """The tasks of a manifest, each read twice and equal."""
    with opened(path) as source:
        entries = list(source.entries())
        assert all(isinstance(entry, Entry) for entry in entries), entries
        for entry in reversed(entries):
            again = source.entry(entry.place)
            assert (again.task, again.id, again.model) == (entry.task, entry.id, entry.model)
        return entries


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_json_lines_are_what_to_json_writes(tmp_path):
    image = png((32, 32), "red")
    tasks = [
        limner.Generate(prompt="a fox", n=2, options={"style": "anime"}),
        limner.Inpaint(image=image, prompt="a door", mask=Mask.box((1, 1, 9, 9), size=(32, 32))),
        limner.Vary(image=[image, image]),
        limner.Outpaint(image=image, expand=(8, 0, 8, 0)),
    ]
    path = written(tmp_path / "t.jsonl", "\n".join(map(limner.to_json, tasks)) + "\n\n")
    assert [entry.task for entry in tasks_in(path)] == tasks


def test_pictures_are_named_by_their_path_from_the_manifest(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    lines = [
        {"task": "vary", "image": "photos/a.png"},
        {"task": "vary", "image": ["photos/a.png", str(tmp_path / "b.png")]},
        {"task": "inpaint", "image": "b.png", "mask": "mask.png", "prompt": "x", "id": "door.1", "model": "fake"},
        {"prompt": "a", "options": {"condition_image": {"$file": "b.png"}, "extra": {"image": "no path"}}},
    ]
    found = tasks_in(written(tmp_path / "t.jsonl", "".join(json.dumps(line) + "\n" for line in lines)))
    a, b = (limner.Image.read(tmp_path / name) for name in ("photos/a.png", "b.png"))
    assert [entry.task.image for entry in found[:3]] == [(a,), (a, b), b]
    assert found[2].task.mask == Mask.read(tmp_path / "mask.png")
    assert (found[2].id, found[2].model) == ("door.1", "fake")
    assert found[3].task.options["condition_image"] == b
    assert dict(found[3].task.options["extra"]) == {"image": "no path"}


CSV = """\ufefftask,id,prompt,n,size,seed,guidance_scale,image,mask,preserve,options.style,options.tile,expand
,one,"a fox, and
a boat",2,64x64,7,2.5,,,,anime,true,
inpaint,,a door,,,,,b.png,mask.png,true,,,
vary,,,,,,,photos/a.png; b.png,,,,,
outpaint,,a beach,,,,,b.png,,,,,"8,0,8,0"

"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_has_a_column_for_each_parameter(tmp_path, newline):
    found = tasks_in(written(tmp_path / "t.csv", CSV.replace("\n", newline)))
    first = limner.Generate(
        prompt=f"a fox, and{newline}a boat",
        n=2,
        size=(64, 64),
        seed=7,
        guidance_scale=2.5,
        options={"style": "anime", "tile": True},
    )
    assert found[0].task == first
    assert found[0].id == "one"
    assert found[1].task.preserve is True
    assert len(found[2].task.image) == 2
    assert found[3].task.expand == (8, 0, 8, 0)
    assert [entry.line for entry in found] == [2, 4, 5, 6]


def test_standard_input_is_told_by_its_first_character(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in ('\n {"prompt": "a"}\n', "prompt\na\n"):
        with opened_stream(io.BytesIO(text.encode())) as source:
            assert [entry.task for entry in source.entries()] == [limner.Generate(prompt="a")]


MISTAKES = {
    '{"prompt": "a", "sed": 1}': "line 2: json='sed': is no parameter of generate; did you mean seed?",
    '{"prompt": "a"': "line 2: json=",
    "[1]": "line 2: json=[1]: must be an object",
    '{"task": "paint"}': "line 2: task='paint': must be one of",
    '{"task": "vary", "image": "photos/c.png"}': "line 2: image='photos/c.png': cannot be read: No such file",
    '{"task": "vary", "image": "t.jsonl"}': "line 2: image",
    '{"prompt": "a", "size": [7, 7]}': "line 2: size=(7, 7): must be one of",
    '{"prompt": "a", "id": "../x"}': "line 2: id='../x': must be 1 to 100 letters",
    '{"prompt": "a", "id": "First"}': "line 2: id='First': is also that of line 1",
    '{"prompt": "a", "model": "nobody"}': "line 2: no installed plugin offers a model 'nobody'",
    '{"task": "vary", "image": "b.png", "n": 0}': "line 2: n=0",
}


@pytest.mark.parametrize(("line", "problem"), MISTAKES.items())
def test_a_mistake_is_told_with_its_line_and_nothing_is_written(tmp_path, line, problem):
    path = written(tmp_path / "t.jsonl", f'{{"prompt": "a", "id": "first"}}\n{line}\n{{"prompt": "b"}}\n')
    with pytest.raises(limner.TaskRefused) as caught:
        list(limner.batch(path, model=fake(), out=tmp_path / "out"))
    (said,) = caught.value.problems
    assert str(said).startswith(problem)
    assert not (tmp_path / "out" / "journal.jsonl").exists()


def test_all_mistakes_are_told_at_once(tmp_path):
    path = written(tmp_path / "t.csv", "prompt,n,seed\n" + "a,many,-1\n" * 150)
    with pytest.raises(limner.TaskRefused) as caught:
        list(limner.batch(path, model=fake(), out=tmp_path / "out"))
    assert len(caught.value.problems) == 101
    assert str(caught.value.problems[0]) == "line 2: n='many': must be a whole number"
    assert str(caught.value.problems[-1]) == "and: 50 more problems"


def test_each_line_may_have_its_own_model(tmp_path):
    from limner import hookimpl

    from ..fakes import Fake, registered

    class Second(Fake):
        id = "fake.painter-2"
        aliases = ("second",)

    class Plugin:
        @staticmethod
        @hookimpl
        def limner_models():
            return [Fake, Second]

    path = written(tmp_path / "t.jsonl", '{"prompt": "a"}\n{"prompt": "a", "model": "second"}\n')
    with registered(Plugin()):
        outcomes = list(limner.batch(path, model="fake", out=tmp_path / "out"))
    assert sorted(outcome.model for outcome in outcomes) == ["fake.painter-1", "fake.painter-2"]
    assert {outcome.status for outcome in outcomes} == {"done"}
