"""A task as a request of ``/sdapi/v1``, and an answer as pictures. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import singledispatch
from typing import Any

import limner
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, Task, Upscale, Vary, expand_canvas
from limner_http import dump_json, picture_from_base64

from limner_sdapi import wire
from limner_sdapi.limits import FILLS, RESIZE_MODES
from limner_sdapi.names import plain

TXT2IMG, IMG2IMG, UPSCALE = "sdapi/v1/txt2img", "sdapi/v1/img2img", "sdapi/v1/extra-single-image"
REMBG = "sdapi/v1/rembg"
REMBG_OF_EXTENSION = "rembg"
"""SD.Next has the first; the extension of A1111 and Forge the second, outside ``/sdapi``."""

PATHS: Mapping[type[Task], str] = {Generate: TXT2IMG, RemoveBackground: REMBG, Upscale: UPSCALE}
"""All other tasks are ``img2img``."""

DEFAULT_FACTOR, LARGEST_FACTOR = 2, 8
GRID = 8
"""Sides are floored to its multiples."""

Painted = Generate | Vary | Inpaint | Outpaint


def to_request(task: Task, model_id: str) -> limner.Request:
    """Write a task that keeps the limits as a request; what nobody said is left out, since null is an error for some."""
    return limner.Request(model_id, dump_json(_body(task)), path=PATHS.get(type(task), IMG2IMG))


@singledispatch
def _body(task: Task) -> dict[str, Any]:
    raise NotImplementedError(task.kind)


@_body.register
def _(task: Generate) -> dict[str, Any]:
    assert task.size is not None  # noqa: S101 - the limits have a default
    return _shared(task, task.size) | _second_pass(task.options)


def is_enlarged(options: limner.Options) -> bool:
    """Tell whether the high-resolution pass is asked for: by any of its options."""
    return any(name in options for name in ("hr_scale", "hr_upscaler", "hr_strength", "hr_steps"))


def _second_pass(options: limner.Options) -> dict[str, Any]:
    """Write the high-resolution pass, where one is asked for."""
    if not is_enlarged(options):
        return {}
    said = {
        "hr_upscaler": options.get("hr_upscaler"),
        "denoising_strength": options.get("hr_strength"),
        "hr_second_pass_steps": options.get("hr_steps"),
    }
    return {"enable_hr": True, "hr_scale": options.get("hr_scale", DEFAULT_FACTOR)} | {
        name: value for name, value in said.items() if value is not None
    }


@_body.register
def _(task: Vary) -> dict[str, Any]:
    (image,) = task.image
    return {
        **_shared(task, task.size or image.size),
        "init_images": [image.data],
        "denoising_strength": task.strength,
        "resize_mode": RESIZE_MODES.index(task.options["resize_mode"]),
    }


@_body.register(Inpaint)
@_body.register(Outpaint)
def _(task: Inpaint | Outpaint) -> dict[str, Any]:
    image, mask, options = *_canvas(task), task.options
    return {
        **_shared(task, image.size),
        "init_images": [image.data],
        "mask": mask.png(),
        "denoising_strength": options["mask_strength"],
        "resize_mode": 0,
        "inpainting_mask_invert": 0,
        "inpainting_fill": FILLS.index(options["inpainting_fill"]),
        "mask_blur": options["mask_blur"],
        "mask_round": False,
        "inpaint_full_res": options["inpaint_full_res"],
        "inpaint_full_res_padding": options["inpaint_full_res_padding"],
    }


@_body.register
def _(task: Upscale) -> dict[str, Any]:
    factor = {} if task.size is None and "factor" not in task.options else {"upscaling_resize": factor_of(task)}
    return {"image": task.image.data, "resize_mode": 0, "upscaler_1": task.options["upscaler"], **factor}


@_body.register
def _(task: RemoveBackground) -> dict[str, Any]:
    said = {"model": task.options["model"], "return_mask": False, "alpha_matting": task.options.get("alpha_matting")}
    return {"input_image": task.image.data} | {name: value for name, value in said.items() if value is not None}


def factor_of(task: Upscale) -> float:
    """Return the factor that is sent: for a size a little more than it needs, since sides are floored."""
    if task.size is None:
        return int(task.options.get("factor", DEFAULT_FACTOR))
    needed = max((side + GRID) / own for side, own in zip(task.size, task.image.size, strict=True))
    return min(LARGEST_FACTOR, math.ceil(needed * 1000) / 1000)


def prompt_of(prompt: limner.Prompt | None) -> str | None:
    """Write a prompt; a part with a weight as ``(text:1.1)``, in which the server's own brackets are escaped."""
    if not isinstance(prompt, tuple):
        return prompt
    return ", ".join(part.text if part.weight == 1 else f"({_escaped(part.text)}:{_plain(part.weight)})" for part in prompt)


def _escaped(text: str) -> str:
    return re.sub(r"[\\()\[\]]", r"\\\g<0>", text)


def _plain(number: float) -> str:
    """Write a number without an exponent, which the server does not read."""
    return f"{Decimal(str(number)):f}"


def _canvas(task: Inpaint | Outpaint) -> tuple[Image, Mask]:
    if isinstance(task, Outpaint) and task.expand is not None:
        return expand_canvas(task.image, task.expand)
    assert isinstance(task.mask, Mask)  # noqa: S101 - the limits leave no other
    return task.image, task.mask


def _shared(task: Painted, size: tuple[int, int]) -> dict[str, Any]:
    options = task.options
    said = {
        "prompt": prompt_of(task.prompt),
        "negative_prompt": task.negative_prompt,
        "seed": task.seed,
        "steps": task.steps,
        "cfg_scale": task.guidance_scale,
        "sampler_name": options.get("sampler"),
        "scheduler": options.get("scheduler"),
        "clip_skip": options.get("clip_skip"),
        "alwayson_scripts": _json(options.get("alwayson_scripts")),
        "override_settings": _overrides(options) or None,
        "force_task_id": None if task.seed is None else f"limner-{task.seed}",
    }
    fixed = {"width": size[0], "height": size[1], "batch_size": 1, "n_iter": 1, "send_images": True, "save_images": False}
    return fixed | {name: value for name, value in said.items() if value is not None}


def _overrides(options: limner.Options) -> dict[str, Any]:
    found = {"sd_model_checkpoint": options.get("checkpoint"), "CLIP_stop_at_last_layers": options.get("clip_skip")}
    return {name: value for name, value in found.items() if value is not None}


def _json(value: Any) -> Any:
    """Bring an option to what JSON libraries know."""
    match value:
        case Mapping():
            return {name: _json(item) for name, item in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
    return value


# ---------------------------------------------------------------------------------------------- answers


def to_pictures(task: Task, response: limner.Response) -> limner.Decoded:
    """Read an answer; a picture that is not the one that was asked for is a failure that says why.

    Raises:
        BadResponse: it is not what is documented.
    """
    if isinstance(task, RemoveBackground):
        image = picture_from_base64(wire.read_single(response.body))
        flat = "" if image.has_alpha else "the server flattened the picture; let it save PNG (Settings, File format)"
        return limner.Decoded([_judged(image, None, flat)])
    if isinstance(task, Upscale):
        return limner.Decoded([_upscaled(task, picture_from_base64(wire.read_single(response.body)))])
    answer = wire.read(response.body)
    image = picture_from_base64(answer.image)
    reason = "; ".join(filter(None, [_interrupted(response), _replaced(task, answer), _other_size(image, _wanted(task))]))
    return limner.Decoded([_judged(image, answer.seed, reason)], metadata=answer.metadata)


def _upscaled(task: Upscale, image: Image) -> limner.Picture:
    """Judge the result; of one that is larger than the size that was asked for, the middle is taken."""
    if task.size is None:
        factor = int(factor_of(task))
        return _judged(image, None, _other_size(image, (task.image.size[0] * factor, task.image.size[1] * factor)))
    if image.size[0] < task.size[0] or image.size[1] < task.size[1] or image.size == task.size:
        return _judged(image, None, _other_size(image, task.size))
    left, top = ((side - wanted) // 2 for side, wanted in zip(image.size, task.size, strict=True))
    middle = image.pil().crop((left, top, left + task.size[0], top + task.size[1]))
    return _judged(Image.read(middle), None, "")


def _judged(image: Image, seed: int | None, reason: str) -> limner.Picture:
    return limner.Picture(outcome="failed" if reason else "ok", image=image, seed=seed, reason=reason)


def _interrupted(response: limner.Response) -> str:
    return "the job was interrupted on the server; the picture is unfinished" if response.metadata.get("interrupted") else ""


def _replaced(task: Task, answer: wire.Answer) -> str:
    """Say what the server took in place of what was asked for; it says so nowhere else."""
    asked, used = task.options.get("checkpoint"), answer.text("sd_model_name")
    if asked and used and plain(asked) not in {plain(used), plain(answer.text("sd_model_hash"))}:
        return f"the server painted with the checkpoint {used!r}, not with {asked!r}"
    asked, used = task.options.get("sampler"), answer.text("sampler_name")
    if asked and used and not (plain(asked) == plain(used) or plain(asked).startswith(f"{plain(used)} ")):
        return f"the server painted with the sampler {used!r}, not with {asked!r}"
    return ""


def _wanted(task: Task) -> tuple[int, int] | None:
    match task:
        case Generate() if task.size is not None and is_enlarged(task.options):
            factor = task.options.get("hr_scale", DEFAULT_FACTOR)
            width, height = (int(side * factor) // GRID * GRID for side in task.size)
            return width, height
        case Generate():
            return task.size
        case Vary():
            return task.size or task.image[0].size
        case Inpaint() | Outpaint():
            width, height = task.image.size
            left, top, right, bottom = getattr(task, "expand", None) or (0, 0, 0, 0)
            return left + width + right, top + height + bottom
    return None


def _other_size(image: Image, wanted: tuple[int, int] | None) -> str:
    if wanted is None or image.size == wanted:
        return ""
    return "the server made {}x{} pixels of the {}x{} asked for".format(*image.size, *wanted)
