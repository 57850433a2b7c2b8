"""Amazon Nova Canvas: its rules for sizes and pictures, and its messages. Its body and its painting extend Titan's.

Source: Amazon Nova User Guide, "Image generation and editing", "Request and response structure for image generation",
"Error handling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limner_bedrock_emulator import pictures, titan
from limner_bedrock_emulator.refusals import malformed

if TYPE_CHECKING:
    from limner_fakes.faults import Fault
    from limner_fakes.painters import Painter
    from PIL import Image

    from limner_bedrock_emulator.pictures import Size

SHORTEST, LONGEST = 320, 4096
"""The allowed pixels of a picture's side."""
MOST_PIXELS = 4_194_304
"""One page says "fewer than" this number, another names 2048x2048 as the maximum; the emulator accepts both."""
WIDEST = 4
"""The maximum ratio of the longer side to the shorter."""


def answer(body: dict[str, Any], painter: Painter, fault: Fault | None) -> dict[str, Any]:
    """Paint the pictures for a valid body and return the response."""
    return titan.answer(body, painter, fault, DIALECT)


def size_problems(body: dict[str, Any]) -> list[str]:
    """Return problems with the requested size that a schema cannot express."""
    config = body.get("imageGenerationConfig", {})
    size = config.get("width", titan.DEFAULT_SIZE), config.get("height", titan.DEFAULT_SIZE)
    return [f"#/imageGenerationConfig: {problem}" for problem in _shape_problems(size)]


def _shape_problems(size: Size) -> list[str]:
    width, height = size
    problems = []
    if max(size) > WIDEST * min(size):
        problems.append(f"expected aspect ratio: 1:{WIDEST} to {WIDEST}:1, actual: {width}x{height}")
    if width * height > MOST_PIXELS:
        problems.append(f"expected at most pixels: {MOST_PIXELS}, actual: {width * height}")
    return problems


def _input_problems(size: Size) -> list[str]:
    problems = []
    if min(size) < SHORTEST:
        problems.append(f"expected shorter side: {SHORTEST}, actual: {min(size)}")
    if max(size) > LONGEST:
        problems.append(f"expected longer side: {LONGEST}, actual: {max(size)}")
    return problems + _shape_problems(size)


def _read(text: str, pointer: str) -> Image.Image:
    """Read a picture: opaque RGB of a supported size."""
    picture = _read_mask(text, pointer)
    if picture.mode not in {"RGB", "RGBA"}:
        raise malformed(f"{pointer}: expected an RGB picture, actual: {picture.mode}")
    if picture.convert("RGBA").getchannel("A").getextrema() != (pictures.OPAQUE, pictures.OPAQUE):
        raise malformed(f"{pointer}: expected no transparent pixels")
    return picture.convert("RGB")


def _read_mask(text: str, pointer: str) -> Image.Image:
    """Read a mask: a picture whose colours are checked as a mask."""
    return pictures.read(text, pointer, check=_input_problems)


DIALECT = titan.Dialect(
    read=_read,
    read_mask=_read_mask,
    all_filtered="All of the generated images have been blocked by our content filters.",
    some_filtered="Some of the generated images have been blocked by our content filters.",
)
