"""Maps a task to the painter's request (JSON) and the painter's response to pictures. Pure: no I/O, no Pillow."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from limner_sketch.painter.wording import Wording

Order = dict[str, Any]

UPSCALE = 2
LONGEST = 2048


def to_order(task: Task) -> Order:
    """Return a task as an order. Pictures are base64."""
    match task:
        case Generate():
            return {"do": "paint", "words": task.prompt, "size": task.size, **_shared(task)}
        case Vary():
            size = task.size if task.size is not None else task.image[0].size
            picture = _base64(task.image[0].data)
            order = {"do": "vary", "picture": picture, "words": task.prompt or "", "strength": task.strength}
            return {**order, "size": size, **_shared(task)}
        case Inpaint() | Outpaint():
            image, mask = task.image, task.mask
            if isinstance(task, Outpaint) and task.expand is not None:
                image, mask = expand_canvas(task.image, task.expand)
            assert mask is not None  # noqa: S101 - the limits require a mask or expand
            assert mask != "alpha"  # noqa: S101 - fit replaced it with a mask
            pictures = {"picture": _base64(image.data), "mask": _base64(mask.png())}
            return {"do": task.kind, **pictures, "words": task.prompt or "", **_shared(task)}
        case RemoveBackground():
            return {"do": "remove-background", "picture": _base64(task.image.data)}
        case Upscale():
            return {"do": "upscale", "picture": _base64(task.image.data), "size": task.size or _doubled(task.image)}
    raise NotImplementedError(task.kind)


def _shared(task: Generate | Vary | Inpaint | Outpaint) -> Order:
    return {"without": list(_negative_prompts(task)), "seed": task.seed, "n": task.n}


def _negative_prompts(task: Generate | Vary | Inpaint | Outpaint) -> tuple[str, ...]:
    return (task.negative_prompt,) if isinstance(task.negative_prompt, str) else task.negative_prompt or ()


def _doubled(image: Image) -> tuple[int, int]:
    width, height = image.size
    factor = min(UPSCALE, LONGEST / max(width, height))
    return round(width * factor), round(height * factor)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def to_pictures(body: bytes) -> list[Picture]:
    """Return the pictures in the painter's response."""
    match parse_json(body):
        case {"pictures": [*texts]}:
            return [Picture(image=image_from_base64(text)) for text in texts]
    raise BadResponse("the painter's response has no list of pictures")


def prompt_wording(task: Task) -> Wording | None:
    """Return which words of a task's prompt the painter paints and which it does not know; None without a prompt.

    Pure: it reads the prompt and paints nothing.
    """
    if not isinstance(task, Generate | Vary | Inpaint | Outpaint) or not isinstance(task.prompt, str):
        return None
    from limner_sketch.painter.wording import wording

    return wording(task.kind, task.prompt, _negative_prompts(task))
