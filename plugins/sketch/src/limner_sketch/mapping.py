"""A task as the painter's order, in JSON, and the painter's answer as pictures. Pure."""

from __future__ import annotations

import base64
from typing import Any

from limner import (
    BadResponse,
    Generate,
    Image,
    Inpaint,
    Outpaint,
    Picture,
    RemoveBackground,
    Task,
    Upscale,
    Vary,
    expand_canvas,
    image_from_base64,
    parse_json,
)

Order = dict[str, Any]

UPSCALE = 2
LONGEST = 2048


def to_order(task: Task) -> Order:
    """Write a task as an order; a picture is base64."""
    match task:
        case Generate():
            return {"do": "paint", "words": task.prompt, "size": task.size, **_repeated(task)}
        case Vary():
            size = task.size if task.size is not None else task.image[0].size
            picture = _base64(task.image[0].data)
            order = {"do": "vary", "picture": picture, "words": task.prompt or "", "strength": task.strength}
            return {**order, "size": size, **_repeated(task)}
        case Inpaint() | Outpaint():
            image, mask = task.image, task.mask
            if isinstance(task, Outpaint) and task.expand is not None:
                image, mask = expand_canvas(task.image, task.expand)
            assert mask is not None  # noqa: S101 - the limits know no other way
            assert mask != "alpha"  # noqa: S101 - fit made a mask of it
            pictures = {"picture": _base64(image.data), "mask": _base64(mask.png())}
            return {"do": task.kind, **pictures, "words": task.prompt or "", **_repeated(task)}
        case RemoveBackground():
            return {"do": "remove-background", "picture": _base64(task.image.data)}
        case Upscale():
            return {"do": "upscale", "picture": _base64(task.image.data), "size": task.size or _doubled(task.image)}
    raise NotImplementedError(task.kind)


def _repeated(task: Generate | Vary | Inpaint | Outpaint) -> Order:
    without = (task.negative_prompt,) if isinstance(task.negative_prompt, str) else task.negative_prompt or ()
    return {"without": list(without), "seed": task.seed, "n": task.n}


def _doubled(image: Image) -> tuple[int, int]:
    width, height = image.size
    factor = min(UPSCALE, LONGEST / max(width, height))
    return round(width * factor), round(height * factor)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def to_pictures(body: bytes) -> list[Picture]:
    """Read the painter's answer."""
    match parse_json(body):
        case {"pictures": [*texts]}:
            return [Picture(image=image_from_base64(text)) for text in texts]
    raise BadResponse("the painter's answer has no list of pictures")
