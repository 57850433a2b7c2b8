"""The limits of Stability AI's models on Amazon Bedrock."""

from __future__ import annotations

import attrs
from limner import Generate, Inpaint, Outpaint, RemoveBackground, Upscale, Vary
from limner.limits import (
    Aspects,
    Choice,
    Constraint,
    Count,
    Expand,
    Integer,
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
    Words,
)

GUIDE = "Amazon Bedrock User Guide"
SD35 = f"{GUIDE}, 'Stability.ai Stable Diffusion 3.5 Large'"
SD3 = f"{GUIDE}, 'Stability.ai Stable Diffusion 3'"
CORE = f"{GUIDE}, 'Stable Image Core request and response'"
ULTRA = f"{GUIDE}, 'Stable Image Ultra request and response'"
SERVICES = f"{GUIDE}, 'Stability AI Image Services'"
NO_MAXIMUM = "no maximum is documented; 32,768 is limner's own"

RATIOS = ((1, 1), (16, 9), (21, 9), (2, 3), (3, 2), (4, 5), (5, 4), (9, 16), (9, 21))
STYLES = (
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
)
FORMATS = ("image/png", "image/jpeg", "image/webp")
LONGEST_PROMPT = 10_000
MOST_PIXELS = 9_437_184
LONGEST_SIDE = 4857  # follows from the most pixels and the ratio of 2.5
LARGEST_SEED, LARGEST_SEED_OF_SERVICES = 4_294_967_295, 4_294_967_294
MOST_SIDE_PIXELS = 2000

Parameters = dict[str, Constraint]


# ---------------------------------------------------------------------------------------------- generation models


def seed(source: str, largest: int) -> Seed:
    """Return the documented seeds without 0, the default, which means a random seed."""
    random = "" if source == SERVICES else f" (as {SERVICES} has it; this page calls 0 the default and says no more)"
    return Seed(1, largest, source=f"{source}: 0 to {largest}; 0 is not a seed there but draws one{random}")


def aspects(source: str) -> Aspects:
    """Aspect ratios instead of sizes; always sent rather than left to the provider's default."""
    return Aspects(RATIOS, default=(1, 1), source=f"{source}: aspect_ratio; there are no sizes in pixels")


def prompt_parameters(source: str, largest_seed: int, *, weights: bool = False) -> Parameters:
    """Return the parameters of everything that takes a prompt."""
    weight = Real(0, 2, source=f"{source}: (word:weight)") if weights else None
    return {
        "prompt": PromptText(LONGEST_PROMPT, weights=weight, required=True, source=source),
        "negative_prompt": NegativeText(LONGEST_PROMPT, source=source),
        "seed": seed(source, largest_seed),
        "n": Count(1, source=f"{source}: no key for a number; one picture per call"),
    }


def output_format(source: str, formats: tuple[str, ...] = ("jpeg", "png", "webp")) -> Choice:
    """The picture's file format."""
    return Choice(formats, source=source)


TWO_FORMATS = ("jpeg", "png")
UPPER = "formats are written in upper case there, in lower case on the pages of the others and by AWS's samples"

CORE_LIMITS: Limits = {
    Generate: TaskLimits(
        {**prompt_parameters(CORE, LARGEST_SEED), "size": aspects(CORE)},
        {"output_format": output_format(f"{CORE}: {UPPER}", TWO_FORMATS)},
    )
}


def diffusion(source: str, largest_seed: int, picture: Picture, strength: Real, output: Choice) -> Limits:
    """Return the limits of a model that takes a prompt, with or without an image."""
    parameters = prompt_parameters(source, largest_seed)
    return {
        Generate: TaskLimits({**parameters, "size": aspects(source)}, {"output_format": output}),
        Vary: TaskLimits(
            {
                **parameters,
                "image": Pictures(picture, required=True, source=picture.source),
                "strength": strength,
            },
            {"output_format": output},
        ),
    }


SD35_INPUT = SizeRule(64, source=f"{SD35}: each side at least 64; {NO_MAXIMUM}")
SD3_INPUT = SizeRule(640, 1536, source=f"{SD3}: sides of 640 to 1536")

SD35_LIMITS = diffusion(
    SD35,
    LARGEST_SEED_OF_SERVICES,
    Picture(FORMATS, size=SD35_INPUT, source=SD35_INPUT.source),
    Real(0, 1, default=0.7, source=f"{SD35}: required, without a default; 0.7 is the value of its sample"),
    output_format(SD35),
)
SD3_LIMITS = diffusion(
    SD3,
    LARGEST_SEED,
    Picture(FORMATS, size=SD3_INPUT, source=SD3_INPUT.source),
    Real(0, 1, default=0.75, source=f"{SD3}: required, without a default; 0.75 is the value of its sample"),
    output_format(SD3, TWO_FORMATS),
)
ULTRA_LIMITS = diffusion(
    ULTRA,
    LARGEST_SEED,
    Picture(
        FORMATS,
        source=f"{ULTRA}: JPEG, PNG, WebP, no size is given; an older list of models gives Ultra words as its only "
        "input, so whether it takes pictures at all is open",
    ),
    Real(0, 1, default=0.35, source=ULTRA),
    output_format(f"{ULTRA}: {UPPER}", TWO_FORMATS),
)


# ---------------------------------------------------------------------------------------------- image services

PAINTED = prompt_parameters(SERVICES, LARGEST_SEED_OF_SERVICES, weights=True)
UNGUIDED = {name: limit for name, limit in PAINTED.items() if name in {"seed", "n"}}
INPUT = SizeRule(
    64,
    LONGEST_SIDE,
    max_aspect=2.5,
    max_pixels=MOST_PIXELS,
    source=f"{SERVICES}: the longest side follows from the ratio and the most pixels",
)
IMAGE = Picture(FORMATS, size=INPUT, required=True, source=INPUT.source)
WEIGHTS = Real(0, 2, source=f"{SERVICES}: (word:weight)")
OPTIONAL_PROMPT = PromptText(LONGEST_PROMPT, weights=WEIGHTS, source=SERVICES)
FREE_PROMPT = PromptText(weights=WEIGHTS, source=f"{SERVICES}, style transfer: no length is given")
FOUND = Words(
    LONGEST_PROMPT,
    required=True,
    source=f"{SERVICES}: at most 10,000 characters; at least one is not documented, but an empty text selects nothing",
)
MASK = MaskPicture(
    alpha=True,
    source=f"{SERVICES}: black and white, white changes and black stays, grey is in between; without a mask, what is "
    "transparent changes",
)

OUTPUT: Parameters = {"output_format": output_format(SERVICES)}
STYLED: Parameters = {"style_preset": Choice(STYLES, source=SERVICES), **OUTPUT}
GROW = Integer(
    0,
    20,
    default=0,
    source=f"{SERVICES}: 5 by default, and what it adds is blurred; 0 is sent, since what grows beyond the mask would "
    "not be preserved",
)
GROW_FOUND = Integer(0, 20, source=f"{SERVICES}: 5 by default")
CONTROLLED: Parameters = {"control_strength": Real(0, 1, source=f"{SERVICES}: 0.7 by default"), **STYLED}


def guided(option: str, more: Parameters, extra: Parameters | None = None) -> Limits:
    """Return the limits of a service that takes a prompt and a guiding image, which is an option."""
    return {Generate: TaskLimits({**PAINTED, **(extra or {})}, {option: IMAGE, **more})}


SKETCH_LIMITS = guided("sketch_image", CONTROLLED)
STRUCTURE_LIMITS = guided("structure_image", CONTROLLED)
STYLE_GUIDE_LIMITS = guided(
    "style_image", {"fidelity": Real(0, 1, source=f"{SERVICES}: 0.5 by default"), **STYLED}, {"size": aspects(SERVICES)}
)
STYLE_TRANSFER_LIMITS: Limits = {
    Vary: TaskLimits(
        {**PAINTED, "prompt": FREE_PROMPT, "image": Pictures(IMAGE, required=True, source=IMAGE.source)},
        {
            "style_image": IMAGE,
            "composition_fidelity": Real(0, 1, source=f"{SERVICES}: 0.9 by default"),
            "style_strength": Real(0, 1, source=f"{SERVICES}: 1 by default"),
            "change_strength": Real(0.1, 1, source=f"{SERVICES}: 0.9 by default"),
            **OUTPUT,
        },
    )
}
INPAINT_LIMITS: Limits = {Inpaint: TaskLimits({**PAINTED, "image": IMAGE, "mask": MASK}, {"grow_mask": GROW, **STYLED})}
ERASE_LIMITS: Limits = {Inpaint: TaskLimits({**UNGUIDED, "image": IMAGE, "mask": MASK}, {"grow_mask": GROW, **OUTPUT})}
SEARCH_LIMITS: Limits = {
    Inpaint: TaskLimits({**PAINTED, "image": IMAGE, "mask_prompt": FOUND}, {"grow_mask": GROW_FOUND, **STYLED})
}
OUTPAINT_LIMITS: Limits = {
    Outpaint: TaskLimits(
        {
            **UNGUIDED,
            "prompt": OPTIONAL_PROMPT,
            "image": IMAGE,
            "expand": Expand(MOST_SIDE_PIXELS, source=SERVICES),
            "mask": MaskPicture(
                grey=False, source=f"{SERVICES}: pixels on each side; a mask that keeps one rectangle says the same"
            ),
        },
        {"creativity": Real(0.1, 1, source=f"{SERVICES}: 0.5 by default"), **STYLED},
    )
}
BACKGROUND_LIMITS: Limits = {RemoveBackground: TaskLimits({"image": IMAGE}, OUTPUT)}


def upscaled(image: SizeRule, creativity: str, more: Parameters) -> Limits:
    """Return the limits of an upscaler that takes a prompt."""
    parameters = {name: limit for name, limit in PAINTED.items() if name != "n"}
    picture = Picture(FORMATS, size=image, required=True, source=image.source)
    return {
        Upscale: TaskLimits(
            {**parameters, "image": picture},
            {"creativity": Real(0.1, 0.5, source=f"{SERVICES}: {creativity}"), **more},
        )
    }


CREATIVE_INPUT = SizeRule(
    64,
    16_384,
    min_pixels=4096,
    max_pixels=1_048_576,
    source=f"{SERVICES}, creative upscale: no ratio is given; the longest side follows from the shortest and the pixels",
)
CONSERVATIVE_INPUT = attrs.evolve(
    INPUT,
    source=f"{SERVICES}, conservative upscale: the list of parameters; conflict: the text above it says 64x64 to "
    "1 megapixel. The longest side follows from the ratio and the most pixels",
)
FAST_INPUT = SizeRule(32, 1536, min_pixels=1024, max_pixels=1_048_576, source=f"{SERVICES}, fast upscale: no ratio is given")
FAST_OUTPUT = output_format(
    f"{SERVICES}, fast upscale: labelled as required, and missing in the sample; so it is always sent"
)

FAST_LIMITS: Limits = {
    Upscale: TaskLimits(
        {"image": Picture(FORMATS, size=FAST_INPUT, required=True, source=FAST_INPUT.source)},
        {"output_format": attrs.evolve(FAST_OUTPUT, default="png")},
    )
}
CONSERVATIVE_LIMITS = upscaled(
    CONSERVATIVE_INPUT, "0.35 by default; the changelog of a public client says that the service refuses it", OUTPUT
)
CREATIVE_LIMITS = upscaled(CREATIVE_INPUT, "0.3 by default", STYLED)
