"""Randomness that repeats: named streams of random numbers, and the fractal fields drawn from them."""

import hashlib
import random
from array import array
from collections.abc import Sequence
from typing import Literal, cast

from PIL import Image, ImageMath

Size = tuple[int, int]


def stream(*parts: object) -> random.Random:
    """Return a random generator that depends on `parts` alone: on no process, platform or earlier draw."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest, "big"))


def row(values: Sequence[float]) -> Image.Image:
    """Return `values` as a float picture one pixel high."""
    return Image.frombytes("F", (len(values), 1), array("f", values).tobytes())


def column(values: Sequence[float]) -> Image.Image:
    """Return `values` as a float picture one pixel wide."""
    return Image.frombytes("F", (1, len(values)), array("f", values).tobytes())


def numbers(field: Image.Image) -> "array[float]":
    """Return the pixels of a float picture, row by row."""
    return array("f", field.tobytes())


def compute(expression: object, **fields: Image.Image) -> Image.Image:
    """Evaluate a lambda over float pictures (see `PIL.ImageMath.lambda_eval`)."""
    return cast(Image.Image, ImageMath.lambda_eval(expression, **fields))  # type: ignore[arg-type]


def mask(field: Image.Image) -> Image.Image:
    """Turn a float field of 0..1 into a mask ("L"); what lies outside is clipped."""
    return field.point(lambda value: value * 255 + 0.5).convert("L")


def fractal(size: Size, rng: random.Random, cells: tuple[float, float], octaves: int, gain: float = 0.5) -> Image.Image:
    """Return fractal value noise, a float picture stretched to exactly 0..1.

    The coarsest octave has `cells` random values (across, down); each further one twice as many, `gain` as strong.
    The octaves are summed from coarse to fine on ever larger pictures, so the whole costs little more than the last.
    """
    width, height = (max(2, round(cell)) if side > 1 else 1 for cell, side in zip(cells, size, strict=True))
    field = _white((width, height), rng)
    strength = 1.0
    for _ in range(octaves - 1):
        if width >= size[0] and height >= size[1]:
            break
        width, height = width * 2, height * 2 if size[1] > 1 else 1
        strength *= gain
        field = _plus(field.resize((width, height), Image.Resampling.BICUBIC), _white((width, height), rng), strength)
    return stretch(field.resize(size, Image.Resampling.BICUBIC))


def profile(length: int, rng: random.Random, cells: float, octaves: int, gain: float = 0.5) -> list[float]:
    """Return a fractal line of `length` values between 0 and 1."""
    return list(numbers(fractal((length, 1), rng, (cells, 1), octaves, gain)))


def ridged(field: Image.Image) -> Image.Image:
    """Fold a 0..1 field so that its middle becomes sharp crests of 1."""
    return compute(lambda e: 1 - abs(e["f"] * 2 - 1), f=field)


def stretch(field: Image.Image) -> Image.Image:
    """Scale a float field to 0..1."""
    low, high = cast(tuple[float, float], field.getextrema())
    scale = 1 / max(high - low, 1e-6)
    return field.point(lambda value: value * scale + -low * scale)


def receding(field: Image.Image, depth: int, vanish: Literal["top", "bottom"]) -> Image.Image:
    """Lay a field down as a plane: squeeze it into `depth` rows, ever tighter towards where it vanishes."""
    width, height = field.size
    bands = 24
    mesh = []
    for band in range(bands):
        top, bottom = round(depth * band / bands), round(depth * (band + 1) / bands)
        if top < bottom:
            upper, lower = height * _recede(band / bands), height * _recede((band + 1) / bands)
            mesh.append(((0, top, width, bottom), (0, upper, 0, lower, width, lower, width, upper)))
    plane = field.transform((width, depth), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
    return plane if vanish == "bottom" else plane.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def _recede(place: float) -> float:
    return 0.3 * place + 0.7 * place**3


def _white(size: Size, rng: random.Random) -> Image.Image:
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1])).convert("F")


def _plus(field: Image.Image, other: Image.Image, strength: float) -> Image.Image:
    return compute(lambda e: e["f"] + e["g"] * strength, f=field, g=other)
