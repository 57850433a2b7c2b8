"""Nova Canvas over the wire, inverted: identifiers, the ends of its schema, sizes, pictures, both mask colours."""

import pytest
from botocore.exceptions import ClientError
from limner_bedrock_emulator import nova, schemas
from PIL import Image, ImageOps

NOVA = "amazon.nova-canvas-v1:0"
SIZE = (384, 320)
EDITS = {"INPAINTING": "inPaintingParams", "OUTPAINTING": "outPaintingParams"}
TEXT = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}

TEXTS = (["x", "x" * 1024, "🦊" * 1024], ["", "x" * 1025, 1, None])
PICTURE = (["anything"], [1, None])
CONFIG = {
    "numberOfImages": ([1, 5], [0, 6, 1.0, "1"]),
    "quality": (["standard", "premium"], ["Standard", None]),
    "cfgScale": ([1.1, 6.5, 10, 10.0], [1.0999, 10.0001, "8"]),
    "seed": ([0, 2147483646], [-1, 2147483647, 1.0, None]),
}
SIDES = ([320, 336, 4096], [304, 4112, 319, 321, 1025, 320.0, "320", None])
STYLES = [
    *("3D_ANIMATED_FAMILY_FILM", "DESIGN_SKETCH", "FLAT_VECTOR_ILLUSTRATION", "GRAPHIC_NOVEL_ILLUSTRATION", "MAXIMALISM"),
    *("MIDCENTURY_RETRO", "PHOTOREALISM", "SOFT_DIGITAL_PAINTING"),
]
BODIES = {
    "TEXT_IMAGE": ("textToImageParams", {"text": "a fox"}),
    "COLOR_GUIDED_GENERATION": ("colorGuidedGenerationParams", {"text": "a fox", "colors": ["#102030"]}),
    "IMAGE_VARIATION": ("imageVariationParams", {"images": ["a"], "text": "a fox"}),
    "INPAINTING": ("inPaintingParams", {"image": "a", "maskImage": "b", "text": "a fox"}),
    "OUTPAINTING": ("outPaintingParams", {"image": "a", "maskImage": "b", "text": "a fox"}),
    "BACKGROUND_REMOVAL": ("backgroundRemovalParams", {"image": "a"}),
}
WORDS = {"text": TEXTS, "negativeText": TEXTS}
MASKED = WORDS | {"image": PICTURE, "maskImage": PICTURE}
LIMITS = {
    "TEXT_IMAGE": WORDS | {"style": (STYLES, ["photorealism", "ANIME", None])},
    "COLOR_GUIDED_GENERATION": WORDS
    | {
        "colors": ([["#000000"], ["#aAbBcC"] * 10], [[], ["#000000"] * 11, "#000000", ["000000"], ["#00000"]]),
        "referenceImage": PICTURE,
    },
    "IMAGE_VARIATION": WORDS
    | {
        "images": ([["a"], ["a"] * 5], [[], ["a"] * 6, "a", [None]]),
        "similarityStrength": ([0.2, 0.7, 1], [0.1999, 1.0001, "0.7", None]),
    },
    "INPAINTING": MASKED,
    "OUTPAINTING": MASKED | {"outPaintingMode": (["DEFAULT", "PRECISE"], ["precise", None])},
    "BACKGROUND_REMOVAL": {"image": PICTURE},
}
CONDITIONING = {
    "conditionImage": PICTURE,
    "controlMode": (["CANNY_EDGE", "SEGMENTATION"], ["canny", None]),
    "controlStrength": ([0, 0.7, 1.0], [-0.0001, 1.0001, "0.7", None]),
}


def body_of(task, **more):
    key, params = BODIES[task]
    return {"taskType": task, key: params | more}


def limits():
    """Every limit: a body that holds a value, the good values, the bad ones."""
    for task, params in LIMITS.items():
        for name, (good, bad) in params.items():
            yield pytest.param(lambda value, t=task, n=name: body_of(t, **{n: value}), good, bad, id=f"{task}-{name}")
    for name, (good, bad) in CONDITIONING.items():
        condition = {"conditionImage": "a"}
        yield pytest.param(
            lambda value, n=name, c=condition: body_of("TEXT_IMAGE", **c | {n: value}), good, bad, id=f"conditioning-{name}"
        )
    for task in LIMITS.keys() - {"BACKGROUND_REMOVAL"}:
        sides = {} if task in EDITS else {"width": SIDES, "height": SIDES}
        for name, (good, bad) in (CONFIG | sides).items():
            yield pytest.param(
                lambda value, t=task, n=name: body_of(t) | {"imageGenerationConfig": {n: value}},
                good,
                bad,
                id=f"{task}-config-{name}",
            )


@pytest.mark.parametrize(("body_with", "good", "bad"), sorted(limits(), key=lambda case: str(case.id)))
def test_what_is_documented_passes_and_one_past_each_end_does_not(body_with, good, bad):
    for value in good:
        assert schemas.validate(NOVA, body_with(value)) == []
    for value in bad:
        assert len(schemas.validate(NOVA, body_with(value))) >= 1, value


@pytest.mark.parametrize("task", BODIES)
def test_every_object_is_closed_and_every_key_of_the_smallest_body_needed(task):
    key, params = BODIES[task]
    body = body_of(task)
    assert schemas.validate(NOVA, body) == []
    assert schemas.validate(NOVA, body | {"x": 1}) == ["#: extraneous key [x] is not permitted"]
    assert schemas.validate(NOVA, body_of(task, x=1)) == [f"#/{key}: extraneous key [x] is not permitted"]
    for name in params:
        less = {other: value for other, value in params.items() if other != name}
        assert schemas.validate(NOVA, {"taskType": task, key: less}), name
    assert schemas.validate(NOVA, {"taskType": task}) == [f"#: required key [{key}] not found"]


def test_what_is_not_documented_is_refused():
    assert schemas.validate(NOVA, {"taskType": "VIRTUAL_TRY_ON"})
    for task, key in EDITS.items():
        assert schemas.validate(NOVA, body_of(task, returnMask=True)) == [
            f"#/{key}: extraneous key [returnMask] is not permitted"
        ]
        both = body_of(task, maskPrompt="the sky")
        assert schemas.validate(NOVA, both) == [f"#/{key}: 2 subschemas matched instead of one"]
        sized = body_of(task) | {"imageGenerationConfig": {"width": 1024, "height": 1024}}
        assert len(schemas.validate(NOVA, sized)) == 2
    for name in ("controlMode", "controlStrength"):
        value = {"controlMode": "CANNY_EDGE", "controlStrength": 0.5}[name]
        assert schemas.validate(NOVA, body_of("TEXT_IMAGE", **{name: value}))
    assert schemas.validate(NOVA, body_of("COLOR_GUIDED_GENERATION", style="PHOTOREALISM"))
    assert schemas.validate(NOVA, body_of("BACKGROUND_REMOVAL") | {"imageGenerationConfig": {}})


def refusal(invoke, body):
    with pytest.raises(ClientError) as refused:
        invoke(NOVA, body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return refused.value.response["Error"]["Message"]


def edit(task, **params):
    return {"taskType": task, EDITS[task]: {"text": "a fox", **params}}


@pytest.fixture
def half():
    """A mask whose left half is black."""
    mask = Image.new("L", SIZE, 255)
    mask.paste(0, (0, 0, SIZE[0] // 2, SIZE[1]))
    return mask


@pytest.mark.parametrize(
    "model",
    [
        NOVA,
        f"arn:aws:bedrock:us-east-1::foundation-model/{NOVA}",
        f"us.{NOVA}",
        f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{NOVA}",
    ],
)
def test_every_spelling_is_served_at_the_default_size(paint, model):
    assert [picture.size for picture in paint(model, TEXT)] == [(1024, 1024)]


@pytest.mark.parametrize("size", [(320, 1280), (1280, 320), (4032, 1008), (2048, 2048)])
def test_sizes_at_the_ends(size):
    assert nova.size_problems({"imageGenerationConfig": dict(zip(("width", "height"), size, strict=True))}) == []


@pytest.mark.parametrize(
    ("size", "why"),
    [
        ((320, 1296), "expected aspect ratio"),
        ((4096, 992), "expected aspect ratio"),
        ((2048, 2064), "expected at most pixels: 4194304, actual: 4227072"),
    ],
)
def test_sizes_past_the_ends(invoke, size, why):
    body = TEXT | {"imageGenerationConfig": dict(zip(("width", "height"), size, strict=True))}
    assert f"#/imageGenerationConfig: {why}" in refusal(invoke, body)


def test_a_side_alone_has_the_default_beside_it(paint):
    assert paint(NOVA, TEXT | {"imageGenerationConfig": {"width": 512}})[0].size == (512, 1024)


@pytest.mark.parametrize(
    ("task", "mode", "changed"),
    [
        ("INPAINTING", {}, (0, 192)),  # black is changed
        ("OUTPAINTING", {}, (192, 384)),  # white is generated
        ("OUTPAINTING", {"outPaintingMode": "PRECISE"}, (192, 384)),
    ],
)
def test_the_task_decides_which_colour_is_changed(paint, encoded, scene, half, same, task, mode, changed):
    picture = scene(SIZE)
    start, end = changed
    wanted = picture.copy()
    wanted.paste(ImageOps.invert(picture).crop((start, 0, end, SIZE[1])), (start, 0))
    pictures = paint(NOVA, edit(task, image=encoded(picture), maskImage=encoded(half), **mode))
    assert [same(picture, wanted) for picture in pictures] == [True]


def test_a_mask_is_pure_and_has_the_size_of_its_picture(invoke, encoded, scene, half):
    picture = encoded(scene(SIZE))
    half.putpixel((5, 5), 1)
    impure = refusal(invoke, edit("INPAINTING", image=picture, maskImage=encoded(half)))
    assert "expected only pure black and pure white pixels" in impure
    other = encoded(Image.new("L", (320, 320)))
    assert "expected size: 384x320" in refusal(invoke, edit("OUTPAINTING", image=picture, maskImage=other))


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (Image.new("RGB", (319, 320)), "expected shorter side: 320, actual: 319"),
        (Image.new("RGB", (4097, 1025)), "expected longer side: 4096, actual: 4097"),
        (Image.new("RGB", (320, 1281)), "expected aspect ratio: 1:4 to 4:1, actual: 320x1281"),
        (Image.new("RGB", (2048, 2049)), "expected at most pixels: 4194304"),
        (Image.new("RGBA", SIZE, (1, 2, 3, 254)), "expected no transparent pixels"),
        (Image.new("L", SIZE), "expected an RGB picture, actual: L"),
    ],
)
def test_pictures_past_the_limits(invoke, encoded, picture, why):
    body = {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": encoded(picture)}}
    assert f"#/backgroundRemovalParams/image: {why}" in refusal(invoke, body)


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (320, 1280)),
        Image.new("RGB", (321, 333)),
        Image.new("RGB", (4092, 1023)),
        Image.new("RGBA", SIZE, (1, 2, 3, 255)),
    ],
)
def test_pictures_at_the_limits(invoke, encoded, picture):
    body = {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": encoded(picture)}}
    assert len(invoke(NOVA, body)["images"]) == 1


@pytest.mark.parametrize(
    ("fault", "images", "words"), [("filtered:1", 1, "Some of the generated"), ("filtered", 0, "All of the generated")]
)
def test_filtered_pictures_are_omitted_and_reported(emulator, invoke, fault, images, words):
    emulator.fail_with(fault)
    answer = invoke(NOVA, TEXT | {"imageGenerationConfig": {"numberOfImages": 2, "width": 320, "height": 320}})
    assert len(answer.get("images", [])) == images
    assert answer["error"] == f"{words} images have been blocked by our content filters."
