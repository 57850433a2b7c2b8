"""Constraints on pictures, masks and canvases."""

from __future__ import annotations

import math
from typing import Any

import attrs

from limner.images import Image, Mask, Size
from limner.limits.base import Constraint, Schema, texts
from limner.limits.sizes import SizeRule, in_words

_EIGHT_BITS = ("RGB", "RGBA", "L", "LA", "P", "1")


@attrs.frozen(eq=False, repr=False)
class Picture(Constraint):
    """A picture.

    A picture of another format or colour, or one that is not upright, becomes an upright PNG of 8 bits: its meaning stays.

    Args:
        formats: media types.
        max_bytes: of the file.
        size: the rule for its width and height in pixels.
        modes: pixel formats, by Pillow's names.
        alpha: whether it may carry transparency; else it is laid on white.
    """

    formats: tuple[str, ...] = attrs.field(default=("image/png", "image/jpeg"), converter=texts)
    max_bytes: int | None = None
    size: SizeRule | None = None
    modes: tuple[str, ...] = attrs.field(default=_EIGHT_BITS, converter=texts)
    alpha: bool = True

    def wrong(self, value: Any) -> str | None:
        if not isinstance(value, Image):
            return "must be a picture"
        if value.media_type not in self.formats:
            return f"is {value.media_type}, must be {' or '.join(self.formats)}"
        if self.max_bytes is not None and len(value.data) > self.max_bytes:
            return f"has {len(value.data):,} bytes, must have at most {self.max_bytes:,}"
        return None if self.size is None else self.wrong_size(value.size)

    def wrong_size(self, size: Size) -> str | None:
        """Say what is wrong with a size in pixels."""
        wrong = None if self.size is None else self.size.wrong(size)
        return None if wrong is None else f"is {in_words(size)}, {wrong}"

    def adapted(self, value: Any) -> tuple[Any, str]:
        if not isinstance(value, Image):
            return value, ""
        flatten = value.has_alpha and not self.alpha
        fits = value.media_type in self.formats and value.orientation == 1 and value.mode in self.modes
        if fits and not flatten:
            return value, ""
        image, lost = value.to_png()
        if flatten:
            lost = (*lost, "transparency (laid on white)")
        if flatten or image.mode not in self.modes:
            image = image.flattened()
        return image, "made an upright PNG" + (f"; lost: {', '.join(lost)}" if lost else "")

    def nearest(self, value: Any) -> Any:
        """Scale the picture into the limits, its aspect ratio unchanged."""
        if not isinstance(value, Image):
            return None
        image, scale = self._scaled(value, 1.0), 1.0
        while image is not None and self.max_bytes is not None and len(image.data) > self.max_bytes:
            scale *= min(0.98, math.sqrt(self.max_bytes / len(image.data)))
            image = self._scaled(value, scale)
        return image if self.wrong(image) is None else None

    def _scaled(self, image: Image, scale: float) -> Image | None:
        """Scale to the size that is allowed and nearest to another; nothing where there is none."""
        wished = int(image.size[0] * scale), int(image.size[1] * scale)
        size = wished if self.size is None or 0 in wished else self.size.nearest(wished)
        return None if size is None or 0 in size else image if size == image.size else image.resized(size)

    def describe(self) -> str:
        parts = [" or ".join(name.removeprefix("image/").upper() for name in self.formats)]
        if self.max_bytes is not None:
            parts.append(f"at most {self.max_bytes:,} bytes")
        if self.size is not None:
            parts.append(self.size.describe())
        if not self.alpha:
            parts.append("no transparency")
        return ", ".join(parts)

    def schema(self) -> Schema:
        media = [{"contentMediaType": media_type} for media_type in self.formats]
        return {"type": "string", "contentEncoding": "base64", "anyOf": media}


def _is_pictures(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(image, Image) for image in value)


@attrs.frozen(eq=False, repr=False)
class Pictures(Constraint):
    """Several pictures.

    Args:
        of: the constraint of each picture.
        max_items: maximum number of pictures; at least one is required.
    """

    of: Picture
    max_items: int = 1

    def wrong(self, value: Any) -> str | None:
        if not _is_pictures(value):
            return "must be a list of pictures"
        if len(value) > self.max_items:
            return f"has {len(value)} pictures, must have at most {self.max_items}"
        return next((f"picture {i}: {wrong}" for i, image in enumerate(value, 1) if (wrong := self.of.wrong(image))), None)

    def adapted(self, value: Any) -> tuple[Any, str]:
        if not _is_pictures(value):
            return value, ""
        adapted = [self.of.adapted(image) for image in value]
        notes = [f"picture {i}: {note}" for i, (_, note) in enumerate(adapted, 1) if note]
        return (tuple(image for image, _ in adapted), "; ".join(notes)) if notes else (value, "")

    def nearest(self, value: Any) -> Any:
        if not _is_pictures(value) or len(value) > self.max_items:
            return None
        images = tuple(image if self.of.wrong(image) is None else self.of.nearest(image) for image in value)
        return None if None in images else images

    def describe(self) -> str:
        return (f"1 to {self.max_items} pictures: " if self.max_items > 1 else "") + self.of.describe()

    def schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema(), "minItems": 1, "maxItems": self.max_items}


@attrs.frozen(eq=False, repr=False)
class MaskPicture(Constraint):
    """A mask, or ``"alpha"``.

    Args:
        grey: whether the model supports grey.
        alpha: whether the model reads the picture's own transparency; otherwise limner makes a mask from it.
    """

    grey: bool = True
    alpha: bool = False

    def wrong(self, value: Any) -> str | None:
        if value == "alpha" or not isinstance(value, Mask):
            return None if value == "alpha" else "must be a mask"
        if value.has_grey and not self.grey:
            return "must be pure black and white; Mask.hardened() makes it so"
        return None

    def nearest(self, value: Any) -> Any:
        if not isinstance(value, Mask):
            return None
        return value if self.grey else value.hardened()

    def describe(self) -> str:
        colours = "white is repainted, black kept" + (", grey between" if self.grey else "; no grey")
        return colours + ('; or "alpha"' if self.alpha else "")

    def schema(self) -> Schema:
        return {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}


def _is_border(value: Any) -> bool:
    sides = value if isinstance(value, tuple) and len(value) == 4 else ()
    return any(sides) and all(isinstance(side, int) and not isinstance(side, bool) and side >= 0 for side in sides)


@attrs.frozen(eq=False, repr=False)
class Expand(Constraint):
    """Pixels to add on the left, top, right and bottom.

    Args:
        max_side: maximum number of pixels on each side.
        canvas: the rule for the size of the resulting canvas.
    """

    max_side: int = 1 << 15
    canvas: SizeRule | None = None

    def wrong(self, value: Any) -> str | None:
        if _is_border(value) and max(value) <= self.max_side:
            return None
        return f"must be (left, top, right, bottom) in whole pixels: {self.describe()}"

    def wrong_canvas(self, size: Size) -> str | None:
        """Return what is wrong with the size of the resulting canvas."""
        wrong = None if self.canvas is None else self.canvas.wrong(size)
        return None if wrong is None else f"makes a canvas of {in_words(size)}, which {wrong}"

    def nearest(self, value: Any) -> Any:
        return tuple(min(side, self.max_side) for side in value) if _is_border(value) else None

    def describe(self) -> str:
        canvas = "" if self.canvas is None else f"; a canvas with {self.canvas.describe()}"
        return f"at most {self.max_side} pixels on each side, on one at least 1{canvas}"

    def schema(self) -> Schema:
        side = {"type": "integer", "minimum": 0, "maximum": self.max_side}
        some = {"exclusiveMinimum": 0}
        return {"type": "array", "items": side, "contains": some, "minItems": 4, "maxItems": 4}
