"""Titan over the wire with the inverting painter: every task, both mask colours, limits of pictures."""

import base64
import io
import random

import pytest
from botocore.exceptions import ClientError
from PIL import Image, ImageOps

V1, V2 = "amazon.titan-image-generator-v1", "amazon.titan-image-generator-v2:0"
SIZE = (96, 64)
EDITS = {"INPAINTING": "inPaintingParams", "OUTPAINTING": "outPaintingParams"}


@pytest.fixture
def half():
    """A mask whose left half is black."""
    mask = Image.new("L", SIZE, 255)
    mask.paste(0, (0, 0, 48, 64))
    return mask


def edit(task, **params):
    return {"taskType": task, EDITS[task]: {"text": "a fox", **params}}


def refusal(invoke, model, body):
    with pytest.raises(ClientError) as refused:
        invoke(model, body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("model", [V1, f"{V1}:0", V2])
def test_text_to_image_has_size_and_number_asked_for(invoke, paint, same, model):
    body = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}
    assert list(invoke(model, body)) == ["images"]
    assert [picture.size for picture in paint(model, body)] == [(1024, 1024)]
    config = {"numberOfImages": 5, "width": 1173, "height": 640, "seed": 2147483646}
    pictures = paint(model, body | {"imageGenerationConfig": config})
    assert [picture.size for picture in pictures] == [(1173, 640)] * 5
    assert not any(same(pictures[0], other) for other in pictures[1:])
    again = paint(model, body | {"imageGenerationConfig": config | {"numberOfImages": 1}})
    assert same(again[0], pictures[0])


def test_no_seed_is_seed_zero(paint, same):
    body = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}
    assert same(paint(V1, body)[0], paint(V1, body | {"imageGenerationConfig": {"seed": 0}})[0])


@pytest.mark.parametrize(
    ("task", "mode", "changed"),
    [
        ("INPAINTING", {}, (0, 48)),  # black is changed
        ("OUTPAINTING", {}, (48, 96)),  # white is generated
        ("OUTPAINTING", {"outPaintingMode": "DEFAULT"}, (48, 96)),
        ("OUTPAINTING", {"outPaintingMode": "PRECISE"}, (48, 96)),
    ],
)
def test_the_task_decides_which_colour_is_changed(paint, encoded, scene, half, same, task, mode, changed):
    picture = scene(SIZE)
    start, end = changed
    wanted = picture.copy()
    wanted.paste(ImageOps.invert(picture).crop((start, 0, end, 64)), (start, 0))
    body = edit(task, image=encoded(picture), maskImage=encoded(half), **mode)
    pictures = paint(V1, body | {"imageGenerationConfig": {"numberOfImages": 2, "width": 512, "height": 512}})
    assert len(pictures) == 2
    assert all(same(picture, wanted) for picture in pictures)


@pytest.mark.parametrize("task", EDITS)
def test_a_mask_prompt_finds_the_same_region_for_both_tasks(invoke, decoded, encoded, scene, same, task):
    picture = scene(SIZE)
    answer = invoke(V2, edit(task, image=encoded(picture), maskPrompt="the sky", returnMask=True))
    mask = decoded(answer["maskImage"])
    assert mask.getpixel((48, 32)) == 0
    assert mask.getpixel((0, 0)) == 255
    opening = mask if task == "OUTPAINTING" else ImageOps.invert(mask)
    assert same(decoded(answer["images"][0]), Image.composite(ImageOps.invert(picture), picture, opening))
    other = invoke(V2, edit(task, image=encoded(picture), maskPrompt="the sea", returnMask=True))
    assert not same(decoded(other["maskImage"]), mask)


@pytest.mark.parametrize("task", EDITS)
def test_the_mask_comes_back_when_asked_for(invoke, decoded, encoded, scene, half, same, task):
    params = {"image": encoded(scene(SIZE)), "maskImage": encoded(half.convert("RGB"))}
    assert same(decoded(invoke(V1, edit(task, **params, returnMask=True))["maskImage"]), half)
    assert "maskImage" not in invoke(V1, edit(task, **params, returnMask=False))


def test_inpainting_without_text_fills(paint, encoded, scene, half):
    body = {
        "taskType": "INPAINTING",
        "inPaintingParams": {"image": encoded(scene(SIZE)), "maskImage": encoded(half)},
    }
    assert paint(V1, body)[0].size == SIZE


@pytest.mark.parametrize("task", EDITS)
@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA"])
def test_a_mask_may_be_written_in_any_mode(paint, encoded, scene, half, same, task, mode):
    params = {"image": encoded(scene(SIZE))}
    plain = paint(V1, edit(task, **params, maskImage=encoded(half)))
    other = paint(V1, edit(task, **params, maskImage=encoded(half.convert(mode))))
    assert same(plain[0], other[0])


@pytest.mark.parametrize("task", EDITS)
@pytest.mark.parametrize("pixel", [(1, 1, 1, 255), (254, 254, 254, 255), (255, 0, 0, 255), (255, 255, 255, 254)])
def test_a_mask_is_pure_black_and_white(invoke, encoded, scene, half, task, pixel):
    impure = half.convert("RGBA")
    impure.putpixel((5, 5), pixel)
    message = refusal(invoke, V2, edit(task, image=encoded(scene(SIZE)), maskImage=encoded(impure)))
    assert f"#/{EDITS[task]}/maskImage: expected only pure black and pure white pixels" in message


@pytest.mark.parametrize("task", EDITS)
def test_a_mask_has_the_size_of_its_picture(invoke, encoded, scene, half, task):
    message = refusal(invoke, V1, edit(task, image=encoded(scene((64, 96))), maskImage=encoded(half)))
    assert f"#/{EDITS[task]}/maskImage: expected size: 64x96, actual: 96x64" in message


def test_variation_inverts_its_pictures_in_turn(paint, encoded, scene, same):
    first, second = scene((512, 512)), scene((512, 512)).rotate(90)
    body = {
        "taskType": "IMAGE_VARIATION",
        "imageVariationParams": {"images": [encoded(first), encoded(second)], "similarityStrength": 0.2},
        "imageGenerationConfig": {"numberOfImages": 3, "width": 512, "height": 512},
    }
    pictures = paint(V1, body)
    assert [same(picture, ImageOps.invert(first)) for picture in pictures] == [True, False, True]
    assert same(pictures[1], ImageOps.invert(second))


def test_conditioning_shows_in_the_picture(paint, encoded, scene, same):
    params = {"text": "a fox"}

    def picture(**more):
        body = {"taskType": "TEXT_IMAGE", "textToImageParams": params | more}
        return paint(V2, body | {"imageGenerationConfig": {"width": 512, "height": 512}})[0]

    condition = {"conditionImage": encoded(scene(SIZE))}
    plain, edges = picture(), picture(**condition)
    assert not same(plain, edges)
    assert same(edges, picture(**condition, controlMode="CANNY_EDGE", controlStrength=0.7))
    assert not same(edges, picture(**condition, controlMode="SEGMENTATION"))
    assert same(plain, picture(**condition, controlStrength=0))


@pytest.mark.parametrize("reference", [False, True])
def test_colour_guided_pictures_lie_between_the_colours(paint, encoded, scene, reference):
    params = {"text": "a fox", "colors": ["#102030", "#ff00ff", "#20a0F0"]}
    params |= {"referenceImage": encoded(scene(SIZE))} if reference else {}
    body = {"taskType": "COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams": params}
    (picture,) = paint(V2, body)
    assert picture.size == (1024, 1024)
    for (least, most), first, last in zip(picture.getextrema(), (0x10, 0x20, 0x30), (0x20, 0xA0, 0xF0), strict=True):
        assert first <= least <= most <= last


def test_the_reference_picture_is_rgb(invoke, encoded):
    params = {"text": "a fox", "colors": ["#102030"], "referenceImage": encoded(Image.new("RGBA", SIZE))}
    message = refusal(invoke, V2, {"taskType": "COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams": params})
    assert "#/colorGuidedGenerationParams/referenceImage: expected an RGB picture, actual: RGBA" in message


def test_background_removal_keeps_what_stands_out(paint, encoded):
    picture = Image.new("RGB", SIZE, (200, 210, 220))
    picture.paste((180, 30, 30), (20, 10, 60, 50))
    (cut,) = paint(V2, {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": encoded(picture)}})
    assert (cut.mode, cut.size) == ("RGBA", SIZE)
    assert cut.getpixel((30, 30)) == (180, 30, 30, 255)
    assert cut.getpixel((5, 5))[3] == 0


def bodies_with(picture, mask):
    """Every place of a picture: model, body, pointer."""
    text = {"text": "a fox"}
    yield V1, edit("INPAINTING", image=picture, maskPrompt="x"), "inPaintingParams/image"
    yield V1, edit("OUTPAINTING", image=picture, maskPrompt="x"), "outPaintingParams/image"
    variation = {"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": [mask, picture]}}
    yield V1, variation, "imageVariationParams/images/1"
    conditioned = {"taskType": "TEXT_IMAGE", "textToImageParams": text | {"conditionImage": picture}}
    yield V2, conditioned, "textToImageParams/conditionImage"
    colours = text | {"colors": ["#000000"], "referenceImage": picture}
    guided = {"taskType": "COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams": colours}
    yield V2, guided, "colorGuidedGenerationParams/referenceImage"
    removal = {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": picture}}
    yield V2, removal, "backgroundRemovalParams/image"


@pytest.mark.parametrize("size", [(1409, 8), (8, 1409)])
def test_the_longer_side_has_a_limit(invoke, encoded, scene, half, size):
    within = tuple(min(side, 1408) for side in size)
    for model, body, _ in bodies_with(encoded(scene(within)), encoded(half)):
        assert invoke(model, body)["images"]
    for model, body, pointer in bodies_with(encoded(scene(size)), encoded(half)):
        assert f"#/{pointer}: expected longer side: 1408, actual: 1409" in refusal(invoke, model, body)


def test_the_file_has_a_limit(invoke, encoded, scene, half):
    """5 MB: a picture of exactly that many bytes passes, one byte more does not."""

    def padded(size):
        file = io.BytesIO()
        scene(SIZE).save(file, "JPEG")
        data = file.getvalue()
        filler = b""
        while (missing := size - len(data) - len(filler)) > 0:
            length = min(missing - 2, 65_535) if missing - 65_537 not in (1, 2, 3) else 60_000
            filler += b"\xff\xfe" + length.to_bytes(2, "big") + bytes(length - 2)  # a comment
        return base64.b64encode(data[:2] + filler + data[2:]).decode()

    assert len(base64.b64decode(padded(5_000_000))) == 5_000_000
    for model, body, _ in bodies_with(padded(5_000_000), encoded(half)):
        assert invoke(model, body)["images"]
    for model, body, pointer in bodies_with(padded(5_000_001), encoded(half)):
        assert f"#/{pointer}: expected maximum bytes: 5000000, actual: 5000001" in refusal(invoke, model, body)


def test_damaged_pictures_are_refused(invoke, encoded, scene, half):
    random.seed(1)
    noise = base64.b64encode(random.randbytes(64)).decode()
    for damaged, text in (("*", "expected base64"), (noise, "expected a PNG or JPEG picture")):
        for model, body, pointer in bodies_with(damaged, encoded(half)):
            assert f"#/{pointer}: {text}" in refusal(invoke, model, body)


@pytest.mark.parametrize("task", ["INPAINTING", "OUTPAINTING"])
def test_an_edit_may_carry_its_pictures_own_size(invoke, paint, encoded, titan_body, task):
    """AWS's samples send it; the picture keeps its size in both tasks."""
    for model in (V1, V2):
        own = {"imageGenerationConfig": {"width": 64, "height": 96, "numberOfImages": 2}}  # not one of the 25 sizes
        assert [picture.size for picture in paint(model, titan_body[task] | own)] == [(64, 96)] * 2
        for width, height in ((96, 64), (64, 97), (64.5, 96), ([], {})):
            other = {"imageGenerationConfig": {"width": width, "height": height}}
            assert "#/imageGenerationConfig: no subschema matched" in refusal(invoke, model, titan_body[task] | other)


@pytest.mark.parametrize("task", [[], {}, None, 1, "INPAINTING"])
@pytest.mark.parametrize("params", [None, [], {"image": 1}, {"image": "?"}])
def test_a_size_beside_nonsense_is_refused_as_any(invoke, task, params):
    body = {"taskType": task, "inPaintingParams": params, "imageGenerationConfig": {"width": 64, "height": 96}}
    assert "Malformed input request" in refusal(invoke, V2, body)
