"""Colours as (red, green, blue) of 0..255, and pictures made of them."""

from collections.abc import Sequence

from PIL import Image

RGB = tuple[int, int, int]

WHITE: RGB = (255, 255, 255)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Return `first` with a `share` (0..1) of `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def lit(colour: RGB, light: RGB) -> RGB:
    """Return how a surface of `colour` looks under `light` (white = as it is)."""
    red, green, blue = (round(a * b / 255) for a, b in zip(colour, light, strict=True))
    return red, green, blue


def luminance(colour: RGB) -> float:
    """Return the lightness of `colour`, 0..255 (ITU-R BT.601 weights)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def gradient(size: tuple[int, int], stops: Sequence[tuple[float, RGB]]) -> Image.Image:
    """Return a vertical gradient through `stops`: (place from 0 = top to 1 = bottom, colour)."""
    width, height = size
    pixels = bytes(channel for y in range(height) for channel in _at(y / max(height - 1, 1), stops))
    return Image.frombytes("RGB", (1, height), pixels).resize((width, height), Image.Resampling.NEAREST)


def _at(place: float, stops: Sequence[tuple[float, RGB]]) -> RGB:
    before = stops[0]
    for after in stops:
        if place <= after[0]:
            share = (place - before[0]) / max(after[0] - before[0], 1e-9)
            return mix(before[1], after[1], share * share * (3 - 2 * share))
        before = after
    return before[1]
