"""The limits of Amazon Nova Canvas on Amazon Bedrock. Where documents conflict, what all of them accept."""

from __future__ import annotations

import datetime

from limner import Generate, Inpaint, Lifecycle, Outpaint, RemoveBackground, Vary
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
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
    TaskLimits,
    Text,
    Words,
)

from limner_bedrock_titan.limits import DEFAULT, PRECISE

_GUIDE = "Amazon Nova User Guide, docs.aws.amazon.com/nova/latest/userguide"
PARAMETERS = f"{_GUIDE}/image-gen-req-resp-structure.html"
ACCESS = f"{_GUIDE}/image-gen-access.html"
OVERVIEW = f"{_GUIDE}/image-generation.html"

LIFECYCLE = Lifecycle(
    legacy_since=datetime.date(2026, 3, 30),
    end_of_life=datetime.date(2026, 9, 30),
    replacement="Stable Image Core, Stable Image Ultra or SD3.5 Large on Amazon Bedrock",
    source='Amazon Bedrock User Guide, "Model lifecycle" (edition of October 2026)',
)

STANDARD_SIZE = (1024, 1024)
SHORTEST, LONGEST = 320, 4096
MOST_PIXELS = 4_194_304
MAX_ASPECT = 4

_PIXELS = (
    f"{OVERVIEW} names 2048x2048, which has 4,194,304 pixels, as the largest; conflict: {ACCESS} says fewer than 4,194,304. "
    "The more permissive reading is used; the service decides"
)
_SIDES = f"{ACCESS}: sides of 320 to 4096, a ratio of at most 4:1"
SIZE = SizeRule(
    SHORTEST,
    LONGEST,
    multiple_of=16,
    max_aspect=MAX_ASPECT,
    max_pixels=MOST_PIXELS,
    default=STANDARD_SIZE,
    source=f"{_SIDES}, divisible by 16; pixels: {_PIXELS}",
)
INPUT_SIZE = SizeRule(
    SHORTEST,
    LONGEST,
    max_aspect=MAX_ASPECT,
    max_pixels=MOST_PIXELS,
    source=f"{_SIDES}, not needed to be divisible by 16; pixels: {_PIXELS}",
)
OWN_SIZE = f"{PARAMETERS}: inpainting and outpainting take no size, the result has that of the picture"

_TEXT = f"{PARAMETERS}; conflict: by public notes the service card gives 1,024 to text and negative text together"
_LABELLED = f"{_TEXT}; conflict: labelled required, yet leaving it out is described"
PROMPT = PromptText(1024, required=True, source=_TEXT)
EDIT_PROMPT = PromptText(1024, required=True, source=_LABELLED)
VARY_PROMPT = PromptText(
    1024, required=True, source=f"{_TEXT}; conflict: required here, optional in {ACCESS} and {OVERVIEW}"
)

CONFIG: dict[str, Constraint] = {
    "negative_prompt": NegativeText(1024, source=_TEXT),
    "n": Count(5, source=PARAMETERS),
    "seed": Seed(
        0,
        2_147_483_646,
        source=f"{PARAMETERS}; its early editions and AWS's SDK samples for Nova Canvas go to 858,993,459",
    ),
    "guidance_scale": Real(1.1, 10.0, default=6.5, source=PARAMETERS),
}
QUALITIES = ("standard", "premium")
QUALITY: dict[str, Constraint] = {"quality": Choice(QUALITIES, source=PARAMETERS)}

_INPUT = f"{ACCESS}; PNG or JPEG, 8 bits a channel, RGB, no pixel transparent; pixels: {_PIXELS}"
PICTURE = Picture(size=INPUT_SIZE, modes=("RGB",), alpha=False, required=True, source=_INPUT)
OPTIONAL_PICTURE = Picture(size=INPUT_SIZE, modes=("RGB",), alpha=False, source=_INPUT)
MASK = MaskPicture(grey=False, source=f"{ACCESS}; pure black and pure white, the size of the picture")
MASK_PROMPT = Words(source=f"{PARAMETERS}; no length is documented, but an empty text selects nothing")
EXPAND = Expand(
    LONGEST,
    canvas=INPUT_SIZE,
    source=f"{ACCESS}; the canvas is sent as the image, with a mask of the added area; pixels: {_PIXELS}",
)

# fmt: off
STYLES = (
    "3D_ANIMATED_FAMILY_FILM", "DESIGN_SKETCH", "FLAT_VECTOR_ILLUSTRATION", "GRAPHIC_NOVEL_ILLUSTRATION", "MAXIMALISM",
    "MIDCENTURY_RETRO", "PHOTOREALISM", "SOFT_DIGITAL_PAINTING",
)
# fmt: on

LIMITS: Limits = {
    Generate: TaskLimits(
        {"prompt": PROMPT, "size": SIZE, **CONFIG},
        {
            "style": Choice(STYLES, source=f"{PARAMETERS} (not in older editions)"),
            "condition_image": OPTIONAL_PICTURE,
            "control_mode": Choice(("CANNY_EDGE", "SEGMENTATION"), source=PARAMETERS),
            "control_strength": Real(0.0, 1.0, source=PARAMETERS),
            "colors": Items(
                Text(pattern="#[0-9A-Fa-f]{6}", example="#ff8800", source=f"{PARAMETERS}; #RRGGBB"),
                1,
                10,
                source=f"{PARAMETERS} (at most 10); {OVERVIEW} (1 to 10)",
            ),
            "reference_image": OPTIONAL_PICTURE,
            **QUALITY,
        },
    ),
    Vary: TaskLimits(
        {
            "image": Pictures(PICTURE, max_items=5, required=True, source=f"{PARAMETERS}: 1 to 5; each: {_INPUT}"),
            "prompt": VARY_PROMPT,
            "strength": Real(
                0.0, 0.8, source=f"{PARAMETERS}; similarityStrength, 1 - strength, is 0.2 to 1.0; no default is stated"
            ),
            "size": SIZE,
            **CONFIG,
        },
        {
            "quality": Choice(
                QUALITIES,
                source=f"{PARAMETERS} lists it for the configuration that the task takes, and leaves it out of the task's "
                "printed shape; AWS's own samples send it",
            )
        },
    ),
    Inpaint: TaskLimits(
        {"image": PICTURE, "prompt": EDIT_PROMPT, "mask": MASK, "mask_prompt": MASK_PROMPT, **CONFIG}, QUALITY, OWN_SIZE
    ),
    Outpaint: TaskLimits(
        {
            "image": PICTURE,
            "prompt": EDIT_PROMPT,
            "expand": EXPAND,
            "mask": MASK,
            "keep_prompt": MASK_PROMPT,
            **CONFIG,
        },
        {
            "outpainting_mode": Choice((PRECISE, DEFAULT), source=f"{PARAMETERS}; by default determined by preserve"),
            **QUALITY,
        },
        OWN_SIZE,
    ),
    RemoveBackground: TaskLimits({"image": PICTURE}),
}
