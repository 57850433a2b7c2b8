"""A stand-in for the servers of ``/sdapi/v1``, written from the reference alone.

Its painting shows what a server would do: pictures are inverted where the mask opens them, unknown names are replaced in
silence, a job that is interrupted answers 200. :func:`problems` names what a server would ignore, cut or misread in silence.
"""

from __future__ import annotations

import base64
import binascii
import functools
import io
import json
from typing import Any

import jsonschema
import PIL.Image
from PIL import ImageOps

Schema = dict[str, Any]

TXT2IMG, IMG2IMG, UPSCALE = "/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/sdapi/v1/extra-single-image"
SAMPLERS = ["DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "Euler a", "Euler"]
SCHEDULERS = [("automatic", "Automatic"), ("karras", "Karras"), ("exponential", "Exponential"), ("simple", "Simple")]
CHECKPOINTS = [("sd_xl_base_1.0", "31e35c80fc"), ("dreamshaper", "879db523c3")]
UPSCALERS = ["None", "Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+", "R-ESRGAN 4x+ Anime6B"]

TEXT: Schema = {"type": "string"}
BOOL: Schema = {"type": "boolean"}
INT: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
LIST: Schema = {"type": "array"}


def integer(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def number(least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


SIDE = {"type": "integer", "minimum": 64, "maximum": 2048, "multipleOf": 8}
SHARED: Schema = {
    "prompt": TEXT,
    "negative_prompt": TEXT,
    "styles": {"type": "array", "items": TEXT},
    "seed": integer(-1, 4_294_967_293),
    "subseed": INT,
    "subseed_strength": NUMBER,
    "batch_size": integer(1, 8),
    "n_iter": integer(1, 100),
    "steps": integer(1, 80),  # KoboldCpp cuts in silence what is beyond, and so it does cfg_scale
    "cfg_scale": number(1, 25),
    "width": SIDE,
    "height": SIDE,
    "sampler_name": TEXT,
    "sampler_index": TEXT,
    "scheduler": TEXT,
    "denoising_strength": number(0, 1),
    "override_settings": OBJECT,
    "override_settings_restore_afterwards": BOOL,
    "clip_skip": integer(1, 12),
    "alwayson_scripts": OBJECT,
    "script_name": TEXT,
    "script_args": LIST,
    "send_images": BOOL,
    "save_images": BOOL,
    "force_task_id": TEXT,
    "infotext": TEXT,
    "refiner_checkpoint": TEXT,
    "refiner_switch_at": number(0, 1),
    "restore_faces": BOOL,
    "tiling": BOOL,
    **dict.fromkeys(("eta", "s_churn", "s_tmin", "s_tmax", "s_noise", "s_min_uncond"), NUMBER),
    # not in the reference, but A1111's own tests or its web page send them
    **dict.fromkeys(("seed_resize_from_h", "seed_resize_from_w", "firstphase_width", "firstphase_height"), INT),
    **dict.fromkeys(("do_not_save_samples", "do_not_save_grid", "disable_extra_networks"), BOOL),
    "comments": OBJECT,
}
HR: Schema = {
    "enable_hr": BOOL,
    "hr_scale": NUMBER,
    **dict.fromkeys(("hr_second_pass_steps", "hr_resize_x", "hr_resize_y"), INT),
    **dict.fromkeys(
        ("hr_upscaler", "hr_checkpoint_name", "hr_sampler_name", "hr_scheduler", "hr_prompt", "hr_negative_prompt"), TEXT
    ),
}
IMAGE: Schema = {
    "init_images": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 1},
    "resize_mode": integer(0, 3),
    "mask": TEXT,
    "inpainting_mask_invert": {"enum": [0, 1, False, True]},
    "mask_round": BOOL,
    **dict.fromkeys(("mask_blur", "mask_blur_x", "mask_blur_y"), integer(0, 64)),
    "inpainting_fill": integer(0, 3),
    "inpaint_full_res": {"enum": [0, 1, False, True]},
    "inpaint_full_res_padding": integer(0, 256),
    "include_init_images": BOOL,
    "image_cfg_scale": NUMBER,
    "initial_noise_multiplier": NUMBER,
}


def schema(required: str, properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


SCHEMAS = {
    TXT2IMG: schema("prompt width height", SHARED | HR),
    IMG2IMG: schema("prompt width height init_images", SHARED | IMAGE),
    UPSCALE: schema(
        "image upscaler_1",
        {
            "image": TEXT,
            "upscaler_1": TEXT,
            "upscaler_2": TEXT,
            "resize_mode": integer(0, 1),
            "upscaling_resize": number(1, 8),
            "upscaling_resize_w": integer(1, 16_384),
            "upscaling_resize_h": integer(1, 16_384),
            **dict.fromkeys(("upscaling_crop", "upscale_first", "show_extras_results"), BOOL),
            **dict.fromkeys(
                ("extras_upscaler_2_visibility", "gfpgan_visibility", "codeformer_visibility", "codeformer_weight"),
                number(0, 1),
            ),
        },
    ),
}


# ---------------------------------------------------------------------------------------------- what is wrong


def problems(path: str, body: dict[str, Any], *, nulls: bool = False) -> list[str]:
    """Say what a server would refuse, or worse, ignore; with ``nulls`` a null is nothing, as at A1111."""
    path = f"/{path.lstrip('/')}"
    if path not in SCHEMAS:
        return [f"there is no {path}"]
    if nulls:
        body = {name: value for name, value in body.items() if value is not None}
    found = [f"{error.json_path}: {error.message[:150]}" for error in _validator(path).iter_errors(body)]
    if found:
        return found
    pictures = [opened(text) for text in (*body.get("init_images", []), *filter(None, [body.get("image")]))]
    found += [f"a picture is {picture.mode}, not RGB" for picture in pictures if picture.mode != "RGB"]
    if body.get("upscaler_1") == "None":
        found.append("the upscaler None gives the picture back")
    return found + (_of_mask(opened(body["mask"]), pictures) if "mask" in body else [])


def _of_mask(mask: PIL.Image.Image, pictures: list[PIL.Image.Image]) -> list[str]:
    found = [] if mask.mode == "L" else [f"the mask is {mask.mode}, not L"]
    if mask.convert("L").getbbox() is None:
        found.append("the mask is blank: with inpaint_full_res everything is repainted")
    if mask.size != pictures[0].size:
        found.append("the mask has another size than the picture")
    return found


@functools.cache
def _validator(path: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMAS[path])


def opened(text: str) -> PIL.Image.Image:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    picture.load()
    return picture


# ---------------------------------------------------------------------------------------------- answering


def a1111_error(status: int, name: str, text: str) -> tuple[int, dict[str, Any]]:
    if name == "HTTPException":
        return status, {"error": name, "detail": text, "body": "", "errors": text}
    return status, {"error": name, "detail": "", "body": "", "errors": text}


def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Answer as A1111 does, with all that it does in silence."""
    path = f"/{path.lstrip('/')}"
    if path == UPSCALE:
        return _upscaled(body)
    try:
        if path == IMG2IMG and not body.get("init_images"):
            return a1111_error(404, "HTTPException", "Init image not found")
        painted = _painted(body)
    except (binascii.Error, ValueError, OSError):
        return a1111_error(500, "HTTPException", "Invalid encoded image")
    count = body.get("batch_size", 1) * body.get("n_iter", 1)
    info = _info(body, painted.size, count)
    images = [text_of(painted)] * count
    if body.get("save_images"):
        images, info["index_of_first_image"] = [text_of(PIL.Image.new("RGB", (8, 8))), *images], 1
    return 200, {"images": images, "parameters": {**body, "init_images": None, "mask": None}, "info": json.dumps(info)}


def _info(body: dict[str, Any], size: tuple[int, int], count: int) -> dict[str, Any]:
    asked = body.get("override_settings", {}).get("sd_model_checkpoint")
    name, digest = next((row for row in CHECKPOINTS if asked in {*row, f"{row[0]}.safetensors"}), CHECKPOINTS[0])
    sampler = body.get("sampler_name", "Euler")
    seed = body.get("seed", -1)
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


def _painted(body: dict[str, Any]) -> PIL.Image.Image:
    size = body.get("width", 512) // 8 * 8, body.get("height", 512) // 8 * 8
    if not body.get("init_images"):
        return PIL.Image.new("RGB", size, (body.get("seed", 0) % 251, 128, 128))
    source = opened(body["init_images"][0]).convert("RGB")
    inverted = ImageOps.invert(source)
    if not body.get("mask"):
        painted = PIL.Image.blend(source, inverted, body.get("denoising_strength", 0.75))
        return painted.resize(size, PIL.Image.Resampling.NEAREST)
    mask = opened(body["mask"])
    opening = mask.getchannel("A") if mask.mode == "RGBA" else mask.convert("L")
    if body.get("inpainting_mask_invert"):
        opening = ImageOps.invert(opening)
    full = body.get("inpaint_full_res", True)
    if opening.getbbox() is None and full:
        return inverted.resize(size)
    if body.get("mask_round", True):
        opening = opening.point(lambda level: 255 if level > 127 else 0)
    painted = PIL.Image.composite(inverted, source, opening)
    return painted if full else painted.resize(size, PIL.Image.Resampling.NEAREST)


def _upscaled(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if not body.get("image"):
        return a1111_error(500, "HTTPException", "Invalid encoded image")
    source, name = opened(body["image"]), body.get("upscaler_1", "None")
    if name not in UPSCALERS:
        return a1111_error(500, "AssertionError", f"could not find upscaler named {name}")
    if name == "None":
        return 200, {"image": body["image"], "html_info": ""}
    factor = body.get("upscaling_resize", 2)
    size = tuple(int(side * factor) // 8 * 8 for side in source.size)
    return 200, {"image": text_of(source.resize(size, PIL.Image.Resampling.NEAREST)), "html_info": "<p></p>"}


def text_of(picture: PIL.Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode()


LISTS: dict[str, list[dict[str, Any]]] = {
    "samplers": [{"name": name, "aliases": [f"k_{name.lower()}"], "options": {}} for name in SAMPLERS],
    "schedulers": [{"name": name, "label": label, "aliases": None} for name, label in SCHEDULERS],
    "sd-models": [
        {
            "title": f"{name}.safetensors [{digest}]",
            "model_name": name,
            "hash": digest,
            "sha256": digest * 6,
            "filename": f"/models/{name}.safetensors",
        }
        for name, digest in CHECKPOINTS
    ],
    "upscalers": [
        {"name": name, "model_name": None, "model_path": None, "model_url": None, "scale": 4} for name in UPSCALERS
    ],
}
