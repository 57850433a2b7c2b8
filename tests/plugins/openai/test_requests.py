"""Every request is what the documents allow, by schemas written from them and by OpenAI's own published file."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import limner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, Vary
from limner.testing.pictures import picture
from limner.testing.strategies import tasks_within
from limner_fakes import openai as fake
from limner_fakes.pictures import opened
from limner_openai.plugin import Compatible, limner_models
from limner_openai.settings import OpenAISettings

ORACLE = Path(__file__).parents[4] / "shared" / "oracle" / "openai-images-openapi.json"
OWN = [model for model in limner_models() if model is not Compatible]
SERVERS = [name for name in fake.SERVERS if name not in {"openai", "azure"}]
SIZE = (1024, 640)


def server(dialect, **more):
    return Compatible(
        OpenAISettings(dialect=dialect, base_url="http://127.0.0.1:9/v1", **more), model_id="openai-compatible/a-model"
    )


def wrong(request, dialect="openai"):
    return fake.problems(request.path, request.content_type, request.body, fake.SERVERS[dialect])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("model", OWN, ids=lambda model: model.id)
def test_requests_to_openai_keep_the_documents(model):
    kinds = st.sampled_from([kind for kind in model.limits if kind in {Generate, Vary}])

    @settings(max_examples=25)
    @given(kinds.flatmap(lambda kind: tasks_within(model, kind)))
    def check(task):
        for request in model().plan(task).requests:
            assert wrong(request) == []

    check()


@pytest.mark.parametrize("dialect", SERVERS)
def test_requests_to_servers_keep_the_documents(dialect):
    model = server(dialect)
    kinds = st.sampled_from([kind for kind in type(model).limits if kind in {Generate, Vary}])

    @settings(max_examples=25)
    @given(kinds.flatmap(lambda kind: tasks_within(model, kind)))
    def check(task):
        for request in model.plan(task).requests:
            assert wrong(request, dialect) == []

    check()


PUBLISHED_GAPS = {
    "complexity": {"low", "medium", "high"},  # came with gpt-image-2.6
    "quality": {"xhigh", "max"},  # came with gpt-image-2.5
}
"""Values by which OpenAI's published file (August 2026) is behind its service."""


def published():
    import referencing
    import referencing.jsonschema

    document = json.loads(ORACLE.read_text())
    resource = referencing.Resource.from_contents(document, referencing.jsonschema.DRAFT202012)
    return referencing.Registry().with_resource("urn:openai", resource), document["components"]["schemas"]


@pytest.mark.skipif(not ORACLE.exists(), reason="OpenAI's published file is not beside the repository")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("kind", "name"), [(Generate, "CreateImageRequest"), (Vary, "CreateImageEditRequest")])
@pytest.mark.parametrize("model", OWN, ids=lambda model: model.id)
def test_requests_keep_openais_published_file(model, kind, name):
    import jsonschema

    registry, schemas = published()
    known = schemas[name]["properties"]
    validator = jsonschema.Draft202012Validator({"$ref": f"urn:openai#/components/schemas/{name}"}, registry=registry)

    @settings(max_examples=25)
    @given(tasks_within(model, kind))
    def check(task):
        for request in model().plan(task).requests:
            call = fake.read(request.content_type, request.body)
            fields = fake.typed(call.fields, known) if call.files else call.fields
            fields = {name: value for name, value in fields.items() if value not in PUBLISHED_GAPS.get(name, ())}
            fields |= {"image": [file.filename for file in call.files]} if call.files else {}
            assert set(fields) <= set(known)
            assert list(validator.iter_errors(fields)) == []

    check()


@pytest.mark.skipif(not ORACLE.exists(), reason="OpenAI's published file is not beside the repository")
def test_the_gaps_of_the_published_file_are_still_there():
    known = published()[1]["CreateImageRequest"]["properties"]
    for name, values in PUBLISHED_GAPS.items():
        assert not values & set(known.get(name, {}).get("enum", ())), f"{name} is no gap any more"


# ---------------------------------------------------------------------------------------------- masks


def edit(dialect, task):
    model = OWN[0]() if dialect == "openai" else server(dialect)
    (request,) = model.plan(task).requests
    return fake.read(request.content_type, request.body)


@pytest.mark.parametrize("dialect", ["openai", "generic", "sglang", "sd-cpp"])
def test_an_alpha_mask_is_right_for_both_readings(dialect):
    """Transparent is edited; who reads white as edited, and looks at no alpha, edits the same pixels."""
    mask = Mask.box((100, 50, 300, 200), size=SIZE)
    call = edit(dialect, Inpaint(image=picture(SIZE), prompt="a fox", mask=mask))
    (sent,) = call.files_named("mask")
    pixels = opened(sent.data)
    assert (pixels.mode, pixels.size, sent.content_type) == ("RGBA", SIZE, "image/png")
    assert pixels.getpixel((150, 100)) == (255, 255, 255, 0)
    assert pixels.getpixel((10, 10)) == (0, 0, 0, 255)
    assert {colour for _, colour in pixels.getcolors()} == {(255, 255, 255, 0), (0, 0, 0, 255)}
    assert pixels.convert("RGB").convert("L").tobytes() == mask.pil().tobytes()


def test_vllms_mask_is_white_where_it_repaints():
    mask = Mask.box((100, 50, 300, 200), size=SIZE)
    call = edit("vllm-omni", Inpaint(image=picture(SIZE), prompt="a fox", mask=mask))
    (sent,) = call.files_named("mask_image")
    assert opened(sent.data).convert("L").tobytes() == mask.pil().tobytes()


def test_an_outpainted_canvas_is_transparent_where_something_is_added():
    call = edit("openai", Outpaint(image=picture(SIZE), prompt="a fox", expand=(64, 0, 0, 32)))
    (image,), (mask,) = call.files_named("image"), call.files_named("mask")
    canvas = opened(image.data)
    assert call.fields["size"] == "1088x672"
    assert canvas.size == opened(mask.data).size == (1088, 672)
    assert canvas.getpixel((10, 10))[3] == 0
    assert canvas.getpixel((100, 660))[3] == 0
    assert canvas.getpixel((100, 100))[3] == 255
    assert canvas.convert("RGB").crop((64, 0, 1088, 640)).tobytes() == picture(SIZE).pil().convert("RGB").tobytes()


# ---------------------------------------------------------------------------------------------- forms and fields


def test_the_model_is_always_sent():
    for model in OWN:
        (request,) = model().plan(Generate(prompt="a fox")).requests
        assert json.loads(request.body)["model"] == model.id


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp"])
def test_a_picture_travels_with_its_own_type_byte_for_byte(kind):
    image = picture((32, 32), media_type=kind)
    call = edit("openai", Vary(image=image, prompt="a fox"))
    (file,) = call.files
    assert (file.name, file.content_type, file.data) == ("image", kind, image.data)
    assert file.filename == f"image.{kind.removeprefix('image/')}"


def test_several_pictures_are_a_list():
    images = [picture((32, 32)), picture((16, 16))]
    assert [file.name for file in edit("openai", Vary(image=images, prompt="a fox")).files] == ["image[]", "image[]"]
    assert [file.name for file in edit("vllm-omni", Vary(image=images, prompt="a fox")).files] == ["image", "image"]


def test_names_of_parameters_are_the_servers():
    task = Generate(prompt="a fox", seed=0, steps=20, guidance_scale=4.5, negative_prompt="a dog", size=(512, 768))
    sent = {name: json.loads(server(name).plan(task).requests[0].body) for name in ("vllm-omni", "together", "sd-cpp")}
    common = {"model": "a-model", "n": 1, "prompt": "a fox", "negative_prompt": "a dog", "guidance_scale": 4.5, "seed": 0}
    assert sent["vllm-omni"] == common | {"num_inference_steps": 20, "size": "512x768", "response_format": "b64_json"}
    assert sent["together"] == common | {"steps": 20, "width": 512, "height": 768, "response_format": "base64"}
    extra = fake.extra_of(sent["sd-cpp"]["prompt"])
    assert extra == {
        "seed": 0,
        "negative_prompt": "a dog",
        "sample_params": {"sample_steps": 20, "guidance": {"txt_cfg": 4.5}},
    }


def test_a_negative_prompt_cannot_end_the_json_in_a_prompt():
    task = Generate(prompt="a fox", negative_prompt="</sd_cpp_extra_args> a dog", seed=1)
    body = json.loads(server("sd-cpp").plan(task).requests[0].body)
    assert fake.extra_of(body["prompt"])["negative_prompt"] == "</sd_cpp_extra_args> a dog"


def test_localai_takes_a_source_picture_in_json():
    image = picture((32, 32))
    body = json.loads(server("localai").plan(Vary(image=image, prompt="a fox", seed=1)).requests[0].body)
    assert base64.b64decode(body["file"]) == image.data


def test_removing_a_background_is_an_edit_and_is_said_to_be_one():
    plan = OWN[0]().plan(RemoveBackground(image=picture((512, 512))))
    assert any("no call to remove a background" in warning for warning in plan.warnings)
    call = fake.read(plan.requests[0].content_type, plan.requests[0].body)
    assert (call.fields["background"], call.fields["output_format"], call.fields["size"]) == ("transparent", "png", "auto")


# ---------------------------------------------------------------------------------------------- refusals

REFUSED = {
    "size not of 16": (Generate(prompt="a", size=(1000, 1000)), "multiple of 16|divisible"),
    "too few pixels": (Generate(prompt="a", size=(512, 512)), "655,360"),
    "seed": (Generate(prompt="a", seed=1), "seed.*not supported"),
    "compression of png": (Generate(prompt="a", options={"output_compression": 5}), "needs options.output_format"),
    "transparent jpeg": (
        Generate(prompt="a", options={"background": "transparent", "output_format": "jpeg"}),
        "cannot be transparent",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_openai_does_not_take_is_refused_before_it_is_sent(case):
    task, why = REFUSED[case]
    with pytest.raises(limner.TaskRefused, match=why):
        OWN[0]().plan(task)


def test_a_picture_of_any_size_can_be_edited_with_nearest():
    task = Inpaint(image=picture((500, 333)), prompt="a fox", mask=Mask.box((10, 10, 60, 60), size=(500, 333)))
    (request,) = OWN[0]().plan(task, fit="nearest").requests
    assert wrong(request) == []


def test_dialects_and_models_go_together():
    with pytest.raises(limner.TaskRefused, match="with the model openai-compatible"):
        OWN[0](OpenAISettings(dialect="sglang"))
    with pytest.raises(limner.TaskRefused, match="for OpenAI's own models"):
        Compatible(OpenAISettings(dialect="openai"))
    with pytest.raises(limner.TaskRefused, match="dialect must be one of openai, azure"):
        OpenAISettings.of({"dialect": "vllm"})


def test_a_server_needs_a_models_name_and_an_address():
    nameless = Compatible(OpenAISettings(dialect="sglang", base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(limner.TaskRefused, match="openai-compatible/Qwen/Qwen-Image"):
        nameless.plan(Generate(prompt="a fox"))
    with pytest.raises(limner.TaskRefused, match="base_url"):
        Compatible(OpenAISettings(dialect="sglang"), model_id="x").run(Generate(prompt="a fox"))


def test_a_dialect_changes_the_limits():
    model = limner.get_model("openai-compatible/Qwen/Qwen-Image", dialect="vllm-omni", base_url="http://127.0.0.1:9/v1")
    assert model.sent_id == "Qwen/Qwen-Image"
    assert "seed" in model.limits_of(Generate).parameters
    other = model.with_settings(dialect="ollama")
    assert "seed" not in other.limits_of(Generate).parameters
    assert (other.sent_id, other.settings.base_url) == ("Qwen/Qwen-Image", "http://127.0.0.1:9/v1")


def test_images_of_requests_are_previewed():
    (request,) = OWN[0]().plan(Vary(image=Image(picture((32, 32)).data), prompt="a fox")).requests
    assert request.path == "images/edits"
    assert request.content_type.startswith("multipart/form-data; boundary=limner-")


def test_prices_are_those_of_openais_guide():
    model = OWN[0]()
    costs = [
        model.plan(Generate(prompt="a", n=2, size=(1024, 1024), options={"quality": quality})).cost
        for quality in ("low", "medium", "high")
    ]
    assert [str(cost) for cost in costs] == ["0.012 USD", "0.106 USD", "0.422 USD"]
    assert model.plan(Generate(prompt="a", size=(1536, 1024), options={"quality": "low"})).cost is None
