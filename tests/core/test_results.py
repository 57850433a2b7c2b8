"""Results: pictures with where they come from, as data and as files."""

from __future__ import annotations

import base64
import json
import pickle

import attrs
import limner
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import BadResponse, Generate, Image, Inpaint, Mask, Picture, Result, TaskRefused, Vary, read_provenance
from limner.documents import fingerprint, pictures_of, restore
from limner.tasks import TASKS
from limner.testing.strategies import images, tasks, tasks_within

from .fakes import Fake, fake, png

RUNNABLE = st.one_of([tasks_within(Fake, kind) for kind in TASKS.values()])


@given(RUNNABLE)
def test_a_result_goes_to_json_and_back(task):
    result = fake().run(task)
    text = limner.to_json(result)
    back = limner.from_json(text)
    assert back == result
    assert [p.provenance for p in back.pictures] == [p.provenance for p in result.pictures]
    assert limner.to_json(back) == text


@given(RUNNABLE)
def test_a_result_pickles(task):
    result = fake().run(task)
    back = pickle.loads(pickle.dumps(result))
    assert back == result
    assert [p.provenance for p in back.pictures] == [p.provenance for p in result.pictures]


def test_results_without_pictures_go_to_json_too():
    pictures = (Picture(outcome="filtered", reason="too foxy \ud83e\udd8a"), Picture(outcome="failed"))
    result = Result(model="m", task=Generate(prompt="a"), pictures=pictures)
    assert limner.from_json(limner.to_json(result)) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "5",
        "[]",
        "[1]",
        "{}",
        '"task"',
        b"\xff",
        '{"task": "paint"}',
        '{"task": ["generate"]}',
        '{"task": "generate"}',
        '{"task": "generate", "prompt": "a", "more": 1}',
        '{"task": "vary", "image": {"$picture": "no base64"}}',
        '{"task": "vary", "image": {"$picture": "aGVsbG8="}}',
        '{"pictures": 5}',
        '{"pictures": [{"outcome": "ok"}], "model": "m"}',
        "[" * 100_000,
        '{"task": "generate", "prompt": "", "n": 0}',
    ],
    ids=lambda text: str(text[:50]),
)
def test_what_is_no_task_and_no_result_is_refused(text):
    with pytest.raises(TaskRefused) as error:
        limner.from_json(text)
    assert "\n" not in str(error.value)


def test_what_is_wrong_with_a_task_in_json_is_named():
    with pytest.raises(TaskRefused) as error:
        limner.from_json('{"task": "generate", "prompt": "", "n": 0}')
    assert [problem.parameter for problem in error.value.problems] == ["n", "prompt"]


@given(st.one_of([tasks(kind) for kind in TASKS.values()]))
def test_a_fingerprint_and_the_pictures_make_the_task_again(task):
    document = json.loads(json.dumps(fingerprint(task)))
    found = {}

    def gather(value):
        if isinstance(value, Image | Mask):
            found[value.sha256] = value
        elif isinstance(value, tuple):
            for item in value:
                gather(item)
        elif isinstance(value, limner.Options):
            for item in value.values():
                gather(item)

    for _, value in task.arguments():
        gather(value)
    gather(task.options)
    assert set(pictures_of(document)) == set(found)
    assert restore(document, found) == task
    if found:
        with pytest.raises(TaskRefused, match="SHA-256"):
            restore(document, {})


def test_a_document_that_is_no_fingerprint():
    for document in ({}, {"task": "paint"}, {"task": "generate", "prompt": 5}):
        with pytest.raises(TaskRefused):
            restore(document, {})


# ---------------------------------------------------------------------------------------------- provenance


@pytest.fixture(scope="module")
def result():
    task = Inpaint(image=png((32, 32)), prompt="a red door", mask=Mask.box((0, 0, 9, 9), size=(32, 32)), seed=0, n=2)
    return fake().run(task)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ""])
def test_a_saved_picture_says_how_it_was_made(result, suffix, tmp_path):
    path = result.pictures[1].save(tmp_path / f"door{suffix}")
    said = read_provenance(Image.read(path))
    assert said == result.pictures[1].provenance
    assert said["model"] == said["model_id"] == "fake.painter-1"
    assert (said["seed"], said["index"], said["fit"], said["limner"]) == (0, 1, "strict", limner.__version__)
    assert said["task"]["prompt"] == "a red door"
    assert said["task"]["image"] == {"$picture": Image(png((32, 32))).sha256}
    with PIL.Image.open(path) as opened:
        opened.load()


def test_its_task_can_be_run_again(result):
    said = result.image.provenance
    task = Inpaint(image=png((32, 32)), prompt="a red door", mask=Mask.box((0, 0, 9, 9), size=(32, 32)), seed=0, n=2)
    again = restore(said["task"], {picture.sha256: picture for picture in (task.image, task.mask)})
    assert fake().plan(again).requests == fake().plan(result.task).requests


def test_provenance_can_be_left_out(result, tmp_path):
    path = result.image.save(tmp_path / "a.png", provenance=False)
    assert read_provenance(Image.read(path)) is None
    assert path.read_bytes() == result.image.data
    assert read_provenance(Image(result.image.encoded(".jpg"))) is not None


def test_a_picture_of_unknown_origin_is_saved_as_it_is(tmp_path):
    picture = Picture(image=Image(png()))
    assert picture.provenance == {}
    assert picture.save(tmp_path / "a.png").read_bytes() == png()


def test_a_picture_shows_itself(result):
    picture = result.image
    assert picture.size == (32, 32)
    assert picture.media_type == "image/png"
    assert "data:image/png;base64," in picture._repr_html_()
    assert repr(picture) == f"<Picture ok, seed 0, 1st of 2, {picture.image}>"
    assert result.seed == 0


def test_a_picture_that_never_came():
    picture = Picture(outcome="failed")
    for look in (picture.pil, lambda: picture.data, lambda: picture.size, lambda: picture.media_type, picture.encoded):
        with pytest.raises(BadResponse, match="this picture is failed: the provider gave none"):
            look()


def test_saving_a_picture_never_overwrites_unasked(result, tmp_path):
    path = result.image.save(tmp_path / "a.png")
    with pytest.raises(FileExistsError):
        result.image.save(path)
    result.image.save(path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_unicode_travels_in_the_file(tmp_path):
    result = fake().run(Generate(prompt="ünïcode 🦊\n«fox»"))
    for suffix in (".png", ".jpg", ".webp"):
        path = result.image.save(tmp_path / f"a{suffix}")
        assert read_provenance(Image.read(path))["task"]["prompt"] == "ünïcode 🦊\n«fox»"


def test_a_scaled_input_is_told_as_it_came():
    image = Image(png((128, 128)))
    result = fake(fit="nearest").run(Vary(image=image, seed=0))
    assert result.task.image[0].size == (64, 64)
    assert pictures_of(result.image.provenance["task"]) == [image.sha256]


# ---------------------------------------------------------------------------------------------- what a provider gives


@given(images())
def test_base64_becomes_a_picture(image):
    text = base64.b64encode(image.data).decode()
    assert limner.image_from_base64(text) == image


@pytest.mark.parametrize("text", [None, 5, b"aGVsbG8=", "", "no base64!", "aGVsbG8", "aGVsbG8=", "ünïcode", ["a"]])
def test_what_is_no_picture_is_a_bad_response(text):
    with pytest.raises(BadResponse, match="the mask"):
        limner.image_from_base64(text, "the mask")


def test_a_cut_picture_is_a_bad_response():
    with pytest.raises(BadResponse, match="cut short"):
        limner.image_from_base64(base64.b64encode(png()[:-9]).decode())


def test_a_response_may_be_the_picture():
    assert limner.image_from_bytes(png()) == Image(png())
    with pytest.raises(limner.BadResponse, match="the answer cannot be read"):
        limner.image_from_bytes(png()[:-9], "the answer")


def test_raw_is_the_picture_unless_said():
    image, other = Image(png()), Image(png((2, 2)))
    assert Picture(image=image).raw is image
    assert attrs.evolve(Picture(image=image), image=other).raw is image


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null", b'"text"', b"7"])
def test_an_answer_that_is_no_json_object_is_a_bad_response(body):
    with pytest.raises(BadResponse, match="the answer is"):
        limner.parse_json(body)


def test_an_answer_that_is_a_json_object():
    assert limner.parse_json(b'{"pictures": ["a"]}') == {"pictures": ["a"]}


def test_a_picture_of_a_result_is_an_input_like_any_other(result):
    for source in (result, result.image, result.image.image):
        assert limner.Vary(image=source, prompt="a").image == (result.image.image,)
        assert limner.Upscale(image=source).image is result.image.image
    with pytest.raises(TaskRefused, match="a picture of a result"):
        limner.Upscale(image=Picture(outcome="filtered"))
