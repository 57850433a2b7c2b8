"""Tasks to bodies, by hand-written vectors and the bodies of AWS's examples and public programs; answers to pictures."""

from __future__ import annotations

import base64
import json

import limner
import pytest
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, TaskRefused, Upscale, Vary, WeightedText
from limner.testing.pictures import mask, picture
from limner_bedrock_stability.models import MODELS

MODEL = {model.service: model for model in reversed(MODELS)}  # the current one of each name stays
MODELS_BY_NAME = {**MODEL, "sd3-large": next(model for model in MODELS if "sd3-large" in model.id)}
PICTURE, STYLE = picture((96, 64)), picture((64, 64), colour="gold")
HALF = mask((96, 64), (0, 0, 48, 64))
B64, STYLE64, MASK64 = (base64.b64encode(data).decode() for data in (PICTURE.data, STYLE.data, HALF.png()))
SEED = {"seed": 7}


def body_of(model, task):
    (request,) = model().plan(task).requests
    assert request.model_id == model.id
    return json.loads(request.body)


def body(name, task):
    return body_of(MODEL[name], task)


VECTORS = [
    # the first of each model are the bodies that AWS's examples and public programs send, with what limner always says
    ("ultra", Generate(prompt="a fox", **SEED), {"prompt": "a fox", "aspect_ratio": "1:1"}),
    (
        "ultra",
        Generate(prompt="a fox", negative_prompt="snow", size=(3, 2), options={"output_format": "png"}, **SEED),
        {"prompt": "a fox", "negative_prompt": "snow", "aspect_ratio": "3:2", "output_format": "png"},
    ),
    (
        "core",
        Generate(prompt="a fox", size=(1024, 1024), options={"output_format": "png"}, **SEED),
        {"prompt": "a fox", "aspect_ratio": "1:1", "output_format": "png"},
    ),
    (
        "sd3-5-large",
        Generate(prompt="a fox", size=(1920, 1080), options={"output_format": "png"}, **SEED),
        {"prompt": "a fox", "aspect_ratio": "16:9", "mode": "text-to-image", "output_format": "png"},
    ),
    (
        "sd3-5-large",
        Vary(image=PICTURE, prompt="a fox", strength=0.7, **SEED),
        {"prompt": "a fox", "image": B64, "strength": 0.7, "mode": "image-to-image"},
    ),
    (
        "ultra",
        Vary(image=PICTURE, prompt="a fox", strength=0, **SEED),
        {"prompt": "a fox", "image": B64, "strength": 0.0},
    ),
    (
        "control-sketch",
        Generate(prompt="a fox", options={"sketch_image": PICTURE, "control_strength": 0, "style_preset": "anime"}, **SEED),
        {"prompt": "a fox", "image": B64, "control_strength": 0, "style_preset": "anime"},
    ),
    (
        "control-structure",
        Generate(prompt="a fox", options={"structure_image": PICTURE}, **SEED),
        {"prompt": "a fox", "image": B64},
    ),
    (
        "style-guide",
        Generate(prompt="a fox", options={"style_image": PICTURE, "fidelity": 1}, size=(9, 21), **SEED),
        {"prompt": "a fox", "image": B64, "fidelity": 1, "aspect_ratio": "9:21"},
    ),
    (
        "style-transfer",
        Vary(image=PICTURE, options={"style_image": STYLE, "change_strength": 0.1, "style_strength": 0}, **SEED),
        {"init_image": B64, "style_image": STYLE64, "change_strength": 0.1, "style_strength": 0},
    ),
    (
        "inpaint",
        Inpaint(image=PICTURE, prompt="a fox", mask=HALF, **SEED),
        {"image": B64, "mask": MASK64, "prompt": "a fox", "grow_mask": 0},
    ),
    ("erase-object", Inpaint(image=PICTURE, mask=HALF, **SEED), {"image": B64, "mask": MASK64, "grow_mask": 0}),
    (
        "search-replace",
        Inpaint(image=PICTURE, prompt="a fox", mask_prompt="a cat", **SEED),
        {"image": B64, "prompt": "a fox", "search_prompt": "a cat"},
    ),
    (
        "search-recolor",
        Inpaint(image=PICTURE, prompt="red", mask_prompt="a cat", options={"grow_mask": 3}, **SEED),
        {"image": B64, "prompt": "red", "select_prompt": "a cat", "grow_mask": 3},
    ),
    (
        "outpaint",
        Outpaint(image=PICTURE, expand=(1, 2, 3, 2000), options={"creativity": 0.5}, **SEED),
        {"image": B64, "left": 1, "up": 2, "right": 3, "down": 2000, "creativity": 0.5},
    ),
    ("remove-background", RemoveBackground(image=PICTURE), {"image": B64}),
    ("fast-upscale", Upscale(image=PICTURE), {"image": B64, "output_format": "png"}),
    (
        "conservative-upscale",
        Upscale(image=PICTURE, prompt="a fox", options={"creativity": 0.3}, **SEED),
        {"image": B64, "prompt": "a fox", "creativity": 0.3},
    ),
    (
        "creative-upscale",
        Upscale(image=PICTURE, prompt="a fox", options={"creativity": 0.3}, **SEED),
        {"image": B64, "prompt": "a fox", "creativity": 0.3},
    ),
]


@pytest.mark.parametrize(("name", "task", "expected"), VECTORS)
def test_a_task_becomes_its_body(name, task, expected):
    seeded = {} if getattr(task, "seed", None) is None else SEED
    assert body(name, task) == expected | seeded


def test_every_service_has_a_vector():
    assert {name for name, *_ in VECTORS} == MODEL.keys()


def test_alpha_goes_without_a_mask():
    clear = picture((96, 64), "RGBA")
    for name, prompt in (("inpaint", "a fox"), ("erase-object", None)):
        sent = body(name, Inpaint(image=clear, prompt=prompt, mask="alpha", seed=7))
        assert "mask" not in sent
        assert base64.b64decode(sent["image"]) == clear.data


def test_an_outpaint_mask_becomes_sides_and_the_kept_rectangle():
    canvas = picture((200, 150))
    sent = body("outpaint", Outpaint(image=canvas, mask=Mask.box((10, 20, 180, 110), size=(200, 150)).inverted(), seed=7))
    kept = Image(base64.b64decode(sent.pop("image")))
    assert sent == {"left": 10, "up": 20, "right": 20, "down": 40, "seed": 7}
    assert kept.pil().tobytes() == canvas.pil().crop((10, 20, 180, 110)).tobytes()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Mask.ellipse((10, 10, 180, 140), size=(200, 150)), "must keep exactly one rectangle"),
        (Mask((200, 150), b"\xff" * 30000), "must keep exactly one rectangle"),
        (Mask.box((0, 0, 170, 150), size=(200, 150)), "the rectangle that it keeps is 30x150, must have sides of 64"),
    ],
)
def test_another_outpaint_mask_is_refused(made, said):
    with pytest.raises(TaskRefused) as refused:
        body("outpaint", Outpaint(image=picture((200, 150)), mask=made))
    assert any(problem.parameter == "mask" and said in problem.limit for problem in refused.value.problems)


def test_weights_are_written_in_parentheses():
    parts = (WeightedText("a fox", 1), WeightedText("snow", 0.5), WeightedText("sky", 2))
    sent = body("inpaint", Inpaint(image=PICTURE, prompt=parts, mask=HALF))
    assert sent["prompt"] == "a fox, (snow:0.5), (sky:2)"
    with pytest.raises(TaskRefused, match="with the weights, must have at most 10,000"):
        body("inpaint", Inpaint(image=PICTURE, prompt=(WeightedText("x" * 9_999, 0.5),), mask=HALF))
    with pytest.raises(TaskRefused, match="without weights"):
        body("core", Generate(prompt=parts))


def test_growing_beyond_the_mask_goes_without_preserving():
    task = Inpaint(image=PICTURE, prompt="a fox", mask=HALF, options={"grow_mask": 5})
    with pytest.raises(TaskRefused, match="set preserve=False"):
        body("inpaint", task)
    assert body("inpaint", Inpaint(**{**task_fields(task), "preserve": False}))["grow_mask"] == 5


def task_fields(task):
    return {**dict(task.arguments()), "options": task.options}


TOPS = {
    "core": 4294967295,
    "ultra": 4294967295,
    "sd3-large": 4294967295,
    "sd3-5-large": 4294967294,
    "style-guide": 4294967294,
}


@pytest.mark.parametrize("name", TOPS)
def test_seeds_end_where_each_page_says(name):
    guide = {"options": {"style_image": STYLE}} if name == "style-guide" else {}
    for seed in (1, TOPS[name]):
        assert body_of(MODELS_BY_NAME[name], Generate(prompt="a fox", seed=seed, **guide))["seed"] == seed
    for seed in (0, TOPS[name] + 1):
        with pytest.raises(TaskRefused, match="0 is not a seed there but draws one"):
            body_of(MODELS_BY_NAME[name], Generate(prompt="a fox", seed=seed, **guide))


@pytest.mark.parametrize("name", ["sd3-5-large", "sd3-large", "ultra"])
def test_webp_travels_byte_for_byte(name):
    webp = picture((640, 640), "RGB", "image/webp")
    assert base64.b64decode(body_of(MODELS_BY_NAME[name], Vary(image=webp, prompt="a fox"))["image"]) == webp.data


def test_sd3_needs_mode_and_strength():
    sent = body_of(MODELS_BY_NAME["sd3-large"], Vary(image=picture((640, 1536)), prompt="a fox", seed=7))
    sent.pop("image")
    assert sent == {"prompt": "a fox", "strength": 0.75, "mode": "image-to-image", "seed": 7}


def of_size(name, size):
    task = Upscale if "upscale" in name else Vary
    words = {} if name == "fast-upscale" else {"prompt": "a fox"}
    return task(image=picture(size), **words)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("ultra", (3, 5)),
        ("sd3-5-large", (64, 640)),
        ("sd3-large", (640, 1536)),
        ("creative-upscale", (1024, 256)),
        ("creative-upscale", (64, 16_384)),
        ("fast-upscale", (32, 1536)),
        ("conservative-upscale", (2500, 1000)),
    ],
)
def test_pictures_of_sizes_at_the_ends_are_sent(name, size):
    assert "image" in body_of(MODELS_BY_NAME[name], of_size(name, size))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("sd3-5-large", (63, 640)),
        ("sd3-large", (512, 512)),
        ("sd3-large", (640, 1537)),
        ("creative-upscale", (63, 128)),
        ("creative-upscale", (1025, 1024)),
        ("fast-upscale", (31, 64)),
        ("fast-upscale", (1537, 64)),
        ("conservative-upscale", (2501, 1000)),
    ],
)
def test_pictures_past_the_ends_are_refused(name, size):
    with pytest.raises(TaskRefused) as refused:
        body_of(MODELS_BY_NAME[name], of_size(name, size))
    assert {problem.parameter for problem in refused.value.problems} == {"image"}


def test_style_transfer_takes_a_prompt_of_any_length():
    options = {"style_image": STYLE}
    assert len(body("style-transfer", Vary(image=PICTURE, prompt="x" * 10_001, options=options))["prompt"]) == 10_001
    parts = (WeightedText("x" * 10_000, 0.5),)
    assert len(body("style-transfer", Vary(image=PICTURE, prompt=parts, options=options))["prompt"]) == 10_006


def test_grow_mask_may_be_a_whole_number_written_as_a_decimal():
    task = Inpaint(image=PICTURE, prompt="a fox", mask=HALF, preserve=False, options={"grow_mask": 5.0})
    assert repr(body("inpaint", task)["grow_mask"]) == "5"
    with pytest.raises(TaskRefused, match="must be a whole number from 0 to 20; the nearest is 6"):
        body("inpaint", Inpaint(**{**task_fields(task), "options": {"grow_mask": 5.5}}))


# ---------------------------------------------------------------------------------------------- answers


def decoded(content, name="core"):
    response = limner.Response(content if isinstance(content, bytes) else json.dumps(content).encode())
    return list(MODEL[name]().decode(Generate(prompt="a fox", seed=7), response))


def test_a_good_answer():
    (made,) = decoded({"seeds": [2130420379], "finish_reasons": [None], "images": [B64]})
    assert (made.outcome, made.seed, made.image) == ("ok", 2130420379, PICTURE)


@pytest.mark.parametrize("reason", ["Filter reason: prompt", "Filter reason: output image", "Filter reason: input image"])
def test_filtered_without_images(reason):
    (made,) = decoded({"finish_reasons": [reason]})
    assert (made.outcome, made.image, made.reason) == ("filtered", None, reason)


def test_an_inference_error_failed_and_was_not_filtered():
    (made,) = decoded({"finish_reasons": ["Inference error"], "seeds": [], "images": []})
    assert (made.outcome, made.reason) == ("failed", "Inference error")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"images": [], "seeds": [], "finish_reasons": []},
        {"finish_reasons": [None]},
        {"finish_reasons": [3], "images": [B64]},
        {"finish_reasons": "Filter reason: prompt"},
        {"images": B64},
        {"images": ["*"], "finish_reasons": [None]},
        [],
        b"{",
    ],
)
def test_another_answer_is_bad(content):
    with pytest.raises(limner.BadResponse):
        decoded(content)
