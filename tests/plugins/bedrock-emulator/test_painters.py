"""The sketch painter over the wire: real pictures, and still nothing changes that the mask keeps."""

import pytest
from PIL import Image, ImageChops

SDXL, V2 = "stability.stable-diffusion-xl-v1", "amazon.titan-image-generator-v2:0"
SIZE = (192, 128)


@pytest.fixture
def emulator(running):
    running.fail_with()
    running.clear()
    running.paint_with("sketch")
    yield running
    running.paint_with("invert")


@pytest.fixture
def half():
    """A mask whose left half is white."""
    mask = Image.new("L", SIZE, 0)
    mask.paste(255, (0, 0, 96, 128))
    return mask


def changed(picture, edited):
    return ImageChops.difference(picture, edited).getbbox()


def test_text_is_painted_by_prompt_and_seed(paint, same):
    def picture(text, seed):
        config = {"width": 320, "height": 704, "seed": seed}
        body = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": text}, "imageGenerationConfig": config}
        return paint(V2, body)[0]

    first = picture("a house by the sea", 1)
    assert first.size == (320, 704)
    assert len(first.getcolors(1 << 20)) > 50
    assert same(first, picture("a house by the sea", 1))
    assert not same(first, picture("a house by the sea", 2))
    assert not same(first, picture("a snowy mountain at night", 1))


@pytest.mark.parametrize(("source", "box"), [("MASK_IMAGE_WHITE", (0, 96)), ("MASK_IMAGE_BLACK", (96, 192))])
def test_sdxl_keeps_what_the_mask_keeps(paint, encoded, scene, half, source, box):
    body = {"init_image": encoded(scene(SIZE)), "mask_image": encoded(half), "mask_source": source}
    (edited,) = paint(SDXL, {"text_prompts": [{"text": "a red door"}], "seed": 3, **body})
    left, _, right, _ = changed(scene(SIZE), edited)
    assert box[0] <= left < right <= box[1]


@pytest.mark.parametrize(("mode", "least", "most"), [("PRECISE", 90, 96), ("DEFAULT", 97, 126), (None, 97, 126)])
def test_only_default_outpainting_blends_into_what_is_kept(paint, encoded, scene, half, mode, least, most):
    params = {"image": encoded(scene(SIZE)), "maskImage": encoded(half), "text": "a beach"}
    params |= {} if mode is None else {"outPaintingMode": mode}
    (edited,) = paint(V2, {"taskType": "OUTPAINTING", "outPaintingParams": params})
    left, _, right, _ = changed(scene(SIZE), edited)
    assert left < 48
    assert least <= right <= most


def test_variation_stays_nearer_with_similarity(paint, encoded, scene):
    def distance(similarity):
        params = {"images": [encoded(scene((512, 512)))], "text": "trees", "similarityStrength": similarity}
        config = {"width": 512, "height": 512, "seed": 1}
        body = {"taskType": "IMAGE_VARIATION", "imageVariationParams": params, "imageGenerationConfig": config}
        difference = ImageChops.difference(scene((512, 512)), paint(V2, body)[0]).convert("L").histogram()
        return sum(level * count for level, count in enumerate(difference))

    assert distance(1.0) < distance(0.2)


@pytest.mark.parametrize(
    ("size", "text"),
    [((20, 30), ""), ((20, 30), "  "), ((20, 30), "x" * 2000), ((20, 30), "\ud800"), ((2100, 40), "a fox")],
)
def test_what_the_sketch_model_itself_would_refuse_is_fitted(paint, encoded, scene, size, text):
    prompts = [{"text": text}] * 6
    (varied,) = paint(SDXL, {"text_prompts": prompts, "init_image": encoded(scene(size)), "seed": 4294967295})
    assert varied.size == size
    mask = encoded(Image.new("L", size, 255))
    body = {"init_image": encoded(scene(size)), "mask_image": mask, "mask_source": "MASK_IMAGE_WHITE"}
    (edited,) = paint(SDXL, {"text_prompts": prompts, **body})
    assert edited.size == size


def test_empty_prompts_are_painted(paint):
    assert paint(SDXL, {"text_prompts": [{"text": ""}], "width": 640, "height": 1536})[0].size == (640, 1536)


def test_a_mask_that_opens_nothing_changes_nothing(paint, encoded, scene, same):
    body = {"init_image": encoded(scene(SIZE)), "mask_image": encoded(Image.new("L", SIZE, 0))}
    (edited,) = paint(SDXL, {"text_prompts": [{"text": "x"}], **body, "mask_source": "MASK_IMAGE_WHITE"})
    assert same(edited, scene(SIZE))
