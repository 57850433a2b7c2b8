"""What is true of every model: the limits that a task keeps before any model is asked."""

from __future__ import annotations

from collections.abc import Mapping

from limner.limits.base import Constraint
from limner.limits.choices import Flag
from limner.limits.numbers import Count, Integer, Real
from limner.limits.pictures import Expand
from limner.limits.sizes import LARGEST_SIDE, SizeRule
from limner.limits.texts import NegativeText, PromptText, Words

_OWN = ""  # limner's own rule, which needs no provider's document

UNIVERSAL: Mapping[str, Constraint] = {
    "prompt": PromptText(weights=Real(source=_OWN), source=_OWN),
    "negative_prompt": NegativeText(several=True, source=_OWN),
    "mask_prompt": Words(source=_OWN),
    "keep_prompt": Words(source=_OWN),
    "n": Count(source=_OWN),
    "seed": Integer(0, (1 << 64) - 1, source=_OWN),
    "steps": Integer(1, (1 << 31) - 1, source=_OWN),
    "size": SizeRule(max_side=LARGEST_SIDE, max_pixels=LARGEST_SIDE**2, source=_OWN),
    "expand": Expand(max_side=LARGEST_SIDE, source=_OWN),
    "guidance_scale": Real(source=_OWN),
    "strength": Real(0.0, 1.0, source=_OWN),
    "preserve": Flag(source=_OWN),
}
"""The limit of every uniform parameter but pictures and masks, which are checked as they are read."""
