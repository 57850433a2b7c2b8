"""The limits of SDXL 1.0 on Amazon Bedrock."""

from __future__ import annotations

import datetime

from limner import Generate, Inpaint, Lifecycle, Outpaint, Vary
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
    Integer,
    JsonObject,
    Limits,
    MaskPicture,
    NegativeText,
    Picture,
    Pictures,
    PromptText,
    Real,
    Seed,
    Sizes,
    TaskLimits,
)

_GUIDE = "Amazon Bedrock User Guide, docs.aws.amazon.com/bedrock/latest/userguide"
TEXT_TO_IMAGE = f"{_GUIDE}/model-parameters-diffusion-1-0-text-image.html"
IMAGE_TO_IMAGE = f"{_GUIDE}/model-parameters-diffusion-1-0-image-image.html"
MASKING = f"{_GUIDE}/model-parameters-diffusion-1-0-image-image-mask.html"
STABILITY = "Stability AI REST API v1 specification, December 2023"

LIFECYCLE = Lifecycle(
    legacy_since=datetime.date(2024, 11, 21),
    end_of_life=datetime.date(2025, 5, 20),
    replacement="Stable Image Core, Stable Image Ultra or SD3.5 Large on Amazon Bedrock",
    source="AWS's notices to customers of 2024-11-21, 2025-02-24 and 2025-04-01, quoted by aws-samples/document-translation",
)

# fmt: off
STYLES = (
    "3d-model", "analog-film", "anime", "cinematic", "comic-book", "digital-art", "enhance", "fantasy-art", "isometric",
    "line-art", "low-poly", "modeling-compound", "neon-punk", "origami", "photographic", "pixel-art", "tile-texture",
)
SAMPLERS = (
    "DDIM", "DDPM", "K_DPMPP_2M", "K_DPMPP_2S_ANCESTRAL", "K_DPM_2", "K_DPM_2_ANCESTRAL", "K_EULER", "K_EULER_ANCESTRAL",
    "K_HEUN", "K_LMS",
)
CLIP_GUIDANCE_PRESETS = ("FAST_BLUE", "FAST_GREEN", "NONE", "SIMPLE", "SLOW", "SLOWER", "SLOWEST")
SIZES = (
    (1024, 1024), (1152, 896), (1216, 832), (1344, 768), (1536, 640), (640, 1536), (768, 1344), (832, 1216), (896, 1152),
)
# fmt: on
MASK_WHITE, MASK_BLACK, MASK_ALPHA = "MASK_IMAGE_WHITE", "MASK_IMAGE_BLACK", "INIT_IMAGE_ALPHA"

WEIGHTS = Real(source=f"{TEXT_TO_IMAGE} (no range is given)")
NEEDED_PROMPT = PromptText(2000, weights=WEIGHTS, required=True, source=TEXT_TO_IMAGE)
PROMPT = PromptText(
    2000,
    weights=WEIGHTS,
    source=f"{IMAGE_TO_IMAGE}; {MASKING} (0 to 2000 characters): text_prompts is required, a text may be empty; without "
    "a prompt, one empty text is sent",
)
PAINTED: dict[str, Constraint] = {
    "negative_prompt": NegativeText(2000, several=True, source=f"{TEXT_TO_IMAGE}; each is sent as a text with weight -1"),
    "n": Count(1, source=f"{TEXT_TO_IMAGE}; samples is 1 at least and at most"),
    "seed": Seed(1, 4_294_967_295, source=f"{TEXT_TO_IMAGE}; 0 is documented too, but means a random seed there"),
    "guidance_scale": Real(
        0.0,
        35.0,
        default=7.0,
        source=f"{TEXT_TO_IMAGE}; {STABILITY}; always sent: the guide as a PDF of January 2024 has 0-30 and the default 10",
    ),
    "steps": Integer(
        10,
        50,
        default=30,
        source=f"{IMAGE_TO_IMAGE}; {STABILITY}; always sent: older editions of both allow up to 150 "
        "(10-50 is what all accept), and Stability's default was 50 then",
    ),
}
OPTIONS: dict[str, Constraint] = {
    "style_preset": Choice(STYLES, source=f"{TEXT_TO_IMAGE} (some editions print animé for anime); {STABILITY}"),
    "sampler": Choice(SAMPLERS, source=f"{TEXT_TO_IMAGE} (commas are missing in the list); {STABILITY}"),
    "clip_guidance_preset": Choice(
        CLIP_GUIDANCE_PRESETS, source=f"{TEXT_TO_IMAGE} (SIMPLE SLOW there are two values); {STABILITY}"
    ),
    "extras": JsonObject(source=f"{TEXT_TO_IMAGE}; for experiments, may change without notice"),
}
SCHEDULE: dict[str, Constraint] = {
    name: Real(0.0, 1.0, source=f"{STABILITY}; {IMAGE_TO_IMAGE} names step_schedule_* without a range")
    for name in ("step_schedule_start", "step_schedule_end")
}
MASK_SOURCE: dict[str, Constraint] = {
    "mask_source": Choice(
        (MASK_WHITE, MASK_BLACK, MASK_ALPHA),
        source=f"{MASKING}; by default INIT_IMAGE_ALPHA for the mask 'alpha', else MASK_IMAGE_WHITE",
    )
}
PICTURE = Picture(
    source=f"{IMAGE_TO_IMAGE} (base64). Neither formats nor sizes are documented: PNG is what Stability's samples send, "
    "JPEG is what Stability AI's newer models on Amazon Bedrock also take",
    required=True,
)
MASK = MaskPicture(
    alpha=True,
    source=f"{MASKING}; grey: {STABILITY}. mask_image is always sent: the guide requires it for every mask_source, "
    "Stability only for MASK_IMAGE_*",
)
EXPAND = Expand(
    source=f"{MASKING}; there is no outpainting mode: the canvas is sent as the image, with a mask of the added area. No "
    "maximum is documented; 32,768 per side is limner's own"
)
STRENGTH = Real(
    0.0,
    1.0,
    source=f"{IMAGE_TO_IMAGE} gives image_strength, 1 - strength, without a range; 0-1: {STABILITY} (default 0.35 there)",
)

LIMITS: Limits = {
    Generate: TaskLimits(
        {
            "prompt": NEEDED_PROMPT,
            "size": Sizes(
                SIZES,
                default=(1024, 1024),
                source=f"{TEXT_TO_IMAGE}; {STABILITY}; always sent: no default is given there, and Stability's, 512x512, is "
                "none of the sizes",
            ),
            **PAINTED,
        },
        OPTIONS,
    ),
    Vary: TaskLimits(
        {
            "image": Pictures(PICTURE, source=PICTURE.source, required=True),
            "prompt": PROMPT,
            "strength": STRENGTH,
            **PAINTED,
        },
        {**OPTIONS, **SCHEDULE},
    ),
    Inpaint: TaskLimits({"image": PICTURE, "prompt": PROMPT, "mask": MASK, **PAINTED}, {**OPTIONS, **MASK_SOURCE}),
    Outpaint: TaskLimits(
        {"image": PICTURE, "prompt": PROMPT, "mask": MASK, "expand": EXPAND, **PAINTED}, {**OPTIONS, **MASK_SOURCE}
    ),
}
