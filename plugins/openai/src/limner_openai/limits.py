"""What OpenAI's image models accept, as data; where documents conflict, what all of them accept.

P1 is the reference in the types of OpenAI's own Python client, which are generated from its specification.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from limner import Generate, Inpaint, Lifecycle, Outpaint, Price, RemoveBackground, Task, Vary
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
    Integer,
    Limits,
    MaskPicture,
    Picture,
    Pictures,
    PromptText,
    SizeRule,
    Sizes,
    TaskLimits,
)

P1 = "openai 3.54.0 on PyPI, types/image_generate_params.py and image_edit_params.py (generated from OpenAI's specification)"
GUIDE = "developers.openai.com/api/docs/guides/image-generation (edition of gpt-image-2)"
DEPRECATIONS = "developers.openai.com/api/docs/deprecations"

STANDARD_SIZE = (1024, 1024)
EXPERIMENTAL_PIXELS = 2560 * 1440
"""A picture with more is experimental (P1)."""

_FREE = f"{P1}: both sides multiples of 16, ratio 1:3 to 3:1, at most 3840x2160; {GUIDE}: 655,360 to 8,294,400 pixels"
_FREE_26 = f"{_FREE}; it does not name gpt-image-2.6; third-party pages state the same for it"


def _rule(source: str, *, default: tuple[int, int] | None = None) -> SizeRule:
    return SizeRule(
        16,
        3840,
        multiple_of=16,
        max_aspect=3,
        min_pixels=655_360,
        max_pixels=8_294_400,
        default=default,
        source=source,
    )


SIZE = _rule(_FREE)
_FIXED = ((1024, 1024), (1536, 1024), (1024, 1536))

_PROMPT_SOURCE = f"{P1}: up to 32,000 characters; the specification asks for at least 1"
PROMPT = PromptText(32_000, required=True, source=_PROMPT_SOURCE)
COUNT = Count(10, source=f"{P1}: 1 to 10")

_MAX_BYTES = 49_999_999
_FILES = f"{P1}: PNG, WebP or JPEG, less than 50 MB"
_REFERENCE = Picture(formats=("image/png", "image/jpeg", "image/webp"), max_bytes=_MAX_BYTES, required=True, source=_FILES)
_REFERENCES = Pictures(_REFERENCE, max_items=16, required=True, source=f"{P1}: up to 16; each: {_FILES}")
MASK = MaskPicture(
    grey=False,
    source=f"{P1}: fully transparent areas are edited, a PNG of less than 4 MB with the picture's size; conflict: {GUIDE} "
    "says 50 MB and the picture's format. A PNG picture and a PNG mask satisfy both",
)
OWN_SIZE = f"{P1}: any size; limner requests that of the picture, so that kept pixels can be restored"

_QUALITIES = ("low", "medium", "high", "auto")
_WIDE_QUALITIES = ("low", "medium", "high", "xhigh", "max", "auto")
_QUALITY_25 = f"{P1}: xhigh and max on 2.5"


def _quality(values: tuple[str, ...], source: str = P1) -> dict[str, Constraint]:
    return {"quality": Choice(values, source=source)}


_BACKGROUND = Choice(
    ("transparent", "opaque", "auto"), source=f"{P1}; transparent needs png or webp, and is a preview on gpt-image-2"
)
_OUTPUT: dict[str, Constraint] = {
    "background": _BACKGROUND,
    "output_format": Choice(("png", "jpeg", "webp"), source=f"{P1}; gif and svg require special access and are unsupported"),
    "output_compression": Integer(0, 100, source=f"{P1}; jpeg and webp only"),
}
_MODERATION: dict[str, Constraint] = {"moderation": Choice(("low", "auto"), source=f"{P1}; generations only")}
_COMPLEXITY: dict[str, Constraint] = {"complexity": Choice(("low", "medium", "high"), source=f"{P1}; gpt-image-2.6")}
_FIDELITY: dict[str, Constraint] = {
    "input_fidelity": Choice(("high", "low"), source=f"{P1}: gpt-image-1.5 takes both, gpt-image-1-mini low only")
}


def _limits(quality: dict[str, Constraint], source: str, more: dict[str, Constraint] | None = None) -> Limits:
    options = {**quality, **_OUTPUT, **(more or {})}
    rule = _rule(source)
    picture = Picture(
        formats=("image/png",),
        max_bytes=_MAX_BYTES,
        size=rule,
        modes=("RGB", "RGBA"),
        required=True,
        source=f"{_FILES}; a PNG, because the mask is one; limner requests its size: {source}",
    )
    edit: dict[str, Constraint] = {"image": picture, "prompt": PROMPT, "mask": MASK, "n": COUNT}
    expand = Expand(3840, canvas=rule, source=f"the canvas is a transparent picture of the requested size: {source}")
    return {
        Generate: TaskLimits(
            {"prompt": PROMPT, "n": COUNT, "size": _rule(source, default=STANDARD_SIZE)}, {**options, **_MODERATION}
        ),
        Vary: TaskLimits({"image": _REFERENCES, "prompt": PROMPT, "n": COUNT, "size": rule}, options),
        Inpaint: TaskLimits(edit, options, OWN_SIZE),
        Outpaint: TaskLimits({**edit, "expand": expand}, options, OWN_SIZE),
        RemoveBackground: TaskLimits({"image": _REFERENCE}, quality),
    }


def _dying(quality: dict[str, Constraint], more: dict[str, Constraint]) -> Limits:
    """Of models with three sizes: without edits by mask, since few pictures have one of them."""
    options = {**quality, **_OUTPUT}
    size = Sizes(_FIXED, source=P1)
    return {
        Generate: TaskLimits(
            {"prompt": PROMPT, "n": COUNT, "size": Sizes(_FIXED, default=STANDARD_SIZE, source=P1)},
            {**options, **_MODERATION},
        ),
        Vary: TaskLimits({"image": _REFERENCES, "prompt": PROMPT, "n": COUNT, "size": size}, {**options, **more}),
    }


LIMITS_2 = _limits(_quality(_QUALITIES), _FREE)
LIMITS_25 = _limits(_quality(_WIDE_QUALITIES, _QUALITY_25), _FREE)
LIMITS_26 = _limits(_quality(_WIDE_QUALITIES, f"{_QUALITY_25}; third-party pages agree for 2.6"), _FREE_26, _COMPLEXITY)
LIMITS_15 = _dying(_quality(_QUALITIES), _FIDELITY)
LIMITS_MINI = _dying(_quality(_QUALITIES), {})

DYING = Lifecycle(
    legacy_since=datetime.date(2026, 6, 2),
    end_of_life=datetime.date(2026, 12, 1),
    replacement="gpt-image-2.5-sunburst or gpt-image-2.5-flare",
    source=f"{DEPRECATIONS}: announced on 2026-06-02 (then with gpt-image-2 as the replacement), shut down on 2026-12-01",
)

PRICES_2: Mapping[type[Task], tuple[Price, ...]] = {
    Generate: tuple(
        Price(
            amount,
            when={"size": STANDARD_SIZE, "options.quality": quality},
            as_of=datetime.date(2026, 11, 21),
            source=f"{GUIDE}: gpt-image-2, 1024x1024; the prompt's tokens are billed in addition",
        )
        for quality, amount in (("low", "0.006"), ("medium", "0.053"), ("high", "0.211"))
    )
}
"""Of gpt-image-2 by size and quality; prices by token, and those of 2.5 and 2.6, were found in no document of OpenAI."""
