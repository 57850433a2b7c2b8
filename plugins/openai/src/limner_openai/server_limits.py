"""What servers of OpenAI's Images API have in common, for their tables of limits."""

from __future__ import annotations

from collections.abc import Mapping

from limner import Generate, Inpaint, Outpaint, Vary
from limner.limits import (
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
)

BOTH_WAYS = "the meaning of the mask's colours is undocumented; the mask is valid for both readings"
_STEPS = 1000
UNDOCUMENTED = "the range is undocumented; this one is limner's"


def size_rule(source: str, default: tuple[int, int] | None = (1024, 1024)) -> SizeRule:
    """Any size that limner allows, since no server documents a range."""
    said = f"{source}; WIDTHxHEIGHT, {UNDOCUMENTED}; default 1024x1024, so that servers' defaults do not matter"
    return SizeRule(64, 4096, default=default, source=said if default else f"{source}; {UNDOCUMENTED}")


def prompt(source: str) -> PromptText:
    """A prompt of any length."""
    return PromptText(required=True, source=f"{source}; no length is documented")


def picture(source: str, *, masked: bool = False) -> Picture:
    """PNG and JPEG are what every server reads; RGB, since some drop greyscale in silence."""
    formats = ("image/png",) if masked else ("image/png", "image/jpeg")
    return Picture(
        formats=formats,
        size=size_rule(source, None) if masked else None,
        modes=("RGB", "RGBA"),
        required=True,
        source=f"{source}; formats are undocumented; every server reads PNG and JPEG in RGB",
    )


def seeded(source: str, most: int = 2**31 - 1) -> dict[str, Constraint]:
    """The parameters of a server that takes a seed."""
    return {
        "seed": Seed(0, most, source=f"{source}; the range is undocumented; every server accepts 31 bits"),
        "steps": Integer(1, _STEPS, source=f"{source}; {UNDOCUMENTED}"),
        "negative_prompt": NegativeText(source=source),
    }


def guided(source: str) -> dict[str, Constraint]:
    """The parameters of a server that takes a seed and a guidance scale."""
    return {**seeded(source), "guidance_scale": Real(0.0, 20.0, source=f"{source}: typically 0 to 20")}


def edits(
    source: str, shared: Mapping[str, Constraint], n: Count, options: Mapping[str, Constraint], *, mask: str, items: int = 16
) -> Limits:
    """The limits of variations and edits; ``mask`` is the source's note on the colours of masks."""
    masked, text = picture(source, masked=True), prompt(source)
    edit: dict[str, Constraint] = {
        "image": masked,
        "prompt": text,
        "mask": MaskPicture(grey=False, source=f"{source}: {mask}"),
        "n": n,
        **{name: limit for name, limit in shared.items() if name != "strength"},
    }
    border = Expand(4096, canvas=size_rule(source, None), source=source)
    own_size = f"{source}; limner requests the size of the picture, so that kept pixels can be restored"
    images = Pictures(picture(source), max_items=items, required=True, source=source)
    return {
        Vary: TaskLimits({"image": images, "prompt": text, "n": n, "size": size_rule(source, None), **shared}, options),
        Inpaint: TaskLimits(edit, options, own_size),
        Outpaint: TaskLimits({**edit, "expand": border}, options, own_size),
    }


def generate(
    source: str,
    shared: Mapping[str, Constraint],
    n: Count,
    options: Mapping[str, Constraint] | None = None,
    *,
    size: bool = True,
) -> Limits:
    """The limits of generations."""
    sized: dict[str, Constraint] = {"size": size_rule(source)} if size else {}
    return {Generate: TaskLimits({"prompt": prompt(source), "n": n, **sized, **shared}, options or {})}
