"""What a mask means: white is repainted, black is kept, whatever the provider's own colours are."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import attrs
import PIL.Image
import pytest
from PIL import ImageChops, ImageFilter, ImageOps, ImageStat

from limner import Image, Inpaint, Mask, Model, Outpaint, Request, Response, Task, Vary, expand_canvas, limits
from limner.images import Size
from limner.images.pixels import png_bytes
from limner.limits import Constraint
from limner.testing.conformance.meaning import numbers
from limner.testing.ends import borders_of, masks_of, sample_sizes
from limner.testing.kit import Conformance, check, expect, skip
from limner.testing.pictures import mask as box
from limner.testing.probes import kinds_with, plan_or_none, saying, seeded, smallest, starts

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
    for size in sizes[:3]:
        for value, image in _places(way, limit, size):
            task = attrs.evolve(start, image=image, **{way: value})
            if plan_or_none(model, task) is not None:
                yield task


def _places(way: str, limit: Constraint, size: Size) -> Iterator[tuple[Any, Image]]:
    """Where to paint, and the picture for it."""
    plain = Image(png_bytes(pattern(size)))
    if way == "expand" and isinstance(limit, limits.Expand):
        found = borders_of(size, limit)
        widest = [border for border in found[_BORDERS:] if max(border) == max(map(max, found))]
        yield from ((border, plain) for border in [*found[:_BORDERS], *widest[:2]])
        return
    for mask in _hard_masks(size):
        yield mask, plain
    for media_type in _OTHER_FORMATS:
        yield _hard_masks(size)[0], Image(_saved(pattern(size), media_type))
    cutout = pattern(size)
    cutout.putalpha(_hard_masks(size)[0].inverted().pil())
    yield "alpha", Image(png_bytes(cutout))


_OTHER_FORMATS = ("image/jpeg", "image/webp")


def _saved(opened: PIL.Image.Image, media_type: str) -> bytes:
    buffer = io.BytesIO()
    opened.save(buffer, media_type.removeprefix("image/").upper(), quality=95)
    return buffer.getvalue()


def _hard_masks(size: Size) -> list[Mask]:
    width, height = size
    corner = box(size, (0, 0, max(1, width // 2), max(1, height // 3)))
    found = [corner, corner.inverted(), *masks_of(size, grey=False)[:2], Mask.ellipse((0, 0, width, height), size=size)]
    found.append(box(size, (0, 0, width, height)))
    return [mask for mask in found if not mask.is_black]


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


def _on_canvas(found: PIL.Image.Image, size: Size) -> tuple[PIL.Image.Image, bool]:
    """What was painted in the canvas's size, and whether it came in that: some providers answer in sizes of their own."""
    if found.size == size:
        return found, True
    return found.resize(size, PIL.Image.Resampling.BOX), False


_SCALED = 60  # levels by which scaling alone may change a pixel
_EDGE = 5  # pixels across, around an edge of the mask, of which scaling makes something in between


def _pixels_that_differ(one: PIL.Image.Image, other: PIL.Image.Image, by: int = 0) -> PIL.Image.Image:
    """White where two pictures differ by more than so many levels."""
    bands = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return most.point(lambda level: 255 if level > by else 0)


def _count(mask: PIL.Image.Image) -> int:
    return mask.histogram()[255]


def _expect_kept(task: Edit, found: PIL.Image.Image, *, meaning: str, exact: bool = False) -> None:
    canvas, mask = _canvas(task)
    size = f"{found.width}x{found.height}"
    expect(found.size == canvas.size or not exact, f"the returned picture has the size {size}, not {canvas.size}", task)
    found, same_size = _on_canvas(found, canvas.size)
    kept = ImageOps.invert(mask.hardened().pil())
    area = kept if same_size else kept.filter(ImageFilter.MinFilter(_EDGE))
    different = _pixels_that_differ(found, canvas.pil().convert("RGB"), 0 if same_size else _SCALED)
    lost = _count(ImageChops.multiply(different, area))
    expect(not lost, f"{meaning}: {lost} of the {_count(area)} pixels that must be kept were changed", task)


def _expect_opened(task: Edit, found: PIL.Image.Image) -> None:
    canvas, mask = _canvas(task)
    found, same_size = _on_canvas(found, canvas.size)
    opened = mask.pil() if same_size else mask.pil().filter(ImageFilter.MinFilter(_EDGE))
    different = _pixels_that_differ(found, canvas.pil().convert("RGB"), 0 if same_size else _SCALED)
    touched = _count(ImageChops.multiply(different, opened))
    expect(touched == _count(opened), f"{_count(opened) - touched} of {_count(opened)} pixels to repaint were kept", task)


_TURNED = "the request's mask means something else to the provider"


@check
def test_mask_opens_what_is_white(conformance: Conformance) -> None:
    """In the provider's documented colours, the request repaints what is white in the task's mask, and keeps black."""
    tasks = _some(conformance, "mask")
    model = conformance.connected(conformance.painter)
    for task in tasks:
        found = _painted(model, attrs.evolve(task, preserve=False))
        _expect_kept(task, found, meaning=_TURNED)
        if task.mask != "alpha":  # what lies under transparency is nobody's picture
            _expect_opened(task, found)


@check
def test_grey_of_a_mask_keeps_its_order(conformance: Conformance) -> None:
    """Lighter grey in the mask is repainted at least as much as darker grey, and no level is lost."""
    edits = [task for task in _some(conformance, "mask") if isinstance(task.mask, Mask) and _takes_grey(conformance, task)]
    if not edits:
        pytest.skip("the model takes no grey mask")
    model = conformance.connected(conformance.painter)
    for task in {type(task): task for task in edits}.values():
        plain = Image(png_bytes(PIL.Image.new("RGB", task.image.size, (255, 0, 0))))
        strengths = []
        for level in _LEVELS:
            whole = box(task.image.size, (0, 0, *task.image.size), level)
            edit = attrs.evolve(task, image=plain, mask=whole, preserve=False)
            if plan_or_none(model, edit) is not None:
                strengths.append((level, departure(plain.pil(), _painted(model, edit))))
        fine = all(more[1] >= less[1] - 0.02 for less, more in itertools.pairwise(strengths))
        if len(strengths) == len(_LEVELS) and not _is_rounded(strengths):
            half = dict(strengths)[128]
            fine = fine and 0.25 <= half <= 0.75
        shown = ", ".join(f"{level}: {departure:.0%}" for level, departure in strengths)
        expect(
            fine,
            f"masks of one grey level are painted over so far ({shown}): the order is turned round, or levels are lost",
            task,
        )
        if len(strengths) == len(_LEVELS) and not _is_rounded(strengths):
            _expect_ramp(model, task, plain)
            _expect_each_level(model, task)
            _expect_grey_in_other_formats(model, task, dict(strengths)[128])


def _expect_grey_in_other_formats(model: Model, task: Edit, half: float) -> None:
    """Hold that grey means the same on a picture of another format."""
    for media_type in _OTHER_FORMATS:
        plain = Image(_saved(PIL.Image.new("RGB", task.image.size, (255, 0, 0)), media_type))
        edit = attrs.evolve(task, image=plain, mask=box(plain.size, (0, 0, *plain.size), 128), preserve=False)
        if plan_or_none(model, edit) is not None:
            found = departure(plain.pil(), _painted(model, edit))
            fine = abs(found - half) < 0.1
            expect(fine, f"on {media_type} the grey 128 of a mask is painted over to {found:.0%}, on PNG {half:.0%}", edit)


def _expect_ramp(model: Model, task: Edit, plain: Image) -> None:
    """Paint over all levels side by side: a mask that loses some of them makes steps."""
    width, height = plain.size
    ramp = PIL.Image.linear_gradient("L").rotate(90).resize((width, height))
    edit = attrs.evolve(task, image=plain, mask=Mask(ramp.size, ramp.tobytes()), preserve=False)
    if plan_or_none(model, edit) is None:
        return
    found = _painted(model, edit)
    if found.size != plain.size:
        return
    row = found.crop((0, height // 2, width, height // 2 + 1))
    levels = {row.getpixel((x, 0)) for x in range(width)}
    asked = {ramp.getpixel((x, height // 2)) for x in range(width)}
    fine = 2 * len(levels) > len(asked)
    expect(fine, f"of a mask with {len(asked)} levels of grey {len(levels)} come to the provider: levels are lost", edit)


def _expect_each_level(model: Model, task: Edit) -> None:
    """Hold that two neighbouring levels of grey are two for the provider, in masks which it is sent without losses."""
    said: Any = seeded(model, attrs.evolve(task, preserve=False))
    size = task.image.size
    made = [plan_or_none(model, attrs.evolve(said, mask=box(size, (0, 0, *size), grey))) for grey in (100, 101, 102)]
    for one, other in itertools.pairwise(plan.requests for plan in made if plan is not None):
        expect(one != other, "two neighbouring greys of a mask, of 100, 101 and 102, make the same request", task)


def _is_rounded(strengths: list[tuple[int, float]]) -> bool:
    """Whether the provider makes grey black or white, which it may: then no level is between the two."""
    return all(departure < 0.05 or departure > 0.95 for _, departure in strengths)


_LEVELS = (1, 40, 90, 128, 165, 215, 255)


def _takes_grey(conformance: Conformance, task: Edit) -> bool:
    limit = conformance.model.limits_of(type(task)).parameters["mask"]
    return isinstance(limit, limits.MaskPicture) and limit.grey


def departure(before: PIL.Image.Image, after: PIL.Image.Image) -> float:
    """How far a picture is from another: 0 the same, 1 its inverse."""
    one, other = before.convert("RGB"), after.convert("RGB").resize(before.size)
    far: float = sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3 / 255
    return far


@check
def test_strength_departs_from_the_picture(conformance: Conformance) -> None:
    """A higher strength keeps less of the picture, in the provider's documented direction."""
    kinds = kinds_with(conformance.model, "strength") or pytest.skip("the model has no strength")
    if conformance.vary_painter is None:
        skip("vary_painter", "a function that inverts a picture's colours as far as the request departs from it")
    model = conformance.connected(conformance.vary_painter)
    for start in itertools.chain.from_iterable(starts(model, kind) for kind in kinds if kind is Vary):
        limit = model.limits_of(Vary).parameters["strength"]
        found = []
        for strength in numbers(limit):
            task = saying(smallest(model, start), strength=strength, image=_coloured(start))
            if plan_or_none(model, task) is not None:
                found.append((strength, departure(_coloured(start).pil(), model.run(task).image.pil())))
        fine = all(more[1] > less[1] - 0.02 for less, more in itertools.pairwise(found)) and found[-1][1] > found[0][1]
        shown = ", ".join(f"{strength:g}: {departure:.0%}" for strength, departure in found)
        expect(fine, f"the picture is departed from so far by strength ({shown}): it must grow", start)


def _coloured(start: Task) -> Image:
    (image, *_) = start.image  # type: ignore[attr-defined]
    return Image(png_bytes(PIL.Image.new("RGB", image.size, (255, 0, 0))))


@check
def test_expand_adds_where_it_says(conformance: Conformance) -> None:
    """The picture is on the larger canvas at (left, top), complete and unchanged, and the area around it is painted."""
    tasks = _some(conformance, "expand")
    model = conformance.connected(conformance.painter)
    for task in tasks:
        found = _painted(model, attrs.evolve(task, preserve=False))
        _expect_canvas(task, found)
        _expect_kept(task, found, meaning="left, top, right and bottom are not where they should be, or it was not kept")
        plain = _canvas(task)[0].pil().convert("RGB")
        different = _pixels_that_differ(_on_canvas(found, plain.size)[0], plain)
        added = plain.width * plain.height - task.image.size[0] * task.image.size[1]
        expect(_count(different) >= added / 2, "the area around the picture was not painted, or only in part", task)


def _expect_canvas(task: Edit, found: PIL.Image.Image) -> None:
    """Hold that the canvas has the right shape; a provider's own size may differ from it by a rounding."""
    canvas, _ = _canvas(task)
    across, down = found.width / canvas.size[0], found.height / canvas.size[1]
    fine = abs(across - down) <= 0.1 * max(across, down)
    expect(fine, f"the returned picture has the size {found.size}, which is not proportional to {canvas.size}", task)


@check
def test_preserve_keeps_pixels_exactly(conformance: Conformance) -> None:
    """With preserve, and by default, what the mask keeps equals the input pixel for pixel, whatever was painted."""
    for task in _some(conformance, "mask", "expand"):
        model = conformance.connected(_careless(conformance, task))
        for preserve in (True, None):
            found = _painted(model, attrs.evolve(task, preserve=preserve))
            _expect_kept(task, found, meaning=f"preserve={preserve}", exact=True)


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
