"""Responses like those of A1111, including its silent substitutions.

Unknown names are replaced, blank masks repaint everything, and a grid precedes the pictures if they are saved.
"""

from __future__ import annotations

import json
from typing import Any

from PIL import Image, ImageOps

from limner_fakes.faults import Fault, spoil
from limner_fakes.painters import Invert, Painter
from limner_fakes.pictures import BadPicture, Size, cut_out, decoded, encoded, written
from limner_fakes.sdapi.contract import (
    CHECKPOINTS,
    IMG2IMG,
    LATENT_MODES,
    REMBG,
    REMBG_OF_SD_NEXT,
    SAMPLERS,
    UPSCALE,
    UPSCALERS,
)

DEFAULT_SIDE = 512
DEFAULT_STRENGTH = 0.75

Said = tuple[int, dict[str, Any]]


class UnknownUpscalerError(Exception):
    """The server has no upscaler with this name for the high-resolution pass."""


class Blending(Invert):
    """Inverts pictures by the strength of a variation."""

    def vary(self, picture: Image.Image, prompt: str, strength: float, seed: int) -> Image.Image:
        """Blend the picture with its inverse."""
        return Image.blend(picture, super().vary(picture, prompt, strength, seed), strength)


def a1111_error(status: int, name: str, text: str) -> Said:
    """Return an error like A1111's for the name of an exception."""
    detail = text if name == "HTTPException" else ""
    return status, {"error": name, "detail": detail, "body": "", "errors": text}


def answer(
    path: str, body: dict[str, Any], painter: Painter | None = None, fault: Fault | None = None, *, half_done: bool = False
) -> Said:
    """Respond to a request with status and JSON.

    Args:
        path: the full path, such as ``/sdapi/v1/txt2img``.
        body: the request's JSON.
        painter: the painter; by default pictures are inverted.
        fault: the fault that applies to the pictures.
        half_done: whether the job was interrupted.
    """
    path, painter = f"/{path.lstrip('/')}", painter or Blending()
    try:
        if path == UPSCALE:
            return _upscaled(body, fault)
        if path in {REMBG, REMBG_OF_SD_NEXT}:
            return 200, {"image": spoil(_text(cut_out(decoded(body["input_image"]))), fault)}
        if path == IMG2IMG and not body.get("init_images"):
            return a1111_error(404, "HTTPException", "Init image not found")
        count = body.get("batch_size", 1) * body.get("n_iter", 1)
        painted = [_painted(body, painter, body.get("seed", -1) + index) for index in range(count)]
    except UnknownUpscalerError as error:
        return a1111_error(500, "AssertionError", f"could not find upscaler named {error}")
    except BadPicture:
        return a1111_error(500, "HTTPException", "Invalid encoded image")
    if half_done:
        painted = [Image.blend(picture, Image.new("RGB", picture.size, "grey"), 0.6) for picture in painted]
    info = _info(body, painted[0].size, count)
    images = [spoil(_text(picture), fault) for picture in painted]
    if body.get("save_images"):
        images, info["index_of_first_image"] = [_text(Image.new("RGB", (8, 8))), *images], 1
    return 200, {"images": images, "parameters": {**body, "init_images": None, "mask": None}, "info": json.dumps(info)}


def _info(body: dict[str, Any], size: Size, count: int) -> dict[str, Any]:
    asked = body.get("override_settings", {}).get("sd_model_checkpoint")
    named = (row for row in CHECKPOINTS if asked in {*row, f"{row[0]}.safetensors", f"{row[0]}.safetensors [{row[1]}]"})
    name, digest = next(named, CHECKPOINTS[0])
    sampler, seed = body.get("sampler_name", "Euler"), body.get("seed", -1)
    return {
        "prompt": body.get("prompt", ""),
        "seed": seed,
        "all_seeds": [seed + index for index in range(count)],
        "width": size[0],
        "height": size[1],
        "sampler_name": next((one for one in SAMPLERS if sampler in {one, f"{one} Karras"}), SAMPLERS[0]),
        "cfg_scale": body.get("cfg_scale", 7),
        "steps": body.get("steps", 50),
        "sd_model_name": name,
        "sd_model_hash": digest,
        "index_of_first_image": 0,
        "infotexts": [""] * count,
        "version": "v1.10.1",
    }


def _painted(body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    size = body.get("width", DEFAULT_SIDE) // 8 * 8, body.get("height", DEFAULT_SIDE) // 8 * 8
    prompt = body.get("prompt", "")
    if not body.get("init_images"):
        if body.get("enable_hr") and body.get("hr_upscaler") not in {None, *LATENT_MODES, *UPSCALERS[1:]}:
            raise UnknownUpscalerError(body["hr_upscaler"])
        return painter.paint(prompt, _enlarged(body, size), seed)
    source = decoded(body["init_images"][0]).convert("RGB")
    if not body.get("mask"):
        painted = painter.vary(source, prompt, body.get("denoising_strength", DEFAULT_STRENGTH), seed)
        return painted.resize(size, Image.Resampling.NEAREST)
    opening, full = _opening(body), body.get("inpaint_full_res", True)
    if opening.getbbox() is None and full:  # silently, the whole picture
        return painter.vary(source, prompt, 1.0, seed).resize(size)
    painted = Image.composite(painter.repaint(source, opening, prompt, seed), source, opening)
    return painted if full else painted.resize(size, Image.Resampling.NEAREST)


def _enlarged(body: dict[str, Any], size: Size) -> Size:
    """Return the size after the high-resolution pass."""
    if not body.get("enable_hr"):
        return size
    if body.get("hr_resize_x") and body.get("hr_resize_y"):
        return body["hr_resize_x"], body["hr_resize_y"]
    factor = body.get("hr_scale", 2.0)
    return int(size[0] * factor) // 8 * 8, int(size[1] * factor) // 8 * 8


def _opening(body: dict[str, Any]) -> Image.Image:
    """Return a mask that is white where the server repaints."""
    mask = decoded(body["mask"])
    opening = mask.getchannel("A") if mask.mode == "RGBA" else mask.convert("L")
    if body.get("inpainting_mask_invert"):
        opening = ImageOps.invert(opening)
    return opening.point(lambda level: 255 if level > 127 else 0) if body.get("mask_round", True) else opening


def _upscaled(body: dict[str, Any], fault: Fault | None) -> Said:
    if not body.get("image"):
        return a1111_error(500, "HTTPException", "Invalid encoded image")
    source, name = decoded(body["image"]), body.get("upscaler_1", "None")
    if name not in UPSCALERS:
        return a1111_error(500, "AssertionError", f"could not find upscaler named {name}")
    if name == "None":
        return 200, {"image": body["image"], "html_info": ""}
    factor = body.get("upscaling_resize", 2)
    width, height = (int(side * factor) // 8 * 8 for side in source.size)
    picture = _text(source.resize((width, height), Image.Resampling.NEAREST))
    return 200, {"image": spoil(picture, fault), "html_info": "<p></p>"}


def _text(picture: Image.Image) -> str:
    return encoded(written(picture))
