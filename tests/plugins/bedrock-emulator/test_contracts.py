"""The schemas: what the documents allow passes, one past each end of every limit does not, in the service's words."""

import copy
import json
from pathlib import Path

import pytest
from limner_bedrock_emulator import schemas
from limner_bedrock_emulator.refusals import RequestRefused, malformed

SDXL, TITAN_V1, TITAN_V2 = (
    "stability.stable-diffusion-xl-v1",
    "amazon.titan-image-generator-v1",
    "amazon.titan-image-generator-v2:0",
)
FILES = sorted(Path(schemas.__file__).parent.glob("*.json"))

T2I, I2I, MASKING = "text-to-image", "image-to-image", "masking"
TEXT, INPAINT, OUTPAINT, VARY, COLOUR, REMOVE = (
    "TEXT_IMAGE",
    "INPAINTING",
    "OUTPAINTING",
    "IMAGE_VARIATION",
    "COLOR_GUIDED_GENERATION",
    "BACKGROUND_REMOVAL",
)
PARAMS = {
    TEXT: "textToImageParams",
    INPAINT: "inPaintingParams",
    OUTPAINT: "outPaintingParams",
    VARY: "imageVariationParams",
    COLOUR: "colorGuidedGenerationParams",
    REMOVE: "backgroundRemovalParams",
}
STYLES = [
    "3d-model",
    "analog-film",
    "anime",
    "cinematic",
    "comic-book",
    "digital-art",
    "enhance",
    "fantasy-art",
    "isometric",
    "line-art",
    "low-poly",
    "modeling-compound",
    "neon-punk",
    "origami",
    "photographic",
    "pixel-art",
    "tile-texture",
]
SAMPLERS = [
    "DDIM",
    "DDPM",
    "K_DPMPP_2M",
    "K_DPMPP_2S_ANCESTRAL",
    "K_DPM_2",
    "K_DPM_2_ANCESTRAL",
    "K_EULER",
    "K_EULER_ANCESTRAL",
    "K_HEUN",
    "K_LMS",
]
GUIDANCE = ["FAST_BLUE", "FAST_GREEN", "NONE", "SIMPLE", "SLOW", "SLOWER", "SLOWEST"]

# path in the body: values at and inside the ends, values just past them or of another type
SDXL_SHARED = {
    "cfg_scale": ([0, 7, 35, 34.9], [-0.0001, 35.0001, "7", None, True]),
    "clip_guidance_preset": (GUIDANCE, ["SIMPLE SLOW", "none", None]),
    "sampler": (SAMPLERS, ["K_HEUN K_LMS", "K_DPMPP_SDE", None]),
    "samples": ([1], [0, 2, 1.0, "1"]),
    "seed": ([0, 1, 4294967295], [-1, 4294967296, 1.0, "1", True, None]),
    "steps": ([10, 30, 50], [9, 51, 30.0, "30"]),
    "style_preset": (STYLES, ["animé", "", None]),
    "extras": ([{}, {"anything": [1]}], [[], "x"]),
    "text_prompts": ([[{"text": ""}], [{"text": "x" * 2000, "weight": -1.5}] * 9], [[], {}, "a fox", None]),
    "text_prompts/0/text": (["", "x" * 2000, "🦊" * 2000], ["x" * 2001, 1, None]),
    "text_prompts/0/weight": ([0, -1, 100, 0.5], ["1", None]),
}
UNIT = ([0, 0.35, 1], [-0.0001, 1.0001, "0.5", None])
SDXL_LIMITS = {
    T2I: SDXL_SHARED,
    I2I: SDXL_SHARED
    | {
        "init_image": (["", "anything"], [1, None]),
        "init_image_mode": (["IMAGE_STRENGTH", "STEP_SCHEDULE"], ["image_strength", None]),
        "image_strength": UNIT,
        "step_schedule_start": UNIT,
        "step_schedule_end": UNIT,
    },
    MASKING: SDXL_SHARED
    | {
        "init_image": (["anything"], [1, None]),
        "mask_image": (["anything"], [1, None]),
        "mask_source": (["MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK", "INIT_IMAGE_ALPHA"], ["MASK_IMAGE", None]),
    },
}

TEXTS = (["x", "x" * 512, "🦊" * 512], ["", "x" * 513, 1, None])
PICTURE = (["anything"], [1, None])
CONFIG = {
    "imageGenerationConfig/numberOfImages": ([1, 5], [0, 6, 1.0, "1"]),
    "imageGenerationConfig/quality": (["standard", "premium"], ["Standard", None]),
    "imageGenerationConfig/cfgScale": ([1.1, 8, 10, 10.0], [1.0999, 10.0001, "8"]),
    "imageGenerationConfig/seed": ([0, 2147483646], [-1, 2147483647, 1.0, None]),
}
MASKED = {
    "image": PICTURE,
    "maskImage": PICTURE,
    "text": TEXTS,
    "negativeText": TEXTS,
    "returnMask": ([True, False], ["true", 1, None]),
}
TITAN_LIMITS = {
    TEXT: {"text": TEXTS, "negativeText": TEXTS},
    INPAINT: MASKED,
    OUTPAINT: MASKED | {"outPaintingMode": (["DEFAULT", "PRECISE"], ["precise", None])},
    VARY: {
        "text": TEXTS,
        "negativeText": TEXTS,
        "images": ([["a"], ["a"] * 5], [[], ["a"] * 6, "a", None]),
        "images/0": PICTURE,
        "similarityStrength": ([0.2, 0.7, 1, 1.0], [0.1999, 1.0001, "0.7", None]),
    },
    COLOUR: {
        "text": TEXTS,
        "negativeText": TEXTS,
        "colors": ([["#000000"], ["#aAbBcC"] * 10], [[], ["#000000"] * 11, "#000000"]),
        "colors/0": (["#FF9900", "#ff9900"], ["FF9900", "#FF990", "#FF99000", "#GG9900", "orange", None]),
        "referenceImage": PICTURE,
    },
    REMOVE: {"image": PICTURE},
}
CONDITIONING = {
    "conditionImage": PICTURE,
    "controlMode": (["CANNY_EDGE", "SEGMENTATION"], ["canny", None]),
    "controlStrength": ([0, 0.7, 1.0], [-0.0001, 1.0001, "0.7", None]),
}


def cases():
    """Every limit: model, key of the smallest body, what else it holds, path, good values, bad values."""
    for mode, limits in SDXL_LIMITS.items():
        for path, (good, bad) in limits.items():
            yield pytest.param(SDXL, mode, path, good, bad, id=f"sdxl-{mode}-{path}")
    for task, limits in TITAN_LIMITS.items():
        every = {f"{PARAMS[task]}/{path}": ends for path, ends in limits.items()} | (CONFIG if task != REMOVE else {})
        for model, version in ((TITAN_V1, "v1"), (TITAN_V2, "v2")):
            if version == "v2" or task not in (COLOUR, REMOVE):
                for path, (good, bad) in every.items():
                    yield pytest.param(model, task, path, good, bad, id=f"titan-{version}-{task}-{path}")
    for path, (good, bad) in CONDITIONING.items():
        yield pytest.param(TITAN_V2, TEXT, f"textToImageParams/{path}", good, bad, id=f"conditioning-{path}")


def placed(body, path, value):
    """Return the body with a value at a path."""
    body = copy.deepcopy(body)
    *folders, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    inner = body
    for folder in folders:
        inner = inner.setdefault(folder, {}) if isinstance(inner, dict) else inner[folder]
    inner[last] = value
    if path.startswith("textToImageParams/control"):
        inner["conditionImage"] = "anything"
    return body


@pytest.mark.parametrize(("model", "kind", "path", "good", "bad"), list(cases()))
def test_every_limit_holds_at_both_ends(sdxl_body, titan_body, model, kind, path, good, bad):
    smallest = (sdxl_body | titan_body)[kind]
    for value in good:
        assert schemas.validate(model, placed(smallest, path, value)) == []
    for value in bad:
        violations = schemas.validate(model, placed(smallest, path, value))
        assert [text.split(": ")[0] for text in violations] == [f"#/{path}"], (value, violations)


SDXL_SIZES = {
    (1024, 1024), (1152, 896), (1216, 832), (1344, 768), (1536, 640), (640, 1536), (768, 1344), (832, 1216), (896, 1152),
}  # fmt: skip
TITAN_SIZES = {
    (1024, 1024), (768, 768), (512, 512), (768, 1152), (384, 576), (1152, 768), (576, 384), (768, 1280), (384, 640),
    (1280, 768), (640, 384), (896, 1152), (448, 576), (1152, 896), (576, 448), (768, 1408), (384, 704), (1408, 768),
    (704, 384), (640, 1408), (320, 704), (1408, 640), (704, 320), (1152, 640), (1173, 640),
}  # fmt: skip


def test_exactly_the_documented_sizes_pass(sdxl_body, titan_body):
    sides = {side for size in SDXL_SIZES | TITAN_SIZES for side in size} | {64, 1025, 1408, 2048}
    every = {(width, height) for width in sides for height in sides}

    def sdxl(size):
        return schemas.validate(SDXL, sdxl_body[T2I] | {"width": size[0], "height": size[1]}) == []

    def titan(size):
        config = {"imageGenerationConfig": {"width": size[0], "height": size[1]}}
        return schemas.validate(TITAN_V1, titan_body[TEXT] | config) == []

    assert {size for size in every if sdxl(size)} == SDXL_SIZES
    assert {size for size in every if titan(size)} == TITAN_SIZES


def test_width_and_height_come_together(sdxl_body, titan_body):
    assert schemas.validate(SDXL, sdxl_body[T2I] | {"width": 1024}) == ["#: property [height] is required"]
    titan = titan_body[VARY] | {"imageGenerationConfig": {"height": 512}}
    assert schemas.validate(TITAN_V2, titan) == ["#/imageGenerationConfig: property [width] is required"]


@pytest.mark.parametrize("mode", [I2I, MASKING])
def test_sdxl_takes_no_size_with_an_init_image(sdxl_body, mode):
    body = sdxl_body[mode] | {"width": 1024, "height": 1024}
    assert sorted(schemas.validate(SDXL, body)) == [
        "#: extraneous key [height] is not permitted",
        "#: extraneous key [width] is not permitted",
    ]


@pytest.mark.parametrize(
    ("model", "kind"),
    [(SDXL, mode) for mode in SDXL_LIMITS]
    + [(TITAN_V1, task) for task in (TEXT, INPAINT, OUTPAINT, VARY)]
    + [(TITAN_V2, task) for task in PARAMS],
)
def test_every_object_is_closed_and_every_key_of_the_smallest_body_needed(sdxl_body, titan_body, model, kind):
    body = (sdxl_body | titan_body)[kind]
    assert schemas.validate(model, body) == []
    inner = [name for name, value in body.items() if isinstance(value, dict)]
    for name in [None, *inner, *(["imageGenerationConfig"] if inner and kind != REMOVE else [])]:
        extra = body | {"x": 1} if name is None else body | {name: body.get(name, {}) | {"x": 1}}
        where = "#" if name is None else f"#/{name}"
        assert schemas.validate(model, extra) == [f"{where}: extraneous key [x] is not permitted"]
    for name in inner:
        for key in body[name]:
            less = body | {name: {other: value for other, value in body[name].items() if other != key}}
            assert schemas.validate(model, less), (name, key)
    for key in body:
        changed_mode = kind == I2I and key == "init_image"
        less = {other: value for other, value in body.items() if other != key}
        assert changed_mode or f"#: required key [{key}] not found" in schemas.validate(model, less)


def test_prompt_parts_are_closed():
    body = {"text_prompts": [{"text": "a fox", "mood": "calm"}, {"weight": 1}]}
    assert schemas.validate(SDXL, body) == [
        "#/text_prompts/0: extraneous key [mood] is not permitted",
        "#/text_prompts/1: required key [text] not found",
    ]


@pytest.mark.parametrize("task", [INPAINT, OUTPAINT])
def test_exactly_one_mask(titan_body, task):
    body, name = titan_body[task], PARAMS[task]
    params = body[name]
    unmasked = {key: value for key, value in params.items() if key != "maskImage"}
    assert schemas.validate(TITAN_V1, body | {name: unmasked | {"maskPrompt": "the sky"}}) == []
    for wrong, matched in ((unmasked, 0), (params | {"maskPrompt": "the sky"}, 2)):
        assert schemas.validate(TITAN_V1, body | {name: wrong}) == [f"#/{name}: {matched} subschemas matched instead of one"]


@pytest.mark.parametrize("task", [INPAINT, OUTPAINT])
def test_titan_edits_tolerate_a_documented_size(titan_body, task):
    good = {"imageGenerationConfig": {"width": 512, "height": 512}}
    assert schemas.validate(TITAN_V1, titan_body[task] | good) == []
    assert schemas.validate(TITAN_V1, titan_body[task] | {"imageGenerationConfig": {"width": 1024, "height": 512}})


def test_conditioning_needs_its_picture_and_version_2(titan_body):
    with_mode = {"textToImageParams": {"text": "a fox", "controlMode": "CANNY_EDGE"}}
    needed = ["#/textToImageParams: property [conditionImage] is required"]
    assert schemas.validate(TITAN_V2, titan_body[TEXT] | with_mode) == needed
    with_strength = {"textToImageParams": {"text": "a fox", "controlStrength": 0.5}}
    assert schemas.validate(TITAN_V2, titan_body[TEXT] | with_strength) == needed
    conditioned = {"textToImageParams": {"text": "a fox", "conditionImage": "anything"}}
    assert schemas.validate(TITAN_V2, titan_body[TEXT] | conditioned) == []
    refused = ["#/textToImageParams: extraneous key [conditionImage] is not permitted"]
    assert schemas.validate(TITAN_V1, titan_body[TEXT] | conditioned) == refused


@pytest.mark.parametrize("task", [COLOUR, REMOVE])
def test_titan_v1_lacks_the_later_tasks(titan_body, task):
    assert schemas.validate(TITAN_V1, titan_body[task]) == [f"#/taskType: {task} is not a valid enum value"]


def test_background_removal_takes_no_configuration(titan_body):
    body = titan_body[REMOVE] | {"imageGenerationConfig": {"seed": 1}}
    assert schemas.validate(TITAN_V2, body) == ["#: extraneous key [imageGenerationConfig] is not permitted"]


def test_a_task_takes_no_other_tasks_parameters(titan_body):
    body = titan_body[TEXT] | {"inPaintingParams": {}}
    assert schemas.validate(TITAN_V1, body) == ["#: extraneous key [inPaintingParams] is not permitted"]


@pytest.mark.parametrize("key", ["mask_source", "mask_image"])
def test_a_mask_key_alone_means_masking(sdxl_body, key):
    body = {name: value for name, value in sdxl_body[MASKING].items() if name == key or not name.startswith("mask")}
    missing = {"mask_source": "mask_image", "mask_image": "mask_source"}[key]
    assert schemas.validate(SDXL, body) == [f"#: required key [{missing}] not found"]


def test_refusals_have_the_messages_of_the_live_service(titan_body):
    body = titan_body[TEXT] | {"textToImageParams": {"text": "x" * 536}}
    (violation,) = schemas.validate(TITAN_V1, body)
    wanted = "Malformed input request{}, please reformat your input and try again."
    assert str(malformed(violation)) == wanted.format(": #/textToImageParams/text: expected maxLength: 512, actual: 536")
    counted = wanted.format(": 2 schema violations found")
    assert str(malformed("#: a", "#: b")) == f"{counted} (limner-bedrock-emulator: #: a; #: b)"
    assert str(malformed()) == wanted.format("")
    assert schemas.validate(SDXL, {}) == ["#: required key [text_prompts] not found"]


def test_a_refusal_stays_short():
    many = str(malformed(*[f"#/{at}: wrong" for at in range(1000)]))
    assert "1000 schema violations found" in many
    assert many.endswith("#/19: wrong; and 980 more)")
    assert len(str(malformed("#/style_preset: " + "x" * 10**6))) < 600


def test_an_unserved_model_has_no_contract():
    with pytest.raises(RequestRefused, match="Could not resolve the foundation model"):
        schemas.validate("amazon.nova-reel-v1:0", {})


LIMITS = {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "enum", "oneOf"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_limit_names_its_source(file):
    def unsourced(node, sourced, path):
        if isinstance(node, dict):
            sourced = sourced or "$comment" in node
            if LIMITS & node.keys() and not sourced:
                yield path
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in children:
            yield from unsourced(child, sourced and key not in {"properties", "$defs"}, f"{path}/{key}")

    schema = json.loads(file.read_text())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(unsourced(schema, False, "#")) == []


def test_stabilitys_own_specification_agrees():
    """The public specification of Stability's API, where it lies beside the repository: an oracle nobody here wrote."""
    file = Path(__file__).parents[4] / "shared" / "oracle" / "stability-v1-openapi.json"
    if not file.exists():
        pytest.skip("the specification is not here")
    theirs = json.loads(file.read_text())["components"]["schemas"]
    ours = schemas.schema("sdxl-common")["$defs"]
    strengths = schemas.schema("sdxl-image-to-image")["properties"]
    for name, key in (("CfgScale", "cfg_scale"), ("Seed", "seed"), ("Steps", "steps")):
        assert [ours[key][end] for end in ("minimum", "maximum")] == [theirs[name][end] for end in ("minimum", "maximum")]
    for name, key in (
        ("InitImageStrength", "image_strength"),
        ("StepScheduleStart", "step_schedule_start"),
        ("StepScheduleEnd", "step_schedule_end"),
    ):
        assert [strengths[key][end] for end in ("minimum", "maximum")] == [
            theirs[name][end] for end in ("minimum", "maximum")
        ]
    for name, key in (
        ("ClipGuidancePreset", "clip_guidance_preset"),
        ("Sampler", "sampler"),
        ("StylePreset", "style_preset"),
    ):
        assert sorted(ours[key]["enum"]) == sorted(theirs[name]["enum"])
    assert theirs["TextPrompt"]["properties"]["text"]["maxLength"] == 2000
