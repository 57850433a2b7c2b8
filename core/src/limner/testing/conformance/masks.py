"""What a mask means: white is repainted, black is kept, whatever the provider's own colours are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import PIL.Image
import pytest
from PIL import ImageChops, ImageOps

from limner import Image, Inpaint, Mask, Model, Outpaint, Request, Response, expand_canvas, limits
from limner.images import Size
from limner.limits import Constraint
from limner.pixels import png_bytes
from limner.testing.ends import borders_of, masks_of, sample_sizes
from limner.testing.kit import Conformance, check, expect
from limner.testing.pictures import mask as box
from limner.testing.probes import plan_or_none, starts

Edit = Inpaint | Outpaint

_BORDERS = 5  # all sides, and each alone


def pattern(size: Size) -> PIL.Image.Image:
    """Paint a picture whose every pixel differs from its inverse, and which shows where it lies."""
    across = PIL.Image.linear_gradient("L").rotate(90).resize(size)
    down = PIL.Image.linear_gradient("L").resize(size)
    return PIL.Image.merge("RGB", (across, down, PIL.Image.new("L", size, 40)))


def _edits(conformance: Conformance, *ways: str) -> Iterator[Edit]:
    """Edits of each kind in each of these ways."""
    model = conformance.model
    for kind in (Inpaint, Outpaint):
        for start in starts(model, kind) if kind in model.limits else ():
            for way in ways:
                if getattr(start, way, None) is not None and isinstance(start, Inpaint | Outpaint):
                    yield from _in_sizes(model, start, way)


def _in_sizes(model: Model, start: Edit, way: str) -> Iterator[Edit]:
    declared = model.limits_of(type(start)).parameters
    picture, limit = declared["image"], declared[way]
    sizes = sample_sizes(picture) if isinstance(picture, limits.Picture) else [(24, 16)]
    for size in sizes[:2]:
        for value, image in _places(way, limit, size):
            task = attrs.evolve(start, image=image, **{way: value})
            if plan_or_none(model, task) is not None:
                yield task


def _places(way: str, limit: Constraint, size: Size) -> Iterator[tuple[Any, Image]]:
    """Where to paint, and the picture for it."""
    plain = Image(png_bytes(pattern(size)))
    if way == "expand" and isinstance(limit, limits.Expand):
        yield from ((border, plain) for border in borders_of(size, limit)[:_BORDERS])
        return
    for mask in _hard_masks(size):
        yield mask, plain
    cutout = pattern(size)
    cutout.putalpha(_hard_masks(size)[0].inverted().pil())
    yield "alpha", Image(png_bytes(cutout))


def _hard_masks(size: Size) -> list[Mask]:
    width, height = size
    corner = box(size, (0, 0, max(1, width // 2), max(1, height // 3)))
    return [corner, corner.inverted(), *masks_of(size, grey=False)[:2], Mask.ellipse((0, 0, width, height), size=size)]


def _canvas(task: Edit) -> tuple[Image, Mask]:
    """The picture that is edited and what is opened on it."""
    if isinstance(task, Outpaint) and task.expand is not None:
        return expand_canvas(task.image, task.expand)
    return task.image, task.mask if isinstance(task.mask, Mask) else Mask.from_alpha(task.image)


def _some(conformance: Conformance, *ways: str) -> list[Edit]:
    return list(_edits(conformance, *ways)) or pytest.skip(f"the model has no edit by {' or '.join(ways)}")


def _painted(model: Model, task: Edit) -> PIL.Image.Image:
    made = model.run(task).image
    return made.pil().convert("RGB")


def _pixels_that_differ(one: PIL.Image.Image, other: PIL.Image.Image) -> PIL.Image.Image:
    """White where two pictures differ."""
    bands = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return most.point(lambda level: 255 if level else 0)


def _count(mask: PIL.Image.Image) -> int:
    return mask.histogram()[255]


def _expect_kept(task: Edit, found: PIL.Image.Image, *, meaning: str) -> None:
    canvas, mask = _canvas(task)
    size = f"{found.width}x{found.height}"
    expect(found.size == canvas.size, f"the picture that came back has {size}, not {canvas.size}", task)
    kept = ImageOps.invert(mask.hardened().pil())
    lost = _count(ImageChops.multiply(_pixels_that_differ(found, canvas.pil().convert("RGB")), kept))
    expect(not lost, f"{meaning}: {lost} of the {_count(kept)} pixels that are to be kept were changed", task)


def _expect_opened(task: Edit, found: PIL.Image.Image) -> None:
    canvas, mask = _canvas(task)
    opened = mask.pil()
    touched = _count(ImageChops.multiply(_pixels_that_differ(found, canvas.pil().convert("RGB")), opened))
    expect(touched == _count(opened), f"{_count(opened) - touched} of {_count(opened)} opened pixels were kept", task)


_TURNED = "the request's mask means something else to the provider"


@check
def test_mask_opens_what_is_white(conformance: Conformance) -> None:
    """In the provider's documented colours the request opens what the task's mask has white, and keeps what is black."""
    tasks = _some(conformance, "mask")
    model = conformance.connected(conformance.painter)
    for task in tasks:
        found = _painted(model, attrs.evolve(task, preserve=False))
        _expect_kept(task, found, meaning=_TURNED)
        if task.mask != "alpha":  # what lies under transparency is nobody's picture
            _expect_opened(task, found)


@check
def test_expand_adds_where_it_says(conformance: Conformance) -> None:
    """The picture stands on the larger canvas at (left, top), whole and unchanged, and around it something is painted."""
    tasks = _some(conformance, "expand")
    model = conformance.connected(conformance.painter)
    for task in tasks:
        found = _painted(model, attrs.evolve(task, preserve=False))
        _expect_kept(task, found, meaning="left, top, right and bottom are not where they should be, or it was not kept")
        plain = _canvas(task)[0].pil().convert("RGB")
        expect(_pixels_that_differ(found, plain).getbbox(), "nothing was painted around the picture", task)


@check
def test_preserve_keeps_pixels_exactly(conformance: Conformance) -> None:
    """With preserve, and where it is not said, what the mask keeps is the input's pixel for pixel, whatever is painted."""
    for task in _some(conformance, "mask", "expand"):
        model = conformance.connected(_careless(conformance, task))
        for preserve in (True, None):
            found = _painted(model, attrs.evolve(task, preserve=preserve))
            _expect_kept(task, found, meaning=f"preserve={preserve}")


def _careless(conformance: Conformance, task: Edit) -> Any:
    """Make a painter that keeps nothing: it answers the same request for the picture with its colours inverted."""
    inverted = task.image.pil()
    alpha = inverted.getchannel("A") if task.image.has_alpha else None
    inverted = ImageOps.invert(inverted.convert("RGB"))
    if alpha is not None:
        inverted.putalpha(alpha)
    other = attrs.evolve(task, image=Image(png_bytes(inverted)))
    request = conformance.model.plan(other).requests[0]

    def send(_: Request) -> Response:
        return conformance.painter(request)

    return send
