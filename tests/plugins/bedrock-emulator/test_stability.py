"""Stability AI's newer models over the wire: shapes, fields, masks, sides, sizes, faults, real bodies."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from limner_bedrock_emulator.model_ids import MODELS
from limner_bedrock_emulator.schemas import schema, validate
from PIL import Image, ImageFilter, ImageOps

SD3 = "stability.sd3-large-v1:0"
CORE, ULTRA, SD35 = "stability.stable-image-core-v1:1", "stability.stable-image-ultra-v1:1", "stability.sd3-5-large-v1:0"
INPAINT, ERASE = "us.stability.stable-image-inpaint-v1:0", "us.stability.stable-image-erase-object-v1:0"
OUTPAINT = "us.stability.stable-outpaint-v1:0"
SKETCH = "us.stability.stable-image-control-sketch-v1:0"
FAST, CREATIVE = "us.stability.stable-fast-upscale-v1:0", "us.stability.stable-creative-upscale-v1:0"
CONSERVATIVE = "us.stability.stable-conservative-upscale-v1:0"
TRANSFER = "us.stability.stable-style-transfer-v1:0"
COLLECTION = Path(__file__).parents[4] / "shared" / "oracle" / "real_bodies.jsonl"
SIZE = (96, 64)


@pytest.fixture
def picture(encoded, scene):
    return encoded(scene(SIZE))


@pytest.fixture
def half():
    """A mask whose left half is white."""
    mask = Image.new("L", SIZE, 0)
    mask.paste(255, (0, 0, 48, 64))
    return mask


def left_inverted(scene):
    made = scene(SIZE)
    made.paste(ImageOps.invert(made).crop((0, 0, 48, 64)), (0, 0))
    return made


def test_the_answer_has_the_documented_shape(invoke):
    answer = invoke(CORE, {"prompt": "a fox", "seed": 4294967294})
    assert answer.pop("images")
    assert answer == {"seeds": [4294967294], "finish_reasons": [None]}
    assert invoke(SD35, {"prompt": "a fox"})["seeds"] != invoke(SD35, {"prompt": "a fox", "seed": 0})["seeds"]


def test_the_aspect_ratio_decides_the_size(paint):
    assert paint(CORE, {"prompt": "a fox"})[0].size == (1024, 1024)
    for ratio in schema("stability-common")["$defs"]["aspect_ratio"]["enum"]:
        width, height = map(int, ratio.split(":"))
        (made,) = paint(ULTRA, {"prompt": "a fox", "aspect_ratio": ratio})
        assert made.width / made.height == pytest.approx(width / height, rel=0.05)


@pytest.mark.parametrize(
    ("model", "more"),
    [
        (SD35, {"strength": 0.5}),
        (SD35, {"strength": 0.5, "mode": "image-to-image"}),
        (ULTRA, {"strength": 0.5}),
        (ULTRA, {}),
    ],
)
def test_image_to_image_gives_the_inverse(paint, picture, scene, same, model, more):
    (varied,) = paint(model, {"prompt": "a fox", "image": picture} | more)
    assert same(varied, ImageOps.invert(scene(SIZE)))


@pytest.mark.parametrize("model", [INPAINT, ERASE])
@pytest.mark.parametrize("grow", [0, 0.0, 3, 20.0, None])
def test_white_is_changed_and_what_the_mask_grows_by_is_blurred(paint, encoded, picture, scene, half, same, model, grow):
    body = {"image": picture, "mask": encoded(half)} | ({"prompt": "a fox"} if model == INPAINT else {})
    (edited,) = paint(model, body if grow is None else body | {"grow_mask": grow})
    end = 48 + (5 if grow is None else int(grow))
    inverted, kept = ImageOps.invert(scene(SIZE)), scene(SIZE)
    for changed, left, right in ((inverted, 0, 48), (kept, end, 96)):
        assert same(edited.crop((left, 0, right, 64)), changed.crop((left, 0, right, 64)))
    for x in range(48, end):
        assert inverted.getpixel((x, 10)) != edited.getpixel((x, 10)) != kept.getpixel((x, 10))


@pytest.mark.parametrize("model", [INPAINT, ERASE])
def test_without_a_mask_what_is_transparent_is_changed(paint, encoded, scene, half, same, model):
    source = scene(SIZE)
    source.putalpha(ImageOps.invert(half))
    body = {"image": encoded(source), "grow_mask": 0} | ({"prompt": "a fox"} if model == INPAINT else {})
    assert same(paint(model, body)[0], left_inverted(scene))
    kept = encoded(Image.new("L", SIZE, 0))
    assert same(paint(model, body | {"mask": kept})[0], scene(SIZE)), "the mask wins over the alpha"


def test_a_mask_of_another_size_is_resized(paint, encoded, picture, scene, half, same):
    mask = encoded(half.resize((192, 128)))
    assert same(paint(ERASE, {"image": picture, "mask": mask, "grow_mask": 0})[0].crop((0, 0, 40, 64)),
                left_inverted(scene).crop((0, 0, 40, 64)))  # fmt: skip


def test_outpaint_adds_the_sides(paint, picture, scene, same):
    (made,) = paint(OUTPAINT, {"image": picture, "left": 3, "right": 5, "up": 7, "down": 11})
    expected = Image.new("RGB", (3 + 96 + 5, 7 + 64 + 11), "white")  # black sides, inverted
    expected.paste(scene(SIZE), (3, 7))
    assert same(made, expected)


def test_what_is_searched_is_changed_and_nothing_else(paint, picture, scene):
    replace, recolor = (f"us.stability.stable-image-search-{verb}-v1:0" for verb in ("replace", "recolor"))
    body = {"image": picture, "prompt": "a fox", "grow_mask": 0}
    for made in (
        *paint(replace, body | {"search_prompt": "a cat"}),
        *paint(recolor, body | {"select_prompt": "a cat"}),
    ):
        assert made.getpixel((48, 32)) == ImageOps.invert(scene(SIZE)).getpixel((48, 32))
        assert made.getpixel((1, 1)) == scene(SIZE).getpixel((1, 1))


def test_style_transfer_reads_both_pictures(paint, encoded, picture, scene, same):
    model = "us.stability.stable-style-transfer-v1:0"
    body = {"init_image": picture, "style_image": encoded(Image.new("RGB", (64, 64), "red"))}
    assert same(paint(model, body | {"style_strength": 0})[0], ImageOps.invert(scene(SIZE)))
    assert not same(paint(model, body)[0], ImageOps.invert(scene(SIZE)))


def test_the_guides_are_read(paint, picture, scene, same):
    for service in ("control-sketch", "control-structure"):
        model = f"us.stability.stable-image-{service}-v1:0"
        assert same(paint(model, {"image": picture, "prompt": "a fox"})[0], ImageOps.invert(scene(SIZE)))
    (made,) = paint("us.stability.stable-image-style-guide-v1:0", {"image": picture, "prompt": "a", "aspect_ratio": "9:16"})
    assert made.size == (768, 1344)


def test_the_background_is_removed(paint, encoded):
    cat = Image.new("RGB", SIZE, "green")
    cat.paste("red", (30, 20, 60, 40))
    (cut,) = paint("us.stability.stable-image-remove-background-v1:0", {"image": encoded(cat)})
    assert [cut.getpixel(at)[3] for at in ((0, 0), (40, 30))] == [0, 255]


@pytest.mark.parametrize(
    ("model", "size", "upscaled"),
    [
        (FAST, (96, 64), (384, 256)),  # "4 times"
        (FAST, (640, 1536), (2560, 6144)),
        (CREATIVE, (96, 64), (480, 320)),  # "20 to 40 times", in pixels
        (CONSERVATIVE, (96, 64), (480, 320)),
        (CREATIVE, (1024, 1024), (2880, 2880)),  # "to 4K", 3840 times 2160 pixels
        (CONSERVATIVE, (3072, 3072), (3072, 3072)),
    ],
)
def test_how_far_an_upscale_goes(paint, encoded, model, size, upscaled):
    flat = encoded(Image.new("RGB", size, "red"))
    (made,) = paint(model, {"image": flat} | ({} if model == FAST else {"prompt": "a fox"}))
    assert made.size == upscaled


@pytest.mark.parametrize(("model", "default"), [(CREATIVE, 0.3), (CONSERVATIVE, 0.35)])
def test_each_painting_upscale_has_its_own_default_creativity(emulator, invoke, picture, model, default):
    seen = []

    class Watching(type(emulator.service.painter)):
        def vary(self, picture, prompt, strength, seed):
            seen.append(strength)
            return super().vary(picture, prompt, strength, seed)

    painter, emulator.service.painter = emulator.service.painter, Watching()
    try:
        invoke(model, {"image": picture, "prompt": "a fox"})
        invoke(model, {"image": picture, "prompt": "a fox", "creativity": 0.5})
    finally:
        emulator.service.painter = painter
    assert seen == [default, 0.5]


@pytest.mark.parametrize(("kind", "start"), [("jpeg", b"\xff\xd8"), ("webp", b"RIFF"), ("png", b"\x89PNG")])
def test_the_output_format(invoke, picture, kind, start):
    import base64

    (text,) = invoke(FAST, {"image": picture, "output_format": kind})["images"]
    assert base64.b64decode(text).startswith(start)


def test_webp_is_taken(paint, encoded, scene):
    assert paint(FAST, {"image": encoded(scene(SIZE), "WEBP", lossless=True)})[0].size == (384, 256)


def message(invoke, model, body):
    with pytest.raises(ClientError) as refused:
        invoke(model, body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return refused.value.response["Error"]["Message"]


def test_an_unknown_field_is_refused_with_the_live_message(invoke):
    said = json.loads(message(invoke, SKETCH, {"text_prompts": [{"text": "a fox"}]}))["detail"]
    start, _, fields = said.partition(" are: ")
    assert start == "Invalid field 'text_prompts' in request. Available fields for control-sketch"
    live = "image, prompt, control_strength, negative_prompt, seed, output_format, style_preset"
    assert fields == live
    ultra = json.loads(message(invoke, ULTRA, {"text_prompts": []}))["detail"].partition(" are: ")[2]
    assert ultra == "prompt, negative_prompt, mode, strength, seed, output_format, image, aspect_ratio"


@pytest.mark.parametrize(
    ("model", "body", "said"),
    [
        (ULTRA, {"seed": 1}, "#: required key [prompt] not found"),
        (ULTRA, {"prompt": "a", "seed": 4294967296}, "#/seed: 4294967296 is not less or equal to 4294967295"),
        (SD35, {"prompt": "a", "seed": 4294967295}, "#/seed: 4294967295 is not less or equal to 4294967294"),
        (ULTRA, {"prompt": "a", "output_format": "webp"}, "#/output_format: webp is not a valid enum value"),
        (ULTRA, {"prompt": "a", "mode": "image-to-image"}, "#/mode: image-to-image is not a valid enum value"),
        (ERASE, {"image": "x", "grow_mask": 2.5}, "#/grow_mask: 2.5 is not a multiple of 1"),
        (CORE, {"prompt": "a", "output_format": "webp"}, "#/output_format: webp is not a valid enum value"),
        (CORE, {"prompt": "a", "aspect_ratio": "4:3"}, "#/aspect_ratio: 4:3 is not a valid enum value"),
        (OUTPAINT, {"image": "x", "left": 0}, "#: no subschema matched out of the total 4 subschemas"),
        (OUTPAINT, {"image": "x", "left": 2001}, "#/left: 2001 is not less or equal to 2000"),
        (CREATIVE, {"image": "x", "prompt": "a", "creativity": 0.6}, "#/creativity: 0.6 is not less or equal to 0.5"),
    ],
)
def test_a_body_outside_the_documents_is_refused(invoke, model, body, said):
    assert message(invoke, model, body) == f"Malformed input request: {said}, please reformat your input and try again."


@pytest.mark.parametrize(
    "model", [CORE, ULTRA, SD3, SD35, INPAINT, ERASE, OUTPAINT, SKETCH, CONSERVATIVE, CREATIVE, TRANSFER]
)
def test_the_top_of_the_seeds_is_that_of_each_page(model):
    top = 4294967295 if model in (CORE, ULTRA, SD3) else 4294967294
    limited = {text for seed in (top, top + 1) for text in validate(model, {"seed": seed}) if text.startswith("#/seed")}
    assert limited == {f"#/seed: {top + 1} is not less or equal to {top}"}


IMAGE = {"prompt": "a", "image": "x"}
NOT_IN_IMAGE_TO_IMAGE = '#: subject must not be valid against schema {{"required":["{}"]}}'


@pytest.mark.parametrize(
    ("model", "body", "violations"),
    [
        (ULTRA, {"prompt": "a", "mode": "text-to-image"}, []),
        (ULTRA, IMAGE, []),
        (ULTRA, IMAGE | {"strength": 0.5}, []),
        (ULTRA, IMAGE | {"mode": "text-to-image"}, [NOT_IN_IMAGE_TO_IMAGE.format("mode")]),
        (ULTRA, IMAGE | {"aspect_ratio": "1:1"}, [NOT_IN_IMAGE_TO_IMAGE.format("aspect_ratio")]),
        (SD35, IMAGE | {"strength": 0.5}, []),
        (SD35, IMAGE | {"strength": 0.5, "mode": "image-to-image"}, []),
        (SD35, IMAGE | {"strength": 0.5, "mode": "text-to-image"}, ["#/mode: text-to-image is not a valid enum value"]),
        (SD35, IMAGE | {"strength": 0.5, "aspect_ratio": "1:1"}, [NOT_IN_IMAGE_TO_IMAGE.format("aspect_ratio")]),
        (SD35, IMAGE, ["#: required key [strength] not found"]),
        (SD35, {"prompt": "a", "strength": 0.5}, ["#: required key [image] not found"]),
        (SD35, {"image": "x", "strength": 0.5}, ["#: required key [prompt] not found"]),
        (SD3, IMAGE | {"strength": 0.75, "mode": "image-to-image"}, []),
        (SD3, IMAGE | {"strength": 0.75}, ["#: required key [mode] not found"]),
        (SD3, IMAGE | {"mode": "image-to-image"}, ["#: required key [strength] not found"]),
        (SD3, {"prompt": "a", "output_format": "webp"}, ["#/output_format: webp is not a valid enum value"]),
        (CORE, {"prompt": "a", "mode": "text-to-image"}, ["#: extraneous key [mode] is not permitted"]),
        (TRANSFER, {"init_image": "x", "style_image": "x", "prompt": "a" * 10_001}, []),
    ],
)
def test_what_goes_together(model, body, violations):
    assert validate(model, body) == violations


@pytest.mark.parametrize("service", sorted(model for model, entry in MODELS.items() if entry.by_profile))
def test_an_image_service_is_reached_by_its_profile_alone(invoke, service):
    arn = "arn:aws:bedrock:us-east-1:{}:{}/{}"
    for bare in (service, arn.format("", "foundation-model", service)):
        assert message(invoke, bare, {}) == (
            f"Invocation of model ID {bare} with on-demand throughput isn\u2019t supported. "
            "Retry your request with the ID or ARN of an inference profile that contains this model."
        )
    assert message(invoke, f"eu.{service}", {}) == "The provided model identifier is invalid."
    for profile in (f"us.{service}", arn.format("123456789012", "inference-profile", f"us.{service}")):
        assert "Malformed input request" in message(invoke, profile, {})


def test_an_opaque_arn_may_stand_for_a_service(encoded):
    import limner_bedrock_emulator

    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/p1"
    with limner_bedrock_emulator.serve(served={arn: ERASE.removeprefix("us.")}):
        pass


@pytest.mark.parametrize(
    ("model", "size", "fine"),
    [
        (INPAINT, (64, 64), True),
        (INPAINT, (63, 64), False),
        (INPAINT, (160, 64), True),
        (INPAINT, (161, 64), False),
        (INPAINT, (3072, 3073), False),
        (FAST, (32, 32), True),
        (FAST, (31, 64), False),
        (FAST, (1537, 32), False),
        (FAST, (1024, 1025), False),
        (CREATIVE, (64, 64), True),
        (CREATIVE, (63, 66), False),
        (CREATIVE, (1024, 1025), False),
        (CREATIVE, (1024, 256), True),
        (CREATIVE, (64, 16384), True),
        (CONSERVATIVE, (256, 64), False),
        (SD35, (640, 64), True),
        (SD35, (63, 64), False),
        (SD3, (640, 1536), True),
        (SD3, (639, 640), False),
        (SD3, (640, 1537), False),
        (ULTRA, (16, 400), True),
    ],
)
def test_the_size_of_the_input(invoke, encoded, model, size, fine):
    flat = encoded(Image.new("RGB", size, "red"))
    body = {"image": flat} | ({} if model == FAST else {"prompt": "a"}) | ({"strength": 0.5} if model in (SD3, SD35) else {})
    body |= {"mode": "image-to-image"} if model == SD3 else {}
    if fine:
        assert invoke(model, body)["images"]
    else:
        assert "#/image: expected" in message(invoke, model, body)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("filtered", "Filter reason: output image"),
        ("prompt-filtered", "Filter reason: prompt"),
        ("image-filtered", "Filter reason: input image"),
        ("error-result", "Inference error"),
        ("error-artifact", "Inference error"),
    ],
)
def test_a_reason_comes_alone(emulator, invoke, fault, reason):
    emulator.fail_with(fault)
    assert invoke(CORE, {"prompt": "a fox"}) == {"finish_reasons": [reason]}


def test_other_faults(emulator, invoke):
    emulator.fail_with("fewer-images*1", "missing-keys*1", "bad-base64*1")
    assert invoke(CORE, {"prompt": "a fox"}) == {"seeds": [], "finish_reasons": [], "images": []}
    assert invoke(CORE, {"prompt": "a fox"}) == {}
    assert invoke(CORE, {"prompt": "a fox"})["images"][0].startswith("*")


def test_every_contract_has_its_schema():
    for model, (contract, _) in MODELS.items():
        if contract is not None:
            assert schema(contract)["properties" if contract.startswith("stability-") else "title"], model


def lines():
    if not COLLECTION.exists():
        return []
    parsed = [json.loads(line) for line in COLLECTION.read_text().splitlines()]
    return [line for line in parsed if line["model"].removeprefix("us.") in MODELS and "diffusion-xl" not in line["model"]]


@pytest.mark.parametrize("line", [line for line in lines() if "stability" in line["model"]])
def test_a_real_body(invoke, encoded, picture, line):
    mask = encoded(Image.new("L", SIZE, 255).filter(ImageFilter.BLUR))
    body = {key: mask if key == "mask" else picture if value == "<b64>" else value for key, value in line["body"].items()}
    if line.get("note") == "prompt added at run time":
        assert body.pop("prompt") == "neutralx"
        body["prompt"] = "a fox"
    assert invoke(line["model"], body)["images"]
