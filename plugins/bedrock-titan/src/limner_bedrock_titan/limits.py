"""The limits of Titan Image Generator G1, v1 and v2, on Amazon Bedrock."""

from __future__ import annotations

import datetime

from limner import Generate, Inpaint, Lifecycle, Outpaint, RemoveBackground, Vary
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
    Flag,
    Items,
    Limits,
    MaskPicture,
    NegativeText,
    Picture,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    Sizes,
    TaskLimits,
    Text,
    Words,
)

_GUIDE = "Amazon Bedrock User Guide, docs.aws.amazon.com/bedrock/latest/userguide"
PARAMETERS = f"{_GUIDE}/model-parameters-titan-image.html"
FIRST_EDITION = f"{PARAMETERS} (first edition, of v1; the edition of v1 and v2 has a link in place of the table)"
OVERVIEW = f"{_GUIDE}/titan-image-models.html"

_REPLACEMENT = "Stable Image Core, Stable Image Ultra or SD3.5 Large on Amazon Bedrock"
LIFECYCLE_V1 = Lifecycle(
    legacy_since=datetime.date(2025, 11, 30),
    replacement=_REPLACEMENT,
    source="no page of AWS with its dates was found; public programs list it as deprecated by November 2025 (the date is "
    "that month's end), and it is older than v2, which ended on 2026-06-30",
)
LIFECYCLE_V2 = Lifecycle(
    legacy_since=datetime.date(2025, 12, 30),
    end_of_life=datetime.date(2026, 6, 30),
    replacement=_REPLACEMENT,
    source=f"{_GUIDE}/model-card-amazon-titan-image-generator-g1-v2.html; legacy since: no date is given, but AWS gives "
    "notice at least 6 months ahead",
)

# fmt: off
SIZES = (
    (1024, 1024), (768, 768), (512, 512), (768, 1152), (384, 576), (1152, 768), (576, 384), (768, 1280), (384, 640),
    (1280, 768), (640, 384), (896, 1152), (448, 576), (1152, 896), (576, 448), (768, 1408), (384, 704), (1408, 768),
    (704, 384), (640, 1408), (320, 704), (1408, 640), (704, 320), (1152, 640), (1173, 640),
)
# fmt: on
STANDARD_SIZE = (1024, 1024)
LONGEST = 1408
MAX_BYTES = 5_000_000
PRECISE, DEFAULT = "PRECISE", "DEFAULT"

_TEXT = f"{PARAMETERS}: at most 512 characters; at least one is not documented, but an empty text has no effect"
PROMPT = PromptText(512, source=_TEXT)
NEEDED_PROMPT = PromptText(512, required=True, source=PROMPT.source)
SIZE = Sizes(
    SIZES,
    default=STANDARD_SIZE,
    source=f"{FIRST_EDITION}; always sent, 1024x1024 by default: the documented default, 1408x1408, is not one of the sizes",
)
CONFIG: dict[str, Constraint] = {
    "negative_prompt": NegativeText(512, source=_TEXT),
    "n": Count(5, source=FIRST_EDITION),
    "seed": Seed(0, 2_147_483_646, source=FIRST_EDITION),
    "guidance_scale": Real(1.1, 10.0, default=8.0, source=FIRST_EDITION),
}
QUALITY: dict[str, Constraint] = {"quality": Choice(("standard", "premium"), source=PARAMETERS)}
RETURN_MASK: dict[str, Constraint] = {"return_mask": Flag(source=f"{PARAMETERS} (edition of 2026)")}

INPUT_SIZE = SizeRule(1, LONGEST, source=f"{PARAMETERS}; the longer side")
_INPUT = (
    f"{PARAMETERS} (JPEG or PNG, the longer side at most 1408); {OVERVIEW} (5 MB, read as 5,000,000 bytes; "
    "it also says that only some sizes are supported for input, and names none)"
)
_OTHER_INPUT = f"{_INPUT}. The longest side is not documented for this task; that of the other tasks is used"
PICTURE = Picture(max_bytes=MAX_BYTES, size=INPUT_SIZE, required=True, source=_INPUT)
BACKGROUND_PICTURE = Picture(max_bytes=MAX_BYTES, size=INPUT_SIZE, required=True, source=_OTHER_INPUT)
CONDITION_PICTURE = Picture(max_bytes=MAX_BYTES, size=INPUT_SIZE, source=_OTHER_INPUT)
RGB_PICTURE = Picture(max_bytes=MAX_BYTES, size=INPUT_SIZE, modes=("RGB",), alpha=False, source=f"{_INPUT}; RGB")
MASK = MaskPicture(grey=False, source=f"{PARAMETERS}; pure black and white, the size of the picture")
MASK_PROMPT = Words(source=f"{PARAMETERS}; no length is documented, but an empty text selects nothing")
EXPAND = Expand(
    LONGEST, canvas=INPUT_SIZE, source=f"{PARAMETERS}; the canvas is sent as the image, with a mask of the added area"
)
OWN_SIZE = f"{PARAMETERS}: for inpainting and outpainting the result has the size of the picture (its samples send one)"
STRENGTH = Real(0.0, 0.8, source=f"{PARAMETERS}; similarityStrength, 1 - strength, is 0.2 to 1.0")

_VARY = TaskLimits(
    {
        "image": Pictures(PICTURE, max_items=5, required=True, source=f"{PARAMETERS}: 1 to 5; each: {_INPUT}"),
        "prompt": PROMPT,
        "strength": STRENGTH,
        "size": SIZE,
        **CONFIG,
    },
    QUALITY,
)
_INPAINT = TaskLimits(
    {"image": PICTURE, "prompt": PROMPT, "mask": MASK, "mask_prompt": MASK_PROMPT, **CONFIG},
    {**QUALITY, **RETURN_MASK},
    OWN_SIZE,
)
_OUTPAINT = TaskLimits(
    {
        "image": PICTURE,
        "prompt": NEEDED_PROMPT,
        "expand": EXPAND,
        "mask": MASK,
        "keep_prompt": MASK_PROMPT,
        **CONFIG,
    },
    {
        "outpainting_mode": Choice((PRECISE, DEFAULT), source=f"{PARAMETERS}; by default determined by preserve"),
        **QUALITY,
        **RETURN_MASK,
    },
    OWN_SIZE,
)
_TEXT_IMAGE: dict[str, Constraint] = {"prompt": NEEDED_PROMPT, "size": SIZE, **CONFIG}
_CONDITIONING: dict[str, Constraint] = {
    "condition_image": CONDITION_PICTURE,
    "control_mode": Choice(("CANNY_EDGE", "SEGMENTATION"), source=PARAMETERS),
    "control_strength": Real(0.0, 1.0, source=PARAMETERS),
    "colors": Items(
        Text(pattern="#[0-9A-Fa-f]{6}", example="#ff8800", source=f"{PARAMETERS}; the form is that of all its examples"),
        1,
        10,
        source=f"{PARAMETERS}; 1 to 10 hex codes, in all its examples #rrggbb",
    ),
    "reference_image": RGB_PICTURE,
}

LIMITS_V1: Limits = {
    Generate: TaskLimits(_TEXT_IMAGE, QUALITY),
    Vary: _VARY,
    Inpaint: _INPAINT,
    Outpaint: _OUTPAINT,
}
LIMITS_V2: Limits = {
    **LIMITS_V1,
    Generate: TaskLimits(_TEXT_IMAGE, {**_CONDITIONING, **QUALITY}),
    RemoveBackground: TaskLimits({"image": BACKGROUND_PICTURE}),
}
