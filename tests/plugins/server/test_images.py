"""The calls of the Images API: what models are asked, and what comes back."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import attrs
import limner
import pytest
from jsonschema import Draft202012Validator
from limner.testing.pictures import mask, picture
from limner_openai.plugin import GptImage2
from limner_openai.settings import OpenAISettings
from limner_server.answers import made
from limner_server.asking import Asked, Wanted
from PIL import ImageOps

from .studio import CALLS, Client, installed

SPECIFICATION = Path(__file__).parents[4] / "shared" / "oracle" / "openai-images-openapi.json"
PICTURE = picture((32, 32))


def cut_out(size=(32, 32), box=(4, 4, 20, 20)) -> limner.Image:
    """A picture that is transparent in a box."""
    pillow = picture(size, "RGBA").pil()
    pillow.putalpha(mask(size, box).inverted().pil())
    return limner.Image.read(pillow)


def specified(schema: str, document: object) -> None:
    """Hold a document against OpenAI's published specification."""
    if not SPECIFICATION.exists():
        pytest.skip(f"no {SPECIFICATION.name} beside the repository")
    components = json.loads(SPECIFICATION.read_text())["components"]
    whole = {"$ref": f"#/components/schemas/{schema}", "components": components}
    errors = [error.message for error in Draft202012Validator(whole).iter_errors(document)]
    assert not errors


# ---------------------------------------------------------------------------------------------- models


def test_the_models(client: Client):
    answer = client.get("/v1/models").json
    specified("ListModelsResponse", answer)
    names = [entry["id"] for entry in answer["data"]]
    assert names[0] == "gpt-image-1"
    assert {"studio.painter-1", "limner.sketch-1"} <= set(names)
    assert "studio.enlarger-1" not in names, "this API has no call for it"
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["studio", "studio.painter-1", "gpt-image-1"])
def test_one_model_by_any_name(client: Client, name):
    answer = client.get(f"/v1/models/{name}").json
    specified("Model", answer)
    assert (answer["id"], answer["limner"]["id"]) == (name, "studio.painter-1")


def test_a_model_that_is_not_there(client: Client):
    answer = client.get("/v1/models/studi")
    assert (answer.status, answer.error["code"], answer.error["param"]) == (404, "model_not_found", "model")
    assert "studio" in answer.error["message"]


# ---------------------------------------------------------------------------------------------- generations


def test_a_generation(client: Client):
    answer = client.generate(n=2, size="64x48", seed=7)
    specified("ImagesResponse", answer.json)
    assert [image.size for image in answer.pictures] == [(64, 48)] * 2
    (call,) = CALLS
    assert (call["prompt"], call["n"], call["size"], call["seed"]) == ("a fox", 2, [64, 48], 7)
    assert answer.json["output_format"] == "png"
    about = answer.json["limner"]
    assert (about["model"], about["task"], about["seeds"]) == ("studio.painter-1", "generate", [7, 7])
    assert about["request_ids"] == ["req-1"]
    assert [one["size"] for one in about["pictures"]] == ["64x48"] * 2


def test_another_name_for_a_model(client: Client):
    assert client.generate(model="gpt-image-1").json["limner"]["model"] == "studio.painter-1"


def test_no_model_is_the_default_one(client: Client, monkeypatch):
    monkeypatch.setenv("LIMNER_MODEL", "studio")
    for fields in ({"model": None}, {"model": ""}):
        assert client.generate(**fields).json["limner"]["model"] == "studio.painter-1"


NOTHING_SAID = {"n": None, "size": "auto", "quality": "auto", "background": "auto", "style": None, "output_format": "auto"}
NOTHING_SAID |= {"moderation": "auto", "user": "user-1234", "safety_identifier": "abc", "response_format": None}


def test_auto_and_null_say_nothing(client: Client):
    answer = client.generate("?fit=strict", **NOTHING_SAID, stream=None, partial_images=None, output_compression=None)
    assert answer.status == 200
    assert CALLS[0]["size"] == [32, 32]
    assert CALLS[0]["options"] == {}
    assert answer.json["limner"]["dropped"] == []


def test_further_fields_are_parameters_and_options(client: Client):
    answer = client.generate(
        "?fit=strict",
        negative_prompt="rain",
        num_inference_steps=20,
        cfg_scale=2.5,
        seed=3,
        quality="premium",
        tile=True,
    )
    assert answer.status == 200
    (call,) = CALLS
    assert (call["negative_prompt"], call["steps"], call["guidance_scale"], call["seed"]) == ("rain", 20, 2.5, 3)
    assert call["options"] == {"quality": "premium", "tile": True}


def test_what_a_model_does_not_take_is_dropped_and_named(client: Client):
    answer = client.generate(quality="hd", style="vivid", background="transparent", colour="red", size="50x50")
    assert answer.status == 200
    about = answer.json["limner"]
    assert about["dropped"] == ["options.style", "options.background", "options.colour", "options.quality"]
    assert CALLS[0]["options"] == {}
    adjusted = {entry["parameter"]: entry for entry in about["account"] if entry["outcome"] == "adjusted"}
    assert (adjusted["size"]["asked"], adjusted["size"]["used"]) == ([50, 50], [48, 48])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"quality": "hd"}, "quality"),
        ({"colour": "red"}, "colour"),
        ({"size": "50x50"}, "size"),
        ({"seed": 100}, "seed"),
    ],
)
def test_strict_refuses_it(client: Client, fields, param):
    answer = client.generate("?fit=strict", **fields)
    assert (answer.status, answer.error["type"], answer.error["param"]) == (400, "invalid_request_error", param)
    assert not CALLS


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x" * 201}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 5}, "n"),
        ({"n": "2"}, "n"),
        ({"n": True}, "n"),
        ({"n": 1.5}, "n"),
        ({"size": "big"}, "size"),
        ({"size": "0x0"}, "size"),
        ({"size": "-1x5"}, "size"),
        ({"size": 512}, "size"),
        ({"size": [512, 512]}, "size"),
        ({"size": "1" * 5000 + "x1"}, "size"),
        ({"response_format": "file"}, "response_format"),
        ({"output_format": "tiff"}, "output_format"),
        ({"output_compression": 101}, "output_compression"),
        ({"stream": "yes"}, "stream"),
        ({"partial_images": 4}, "partial_images"),
        ({"image": "aGFsbG8="}, "image"),
        ({"seed": "seven"}, "seed"),
        ({"model": 7}, "model"),
    ],
)
def test_wrong_values(client: Client, fields, param):
    answer = client.generate(**fields)
    assert (answer.status, answer.error["type"], answer.error["param"]) == (400, "invalid_request_error", param)
    assert not CALLS


def test_fit_is_one_of_two(client: Client):
    assert client.generate("?fit=loose").error["param"] == "fit"


def test_another_query_does_not_matter(client: Client):
    assert client.generate("?api-version=2025-04-01-preview").status == 200


def test_urls_are_short_lived_and_on_this_server(client: Client):
    answer = client.generate(response_format="url", n=2)
    specified("ImagesResponse", answer.json)
    urls = [item["url"] for item in answer.json["data"]]
    assert len(set(urls)) == 2
    assert all(url.startswith(f"{client.url}/v1/images/files/") for url in urls)
    found = client.get(urls[0].removeprefix(client.url))
    assert (found.status, found.headers["content-type"]) == (200, "image/png")
    assert limner.Image(found.body).size == (32, 32)
    assert client.get("/v1/images/files/nothing.png").error["code"] == "not_found"


@pytest.mark.parametrize(
    ("fields", "media_type"),
    [
        ({"output_format": "jpeg"}, "image/jpeg"),
        ({"output_format": "webp", "output_compression": 10}, "image/webp"),
        ({"output_format": "png"}, "image/png"),
        ({"output_compression": 50}, "image/png"),
    ],
)
def test_formats(client: Client, fields, media_type):
    answer = client.generate(**fields)
    specified("ImagesResponse", answer.json)
    assert answer.pictures[0].media_type == media_type
    assert f"image/{answer.json['output_format']}" == media_type


def test_compression_makes_files_smaller(client: Client):
    few, many = (client.generate(output_format="webp", output_compression=c).pictures[0] for c in (5, 95))
    assert len(few.data) < len(many.data)
    assert CALLS[0]["options"] == {}


def test_a_format_that_the_model_makes_is_left_to_it(client: Client):
    answer = client.generate("?fit=strict", output_format="jpeg", output_compression=5)
    assert CALLS[0]["options"] == {"output_format": "jpeg", "output_compression": 5}
    assert answer.pictures[0] == picture((32, 32), media_type="image/jpeg"), "not compressed once more"
    assert client.generate("?fit=strict", output_format="auto").json["output_format"] == "png"


def test_tokens(client: Client):
    answer = client.generate(prompt="a fox with tokens").json
    specified("ImagesResponse", answer)
    assert (answer["usage"]["input_tokens"], answer["usage"]["total_tokens"]) == (11, 33)
    assert "usage" not in client.generate().json


# ---------------------------------------------------------------------------------------------- edits and variations


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_an_edit_of_a_whole_picture(client: Client, name):
    answer = client.edit((name, PICTURE), ("n", "2"), ("size", "auto"), ("quality", "auto"), ("seed", "5"))
    specified("ImagesResponse", answer.json)
    (call,) = CALLS
    assert (call["kind"], call["n"], call["seed"], call["prompt"]) == ("vary", 2, 5, "a red door")


def test_values_of_forms_are_read_as_declared(client: Client):
    fields = [("tile", "true"), ("tiles", "4"), ("guidance_scale", "2.5"), ("num_inference_steps", "9"), ("size", "64X32")]
    assert client.form("/v1/images/edits?fit=strict", ("model", "studio"), ("image", PICTURE), *fields).status == 200
    (call,) = CALLS
    assert call["options"] == {"tile": True, "tiles": 4}
    assert (call["guidance_scale"], call["steps"], call["size"]) == (2.5, 9, [64, 32])


def test_several_pictures(client: Client):
    assert client.edit(("image[]", PICTURE), ("image[]", picture((16, 16)))).json["limner"]["task"] == "vary"


def test_transparent_pixels_of_a_mask_are_repainted(client: Client):
    answer = client.edit(("image", PICTURE), ("mask", cut_out()))
    assert CALLS[0]["kind"] == "inpaint"
    (entry,) = [entry for entry in answer.json["limner"]["account"] if entry["parameter"] == "mask"]
    assert entry["used"] == "<Mask 32x32, 25% opened>"


def test_a_picture_with_transparency_is_its_own_mask(client: Client):
    assert client.edit(("image", cut_out())).json["limner"]["task"] == "inpaint"
    opaque = limner.Image.read(picture((32, 32), "RGBA").pil().convert("RGB").convert("RGBA"))
    assert client.edit(("image", opaque)).json["limner"]["task"] == "vary"


@pytest.mark.filterwarnings("ignore:.*(legacy|end of life)")
def test_exactly_the_transparent_pixels_change(client: Client, bedrock_emulator, monkeypatch):
    """Over real HTTP to Titan's stand-in, which inverts what the mask opens."""
    aws = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**aws, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock_emulator.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
    size, box = (512, 512), (100, 50, 300, 400)
    original = picture(size)
    fields = [("model", "titan"), ("prompt", "a red door"), ("image", original), ("mask", cut_out(size, box))]
    (edited,) = client.form("/v1/images/edits", *fields).pictures
    expected = original.pil().convert("RGB")
    expected.paste(ImageOps.invert(expected.crop(box)), box)
    assert edited.pil().convert("RGB").tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("parts", "param", "words"),
    [
        ([("image", PICTURE), ("mask", PICTURE)], "mask", "alpha channel"),
        ([("image", PICTURE), ("mask", cut_out(box=(0, 0, 0, 0)))], "mask", "opaque everywhere"),
        ([("image", PICTURE), ("mask", cut_out((16, 16), (0, 0, 8, 8)))], "mask", "32x32"),
        ([("image", PICTURE), ("image", PICTURE), ("mask", cut_out())], "image", "one picture"),
        ([("image", PICTURE), ("mask", cut_out()), ("mask", cut_out())], "mask", "twice"),
        ([], "image", "required"),
        ([("image", "https://example.com/fox.png")], "image", "URLs are not fetched"),
        ([("image", "a fox")], "image", "picture"),
        ([("image", PICTURE), ("n", "two")], "n", "whole number"),
        ([("image", PICTURE), ("stream", "maybe")], "stream", "true or false"),
        ([("image", PICTURE), ("prompt", "again")], "prompt", "twice"),
    ],
)
def test_wrong_edits(client: Client, parts, param, words):
    answer = client.edit(*parts)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert words in answer.error["message"]
    assert not CALLS


def test_a_picture_under_another_name_is_an_option(client: Client):
    answer = client.edit(("image", PICTURE), ("look", picture((16, 16))))
    assert "options.look" in [entry["parameter"] for entry in answer.json["limner"]["account"]]
    assert answer.status == 200


def test_an_edit_as_json(client: Client):
    url = f"data:image/png;base64,{base64.b64encode(PICTURE.data).decode()}"
    answer = client.post("/v1/images/edits", {"model": "studio", "prompt": "a door", "images": [{"image_url": url}]})
    assert (answer.status, CALLS[0]["kind"]) == (200, "vary")
    for wrong in (
        {"image_url": "http://127.0.0.1:9/fox.png"},
        {"file_id": "file-1"},
        "x",
        {"image_url": "data:image/png,x"},
    ):
        answer = client.post("/v1/images/edits", {"model": "studio", "prompt": "a door", "images": [wrong]})
        assert (answer.status, answer.error["param"]) == (400, "images")


def test_a_variation(client: Client):
    answer = client.form("/v1/images/variations", ("model", "studio"), ("image", PICTURE), ("n", "1"), ("user", "u"))
    specified("ImagesResponse", answer.json)
    assert CALLS[0]["kind"] == "vary"
    assert "prompt" not in CALLS[0]
    streamed = client.form("/v1/images/variations", ("model", "studio"), ("image", PICTURE), ("stream", "true"))
    assert streamed.error["param"] == "stream"


def test_a_task_that_the_model_does_not_have(client: Client):
    answer = client.generate(model="enlarger")
    assert (answer.status, answer.error["param"]) == (400, "model")
    assert "upscale" in answer.error["message"]


# ---------------------------------------------------------------------------------------------- what other programs send


def test_open_webui(client: Client):
    """backend/open_webui/routers/images.py at 02530d5: JSON for a generation, aiohttp's form for an edit."""
    body = {"model": "gpt-image-1", "prompt": "a fox", "n": 1, "size": "512x512", "response_format": "b64_json"}
    assert client.post("/v1/images/generations", body).pictures[0].size == (64, 64), "the nearest size"
    assert client.post("/v1/images/generations?api-version=2025-04-01-preview", body | {"steps": 20}).status == 200
    parts = [
        ("model", "gpt-image-1"),
        ("prompt", "a door"),
        ("n", "1"),
        ("size", "512x512"),
        ("response_format", "b64_json"),
    ]
    for name in ("image", "image[]"):
        assert client.form("/v1/images/edits", *parts, (name, PICTURE)).json["data"][0]["b64_json"]


def test_librechat(client: Client):
    """api/app/clients/tools/structured/OpenAIImageTools.js at 00b3bc3: the openai package, and axios with a form."""
    body = {"model": "gpt-image-1", "prompt": "a fox", "n": 1, "background": "auto", "output_format": "webp"}
    body |= {"output_compression": 100, "quality": "auto", "size": "auto"}
    assert client.post("/v1/images/generations", body).pictures[0].media_type == "image/webp"
    parts = [("model", "gpt-image-1"), ("prompt", "a door"), ("quality", "auto"), ("size", "auto"), ("image[]", PICTURE)]
    assert client.form("/v1/images/edits", *parts).json["data"][0]["b64_json"]


# ---------------------------------------------------------------------------------------------- streams


def events(body: bytes) -> list[dict]:
    found = []
    for block in body.decode().strip().split("\n\n"):
        event, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert event == f"event: {found[-1]['type']}"
    return found


def test_a_stream_with_unfinished_pictures(client: Client):
    answer = client.generate(prompt="previews", stream=True, partial_images=2)
    assert answer.headers["content-type"] == "text/event-stream"
    *partial, completed = events(answer.body)
    assert [event["partial_image_index"] for event in partial] == [0, 1]
    for event in partial:
        specified("ImageGenPartialImageEvent", event)
    specified("ImageGenCompletedEvent", completed)
    assert limner.Image(base64.b64decode(completed["b64_json"])).size == (32, 32)
    assert completed["limner"]["model"] == "studio.painter-1"


def test_a_stream_without_them(client: Client):
    (completed,) = events(client.generate(prompt="previews", stream=True, size="1024x1024").body)
    specified("ImageGenCompletedEvent", completed)
    assert len(events(client.generate(prompt="several", n=2, stream=True).body)) == 2


def test_a_streamed_edit(client: Client):
    parts = [("image", PICTURE), ("stream", "true"), ("partial_images", "1"), ("prompt", "previews")]
    answer = client.form("/v1/images/edits", ("model", "studio"), *parts)
    partial, completed = events(answer.body)
    specified("ImageEditPartialImageEvent", partial)
    specified("ImageEditCompletedEvent", completed)


def test_errors_of_a_stream(client: Client):
    assert client.generate(prompt="limited", stream=True).status == 429
    *_, last = events(client.generate(prompt="previews timeout", stream=True, partial_images=1).body)
    assert (last["type"], last["error"]["code"]) == ("error", "timeout")


# ---------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("word", "status", "code", "retry"),
    [
        ("auth", 502, "provider_authentication_failed", False),
        ("access", 403, "provider_access_denied", False),
        ("limited", 429, "rate_limit_exceeded", True),
        ("filtered", 400, "content_policy_violation", False),
        ("retired", 404, "model_not_found", False),
        ("timeout", 504, "timeout", False),
        ("unavailable", 503, "provider_unavailable", True),
        ("cut", 503, "provider_unavailable", False),
        ("rejected", 400, "provider_rejected_request", False),
        ("nonsense", 502, "bad_provider_response", False),
        ("odd", 502, "provider_error", False),
        ("bug", 500, "plugin_error", False),
    ],
)
def test_errors_of_the_provider(client: Client, word, status, code, retry):
    answer = client.generate(prompt=word)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert answer.headers.get("x-should-retry") == (None if retry else "false")
    assert answer.headers.get("retry-after") == ("3" if word == "limited" else None)
    assert len(CALLS) == 1


def test_pictures_that_came_all_the_same(client: Client):
    answer = client.generate(prompt="half", n=2)
    assert len(answer.pictures) == 1
    assert [one["outcome"] for one in answer.json["limner"]["pictures"]] == ["filtered", "ok"]
    answer = client.generate(prompt="half", n=1)
    assert (answer.status, answer.error["code"]) == (400, "content_policy_violation")
    assert "indecent" in answer.error["message"]


def test_a_picture_that_cannot_be_converted_is_not_lost():
    """It is paid for: WebP's largest side is 16,383 pixels."""
    task = limner.Generate(prompt="a fox")
    result = limner.Result(model="studio.painter-1", task=task, pictures=(limner.Picture(image=picture((17_000, 2))),))
    answer = made(result, Asked(task, {}), Wanted(False, False, 0, "webp", None))
    assert answer.pictures[0][1] == "image/png"
    assert answer.shared["output_format"] == "png"
    assert "not converted to webp" in answer.limner["warnings"][0]


def test_limner_is_a_client_of_its_own_server(client: Client, serving):
    """A server with a model of limner-openai that is called at another server: unfinished pictures come through both."""
    inner = f"{serving(names={'far.painter-1': 'studio'})}/v1"

    @attrs.frozen(kw_only=True)
    class FarSettings(OpenAISettings):
        base_url: str | None = inner
        api_key: str | None = "sk-test"

    class Far(GptImage2):
        id = "far.painter-1"
        ids = aliases = ()
        Settings = FarSettings

    with installed(Far):
        asked = {"model": "far.painter-1", "prompt": "previews tokens", "size": "1024x1024"}
        *partial, completed = events(client.generate(**asked, stream=True, partial_images=2).body)
        parts = [("model", "far.painter-1"), ("prompt", "a door"), ("image", PICTURE)]
        edited = client.form("/v1/images/edits", *parts).json
    assert [event["type"] for event in partial] == ["image_generation.partial_image"] * 2
    assert completed["limner"]["model"] == "far.painter-1"
    assert completed["usage"]["total_tokens"] == 33
    assert edited["limner"]["task"] == "vary"
    assert [call["kind"] for call in CALLS] == ["generate", "vary"]
