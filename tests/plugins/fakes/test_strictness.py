"""What the stand-ins refuse, whoever asks; forms by other writers than limner's."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request

import limner_fakes
import pytest
from limner.testing.pictures import picture
from limner_fakes.forms import read_form

TEXT = base64.b64encode(picture((64, 64)).data).decode()
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer k", "x-goog-api-key": "k", "x-key": "k"}
GEMINI = "models/gemini-nano-banana-2.1:generateContent"
CONFIG = {"responseModalities": ["IMAGE"]}
FOX = {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}], "generationConfig": CONFIG}
BLOCKED = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}

REFUSED = {
    "openai: unknown key": ("openai", "images/generations", {"model": "gpt-image-2", "prompt": "a", "seed": 7}, "seed"),
    "openai: size": ("openai", "images/generations", {"model": "gpt-image-2", "prompt": "a", "size": "500x500"}, "500x500"),
    "openai: model": ("openai", "images/generations", {"model": "dall-e-3", "prompt": "a"}, "dall-e-3"),
    "openai: a list": ("openai", "images/generations", [], "parse"),
    "openai: address": ("openai", "images/variations", {}, "Invalid URL"),
    "gemini: unknown key": ("gemini", GEMINI, {"contents": [], "generationConfig": {}, "oil": 1}, "oil"),
    "gemini: no object": ("gemini", GEMINI, 7, "not of type"),
    "gemini: parts": ("gemini", GEMINI, {"contents": [{"parts": 7}], "generationConfig": {}}, "not of type"),
    "gemini: a category twice": ("gemini", GEMINI, {**FOX, "safetySettings": [BLOCKED, BLOCKED]}, "more than one"),
    "gemini: a category of Vertex": (
        "gemini",
        GEMINI,
        {**FOX, "safetySettings": [{**BLOCKED, "category": "HARM_CATEGORY_IMAGE_HATE"}]},
        "IMAGE_HATE",
    ),
    "gemini: people": (
        "gemini",
        GEMINI,
        {**FOX, "generationConfig": {**CONFIG, "imageConfig": {"personGeneration": "ALLOW_ALL"}}},
        "personGeneration",
    ),
    "gemini: topK": ("gemini", GEMINI, {**FOX, "generationConfig": {**CONFIG, "topK": 0}}, "minimum"),
    "bfl: size": ("bfl", "flux-2-pro", {"prompt": "a", "width": 100, "height": 100}, "size 100x100"),
    "bfl: no picture": ("bfl", "flux-2-pro", {"prompt": "a", "input_image": "!"}, "not base64"),
    "bfl: no object": ("bfl", "flux-2-pro", None, "not of type"),
    "bfl: address": ("bfl", "flux-1", {}, "Not Found"),
    "sdapi: unknown key": ("sdapi", "sdapi/v1/txt2img", {"prompt": "a", "width": 64, "height": 64, "oil": 1}, "oil"),
    "sdapi: no size": ("sdapi", "sdapi/v1/txt2img", {"prompt": "a"}, "width"),
    "sdapi: no object": ("sdapi", "sdapi/v1/txt2img", [], "not of type"),
    "sdapi: two sources": (
        "sdapi",
        "sdapi/v1/img2img",
        {"prompt": "a", "width": 64, "height": 64, "init_images": [TEXT, TEXT]},
        "too long",
    ),
}


@pytest.fixture(scope="module")
def fakes():
    import contextlib

    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(limner_fakes.serve(name)) for name in ("openai", "gemini", "bfl", "sdapi")}


def post(fake, path, body):
    request = urllib.request.Request(f"{fake.url}/{path}", json.dumps(body).encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_documented_is_refused_in_words(fakes, case):
    name, path, body, words = REFUSED[case]
    with pytest.raises(urllib.error.HTTPError) as met:
        post(fakes[name], path, body)
    assert 400 <= met.value.code < 500
    assert words in met.value.read().decode()


def test_the_format_that_is_asked_for_is_made(fakes):
    body = {"model": "gpt-image-2", "prompt": "a", "output_format": "webp"}
    made = base64.b64decode(post(fakes["openai"], "images/generations", body)["data"][0]["b64_json"])
    assert made[8:12] == b"WEBP"


def test_the_high_resolution_pass_makes_a_larger_picture(fakes):
    body = {"prompt": "a", "width": 64, "height": 64, "enable_hr": True, "hr_scale": 1.5}
    answer = post(fakes["sdapi"], "sdapi/v1/txt2img", body)
    assert json.loads(answer["info"])["width"] == 96


FORM = (
    b"--b\r\nContent-Type: image/png\r\n"
    b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n\x89PNG\r\n\r\n'
    b"--b\r\ncontent-disposition: form-data; name=prompt\r\n\r\na f\xc3\xbcchsin\r\n--b--\r\n"
)


def test_forms_of_other_writers_are_read():
    form = read_form('multipart/form-data; charset=utf-8; boundary="b"', FORM)
    assert form.fields == {"prompt": "a füchsin"}
    (file,) = form.files
    assert (file.name, file.filename, file.content_type, file.data) == ("image", "a.png", "image/png", b"\x89PNG\r\n")


@pytest.mark.parametrize("damaged", [FORM[:-8], FORM + b"x", FORM.replace(b"name=prompt", b""), b"", FORM[:40]])
def test_damaged_forms_are_errors(damaged):
    with pytest.raises(ValueError, match="form"):
        read_form("multipart/form-data; boundary=b", damaged)
