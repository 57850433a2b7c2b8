"""SDXL over the wire with the inverting painter: every mode, both mask colours, alpha, greys, seeds."""

import pytest
from botocore.exceptions import ClientError
from PIL import Image, ImageOps

SDXL = "stability.stable-diffusion-xl-v1"
PROMPTS = [{"text": "a fox"}]
SIZE = (96, 64)


@pytest.fixture
def half():
    """A mask whose left half is white."""
    mask = Image.new("L", SIZE, 0)
    mask.paste(255, (0, 0, 48, 64))
    return mask


@pytest.fixture
def halves(scene):
    """A picture inverted on its left or on its right half."""
    picture = scene(SIZE)
    left, right = picture.copy(), picture.copy()
    left.paste(ImageOps.invert(picture).crop((0, 0, 48, 64)), (0, 0))
    right.paste(ImageOps.invert(picture).crop((48, 0, 96, 64)), (48, 0))
    return {"left": left, "right": right}


def test_the_answer_has_the_documented_shape(invoke):
    answer = invoke(SDXL, {"text_prompts": PROMPTS, "seed": 4294967295})
    (artifact,) = answer.pop("artifacts")
    assert answer == {"result": "success"}
    assert artifact.pop("base64")
    assert artifact == {"seed": 4294967295, "finishReason": "SUCCESS"}


@pytest.mark.parametrize(("asked", "size"), [({}, (1024, 1024)), ({"width": 1536, "height": 640}, (1536, 640))])
def test_text_to_image_has_the_asked_size(paint, asked, size):
    (picture,) = paint(SDXL, {"text_prompts": PROMPTS, **asked})
    assert (picture.mode, picture.size) == ("RGB", size)


def test_prompt_and_seed_decide_the_picture(paint, same):
    def picture(prompts, seed):
        return paint(SDXL, {"text_prompts": prompts, "seed": seed})[0]

    first = picture(PROMPTS, 1)
    assert same(first, picture(PROMPTS, 1))
    assert not same(first, picture(PROMPTS, 2))
    assert not same(first, picture([{"text": "a cat"}], 1))
    assert same(first, picture([*PROMPTS, {"text": "blurred", "weight": -1}], 1))


@pytest.mark.parametrize("asked", [{}, {"seed": 0}])
def test_seed_zero_or_none_is_drawn_and_told(invoke, asked):
    seeds = {invoke(SDXL, {"text_prompts": PROMPTS, **asked})["artifacts"][0]["seed"] for _ in range(3)}
    assert len(seeds) > 1
    assert all(1 <= seed <= 4294967295 for seed in seeds)


def test_image_to_image_gives_the_inverse_at_the_inputs_size(paint, encoded, scene, same):
    picture = scene(SIZE)
    (varied,) = paint(SDXL, {"text_prompts": PROMPTS, "init_image": encoded(picture), "image_strength": 0.4})
    assert same(varied, ImageOps.invert(picture))


@pytest.mark.parametrize(("source", "changed"), [("MASK_IMAGE_WHITE", "left"), ("MASK_IMAGE_BLACK", "right")])
def test_the_mask_source_decides_which_colour_is_replaced(paint, encoded, scene, half, halves, same, source, changed):
    body = {"init_image": encoded(scene(SIZE)), "mask_image": encoded(half), "mask_source": source}
    (edited,) = paint(SDXL, {"text_prompts": PROMPTS, **body})
    assert same(edited, halves[changed])


def test_init_image_alpha_replaces_what_is_transparent(paint, encoded, scene, half, halves, same):
    picture = scene(SIZE)
    picture.putalpha(ImageOps.invert(half))  # the left half is transparent
    black = encoded(Image.new("L", SIZE, 0))
    body = {"init_image": encoded(picture), "mask_image": black, "mask_source": "INIT_IMAGE_ALPHA"}
    (edited,) = paint(SDXL, {"text_prompts": PROMPTS, **body})
    assert same(edited, halves["left"])


@pytest.mark.parametrize("source", ["MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK", "INIT_IMAGE_ALPHA"])
def test_greys_mix_linearly(paint, encoded, source):
    level, greys = 40, Image.linear_gradient("L")  # 256x256, each row one grey
    picture = Image.new("RGB", greys.size, (level,) * 3)
    if source == "INIT_IMAGE_ALPHA":
        picture.putalpha(greys)
    body = {"init_image": encoded(picture), "mask_image": encoded(greys), "mask_source": source}
    (edited,) = paint(SDXL, {"text_prompts": PROMPTS, **body})
    for row in range(256):
        opened = row if source == "MASK_IMAGE_WHITE" else 255 - row
        assert edited.getpixel((9, row)) == (round((level * (255 - opened) + (255 - level) * opened) / 255),) * 3


def test_a_jpeg_is_taken(paint, encoded, scene):
    (varied,) = paint(SDXL, {"text_prompts": PROMPTS, "init_image": encoded(scene(SIZE), "JPEG")})
    assert varied.size == SIZE


@pytest.mark.parametrize(
    ("key", "make", "text"),
    [
        ("init_image", lambda encoded, scene: "data:image/png;base64," + encoded(scene(SIZE)), "expected base64"),
        ("init_image", lambda encoded, scene: encoded(scene(SIZE)) + "\n", "expected base64"),
        ("init_image", lambda encoded, scene: encoded(scene(SIZE)).rstrip("=")[:-1], "expected base64"),
        ("init_image", lambda encoded, scene: "é", "expected base64"),
        ("init_image", lambda encoded, scene: "", "expected a PNG or JPEG picture"),
        ("init_image", lambda encoded, scene: encoded(scene(SIZE))[:200], "expected a PNG or JPEG picture"),
        ("init_image", lambda encoded, scene: encoded(scene(SIZE), "GIF"), "expected a PNG or JPEG picture"),
        ("init_image", lambda encoded, scene: encoded(scene(SIZE), "WEBP"), "expected a PNG or JPEG picture"),
        ("mask_image", lambda encoded, scene: "AAAA", "expected a PNG or JPEG picture"),
        ("mask_image", lambda encoded, scene: encoded(scene((64, 96))), "expected size: 96x64, actual: 64x96"),
    ],
)
def test_pictures_are_read_strictly(invoke, encoded, scene, half, key, make, text):
    body = {"init_image": encoded(scene(SIZE)), "mask_image": encoded(half), "mask_source": "MASK_IMAGE_WHITE"}
    with pytest.raises(ClientError) as refused:
        invoke(SDXL, {"text_prompts": PROMPTS, **body, key: make(encoded, scene)})
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == f"Malformed input request: #/{key}: {text}, please reformat your input and try again."
