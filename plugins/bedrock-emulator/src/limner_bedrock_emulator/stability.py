"""Stability AI's newer models and image services: from a valid body to the response.

Sources: Amazon Bedrock User Guide, the pages of Stable Diffusion 3.5 Large, Stable Image Core and Stable Image Ultra, and
"Stability AI Image Services".
"""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any, NamedTuple

from limner_fakes.faults import spoil
from limner_fakes.pictures import cut_out
from PIL import Image, ImageChops, ImageFilter, ImageOps

from limner_bedrock_emulator import pictures
from limner_bedrock_emulator.model_ids import STABILITY
from limner_bedrock_emulator.refusals import invalid, shortened
from limner_bedrock_emulator.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from limner_fakes.faults import Fault
    from limner_fakes.painters import Painter

    from limner_bedrock_emulator.pictures import Size

LARGEST_SEED = 4_294_967_294
FORMATS = ("PNG", "JPEG", "WEBP")
DEFAULT_STRENGTH, DEFAULT_CONTROL, DEFAULT_FIDELITY, DEFAULT_CHANGE = 0.35, 0.7, 0.5, 0.9
DEFAULT_CREATIVITY = {"creative-upscale": 0.3, "conservative-upscale": 0.35}
DEFAULT_GROWTH = 5
FAST_UPSCALING = 4
UPSCALING = 5
"""The factor for each side: 25 times the pixels, within the documented "20 to 40 times"."""
LARGEST_UPSCALED = 3840 * 2160
"""The pixels of the documented "4K", the maximum of creative and conservative upscale."""

SIZES: Mapping[str, Size] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
"""Sizes of about one megapixel with sides of 640 to 1536; the exact sizes are not documented."""


class Rule(NamedTuple):
    """The allowed sizes of an input picture.

    Attributes:
        least, most: the minimum and maximum pixels of each side.
        fewest, largest: the minimum and maximum total pixels.
        ratio: the maximum ratio of the longer side to the shorter.
    """

    least: int = 64
    most: float = math.inf
    fewest: int = 0
    largest: float = 9_437_184
    ratio: float = 2.5

    def problems(self, size: Size) -> list[str]:
        """Return the problem with a size."""
        short, long = sorted(size)
        actual = f"actual: {size[0]}x{size[1]}"
        problems = []
        if short < self.least:
            problems.append(f"expected sides of at least {self.least} pixels, {actual}")
        if long > self.most:
            problems.append(f"expected sides of at most {self.most} pixels, {actual}")
        if long > short * self.ratio:
            problems.append(f"expected aspect ratio 1:{self.ratio} to {self.ratio}:1, {actual}")
        if short * long < self.fewest:
            problems.append(f"expected at least {self.fewest} pixels, actual: {short * long}")
        if short * long > self.largest:
            problems.append(f"expected at most {self.largest} pixels, actual: {short * long}")
        return problems


RULES = {
    "ultra": Rule(least=1, largest=math.inf, ratio=math.inf),  # its page documents no size
    "sd3-5-large": Rule(largest=math.inf, ratio=math.inf),
    "sd3-large": Rule(least=640, most=1536, largest=math.inf, ratio=math.inf),
    "fast-upscale": Rule(least=32, most=1536, fewest=1024, largest=1_048_576, ratio=math.inf),
    "creative-upscale": Rule(fewest=4096, largest=1_048_576, ratio=math.inf),
}
"""Rules of services that differ from the common rule."""

REASONS = {
    "filtered": "Filter reason: output image",
    "prompt-filtered": "Filter reason: prompt",
    "image-filtered": "Filter reason: input image",
    "error-result": "Inference error",
    "error-artifact": "Inference error",
}


def check_fields(contract: str, body: Mapping[str, Any]) -> None:
    """Refuse an unknown field with the message of the live service."""
    fields = schema(contract)["properties"]
    for name in body:
        if name not in fields:
            known = f"Available fields for {contract.removeprefix(STABILITY)} are: {', '.join(fields)}"
            raise invalid(json.dumps({"detail": f"Invalid field '{shortened(name)}' in request. {known}"}))


def answer(contract: str, body: dict[str, Any], painter: Painter, fault: Fault | None) -> dict[str, Any]:
    """Paint the picture for a valid body and return the response."""
    seed = body.get("seed", 0) or random.randint(1, LARGEST_SEED)  # which every model accepts
    picture = _paint(contract.removeprefix(STABILITY), body, painter, seed)
    name = fault.name if fault is not None else ""
    if name in REASONS:
        return {"finish_reasons": [REASONS[name]]}
    if name == "missing-keys":
        return {}
    if name == "fewer-images":
        return {"seeds": [], "finish_reasons": [], "images": []}
    text = pictures.write(picture, body.get("output_format", "png").upper())
    return {"seeds": [seed], "finish_reasons": [None], "images": [spoil(text, fault)]}


def _paint(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    return WAYS.get(service, _repaint)(service, body, painter, seed)


def _generate(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    """Core, Ultra, SD3 and SD3.5: paint from a prompt, or from a picture and a prompt."""
    if "image" not in body:
        return painter.paint(body["prompt"], SIZES[body.get("aspect_ratio", "1:1")], seed)
    return painter.vary(_opaque(service, body), body["prompt"], body.get("strength", DEFAULT_STRENGTH), seed)


def _control(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    strength = 1 - body.get("control_strength", DEFAULT_CONTROL)
    return painter.vary(_opaque(service, body), body["prompt"], strength, seed)


def _style_guide(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    style = _opaque(service, body).resize(SIZES[body.get("aspect_ratio", "1:1")])
    return painter.vary(style, body["prompt"], 1 - body.get("fidelity", DEFAULT_FIDELITY), seed)


def _remove_background(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:  # noqa: ARG001
    return cut_out(_read(service, body, "image"))


def _upscale(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    picture = _opaque(service, body)
    if service == "fast-upscale":
        return ImageOps.scale(picture, FAST_UPSCALING)
    to_4k = math.sqrt(LARGEST_UPSCALED / (picture.width * picture.height))
    larger = ImageOps.scale(picture, max(1, min(UPSCALING, to_4k)))
    return painter.vary(larger, body["prompt"], body.get("creativity", DEFAULT_CREATIVITY[service]), seed)


def _repaint(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    """Inpaint, erase, search and replace, search and recolor: repaint the selected area."""
    source = _read(service, body, "image")
    opening = _opening(body, source)
    picture = source.convert("RGB")
    return pictures.mix(picture, painter.repaint(picture, opening, body.get("prompt", ""), seed), opening)


def _opening(body: dict[str, Any], source: Image.Image) -> Image.Image:
    """Return the area to repaint as grey levels: 255 is replaced, 0 kept; the mask overrides the picture's alpha."""
    searched = body.get("search_prompt", body.get("select_prompt"))
    if searched is not None:
        opening = ImageOps.invert(pictures.find(searched, source.size))
    elif "mask" in body:
        mask = pictures.read(body["mask"], "#/mask", formats=FORMATS).convert("L")
        opening = mask if mask.size == source.size else mask.resize(source.size)
    else:
        opening = ImageOps.invert(source.convert("RGBA").getchannel("A"))
    growth = int(body.get("grow_mask", DEFAULT_GROWTH))
    return ImageChops.lighter(opening, opening.filter(ImageFilter.BoxBlur(growth)))  # the added area is blurred


def _outpaint(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    """Add the sides, which are black before they are painted."""
    picture = _opaque(service, body)
    left, right, up, down = (body.get(side, 0) for side in ("left", "right", "up", "down"))
    size = left + picture.width + right, up + picture.height + down
    canvas, opening = Image.new("RGB", size), Image.new("L", size, 255)
    canvas.paste(picture, (left, up))
    opening.paste(0, (left, up, left + picture.width, up + picture.height))
    return pictures.mix(canvas, painter.repaint(canvas, opening, body.get("prompt", ""), seed), opening)


def _transfer(service: str, body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    """Vary the first picture and blend the second over it by style_strength, at most half."""
    picture, style = (_read(service, body, key).convert("RGB") for key in ("init_image", "style_image"))
    varied = painter.vary(picture, body.get("prompt", ""), body.get("change_strength", DEFAULT_CHANGE), seed)
    return Image.blend(varied, style.resize(varied.size), body.get("style_strength", 1) / 2)


WAYS: Mapping[str, Callable[[str, dict[str, Any], Painter, int], Image.Image]] = {
    **dict.fromkeys(("core", "ultra", "sd3-5-large", "sd3-large"), _generate),
    **dict.fromkeys(("control-sketch", "control-structure"), _control),
    "style-guide": _style_guide,
    "style-transfer": _transfer,
    "outpaint": _outpaint,
    "remove-background": _remove_background,
    **dict.fromkeys(("fast-upscale", "conservative-upscale", "creative-upscale"), _upscale),
}
"""The function that paints for each service; the others repaint a part."""


def _opaque(service: str, body: dict[str, Any]) -> Image.Image:
    return _read(service, body, "image").convert("RGB")


def _read(service: str, body: dict[str, Any], key: str) -> Image.Image:
    """Read a picture and check it against the service's rule."""
    return pictures.read(body[key], f"#/{key}", check=RULES.get(service, Rule()).problems, formats=FORMATS)
