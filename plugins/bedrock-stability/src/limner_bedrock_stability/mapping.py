"""A task as a service's body, and a service's answer as pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from limner import BadResponse, Generate, Image, Inpaint, Mask, Outpaint, Picture, Problem, Task, WeightedText
from limner_bedrock import picture_from_base64
from limner_bedrock.payloads import Base64

from limner_bedrock_stability.limits import MOST_SIDE_PIXELS, SERVICES
from limner_bedrock_stability.services import Service
from limner_bedrock_stability.wire import Answer, Body

_SIDES = ("left", "up", "right", "down")
_NOT_SENT = {"n", "preserve"}  # one picture a call; what is preserved, core lays back over the result

Box = tuple[int, int, int, int]


# ---------------------------------------------------------------------------------------------- task to body


def to_body(task: Task, service: Service) -> Body:
    """Write a task as the body of a request to a service."""
    values: dict[str, Any] = {}
    for name, value in said(task).items():
        values |= _in_wire_form(service.keys.get(name, name), value)
    if isinstance(task, Outpaint) and isinstance(task.mask, Mask):
        values |= _from_mask(task.image, task.mask)
        del values["mask"]
    if service.has_mode:
        values["mode"] = "text-to-image" if isinstance(task, Generate) else "image-to-image"
    return Body(**values)


def said(task: Task) -> dict[str, Any]:
    """What a task says to the provider: parameters and options by name."""
    return {name: value for name, value in task.said() if name not in _NOT_SENT} | dict(task.options)


def _in_wire_form(key: str, value: Any) -> dict[str, Any]:
    match key, value:
        case "size", (width, height):
            return {"aspect_ratio": f"{width}:{height}"}
        case "expand", _:
            return dict(zip(_SIDES, value, strict=True))
        case "prompt", tuple():
            return {key: in_parentheses(value)}
        case _, (Image() as image, *_):
            return {key: image}
        case "mask", "alpha":
            return {}
    return {key: value}


def in_parentheses(parts: Iterable[WeightedText]) -> str:
    """Write a prompt's parts in the services' syntax: ``(word:weight)``, a part of weight 1 as it is."""
    return ", ".join(part.text if part.weight == 1 else f"({part.text}:{part.weight:g})" for part in parts)


def kept_box(mask: Mask) -> Box | None:
    """The rectangle that a mask keeps (left, top, right, bottom), where it is one rectangle and nothing else."""
    box = mask.inverted().pil().getbbox()
    return box if box is not None and Mask.box(box, size=mask.size).inverted() == mask else None


def _from_mask(image: Image, mask: Mask) -> dict[str, Any]:
    """What a mask on the final canvas says, as a smaller picture and its sides."""
    box = kept_box(mask)
    assert box is not None  # noqa: S101 - checked before
    return {"image": Image.read(image.pil().crop(box)), **dict(zip(_SIDES, _sides(box, mask.size), strict=True))}


def _sides(box: Box, size: tuple[int, int]) -> Box:
    return box[0], box[1], size[0] - box[2], size[1] - box[3]


# ---------------------------------------------------------------------------------------------- between parameters


def problems(task: Task, service: Service) -> Iterator[Problem]:
    """What is wrong between parameters that are each allowed."""
    yield from _long_prompt(task, service)
    if isinstance(task, Inpaint) and task.preserve and task.options.get("grow_mask", 0) > 0:
        limit = "paints beyond the mask, where the picture is preserved; say preserve=False, or grow_mask 0"
        yield Problem.of("options.grow_mask", task.options["grow_mask"], limit, SERVICES)
    if isinstance(task, Outpaint) and isinstance(task.mask, Mask):
        yield from _odd_canvas(task.mask, service)


def _long_prompt(task: Task, service: Service) -> Iterator[Problem]:
    prompt = getattr(task, "prompt", None)
    if not isinstance(prompt, tuple):
        return
    rule: Any = service.limits[type(task)].parameters["prompt"]
    length = len(in_parentheses(prompt))
    if rule.max_length is not None and length > rule.max_length:
        limit = f"has {length:,} characters with the weights, must have at most {rule.max_length:,}"
        yield Problem.of("prompt", prompt, limit, rule.source)


def _odd_canvas(mask: Mask, service: Service) -> Iterator[Problem]:
    box = kept_box(mask)
    if box is None:
        yield Problem.of("mask", mask, "must keep one rectangle; the service adds pixels on the four sides of one", SERVICES)
        return
    sides = _sides(box, mask.size)
    if not any(sides) or max(sides) > MOST_SIDE_PIXELS:
        limit = f"leaves {sides} pixels at left, top, right and bottom; one must be over 0, all at most {MOST_SIDE_PIXELS}"
        yield Problem.of("mask", mask, limit, SERVICES)
    kept = box[2] - box[0], box[3] - box[1]
    rule: Any = service.limits[Outpaint].parameters["image"]
    if (wrong := rule.wrong_size(kept)) is not None:
        yield Problem.of("mask", mask, f"the rectangle that it keeps {wrong}", SERVICES)


# ---------------------------------------------------------------------------------------------- answer to pictures


def to_pictures(answer: Answer) -> Sequence[Picture]:
    """Read an answer; a filtered one may have no ``images`` at all.

    Raises:
        BadResponse: it has neither pictures nor reasons, or one of them is not as documented.
    """
    texts, seeds, reasons = answer.images or [], answer.seeds or [], answer.finish_reasons or []
    count = max(len(texts), len(reasons))
    if count == 0:
        raise BadResponse("the answer has neither images nor finish_reasons")
    return [_picture(_at(texts, index), _at(seeds, index), _at(reasons, index)) for index in range(count)]


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _picture(text: Base64 | None, seed: Any, reason: str | None) -> Picture:
    if reason is None and text is None:
        raise BadResponse("the answer calls the picture a success, but it is not there")
    image = None if text is None else picture_from_base64(text)
    seed = seed if isinstance(seed, int) and not isinstance(seed, bool) else None
    if reason is None:
        return Picture(image=image, seed=seed)
    return Picture(outcome="filtered" if reason.startswith("Filter") else "failed", image=image, seed=seed, reason=reason)
