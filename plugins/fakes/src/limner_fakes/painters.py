"""The painters: ``invert``, whose pixels are predictable in tests, and ``sketch``, limner's offline model.

A painter may change pixels outside the mask. The caller blends its result into the input with
:func:`limner_bedrock_emulator.pictures.mix`.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

    from limner_fakes.pictures import Size


class Painter(Protocol):
    """Creates pixels. Prompts may be empty; pictures are RGB of any size."""

    @property
    def feather(self) -> int:
        """The number of pixels by which a blending edit extends into the kept area."""

    def paint(self, prompt: str, size: Size, seed: int) -> Image.Image:
        """Paint a picture from a prompt."""

    def vary(self, picture: Image.Image, prompt: str, strength: float, seed: int) -> Image.Image:
        """Vary a picture; strength 0 keeps it, 1 ignores it."""

    def repaint(self, picture: Image.Image, opening: Image.Image, prompt: str, seed: int) -> Image.Image:
        """Repaint a picture where the opening (grey levels) is not black."""


class Invert:
    """Inverts pictures; paints a gradient of two colours determined by prompt and seed."""

    feather = 0

    def paint(self, prompt: str, size: Size, seed: int) -> Image.Image:
        """Paint the gradient."""
        digest = hashlib.sha256(f"{seed} {prompt}".encode("utf-8", "replace")).hexdigest()
        gradient = Image.linear_gradient("L").resize(size)
        return ImageOps.colorize(gradient, f"#{digest[:6]}", f"#{digest[6:12]}")

    def vary(self, picture: Image.Image, prompt: str, strength: float, seed: int) -> Image.Image:  # noqa: ARG002
        """Invert the picture."""
        return ImageOps.invert(picture)

    def repaint(self, picture: Image.Image, opening: Image.Image, prompt: str, seed: int) -> Image.Image:  # noqa: ARG002
        """Invert the picture."""
        return ImageOps.invert(picture)


class Sketch:
    """limner's model ``sketch``, called within its own limits: pixels per side, characters of a prompt."""

    feather = 8
    least, most = 64, 2048
    longest_prompt = 10_000

    @cached_property
    def _model(self) -> Any:
        import limner

        return limner.get_model("sketch")

    def paint(self, prompt: str, size: Size, seed: int) -> Image.Image:
        """Generate."""
        result = self._model.generate(self._words(prompt) or "a picture", size=self._within(size), seed=seed)
        return _picture(result, size)

    def vary(self, picture: Image.Image, prompt: str, strength: float, seed: int) -> Image.Image:
        """Vary."""
        small = picture.resize(self._within(picture.size))
        return _picture(self._model.vary(small, self._words(prompt), strength=strength, seed=seed), picture.size)

    def repaint(self, picture: Image.Image, opening: Image.Image, prompt: str, seed: int) -> Image.Image:
        """Inpaint where the opening is not black; the caller blends the greys."""
        size = self._within(picture.size)
        mask = opening.point(lambda level: 255 if level else 0).resize(size, Image.Resampling.NEAREST)
        if mask.getbbox() is None:  # nothing to repaint, which limner refuses and the models do not
            return picture
        result = self._model.inpaint(picture.resize(size), self._words(prompt), mask=mask, seed=seed)
        return _picture(result, picture.size)

    def _within(self, size: Size) -> Size:
        width, height = (min(max(side, self.least), self.most) for side in size)
        return width, height

    def _words(self, prompt: str) -> str | None:
        """Return a prompt that limner accepts: without lone surrogates, and ``None`` if empty."""
        return prompt[: self.longest_prompt].encode("utf-8", "replace").decode() if prompt.strip() else None


def _picture(result: Any, size: Size) -> Image.Image:
    painted: Image.Image = result.image.pil().convert("RGB")
    return painted if painted.size == size else painted.resize(size)


PAINTERS: dict[str, Callable[[], Painter]] = {"sketch": Sketch, "invert": Invert}
"""Painters by their name for ``--painter``."""
