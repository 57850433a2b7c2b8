"""What the servers of ``/sdapi/v1`` accept, as data; where they differ, what all of them accept.

The servers check types only. A range is the narrowest that a server cuts to in silence, else that of A1111's web page.
"""

from __future__ import annotations

from limner import Generate, Inpaint, Outpaint, RemoveBackground, Upscale, Vary
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
    Flag,
    Integer,
    JsonObject,
    Limits,
    MaskPicture,
    NegativeText,
    Picture,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    TaskLimits,
    Text,
)

A1111 = "AUTOMATIC1111 stable-diffusion-webui 1.10.1 (82a973c), modules/api and modules/processing.py"
SD_CPP = "stable-diffusion.cpp (97d2990), examples/server/routes_sdapi.cpp"
KOBOLD = "KoboldCpp (2da346a), koboldcpp.py"

REMBG = "stable-diffusion-webui-rembg (88bd36a), scripts/api.py, for A1111 and Forge; SD.Next (058a7f0), modules/rembg"

FILLS = ("fill", "original", "latent_noise", "latent_nothing")
"""By their numbers."""

RESIZE_MODES = ("stretch", "crop", "fill")
"""By their numbers."""

_SIDES = (
    f"{A1111}: sides are floored to multiples of 8, the web page has 64 to 2048; always sent: the defaults are 512x512 "
    f"there and 1024x1024 in SD.Next. {KOBOLD} floors to 64 and scales down to 1024, which is then reported as an error"
)
_RULE = SizeRule(64, 2048, multiple_of=8, source=_SIDES)
_SIZE = SizeRule(64, 2048, multiple_of=8, default=(1024, 1024), source=_SIDES)
_PROMPT = PromptText(
    weights=Real(0.0, 2.0, source=f"{A1111}: (text:1.1) in the prompt, no range is documented; this one is limner's own"),
    required=True,
    source=f"{A1111}: no length; {SD_CPP}: required. Its syntax, such as (word:1.1), applies; parts are joined by commas",
)
_PICTURE_SOURCE = f"{A1111}: base64, flattened on the server's own colour; {SD_CPP}: greyscale is silently ignored"
_PICTURE = Picture(size=_RULE, modes=("RGB",), alpha=False, required=True, source=f"{_PICTURE_SOURCE}; size: {_SIDES}")
_UPSCALED = Picture(
    size=SizeRule(8, 8192, multiple_of=8, source=A1111),
    modes=("RGB",),
    alpha=False,
    required=True,
    source=f"{A1111}: the result is floored to multiples of 8; a picture on that grid keeps its shape",
)
_MASK = MaskPicture(
    source=f"{A1111}: white is repainted; sent with mask_round=false, so that grey blends. {SD_CPP} rounds it in any case"
)

_PAINTED: dict[str, Constraint] = {
    "prompt": _PROMPT,
    "negative_prompt": NegativeText(source=A1111),
    "n": Count(1, source=f"one per call: {KOBOLD} always makes one, and {SD_CPP} ignores n_iter"),
    "seed": Seed(0, 4_294_967_293, source=f"{A1111}: the range from which it draws; always sent: {SD_CPP} draws by time"),
    "guidance_scale": Real(
        1.0, 25.0, default=7.0, source=f"{KOBOLD} cuts to 1 to 25; always sent, since defaults differ (5, 6 and 7)"
    ),
    "steps": Integer(
        1,
        80,
        default=30,
        source=f"{KOBOLD} cuts to 1 to 80, {SD_CPP} to 100; always sent, since defaults differ (20 and 50); "
        "30 as for SDXL on Amazon Bedrock",
    ),
}
_OPTIONS: dict[str, Constraint] = {
    "sampler": Text(
        source=f"{A1111}: a name of GET samplers, which limner requests first; unknown ones are silently replaced"
    ),
    "scheduler": Text(
        source=f"{A1111}: a name or label of GET schedulers, which limner requests first; an unknown one means Automatic"
    ),
    "checkpoint": Text(
        source=f"{A1111}: override_settings.sd_model_checkpoint, a name of GET sd-models, which limner requests first and "
        "compares with the answer; an unknown one is silently ignored"
    ),
    "clip_skip": Integer(
        1, 12, source=f"{A1111}: override_settings.CLIP_stop_at_last_layers, 1 to 12 on the web page; {SD_CPP}: clip_skip"
    ),
    "alwayson_scripts": JsonObject(source=f"{A1111}: arguments of extensions, such as ControlNet, by their names"),
}
_STRENGTH = f"{A1111}: denoising_strength, 0 keeps and 1 ignores the picture"


def _masked(fill: str, strength: float) -> dict[str, Constraint]:
    return {
        **_OPTIONS,
        "mask_strength": Real(0.0, 1.0, default=strength, source=f"{_STRENGTH}; here of the repainted area"),
        "inpainting_fill": Choice(FILLS, default=fill, source=f"{A1111}: 0 to 3; the initial content under the mask"),
        "mask_blur": Integer(0, 64, default=0, source=f"{A1111}: pixels, 0 to 64 on the web page; 4 there by default"),
        "inpaint_full_res": Flag(
            default=False,
            source=f"{A1111}: paint the box around the mask only, at the picture's size; true by default",
        ),
        "inpaint_full_res_padding": Integer(
            0, 256, default=32, source=f"{A1111}: 0 to 256 on the web page; pixels around that box"
        ),
    }


_HIGH_RESOLUTION: dict[str, Constraint] = {
    "hr_scale": Real(
        1.0,
        4.0,
        source=f"{A1111}: enable_hr and hr_scale: the picture is painted, enlarged by this factor (2 by default) and "
        "painted over; no range is documented, this one is limner's own",
    ),
    "hr_upscaler": Text(
        source=f"{A1111}: a name of GET upscalers or latent-upscale-modes, which limner requests first; the "
        "first latent mode by default"
    ),
    "hr_strength": Real(0.0, 1.0, source=f"{A1111}: denoising_strength of the second pass; 0.75 there by default"),
    "hr_steps": Integer(1, 80, source=f"{A1111}: hr_second_pass_steps; as many as steps by default; {SD_CPP}: hr_steps"),
}

_EDIT: dict[str, Constraint] = {"image": _PICTURE, "mask": _MASK, **_PAINTED}
_OWN_SIZE = f"{_SIDES}; limner sends the picture's own, so that kept pixels can be restored"

LIMITS: Limits = {
    Generate: TaskLimits({"size": _SIZE, **_PAINTED}, {**_OPTIONS, **_HIGH_RESOLUTION}),
    Vary: TaskLimits(
        {
            "image": Pictures(_PICTURE, required=True, source=f"{A1111}: several would be a batch, not references"),
            "size": SizeRule(64, 2048, multiple_of=8, source=f"{_SIDES}; by default, limner sends the picture's own"),
            "strength": Real(0.0, 1.0, default=0.75, source=f"{_STRENGTH}; always sent, since the defaults differ"),
            **_PAINTED,
        },
        {
            **_OPTIONS,
            "resize_mode": Choice(
                RESIZE_MODES, default="crop", source=f"{A1111}: 0 to 2, 0 there by default; {SD_CPP} ignores it"
            ),
        },
    ),
    Inpaint: TaskLimits(_EDIT, _masked("original", 0.75), _OWN_SIZE),
    Outpaint: TaskLimits(
        {**_EDIT, "expand": Expand(2048, canvas=_RULE, source=f"the canvas is sent as the picture: {_SIDES}")},
        _masked("fill", 1.0),
        _OWN_SIZE,
    ),
    RemoveBackground: TaskLimits(
        {"image": Picture(modes=("RGB",), alpha=False, required=True, source=f"{REMBG}: input_image, in base64")},
        {
            "model": Text(default="u2net", source=f"{REMBG}: model; None would give nothing back"),
            "alpha_matting": Flag(source=f"{REMBG}: softer edges, false by default"),
        },
    ),
    Upscale: TaskLimits(
        {
            "image": _UPSCALED,
            "size": SizeRule(
                8,
                16_384,
                source=f"{A1111}: asked for by a factor of 1 to 8, and what is over is cut off here: its own cut to a size "
                "leaves black edges",
            ),
        },
        {
            "factor": Integer(2, 8, source=f"{A1111}: upscaling_resize, 1 to 8 on the web page; 2 there by default"),
            "upscaler": Text(
                default="R-ESRGAN 4x+",
                source=f"{A1111}: a name of GET upscalers, which limner requests first; 'None' returns the input",
            ),
        },
    ),
}
