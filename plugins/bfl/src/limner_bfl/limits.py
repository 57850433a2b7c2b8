"""What Black Forest Labs' models accept, as data; where documents conflict, what all of them accept."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from limner import Generate, Inpaint, Outpaint, Price, Task, Vary
from limner.limits import (
    Aspects,
    Choice,
    Constraint,
    Count,
    Expand,
    Flag,
    Integer,
    Limits,
    MaskPicture,
    Picture,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    TaskLimits,
    Text,
)

API = "api.bfl.ai/openapi.json of 2026-04-23, as kept in tryAGI/BlackForestLabs (dfc296a)"
SKILL = "black-forest-labs/skills, skills/bfl-api (d0793c8, 2026-02-03)"
DOCS = "docs.bfl.ai"
NEWER = "a third-party copy of the OpenAPI file of 2026-08-13; newer than the one of 2026-04-23"
FLUX3 = "docs.comfy.org, router page of flux-3-image; vercel.com/ai-gateway, flux-3-image"
TOOLS = "generated models of the tools in public clients"

STEP = 16
"""Of outpainting: canvas, offset and picture are multiples of it."""

MANY_PIXELS = 9_000_000
"""Of flux-2-pro's pictures, those that are given and the one that is made, by third parties."""

_COUNT = Count(1, source=f"{API}: one picture per task")
_SEED = Seed(0, 2**31 - 1, source=f"{API}: an integer without a range; limner uses 31 bits")


def _output(source: str, *formats: str) -> Choice:
    return Choice(formats, default="png", source=f"{source}; default png, which limner always sends")


def _safety(most: int, source: str = API) -> Integer:
    return Integer(0, most, source=f"{source}: 0 is strictest, 2 by default")


# ---------------------------------------------------------------------------------------------- FLUX.2

STANDARD_SIZE = (1024, 1024)

_SIZES = (
    f"{API}: sides from 64; conflict on the step: multiples of 16 ({SKILL}), of 32 (ComfyUI), none (notes of BFL's SDK); "
    f"conflict on the largest: 4 MP, 2048x2048, 4,000,000 pixels ({SKILL}). Multiples of 32 up to 2048 satisfy all"
)


def _size(default: tuple[int, int] | None = None) -> SizeRule:
    return SizeRule(64, 2048, multiple_of=32, max_pixels=4_000_000, default=default, source=_SIZES)


_PROMPT = PromptText(32_000, required=True, source=f"{SKILL}: up to 32K tokens; limner counts characters")
_REFERENCE = Picture(required=True, source=f"{API}: base64; formats and sizes are undocumented; PNG and JPEG are safe")


def _flux2(pictures: int, pictures_source: str, more: dict[str, Constraint], options: dict[str, Constraint]) -> Limits:
    shared: dict[str, Constraint] = {"prompt": _PROMPT, "n": _COUNT, "seed": _SEED, **more}
    options = {
        "safety_tolerance": _safety(5),
        "output_format": _output(f"{API}; an older page does not have webp; unsupported", "jpeg", "png"),
        **options,
    }
    images = Pictures(_REFERENCE, max_items=pictures, required=True, source=pictures_source)
    return {
        Generate: TaskLimits({**shared, "size": _size(STANDARD_SIZE)}, options),
        Vary: TaskLimits({"image": images, **shared, "size": _size()}, options),
    }


_EIGHT = f"{API}: input_image to input_image_8; conflict: ComfyUI has a ninth"
_FOUR = f"{API}: input_image to input_image_4; conflict: notes of BFL's SDK have a fifth for klein 9B"
_DISABLE_PUP: dict[str, Constraint] = {
    "disable_pup": Flag(source=f"{NEWER}: the model rewrites the prompt unless this is true")
}
_FLEX: dict[str, Constraint] = {
    "steps": Integer(1, 50, source=API),
    "guidance_scale": Real(1.5, 10.0, source=f"{API}: guidance"),
}
_UPSAMPLING: dict[str, Constraint] = {"prompt_upsampling": Flag(source=f"{API}: rewrites the prompt, true by default")}

LIMITS_PRO = _flux2(8, _EIGHT, {}, _DISABLE_PUP)
LIMITS_FLEX = _flux2(8, _EIGHT, _FLEX, _UPSAMPLING)
LIMITS_KLEIN = _flux2(4, _FOUR, {}, {})

# ---------------------------------------------------------------------------------------------- FLUX 3 Image

_RATIOS = "21:9 2:1 16:9 3:2 7:5 4:3 5:4 1:1 4:5 3:4 5:7 2:3 9:16 1:2 9:21"
_ASPECTS = Aspects(
    [(int(width), int(height)) for width, height in (ratio.split(":") for ratio in _RATIOS.split())],
    source=f"{FLUX3}: aspect_ratio; default auto",
)
_PROMPT_3 = PromptText(15_000, required=True, source=f"{FLUX3}: 1 to 15,000 characters")
_REFERENCES_3 = Pictures(
    Picture(
        max_bytes=15_000_000,
        size=SizeRule(256, 16_384, max_aspect=64, max_pixels=16_000_000, source=FLUX3),
        required=True,
        source=f"{FLUX3}: at least 256x256, at most 16 MP and 64:1, base64 of at most 20 MB",
    ),
    max_items=10,
    required=True,
    source=f"{FLUX3}: 1 to 10; they are shrunk to the nearest class, 2k at most",
)
_OPTIONS_3: dict[str, Constraint] = {
    "resolution": Choice(
        ("768sq", "1k", "1.5k", "2k", "4k"),
        default="1k",
        source=f"{FLUX3}: 1k by default; about 0.6, 1, 2.4, 4.2 and 16.8 MP",
    ),
    "safety_tolerance": _safety(4, FLUX3),
    "grounding": Flag(source=f"{FLUX3}: searches the web before painting, true by default"),
    "version": Text(100, source=f"{FLUX3}: latest by default; the length is undocumented"),
}
_SHARED_3: dict[str, Constraint] = {"prompt": _PROMPT_3, "n": _COUNT, "size": _ASPECTS}
LIMITS_3: Limits = {
    Generate: TaskLimits(_SHARED_3, _OPTIONS_3),
    Vary: TaskLimits({"image": _REFERENCES_3, **_SHARED_3}, _OPTIONS_3),
}

# ---------------------------------------------------------------------------------------------- FLUX.1

_PROMPT_1 = PromptText(32_000, required=True, source=f"{API}: length undocumented, as for FLUX.2")
_OPTIONS_1: dict[str, Constraint] = {
    "safety_tolerance": _safety(6),
    "output_format": _output(API, "jpeg", "png"),
    "prompt_upsampling": Flag(source=f"{API}: false by default"),
}
_SHARED_1: dict[str, Constraint] = {"prompt": _PROMPT_1, "n": _COUNT, "seed": _SEED}
_SIZE_1 = SizeRule(256, 1440, multiple_of=32, default=(1024, 768), source=f"{API}: 256 to 1440, multiples of 32")
LIMITS_11: Limits = {Generate: TaskLimits({**_SHARED_1, "size": _SIZE_1}, _OPTIONS_1)}
LIMITS_DEV: Limits = {
    Generate: TaskLimits(
        {
            **_SHARED_1,
            "size": _SIZE_1,
            "steps": Integer(1, 50, source=f"{API}: 28 by default"),
            "guidance_scale": Real(1.5, 5.0, source=f"{API}: guidance, 3 by default"),
        },
        _OPTIONS_1,
    )
}


def _ratios(default: str) -> Aspects:
    said = f"{API}: aspect_ratio from 21:9 to 9:21, {default}; limner offers those that FLUX 3 lists"
    return Aspects(_ASPECTS.allowed, source=said)


LIMITS_ULTRA: Limits = {
    Generate: TaskLimits(
        {**_SHARED_1, "size": _ratios("16:9 by default")},
        {**_OPTIONS_1, "raw": Flag(source=f"{API}: less processed pictures, false by default")},
    )
}
_KONTEXT: dict[str, Constraint] = {**_SHARED_1, "size": _ratios("like the picture unless said")}
_TOLERANT = f"{API}: 0 to 6; pages of {DOCS} have 2 as the most with a picture, which is taken here; 0 is strictest"
LIMITS_KONTEXT: Limits = {
    Generate: TaskLimits(_KONTEXT, _OPTIONS_1),
    Vary: TaskLimits(
        {
            "image": Pictures(
                _REFERENCE, required=True, source=f"{API}: input_image; input_image_2 to _4 are experimental, not offered"
            ),
            **_KONTEXT,
        },
        {**_OPTIONS_1, "safety_tolerance": Integer(0, 2, source=_TOLERANT)},
    ),
}

# ---------------------------------------------------------------------------------------------- edits

_MASK = MaskPicture(
    grey=False, source=f"{DOCS}, flux_1_fill and flux_erase: white is repainted, black kept; of the picture's size"
)
_FILL_SIZES = (
    f"{DOCS} states no sizes for fill; multiples of 32 from 256, as FLUX.1 paints ({API}), within 4,000,000 pixels ({SKILL})"
)
LIMITS_FILL: Limits = {
    Inpaint: TaskLimits(
        {
            "image": Picture(
                alpha=False,
                size=SizeRule(256, 2048, multiple_of=32, max_pixels=4_000_000, source=_FILL_SIZES),
                required=True,
                source=f"{API}: image, in base64; its transparency would be read as a mask",
            ),
            "prompt": PromptText(32_000, source=f"{API}: empty by default; length undocumented, as for FLUX.2"),
            "mask": _MASK,
            "n": _COUNT,
            "seed": _SEED,
            "steps": Integer(15, 50, source=API),
            "guidance_scale": Real(1.5, 100.0, source=f"{API}: guidance"),
        },
        {
            "safety_tolerance": _safety(6),
            "output_format": _output(API, "jpeg", "png"),
            "prompt_upsampling": Flag(source=f"{API}: false by default"),
        },
    )
}

_ERASE_SIZE = SizeRule(
    256,
    2048,
    max_pixels=4_000_000,
    source="ComfyUI: at least 256x256; maximum undocumented, 4 MP as for FLUX.2",
)
LIMITS_ERASE: Limits = {
    Inpaint: TaskLimits(
        {
            "image": Picture(alpha=False, size=_ERASE_SIZE, required=True, source=f"{TOOLS}: image, in base64"),
            "mask": _MASK,
            "n": _COUNT,
            "seed": _SEED,
        },
        {
            "dilate_pixels": Integer(0, 25, source=f"{TOOLS}: how far the mask is widened; default 10"),
            "safety_tolerance": _safety(5, TOOLS),
            "output_format": _output(TOOLS, "jpeg", "png"),
        },
    )
}

_EXPAND_SIZES = f"{DOCS} states no sizes for expand; those of fill, for the picture and for what it becomes"
LIMITS_EXPAND: Limits = {
    Outpaint: TaskLimits(
        {
            "image": Picture(
                alpha=False,
                size=SizeRule(256, 2048, multiple_of=32, max_pixels=4_000_000, source=_EXPAND_SIZES),
                required=True,
                source=f"{API}: image, in base64",
            ),
            "prompt": PromptText(32_000, source=f"{API}: empty by default; length undocumented, as for FLUX.2"),
            "expand": Expand(
                2048,
                canvas=SizeRule(256, 6144, max_pixels=4_000_000, source=_EXPAND_SIZES),
                source=f"{API}: top, bottom, left and right, 0 to 2048 each",
            ),
            "n": _COUNT,
            "seed": _SEED,
            "steps": Integer(15, 50, source=API),
            "guidance_scale": Real(1.5, 100.0, source=f"{API}: guidance"),
        },
        {
            "safety_tolerance": _safety(6),
            "output_format": _output(API, "jpeg", "png"),
            "prompt_upsampling": Flag(source=f"{API}: false by default"),
        },
    )
}

OUTPAINT = f"{DOCS}, flux_outpainting"
_OUTPAINT_SIZES = (
    f"{OUTPAINT}: sides from 64, at most 4,194,304 pixels; by a live third-party report anything but multiples of 16 gives "
    "a solid canvas"
)
_CANVAS = SizeRule(64, 32_768, multiple_of=STEP, max_pixels=4_194_304, source=_OUTPAINT_SIZES)
LIMITS_OUTPAINT: Limits = {
    Outpaint: TaskLimits(
        {
            "image": Picture(alpha=False, size=_CANVAS, required=True, source=f"{OUTPAINT}: input_image, in base64"),
            "prompt": PromptText(32_000, source=f"{OUTPAINT}: experimental; length undocumented, as for FLUX.2"),
            "expand": Expand(32_768, canvas=_CANVAS, source=f"{OUTPAINT}: width, height and reference_offset"),
            "n": _COUNT,
        },
        {"safety_tolerance": _safety(5, OUTPAINT), "output_format": _output(OUTPAINT, "jpeg", "png")},
    )
}

# ---------------------------------------------------------------------------------------------- prices

Prices = Mapping[type[Task], tuple[Price, ...]]

_READ = datetime.date(2026, 11, 21)


def _price(amount: str) -> tuple[Price, ...]:
    said = f"{SKILL}: for the first megapixel, taken as 1024x1024 (the outpainting page counts 4 MP as 4,194,304 pixels)"
    return (Price(amount, when={"size": STANDARD_SIZE}, as_of=datetime.date(2026, 2, 3), source=said),)


PRICES_KLEIN_4B: Prices = {Generate: _price("0.014")}
PRICES_KLEIN_9B: Prices = {Generate: _price("0.015")}
PRICES_PRO: Prices = {Generate: _price("0.03")}
PRICES_MAX: Prices = {Generate: _price("0.07")}
PRICES_3: Prices = {
    Generate: (
        Price(
            "0.048",
            when={"options.resolution": "1k"},
            as_of=_READ,
            source="black-forest-labs/skills, skills/bfl-api, and vercel.com/ai-gateway: flux-3-image at 1k",
        ),
    )
}
