"""The limits of every task, as data."""

from __future__ import annotations

import datetime

from limner import Generate, Inpaint, Outpaint, Price, RemoveBackground, Upscale, Vary
from limner.limits import (
    Count,
    Expand,
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
)

SOURCE = "limner-sketch, README"

PROMPT = PromptText(10_000, source=SOURCE)
REQUIRED_PROMPT = PromptText(10_000, source=SOURCE, required=True)
SIZE = SizeRule(64, 2048, source=SOURCE)
PICTURE = Picture(("image/png", "image/jpeg", "image/webp"), size=SIZE, source=SOURCE, required=True)
MASK = MaskPicture(source=SOURCE)
SHARED = {
    "seed": Seed(0, 2**32 - 1, source=SOURCE),
    "n": Count(4, source=SOURCE),
    "negative_prompt": NegativeText(10_000, several=True, source=SOURCE),
}

LIMITS: Limits = {
    Generate: TaskLimits(
        {
            "prompt": REQUIRED_PROMPT,
            "size": SizeRule(64, 2048, default=(1024, 1024), source=SOURCE),
            **SHARED,
        }
    ),
    Vary: TaskLimits(
        {
            "image": Pictures(PICTURE, source=SOURCE, required=True),
            "prompt": PROMPT,
            "strength": Real(0.0, 1.0, default=0.5, source=SOURCE),
            "size": SIZE,
            **SHARED,
        }
    ),
    Inpaint: TaskLimits({"image": PICTURE, "prompt": PROMPT, "mask": MASK, **SHARED}),
    Outpaint: TaskLimits(
        {
            "image": PICTURE,
            "prompt": PROMPT,
            "expand": Expand(2048, canvas=SIZE, source=SOURCE),
            "mask": MASK,
            **SHARED,
        }
    ),
    RemoveBackground: TaskLimits({"image": PICTURE}),
    Upscale: TaskLimits({"image": PICTURE, "size": SIZE}),
}

PRICES = {task: (Price(0, as_of=datetime.date(2026, 11, 21), source=SOURCE),) for task in LIMITS}
"""It paints on this machine, and nobody charges for that."""
