"""What an offline model paints follows the task: every parameter, and in edits the mask, the border and the strength."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import attrs
import PIL.Image
import pytest
from PIL import ImageChops

from limner import Image, Inpaint, Mask, Model, Outpaint, Task, Vary, WeightedText, limits
from limner.errors import shorten
from limner.images import Size
from limner.images.pixels import png_bytes
from limner.limits import Constraint
from limner.testing.conformance.masks import departure, pattern
from limner.testing.conformance.meaning import numbers
from limner.testing.conformance.offline import offline_model, painted, paints_as_told, pictures_of, plans_of
from limner.testing.ends import distinct_pictures, ends, plain_weight
from limner.testing.kit import Conformance, check, expect
from limner.testing.pictures import mask as box
from limner.testing.probes import (
    all_starts,
    changed,
    full,
    plan_or_none,
    sayable,
    saying,
    seeded,
    smallest,
    value_of,
    values_for,
)

# ---------------------------------------------------------------------------------------------- parameters


@check
def test_offline_pictures_follow_each_parameter(conformance: Conformance) -> None:
    """Another value of any parameter gives another picture of an offline model, alone and beside all others."""
    model = offline_model(conformance)
    every = plans_of(model, all_starts(model))
    if not any(paints_as_told(model, plan.task) for plan in every):
        pytest.skip("the model paints the same whatever it is told, or another picture each time")
    for start in (plan.task for plan in every):
        looked_at = {name: limit for name, limit in sayable(model, start).items() if name not in _SEEN_ELSEWHERE}
        for name, limit in looked_at.items():
            _expect_told_apart(model, start, name, limit)
            _expect_followed(model, start, name, limit, "")
        for task in _saying_all(model, start):
            for name, limit in looked_at.items():
                if isinstance(limit, limits.Flag | limits.Integer | limits.Real):
                    _expect_told_apart(model, task, name, limit)
                _expect_followed(model, task, name, limit, " beside other parameters")


def _saying_all(model: Model, start: Task) -> Iterator[Task]:
    """The task that says everything, numbers in the middle; and one for each parameter that cannot stand beside it."""
    every = full(model, start)
    tasks = [every]
    for name, limit in sayable(model, start).items():
        if value_of(every, name) is None:
            said = changed(start, name, next(iter(values_for(start, name, limit)), None))
            tasks += [full(model, said)] if plan_or_none(model, said) is not None and said is not None else []
    return (plan.task for plan in plans_of(model, tasks))


_SEEN_ELSEWHERE = frozenset({"seed", "n", "size", "expand", "mask"})


def _expect_told_apart(model: Model, task: Task, name: str, limit: Constraint) -> None:
    """Hold that no two of these values give the same picture."""
    for values in _alternatives(name, limit, values_for(task, name, limit)):
        found = list(painted(model, task, name, values))
        if name == "negative_prompt" and _is_ignored(model, task, name, ["zq", "kv"]):
            continue  # a painter may look for the words that it knows
        for (one, first), (other, second) in itertools.combinations(found, 2):
            same = f"send paints the same picture with {name}={shorten(one, 200)} and with {name}={shorten(other, 200)}"
            expect(first != second, same, task)


def _alternatives(name: str, limit: Constraint, values: list[Any]) -> Iterator[list[Any]]:
    """Values of which each means something else: names, numbers, weights, and long prompts with another end."""
    if isinstance(limit, limits.Choice) and not set(values) <= _FORMATS.keys():
        yield [value for value in values if value not in _ANY]
    elif isinstance(limit, limits.Flag | limits.Integer):
        yield values
    elif isinstance(limit, limits.Real):
        yield values if name != "strength" else _ends_and_middle(values)  # of which a pipeline may make whole steps
    elif isinstance(limit, limits.PromptText) and limit.weights is not None:
        fox, snow = (WeightedText(text, plain_weight(limit.weights)) for text in ("a fox", "snow"))
        yield [(fox, fox, snow), (fox, snow)]
        yield [(attrs.evolve(fox, weight=weight), snow) for weight in ends(limit.weights)]
    elif isinstance(limit, limits.Pictures) and values and limit.max_items > 1:
        first, *others = distinct_pictures(values[0][0].size, 3)
        yield [(first, other) for other in others]
    if name in {"prompt", "negative_prompt"}:  # the longest, of which the last letter differs
        yield [value for value in values if isinstance(value, str) and value.startswith("xx")]


def _ends_and_middle(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys([min(values), values[0], max(values)]))


_ANY = frozenset({"auto", "default"})
"""Names that leave it to the model, which may come to what another name says."""


def _expect_followed(model: Model, task: Task, name: str, limit: Constraint, where: str) -> None:
    """Hold that some value of a parameter changes the picture."""
    values = values_for(task, name, limit)
    if name == "negative_prompt":  # a painter may only leave its words out of the prompt
        task, values = changed(task, "prompt", _WORDS) or task, [_WORDS, *values]
    ignored = _is_ignored(model, task, name, values)
    expect(not ignored, f"whatever {name} says{where}, send paints the same picture", task)


_WORDS = "a house and a tree"


def _is_ignored(model: Model, task: Task, name: str, values: list[Any]) -> bool:
    found: list[list[Image | None]] = []
    for _, pictures in painted(model, task, name, values):
        if found and pictures != found[0]:
            return False
        found.append(pictures)
    return len(found) > 1


# ---------------------------------------------------------------------------------------------- edits


@check
def test_offline_edits_follow_the_task(conformance: Conformance) -> None:
    """The pictures that an offline model paints follow mask, expand, strength and format."""
    model = offline_model(conformance)
    for start in all_starts(model):
        if isinstance(start, Inpaint) and isinstance(start.mask, Mask):
            _expect_painted_in_mask(model, start)
        if isinstance(start, Outpaint) and start.expand is not None:
            _expect_picture_in_place(model, start)
        if isinstance(start, Vary):
            _expect_departure(model, start)
        if isinstance(start, Vary | Inpaint):
            _expect_shape(model, start)
        _expect_formats(model, start)


def _with_pattern(start: Vary | Inpaint | Outpaint, size: Size, **more: Any) -> Task:
    image = Image(png_bytes(pattern(size)))
    return saying(start, image=(image,) if isinstance(start, Vary) else image, **more)


def _run(model: Model, task: Task) -> PIL.Image.Image | None:
    """The picture that the model makes of a task; nothing where it refuses the task."""
    made = plan_or_none(model, seeded(model, task))
    image = None if made is None else pictures_of(model, made)[0]
    return None if image is None else image.pil().convert("RGB")


def _size_of(start: Vary | Inpaint | Outpaint) -> Size:
    image = start.image[0] if isinstance(start.image, tuple) else start.image
    return image.size


def _expect_painted_in_mask(model: Model, start: Inpaint) -> None:
    """Open one half of the picture, and then the other."""
    width, height = size = _size_of(start)
    halves = (0, 0, width // 2, height), (width // 2, 0, width, height)
    for half, other in (halves, halves[::-1]):
        found = _run(model, _with_pattern(start, size, mask=box(size, half), preserve=False))
        if found is not None and found.size == size:
            inside, outside = (departure(pattern(size).crop(part), found.crop(part)) for part in (half, other))
            seen = f"send changes the half that the mask opens by {inside:.0%}, and the other by {outside:.0%}"
            expect(outside <= inside or outside < _LITTLE, seen, start)
    limit = model.limits_of(Inpaint).parameters["mask"]
    if isinstance(limit, limits.MaskPicture) and limit.grey:
        _expect_grey_painted_half(model, start)


def _expect_grey_painted_half(model: Model, start: Inpaint) -> None:
    """Open the whole picture, and then half of the way: pixels come that are neither kept nor as if all were open."""
    width, height = size = _size_of(start)
    masks = (box(size, (0, 0, width, height), level) for level in (255, 128))
    opened, half = (_run(model, _with_pattern(start, size, mask=mask, preserve=False)) for mask in masks)
    if opened is None or half is None or (opened.size, half.size) != (size, size):
        return
    kept = pattern(size)
    changed_pixels = ImageChops.invert(_alike(kept, opened, _FAR))
    extreme = ImageChops.lighter(_alike(kept, half, _NEAR), _alike(opened, half, _NEAR))
    every, hard = (sum(one.histogram()[128:]) for one in (changed_pixels, ImageChops.darker(extreme, changed_pixels)))
    seen = f"of the pixels under a grey mask send keeps or paints {hard} of {every} as under a black or a white one"
    expect(hard <= _MOST_HARD * every, seen, start)


def _alike(one: PIL.Image.Image, other: PIL.Image.Image, most: int) -> PIL.Image.Image:
    """White where two pictures differ by no more than this."""
    return ImageChops.difference(one, other).convert("L").point(lambda value: 255 if value <= most else 0)


_NEAR, _FAR = 4, 32  # levels of 255
_MOST_HARD = 0.95


def _expect_picture_in_place(model: Model, start: Outpaint) -> None:
    """Extend the picture on one side: it stays on the other."""
    width, height = size = _size_of(start)
    for at, border in enumerate(((width, 0, 0, 0), (0, height, 0, 0), (0, 0, width, 0), (0, 0, 0, height))):
        found = _run(model, _with_pattern(start, size, expand=border, preserve=False))
        if found is None:
            continue
        grown = (found.width > width, found.height > height)
        turned = grown == (at % 2 == 1, at % 2 == 0)
        expect(not turned, f"with expand={border} send extends {size} to {found.size}", start)
        canvas = (2 * width, height) if at % 2 == 0 else (width, 2 * height)
        if found.size == canvas:
            left, top = border[:2]
            place, opposite = (left, top), (canvas[0] - width - left, canvas[1] - height - top)
            here, there = (departure(pattern(size), found.crop((x, y, x + width, y + height))) for x, y in (place, opposite))
            expect(here <= there, f"with expand={border} send paints the picture at {opposite}, not at {place}", start)


def _expect_departure(model: Model, start: Vary) -> None:
    """Vary with the least and the largest strength."""
    limit = model.limits_of(Vary).parameters.get("strength")
    if limit is None:
        return
    size, found = _size_of(start), []
    for strength in (min(numbers(limit)), max(numbers(limit))):
        made = _run(model, _with_pattern(start, size, strength=strength))
        found += [] if made is None else [departure(pattern(size), made)]
    shown = " and ".join(f"{far:.0%}" for far in found)
    fine = len(found) < 2 or found[0] <= found[1] + _LITTLE
    expect(fine, f"with the least and the largest strength send changes the picture by {shown}", start)


def _expect_shape(model: Model, start: Vary | Inpaint) -> None:
    """Edit a wide picture where no size is said: what comes is wide."""
    side = max(_size_of(start))
    for size in ((4 * side, 2 * side), (2 * side, 4 * side)):
        masked = {"mask": box(size, (0, 0, *size)), "preserve": False} if isinstance(start, Inpaint) else {}
        task = _with_pattern(start, size, **masked)
        made = None if getattr(task, "size", None) is not None else _run(model, task)
        turned = made is not None and (made.width > made.height) != (size[0] > size[1]) and made.width != made.height
        expect(not turned, f"of a picture of {size} pixels send makes one of {made and made.size}", start)


def _expect_formats(model: Model, start: Task) -> None:
    """Ask for each format of pictures that an option names, alone and beside all other parameters."""
    tasks = [seeded(model, smallest(model, task)) for task in (start, full(model, start))]
    for (name, limit), task in itertools.product(model.limits_of(type(start)).options.items(), tasks):
        values = limit.values if isinstance(limit, limits.Choice) else ()
        for value in values if set(values) <= _FORMATS.keys() else ():
            for _, pictures in painted(model, task, f"options.{name}", [value]):
                types = {image.media_type for image in pictures if image is not None}
                expect(types <= {_FORMATS[value]}, f"with {name}={value!r} send makes {', '.join(types)}", task)
            made = changed(task, f"options.{name}", value) if _FORMATS[value] in _LOSSY else None
            if made is not None:
                _expect_quality(model, made, value)


def _expect_quality(model: Model, task: Task, kind: str) -> None:
    """Hold that a quality which is accepted for a format with losses changes its pictures."""
    for name, limit in model.limits_of(type(task)).options.items():
        if "quality" in name and isinstance(limit, limits.Integer | limits.Real):
            ignored = _is_ignored(model, task, f"options.{name}", ends(limit))
            expect(not ignored, f"whatever {name} says, send makes the same {kind}", task)


_LOSSY = frozenset({"image/jpeg", "image/webp"})

_FORMATS = {name: f"image/{name.replace('jpg', 'jpeg')}" for name in ("png", "jpeg", "jpg", "webp")}
_LITTLE = 0.02
