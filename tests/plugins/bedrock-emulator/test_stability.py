"""Stability AI's newer models over the wire: shapes, fields, masks, sides, sizes, faults, real bodies."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from limner_bedrock_emulator.model_ids import CONTRACTS
from limner_bedrock_emulator.schemas import schema, validate
from PIL import Image, ImageFilter, ImageOps

CORE, ULTRA, SD35 = "stability.stable-image-core-v1:1", "stability.stable-image-ultra-v1:1", "stability.sd3-5-large-v1:0"
INPAINT, ERASE = "us.stability.stable-image-inpaint-v1:0", "us.stability.stable-image-erase-object-v1:0"
OUTPAINT = "us.stability.stable-outpaint-v1:0"
SKETCH = "us.stability.stable-image-control-sketch-v1:0"
FAST, CREATIVE = "us.stability.stable-fast-upscale-v1:0", "us.stability.stable-creative-upscale-v1:0"
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


def left_inverted(scene, until=48):
    made = scene(SIZE)
    made.paste(ImageOps.invert(made).crop((0, 0, until, 64)), (0, 0))
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


@pytest.mark.parametrize("model", [SD35, ULTRA])
def test_image_to_image_gives_the_inverse(paint, picture, scene, same, model):
    (varied,) = paint(model, {"prompt": "a fox", "mode": "image-to-image", "image": picture, "strength": 0.5})
    assert same(varied, ImageOps.invert(scene(SIZE)))


@pytest.mark.parametrize("model", [INPAINT, ERASE])
@pytest.mark.parametrize("grow", [0, 3, None])
def test_white_is_changed_and_the_mask_grows(paint, encoded, picture, scene, half, same, model, grow):
    body = {"image": picture, "mask": encoded(half)} | ({"prompt": "a fox"} if model == INPAINT else {})
    (edited,) = paint(model, body if grow is None else body | {"grow_mask": grow})
    assert same(edited, left_inverted(scene, 48 + (5 if grow is None else grow)))


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


def test_background_and_upscales(paint, encoded, picture):
    cat = Image.new("RGB", SIZE, "green")
    cat.paste("red", (30, 20, 60, 40))
    (cut,) = paint("us.stability.stable-image-remove-background-v1:0", {"image": encoded(cat)})
    assert [cut.getpixel(at)[3] for at in ((0, 0), (40, 30))] == [0, 255]
    for model in (FAST, CREATIVE, CREATIVE.replace("creative", "conservative")):
        body = {"image": picture} | ({} if model == FAST else {"prompt": "a fox"})
        assert paint(model, body)[0].size == (192, 128)


@pytest.mark.parametrize(("kind", "start"), [("jpeg", b"\xff\xd8"), ("webp", b"RIFF"), ("png", b"\x89PNG")])
def test_the_output_format(invoke, picture, kind, start):
    import base64

    (text,) = invoke(FAST, {"image": picture, "output_format": kind})["images"]
    assert base64.b64decode(text).startswith(start)


def test_webp_is_taken(paint, encoded, scene):
    assert paint(FAST, {"image": encoded(scene(SIZE), "WEBP", lossless=True)})[0].size == (192, 128)


def message(invoke, model, body):
    with pytest.raises(ClientError) as refused:
        invoke(model, body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return refused.value.response["Error"]["Message"]


def test_an_unknown_field_is_refused_in_the_live_words(invoke):
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
        (ULTRA, {"prompt": "a", "seed": 4294967295}, "#/seed: 4294967295 is not less or equal to 4294967294"),
        (SD35, {"prompt": "a", "seed": 4294967295}, "#/seed: 4294967295 is not less or equal to 4294967294"),
        (SD35, {"prompt": "a", "mode": "image-to-image"}, "2 schema violations found"),
        (CORE, {"prompt": "a", "output_format": "webp"}, "#/output_format: webp is not a valid enum value"),
        (CORE, {"prompt": "a", "aspect_ratio": "4:3"}, "#/aspect_ratio: 4:3 is not a valid enum value"),
        (OUTPAINT, {"image": "x", "left": 0}, "#: no subschema matched out of the total 4 subschemas"),
        (OUTPAINT, {"image": "x", "left": 2001}, "#/left: 2001 is not less or equal to 2000"),
        (CREATIVE, {"image": "x", "prompt": "a", "creativity": 0.6}, "#/creativity: 0.6 is not less or equal to 0.5"),
    ],
)
def test_a_body_outside_the_documents_is_refused(invoke, model, body, said):
    assert message(invoke, model, body) == f"Malformed input request: {said}, please reformat your input and try again."


def test_image_to_image_takes_no_aspect_ratio():
    body = {"prompt": "a", "mode": "image-to-image", "image": "x", "strength": 0.5, "aspect_ratio": "1:1"}
    for model in (SD35, ULTRA):
        assert validate(model, body) == ['#: subject must not be valid against schema {"required":["aspect_ratio"]}']


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
        (CREATIVE, (1024, 1025), False),
        (SD35, (640, 64), True),
        (SD35, (63, 64), False),
    ],
)
def test_the_size_of_the_input(invoke, encoded, model, size, fine):
    flat = encoded(Image.new("RGB", size, "red"))
    body = {"image": flat} | ({} if model == FAST else {"prompt": "a"}) | ({"strength": 0.5} if model == SD35 else {})
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
    for model, contract in CONTRACTS.items():
        assert schema(contract)["properties" if contract.startswith("stability-") else "title"], model


def lines():
    if not COLLECTION.exists():
        return []
    parsed = [json.loads(line) for line in COLLECTION.read_text().splitlines()]
    return [
        line for line in parsed if line["model"].removeprefix("us.") in CONTRACTS and "diffusion-xl" not in line["model"]
    ]


@pytest.mark.parametrize("line", [line for line in lines() if "stability" in line["model"]])
def test_a_real_body(invoke, encoded, picture, line):
    mask = encoded(Image.new("L", SIZE, 255).filter(ImageFilter.BLUR))
    body = {key: mask if key == "mask" else picture if value == "<b64>" else value for key, value in line["body"].items()}
    if line.get("note") == "prompt added at run time":
        assert body.pop("prompt") == "neutralx"
        body["prompt"] = "a fox"
    assert invoke(line["model"], body)["images"]
