"""What Gemini's image models accept, as data; where documents conflict, what all of them accept.

G1 is the reference in the types of Google's own Python client.
"""

from __future__ import annotations

import math
from typing import Any

import attrs
from limner import Generate, Lifecycle, Vary
from limner.limits import (
    Aspects,
    Choice,
    Constraint,
    Count,
    Integer,
    Limits,
    Picture,
    Pictures,
    PromptText,
    Real,
    TaskLimits,
    Words,
)

G1 = "google-genai 3.4.0 on PyPI, types.py"
VERTEX = "docs.cloud.google.com, Vertex AI, tables of image understanding and of gemini-3-pro-image"
TABLE = "third-party capability tables of gemini-nano-banana-2.1 (tanstack/ai ai-gemini 0.36.0, 2026-10-07)"
LITE = "ai.google.dev/gemini-api/docs/models/gemini-3.1-flash-lite-image (June 2026)"

Size = tuple[int, int]

_LARGEST_OF_A_RATIO = 64
"""A size with no longer side, such as (16, 9), is a ratio alone."""

_NEARLY = 0.9
"""Pictures of a class have about the square of its side in pixels: a little less is no reason for a larger class."""


@attrs.frozen(eq=False, repr=False)
class Shape(Aspects):
    """A size that becomes an aspect ratio and a class such as ``2K``; the model chooses the pixels.

    A size whose sides have at most 64 pixels, such as (16, 9), is a ratio alone, and no class is sent.

    Args:
        classes: each with the side of its square in pixels, the smallest first.
    """

    classes: tuple[tuple[str, int], ...] = ()

    def ratio(self, size: Size) -> str:
        """Write the ratio of an allowed size in the provider's words."""
        width, height = self._ratio_of(size)
        return f"{width}:{height}"

    def image_size(self, size: Size) -> str:
        """Return the smallest class with as many pixels as a size, else the largest; empty for a ratio alone."""
        if max(size) <= _LARGEST_OF_A_RATIO:
            return ""
        wanted = math.prod(size) * _NEARLY
        return next((name for name, side in self.classes if side * side >= wanted), self.classes[-1][0])

    def wrong(self, value: Any) -> str | None:
        if super().wrong(value) is None:
            return None
        nearest = self.nearest(value)
        return f"must have {self.describe()}" + (f"; the nearest is {nearest[0]}x{nearest[1]}" if nearest else "")

    def adapted(self, value: Any) -> tuple[Any, str]:
        if self.wrong(value) is not None:
            return value, ""
        size = self._typical(value)
        return size, "" if size == value else "the model takes an aspect ratio and a class"

    def nearest(self, value: Any) -> Any:
        """Find the nearest ratio, with as many pixels as the class has."""
        ratio = super().nearest(value)
        if ratio is None:
            return None
        scale = max(1, round(math.sqrt(math.prod(value) / math.prod(ratio))))
        return self._typical((ratio[0] * scale, ratio[1] * scale))

    def _typical(self, size: Size) -> Size:
        """The one size that stands for all of its ratio and class: of about as many pixels, or the ratio alone."""
        width, height = self._ratio_of(size)
        side = dict(self.classes).get(self.image_size(size))
        scale = 1 if side is None else round(side / math.sqrt(width * height))
        return width * scale, height * scale

    def _ratio_of(self, size: Size) -> Size:
        return next(one for one in self.allowed if size[0] * one[1] == size[1] * one[0])

    def describe(self) -> str:
        return f"{super().describe()}, about those of {', '.join(name for name, _ in self.classes)}"


_TEN = ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 5), (5, 4), (9, 16), (16, 9), (21, 9))
_FOURTEEN = (*_TEN, (1, 4), (4, 1), (1, 8), (8, 1))
_SIDES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}

_MAX_BYTES = 7_000_000
MAX_REQUEST_BYTES = 20_000_000
REQUEST_SOURCE = (
    "ai.google.dev, file input: 20 MB with base64; conflict: 100 MB since January 2026 (blog.google); 20 MB satisfies both"
)

_PROMPT = PromptText(required=True, source=f"{G1}; no length is documented")
_COUNT = Count(
    1, source="candidateCount above 1 is refused (google-gemini/gemini-cli 10370); limner makes one call per picture"
)
_PICTURE = Picture(
    formats=("image/png", "image/jpeg", "image/webp"),
    max_bytes=_MAX_BYTES,
    required=True,
    source=f"{VERTEX}: PNG, JPEG, WebP, HEIC, HEIF, 7 MB inline; limner does not read HEIC and HEIF",
)

_THRESHOLD = Choice(
    ("BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"),
    source=f"{G1}, HarmCategory and HarmBlockThreshold",
)
_CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
_CATEGORIES_OF_VERTEX = ("IMAGE_HARASSMENT", "IMAGE_HATE", "IMAGE_SEXUALLY_EXPLICIT", "IMAGE_DANGEROUS_CONTENT", "JAILBREAK")

CATEGORIES = tuple(f"HARM_CATEGORY_{name}" for name in (*_CATEGORIES, *_CATEGORIES_OF_VERTEX))
"""Options that each become a member of ``safetySettings``: a category, and the threshold from which it is blocked."""

_SHARED_OPTIONS: dict[str, Constraint] = {
    "temperature": Real(
        0.0, 1.0, source=f"{G1}, without a range; third-party texts say 0 to 1 or 0 to 2, 0 to 1 satisfies both"
    ),
    "topP": Real(0.0, 1.0, source=f"{G1}: a sum of probabilities"),
    "topK": Integer(1, 2**31 - 1, source=f"{G1}: a number of tokens, without a range"),
    "systemInstruction": Words(source=f"{G1}; no length is documented"),
    **{f"HARM_CATEGORY_{name}": _THRESHOLD for name in _CATEGORIES},
}

_ONLY = f"Vertex AI only, by {G1}"
VERTEX_OPTIONS: dict[str, Constraint] = {
    **{f"HARM_CATEGORY_{name}": Choice(_THRESHOLD.values, source=_ONLY) for name in _CATEGORIES_OF_VERTEX},
    "HARM_CATEGORY_JAILBREAK": Choice(
        _THRESHOLD.values, source="Vertex AI's HarmCategory (docs.cloud.google.com); not known of the Gemini API"
    ),
    "method": Choice(("SEVERITY", "PROBABILITY"), source=f"{_ONLY}: HarmBlockMethod; limner sends it with every category"),
    "personGeneration": Choice(
        ("ALLOW_ALL", "ALLOW_ADULT", "ALLOW_NONE"),
        source=f"{G1}, ImageConfig; conflict: described for both APIs, refused by the same client for the Gemini API",
    ),
    "prominentPeople": Choice(("ALLOW_PROMINENT_PEOPLE", "BLOCK_PROMINENT_PEOPLE"), source=_ONLY),
    "mimeType": Choice(
        ("image/png", "image/jpeg"),
        source=f"{_ONLY}: imageOutputOptions, without values; these two are what models answer",
    ),
    "compressionQuality": Integer(0, 100, source=f"{_ONLY}: imageOutputOptions, for JPEG, without a range"),
}
"""Options that Vertex AI alone takes."""


def _limits(
    ratios: tuple[Size, ...],
    classes: str,
    source: str,
    *,
    references: tuple[int, str],
    thinking: tuple[tuple[str, ...], str] | None = None,
) -> Limits:
    names = classes.split()
    shape = Shape(ratios, classes=tuple((name, _SIDES[name]) for name in names), source=source)
    options: dict[str, Constraint] = {
        "imageSize": Choice(tuple(names), source=source),
        **_SHARED_OPTIONS,
    }
    if thinking is not None:
        options["thinkingLevel"] = Choice(thinking[0], source=thinking[1])
    most, said = references
    images = Pictures(_PICTURE, max_items=most, required=True, source=f"{said}; each: {_PICTURE.source}")
    shared: dict[str, Constraint] = {"prompt": _PROMPT, "n": _COUNT, "size": shape}
    return {
        Generate: TaskLimits(shared, options),
        Vary: TaskLimits({"image": images, **shared}, options),
    }


def at_vertex(limits: Limits) -> Limits:
    """Return the limits of the same model at Vertex AI, which takes more options."""
    return {
        task: attrs.evolve(declared, options={**declared.options, **VERTEX_OPTIONS}) for task, declared in limits.items()
    }


LIMITS_21 = _limits(
    _FOURTEEN,
    "1K 2K 4K",
    f"{TABLE}: 14 ratios, 1K, 2K and 4K; conflict: 512 is refused by two third-party sources and used by one",
    references=(
        10,
        "third-party pages: 10 or 14 (10 objects and 4 characters); no Google page was found; 10 satisfies both",
    ),
    thinking=(("MINIMAL", "MEDIUM", "HIGH"), "a public capability table (third party): minimal, medium, high"),
)
LIMITS_PRO = _limits(_TEN, "1K 2K 4K", f"{VERTEX}: ten ratios, 1K, 2K and 4K", references=(14, f"{VERTEX}: 14"))
LIMITS_FLASH = _limits(
    _FOURTEEN,
    "512 1K 2K 4K",
    f"{VERTEX}: 14 ratios, 512, 1K, 2K and 4K",
    references=(14, f"{VERTEX}: 14"),
    thinking=(("MINIMAL", "HIGH"), "a public capability table (third party): minimal and high"),
)
LIMITS_LITE = _limits(
    _FOURTEEN,
    "1K",
    f"{LITE}: 14 ratios, of which nine are legible; 1K only",
    references=(14, "docs.comfy.org, GeminiNanoBanana2: 14 (third party)"),
    thinking=(("MINIMAL", "HIGH"), f"{LITE}: the lowest and the highest level"),
)

LIFE_OF_FLASH = Lifecycle(
    source="conflict: Google's table of deprecations (a copy of autumn 2026) has no shutdown date; a third-party note says "
    "that the model was retired on 2026-10-29"
)
