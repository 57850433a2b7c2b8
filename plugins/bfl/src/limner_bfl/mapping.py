"""A task as a request of Black Forest Labs' API, and an answer as pictures. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import limner
from limner import Inpaint, Mask, Outpaint, Task
from limner_http import dump_json, parse_json, picture_from_base64

from limner_bfl import wire
from limner_bfl.services import MODERATED, reasons

Family = Literal["flux-1", "flux-2", "flux-3", "kontext", "fill", "erase", "expand", "outpaint"]

_NAMES = {"prompt": "prompt", "seed": "seed", "steps": "steps", "guidance_scale": "guidance"}


def to_request(task: Task, family: Family, model_id: str) -> limner.Request:
    """Write a task that keeps the limits as a request."""
    shared = {sent: getattr(task, name, None) for name, sent in _NAMES.items()}
    body = {**shared, **_OWN[family](task), **task.options}
    said = {name: value for name, value in body.items() if value is not None}
    return limner.Request(model_id, dump_json(said), path=model_id)


def _flux_2(task: Task) -> dict[str, Any]:
    size = getattr(task, "size", None)
    pictures = getattr(task, "image", ())
    return {
        **({} if size is None else {"width": size[0], "height": size[1]}),
        **{f"input_image_{i}" if i > 1 else "input_image": image.data for i, image in enumerate(pictures, 1)},
    }


def _flux_3(task: Task) -> dict[str, Any]:
    ratio = getattr(task, "size", None)
    pictures = getattr(task, "image", ())
    return {
        "aspect_ratio": None if ratio is None else f"{ratio[0]}:{ratio[1]}",
        "images": [image.data for image in pictures] or None,
    }


def _kontext(task: Task) -> dict[str, Any]:
    """FLUX.1 kontext and ultra: by aspect ratio, with a picture or without."""
    ratio = getattr(task, "size", None)
    (picture,) = getattr(task, "image", ()) or (None,)
    return {
        "aspect_ratio": None if ratio is None else f"{ratio[0]}:{ratio[1]}",
        "input_image": None if picture is None else picture.data,
    }


def _masked(task: Task) -> dict[str, Any]:
    assert isinstance(task, Inpaint) and isinstance(task.mask, Mask)  # noqa: S101, PT018 - the limits leave no other
    return {"image": task.image.data, "mask": task.mask.png()}


def _expanded(task: Task) -> dict[str, Any]:
    assert isinstance(task, Outpaint) and task.expand is not None  # noqa: S101, PT018 - the limits leave no other
    return {"image": task.image.data, **dict(zip(("left", "top", "right", "bottom"), task.expand, strict=True))}


def _outpaint(task: Task) -> dict[str, Any]:
    assert isinstance(task, Outpaint) and task.expand is not None  # noqa: S101, PT018 - the limits leave no other
    left, top, right, bottom = task.expand
    width, height = task.image.size
    return {
        "input_image": task.image.data,
        "width": left + width + right,
        "height": top + height + bottom,
        "reference_offset_x": left,
        "reference_offset_y": top,
    }


_OWN: dict[Family, Callable[[Task], dict[str, Any]]] = {
    "flux-1": _flux_2,
    "flux-2": _flux_2,
    "flux-3": _flux_3,
    "kontext": _kontext,
    "fill": _masked,
    "erase": _masked,
    "expand": _expanded,
    "outpaint": _outpaint,
}


def to_pictures(body: bytes) -> limner.Decoded:
    """Read what a task came to.

    Raises:
        BadResponse: it is not what is documented.
    """
    content = parse_json(body)
    status = wire.status(content)
    if status in MODERATED:  # which is not charged
        why = reasons(content.get("details"))[:300]
        return limner.Decoded([limner.Picture(outcome="filtered", reason=f"{status}: {why}" if why else str(status))])
    if status != "Ready":
        raise limner.BadResponse("the response is not that of a finished task")
    picture = limner.Picture(image=picture_from_base64(content.get("picture")))
    return limner.Decoded([picture], usage=wire.usage(content), metadata=wire.metadata(content))
