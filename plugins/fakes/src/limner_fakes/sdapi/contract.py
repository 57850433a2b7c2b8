"""The requests that ``/sdapi/v1`` accepts, as JSON Schemas, and checks for what servers would silently change.

Sources: the code of AUTOMATIC1111 1.10.1, Forge, SD.Next, stable-diffusion.cpp and KoboldCpp; ranges are those that all
of them respect, since the servers check types only.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from limner_fakes.pictures import BadPicture, decoded
from limner_fakes.schemas import FLAG, TEXT, Schema, against, closed, integer, number

REMBG, REMBG_OF_SD_NEXT = "/rembg", "/sdapi/v1/rembg"
"""Of the extension for A1111 and Forge, and of SD.Next."""
TXT2IMG, IMG2IMG, UPSCALE = "/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/sdapi/v1/extra-single-image"
SAMPLERS = ["DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "Euler a", "Euler"]
SCHEDULERS = [("automatic", "Automatic"), ("karras", "Karras"), ("exponential", "Exponential"), ("simple", "Simple")]
CHECKPOINTS = [("sd_xl_base_1.0", "31e35c80fc"), ("dreamshaper", "879db523c3")]
UPSCALERS = ["None", "Lanczos", "Nearest", "ESRGAN_4x", "R-ESRGAN 4x+", "R-ESRGAN 4x+ Anime6B"]

LATENT_MODES = ["Latent", "Latent (antialiased)", "Latent (nearest)"]

INT: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
LIST: Schema = {"type": "array"}
SIDE: Schema = {"type": "integer", "minimum": 64, "maximum": 2048, "multipleOf": 8}
SWITCH: Schema = {"enum": [0, 1, False, True]}

SHARED: Schema = {
    "prompt": TEXT,
    "negative_prompt": TEXT,
    "styles": {"type": "array", "items": TEXT},
    "seed": integer(-1, 4_294_967_293),
    "subseed": INT,
    "subseed_strength": NUMBER,
    "batch_size": integer(1, 8),
    "n_iter": integer(1, 100),
    "steps": integer(1, 80),  # KoboldCpp silently clamps larger values, also of cfg_scale
    "cfg_scale": number(1, 25),
    "width": SIDE,
    "height": SIDE,
    "sampler_name": TEXT,
    "sampler_index": TEXT,
    "scheduler": TEXT,
    "denoising_strength": number(0, 1),
    "override_settings": OBJECT,
    "override_settings_restore_afterwards": FLAG,
    "clip_skip": integer(1, 12),
    "alwayson_scripts": OBJECT,
    "script_name": TEXT,
    "script_args": LIST,
    "send_images": FLAG,
    "save_images": FLAG,
    "force_task_id": TEXT,
    "infotext": TEXT,
    "refiner_checkpoint": TEXT,
    "refiner_switch_at": number(0, 1),
    "restore_faces": FLAG,
    "tiling": FLAG,
    **dict.fromkeys(("eta", "s_churn", "s_tmin", "s_tmax", "s_noise", "s_min_uncond"), NUMBER),
    # not in the reference, but A1111's own tests or its web page send them
    **dict.fromkeys(("seed_resize_from_h", "seed_resize_from_w", "firstphase_width", "firstphase_height"), INT),
    **dict.fromkeys(("do_not_save_samples", "do_not_save_grid", "disable_extra_networks"), FLAG),
    "comments": OBJECT,
}
HIGH_RESOLUTION: Schema = {
    "enable_hr": FLAG,
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
    "inpainting_mask_invert": SWITCH,
    "mask_round": FLAG,
    **dict.fromkeys(("mask_blur", "mask_blur_x", "mask_blur_y"), integer(0, 64)),
    "inpainting_fill": integer(0, 3),
    "inpaint_full_res": SWITCH,
    "inpaint_full_res_padding": integer(0, 256),
    "include_init_images": FLAG,
    "image_cfg_scale": NUMBER,
    "initial_noise_multiplier": NUMBER,
}
_REMBG = closed(
    "input_image",
    input_image=TEXT,
    model=TEXT,
    return_mask=FLAG,
    alpha_matting=FLAG,
    **dict.fromkeys(
        ("alpha_matting_foreground_threshold", "alpha_matting_background_threshold", "alpha_matting_erode_size"), INT
    ),
)
SCHEMAS = {
    REMBG: _REMBG,
    REMBG_OF_SD_NEXT: _REMBG,
    TXT2IMG: closed("prompt width height", **SHARED, **HIGH_RESOLUTION),
    IMG2IMG: closed("prompt width height init_images", **SHARED, **IMAGE),
    UPSCALE: closed(
        "image upscaler_1",
        image=TEXT,
        upscaler_1=TEXT,
        upscaler_2=TEXT,
        resize_mode=integer(0, 1),
        upscaling_resize=number(1, 8),
        upscaling_resize_w=integer(1, 16_384),
        upscaling_resize_h=integer(1, 16_384),
        **dict.fromkeys(("upscaling_crop", "upscale_first", "show_extras_results"), FLAG),
        **dict.fromkeys(
            ("extras_upscaler_2_visibility", "gfpgan_visibility", "codeformer_visibility", "codeformer_weight"), number(0, 1)
        ),
    ),
}

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
    "latent-upscale-modes": [{"name": name} for name in LATENT_MODES],
    "upscalers": [
        {"name": name, "model_name": None, "model_path": None, "model_url": None, "scale": 4} for name in UPSCALERS
    ],
}
"""The server's lists, by the last part of the path."""


def problems(path: str, body: Any, *, nulls: bool = False) -> list[str]:
    """Return what a server would refuse or silently ignore; with ``nulls``, null means omitted, as in A1111."""
    path = f"/{path.lstrip('/')}"
    if path not in SCHEMAS:
        return [f"there is no {path}"]
    if nulls:
        body = {name: value for name, value in body.items() if value is not None}
    found = against(SCHEMAS[path], body)
    if found:
        return found
    try:
        pictures = [
            decoded(text) for text in (*body.get("init_images", []), *filter(None, map(body.get, ("image", "input_image"))))
        ]
        found += [f"a picture is {picture.mode}, not RGB" for picture in pictures if picture.mode != "RGB"]
        found += _of_mask(decoded(body["mask"]), pictures) if "mask" in body else []
    except BadPicture as error:
        found.append(f"a picture is {error}")
    if body.get("upscaler_1") == "None":
        found.append("the upscaler None gives the picture back")
    return found


def _of_mask(mask: Image.Image, pictures: list[Image.Image]) -> list[str]:
    found = [] if mask.mode == "L" else [f"the mask is {mask.mode}, not L"]
    if mask.convert("L").getbbox() is None:
        found.append("the mask is blank: with inpaint_full_res everything is repainted")
    if mask.size != pictures[0].size:
        found.append("the mask has another size than the picture")
    return found
