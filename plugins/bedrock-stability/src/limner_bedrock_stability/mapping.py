"""Map tasks to request bodies, and response bodies to pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from limner import BadResponse, Generate, Image, Inpaint, Mask, Outpaint, Picture, Problem, Task, WeightedText
from limner.limits import TaskLimits
from limner_bedrock import picture_from_base64
from limner_bedrock.payloads import Base64
from limner_bedrock.wire import read_answer

from limner_bedrock_stability.limits import MOST_SIDE_PIXELS, SERVICES
from limner_bedrock_stability.wire import Answer, Body

_SIDES = ("left", "up", "right", "down")
_NOT_SENT = {"n", "preserve"}  # a call makes one picture; core restores what is preserved

Box = tuple[int, int, int, int]


# ---------------------------------------------------------------------------------------------- request


def to_body(task: Task, keys: Mapping[str, str], *, has_mode: bool) -> Body:
    """Map a task within the limits to a request body.

    Args:
        task: the task.
        keys: the JSON names of parameters and options, where they differ.
        has_mode: whether ``mode`` distinguishes text-to-image from image-to-image.
    """
    values: dict[str, Any] = {}
    for name, value in _inputs(task).items():
        values |= _to_json(keys.get(name, name), value)
    if isinstance(task, Outpaint) and isinstance(task.mask, Mask):
        values |= _from_mask(task.image, task.mask)
        del values["mask"]
    if has_mode:
        values["mode"] = "text-to-image" if isinstance(task, Generate) else "image-to-image"
    return Body(**values)


def _inputs(task: Task) -> dict[str, Any]:
    """Return the parameters and options that are sent, by name."""
    return {name: value for name, value in task.arguments() if name not in _NOT_SENT} | dict(task.options)


def _to_json(key: str, value: Any) -> dict[str, Any]:
    match key, value:
        case "size", (width, height):
            return {"aspect_ratio": f"{width}:{height}"}
        case "expand", _:
            return dict(zip(_SIDES, value, strict=True))
        case "prompt", tuple():
            return {key: with_weights(value)}
        case _, (Image() as image, *_):
            return {key: image}
        case "mask", "alpha":
            return {}
    return {key: value}


def with_weights(parts: Iterable[WeightedText]) -> str:
    """Write a prompt in the services' syntax, ``(text:weight)``; a part of weight 1 stays as it is."""
    return ", ".join(part.text if part.weight == 1 else f"({part.text}:{part.weight:g})" for part in parts)


def kept_box(mask: Mask) -> Box | None:
    """Return the rectangle (left, top, right, bottom) that a mask keeps; ``None`` if it keeps anything else."""
    box = mask.inverted().pil().getbbox()
    return box if box is not None and Mask.box(box, size=mask.size).inverted() == mask else None


def _from_mask(image: Image, mask: Mask) -> dict[str, Any]:
    """Turn a mask on the final canvas into a smaller image and the pixels to add on each side."""
    box = kept_box(mask)
    assert box is not None  # noqa: S101 - see _check_canvas
    return {"image": Image.read(image.pil().crop(box)), **dict(zip(_SIDES, _sides(box, mask.size), strict=True))}


def _sides(box: Box, size: tuple[int, int]) -> Box:
    return box[0], box[1], size[0] - box[2], size[1] - box[3]


# ---------------------------------------------------------------------------------------------- conflicts


def problems(task: Task, limits: TaskLimits) -> Iterator[Problem]:
    """Report conflicts between parameters."""
    yield from _check_prompt_length(task, limits)
    if isinstance(task, Inpaint) and task.preserve and task.options.get("grow_mask", 0) > 0:
        limit = "repaints beyond the mask, where the image is preserved; set preserve=False or grow_mask to 0"
        yield Problem.of("options.grow_mask", task.options["grow_mask"], limit, SERVICES)
    if isinstance(task, Outpaint) and isinstance(task.mask, Mask):
        yield from _check_canvas(task.mask, limits)


def _check_prompt_length(task: Task, limits: TaskLimits) -> Iterator[Problem]:
    prompt = getattr(task, "prompt", None)
    if not isinstance(prompt, tuple):
        return
    rule: Any = limits.parameters["prompt"]
    length = len(with_weights(prompt))
    if rule.max_length is not None and length > rule.max_length:
        limit = f"has {length:,} characters with the weights, must have at most {rule.max_length:,}"
        yield Problem.of("prompt", prompt, limit, rule.source)


def _check_canvas(mask: Mask, limits: TaskLimits) -> Iterator[Problem]:
    box = kept_box(mask)
    if box is None:
        yield Problem.of(
            "mask", mask, "must keep exactly one rectangle, because the service extends an image on its four sides", SERVICES
        )
        return
    sides = _sides(box, mask.size)
    if not any(sides) or max(sides) > MOST_SIDE_PIXELS:
        limit = f"adds {sides} pixels at left, top, right and bottom; one must be above 0, none above {MOST_SIDE_PIXELS}"
        yield Problem.of("mask", mask, limit, SERVICES)
    kept = box[2] - box[0], box[3] - box[1]
    rule: Any = limits.parameters["image"]
    if (wrong := rule.wrong_size(kept)) is not None:
        yield Problem.of("mask", mask, f"the rectangle that it keeps {wrong}", SERVICES)


# ---------------------------------------------------------------------------------------------- response


def to_pictures(body: bytes) -> Sequence[Picture]:
    """Parse a response body; that of a filtered picture may have no ``images`` at all.

    Raises:
        BadResponse: the body is not what AWS documents.
    """
    answer = read_answer(body, Answer)
    texts, seeds, reasons = answer.images or [], answer.seeds or [], answer.finish_reasons or []
    count = max(len(texts), len(reasons))
    if count == 0:
        raise BadResponse("the response has neither images nor finish_reasons")
    return [_picture(_at(texts, index), _at(seeds, index), _at(reasons, index)) for index in range(count)]


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _picture(text: Base64 | None, seed: Any, reason: str | None) -> Picture:
    if reason is None and text is None:
        raise BadResponse("the response reports success but has no image")
    image = None if text is None else picture_from_base64(text)
    seed = seed if isinstance(seed, int) and not isinstance(seed, bool) else None
    if reason is None:
        return Picture(image=image, seed=seed)
    return Picture(outcome="filtered" if reason.startswith("Filter") else "failed", image=image, seed=seed, reason=reason)
