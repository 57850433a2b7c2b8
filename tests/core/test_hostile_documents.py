"""from_json with documents that mean harm: nothing is opened, one clear error."""

from __future__ import annotations

import json
from typing import Any

import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Image, Mask, TaskRefused
from limner.documents import MAX_LEVELS, fingerprint, pictures_of, restore
from limner.errors import shorten
from limner.limits import Picture
from limner.options import MAX_DEPTH

from . import hostile
from .fakes import FakeSettings, fake, png


@pytest.fixture(autouse=True, scope="module")
def trapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traps")
    with pytest.MonkeyPatch.context() as patch, hostile.traps(folder):
        patch.chdir(folder)
        yield


def read(text: str | bytes) -> str:
    """The one error that a text gives."""
    with pytest.raises(TaskRefused) as refused:
        limner.from_json(text)
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 1500
    return said


@pytest.mark.parametrize("task", hostile.TASKS, ids=shorten)
def test_a_hostile_task_is_refused(task):
    read(json.dumps(task))
    read(json.dumps({"model": "m", "task": task, "pictures": []}))


@pytest.mark.parametrize("text", hostile.TEXTS, ids=lambda text: shorten(text[:60]))
def test_a_hostile_text_is_refused(text):
    read(text)


@pytest.mark.parametrize("text", [None, 5, {}, [], object()], ids=lambda text: type(text).__name__)
def test_what_is_no_text_is_refused(text):
    assert "json" in read(text)


RESULT = {"model": "m", "task": {"task": "generate", "prompt": "a"}, "pictures": [{"outcome": "ok"}]}


@pytest.mark.parametrize(
    "change",
    [
        *({"pictures": [{"outcome": "ok", name: value}]} for name in ("image", "raw", "mask") for value in hostile.PATHS),
        *({"pictures": [{"outcome": "ok", "origin": value}]} for value in (5, [1], "text", True)),
        *({"pictures": value} for value in (5, "ab", {"a": 1}, [5], [[]], None)),
        *(
            {"account": value}
            for value in ([{"parameter": "n", "outcome": "lost"}], [5], [{"parameter": 5, "outcome": "sent"}])
        ),
        *({"account": [{"parameter": "image", "outcome": "sent", "asked": {"$picture": path}}]} for path in hostile.PATHS),
        *({"model": value} for value in (5, None, ["m"], {})),
        *({"seconds": value} for value in ("1", None, True)),
        {"warnings": [{}]},
        {"request_ids": [1]},
    ],
    ids=shorten,
)
def test_a_hostile_result_is_refused(change):
    assert limner.from_json(json.dumps(RESULT)).model == "m"
    read(json.dumps(RESULT | change))


@given(hostile.documents())
def test_no_document_opens_a_file_or_breaks_out_of_the_tree(document):
    for text in (json.dumps(document), json.dumps(RESULT | {"task": document})):
        try:
            made = limner.from_json(text)
        except TaskRefused as refused:
            assert "\n" not in str(refused)  # noqa: PT017
        else:
            assert limner.from_json(limner.to_json(made)) == made


@given(
    st.recursive(st.none() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3), max_leaves=4)
    | st.binary(max_size=20)
)
def test_any_value_and_any_bytes(value):
    read(value if isinstance(value, bytes) else json.dumps(value))


def test_the_errors_say_what_is_wrong_where():
    said = read(json.dumps({"task": "vary", "image": [hostile.PICTURE]}))
    assert said == f'image={hostile.PICTURE!r}: must be {{"$picture": ...}}; nothing else in JSON is a picture'
    assert "mask=" in read(json.dumps({"task": "inpaint", "image": {"$picture": hostile.encoded(png())}, "mask": "x.png"}))
    assert "did you mean seed?" in read('{"task": "generate", "prompt": "a", "sead": 5}')
    assert "prompt: is needed" in read('{"task": "generate"}')
    assert "must be one of generate, vary" in read('{"task": "paint"}')
    assert f"more than {MAX_LEVELS} levels" in read(hostile.deep(MAX_LEVELS + 1))
    assert f"at most {MAX_DEPTH} levels" in read(
        f'{{"task": "generate", "prompt": "a", "options": {{"a": {hostile.deep(40)}}}}}'
    )
    assert "NaN is not a JSON number" in read('{"task": "generate", "prompt": "a", "seed": NaN}')


def test_options_may_be_written_by_hand():
    text = json.dumps(
        {"task": "generate", "prompt": "a", "options": {"a": {"b": [1, {"$picture": hostile.encoded(png())}]}}}
    )
    assert limner.from_json(text).options == limner.Options(a={"b": (1, Image(png()))})


def test_a_path_in_options_is_a_text():
    task = limner.from_json(json.dumps({"task": "generate", "prompt": "a", "options": {"condition_image": hostile.PICTURE}}))
    assert task.options["condition_image"] == hostile.PICTURE
    with pytest.raises(TaskRefused, match="must be a picture"):
        fake().plan(task)
    assert Picture(source="").wrong(hostile.PICTURE) == "must be a picture"


def test_a_fingerprint_names_pictures_by_sha_256_alone():
    for document in ({"$picture": hostile.PICTURE}, {"$picture": [1]}, {"$mask": "A" * 64}, [{"$picture": ""}]):
        with pytest.raises(TaskRefused, match="SHA-256"):
            pictures_of({"task": "vary", "image": document})
    task = limner.Generate(prompt="a", options={"$picture": "abc", "x": {"$mask": "abc"}})
    assert pictures_of(fingerprint(task)) == []
    assert restore(fingerprint(task), {}) == task


def test_a_mask_is_no_picture_and_a_picture_no_mask():
    mask = Mask.box((0, 0, 9, 9), size=(32, 32))
    image = Image(png())
    known = {image.sha256: image, mask.sha256: mask}
    document = fingerprint(limner.Inpaint(image=image, prompt="a", mask=mask))
    assert restore(document, known).mask == mask
    swapped = document | {"image": {"$picture": mask.sha256}}, document | {"mask": {"$mask": image.sha256}}
    for wrong in (*swapped, document | {"image": {"$mask": mask.sha256}}, document | {"mask": {"$picture": image.sha256}}):
        with pytest.raises(TaskRefused):
            restore(wrong, known)


def test_masks_are_unpacked_only_where_a_task_has_one(monkeypatch):
    mask = json.loads(limner.to_json(limner.Inpaint(image=png((4, 4)), mask=Mask.box((0, 0, 2, 2), size=(4, 4)))))["mask"]
    unpacked: list[object] = []
    monkeypatch.setattr(Mask, "read", unpacked.append)
    for name in ("options", "prompt", "negative_prompt", "seed", "size"):
        for value in (mask, [mask] * 50, {"a": [mask]}, {"$object": {"a": {"$object": {"b": mask}}}}):
            read(json.dumps({"task": "generate", "prompt": "a", name: value}))
    assert not unpacked


def test_neither_json_nor_provenance_has_settings_and_provenance_has_no_picture():
    secrets = {"key": "s3cr3t-of-mine", "region": "where-i-am-1"}
    assert set(secrets) <= {field.name for field in FakeSettings.__attrs_attrs__}
    image = Image(png((32, 32), "teal"))
    task = limner.Inpaint(image=image, prompt="a", mask=Mask.box((0, 0, 9, 9), size=(32, 32)))
    result = fake(**secrets).run(task)
    provenance = json.dumps(dict(result.image.provenance))
    written: list[Any] = [limner.to_json(result), provenance, limner.to_json(result.task), repr(result)]
    for text in written:
        assert not [secret for secret in secrets.values() if secret in text]
    assert set(result.image.provenance) == {"limner", "model", "model_id", "fit", "task", "seed", "index", "of"}
    assert pictures_of(result.image.provenance["task"]) == [image.sha256, task.mask.sha256]
    assert hostile.encoded(image.data)[:60] not in provenance
