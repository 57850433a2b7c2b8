"""SDXL 1.0: from a valid body to the response.

Sources: Amazon Bedrock User Guide, "Stability.ai Diffusion 1.0" text to image, image to image, masking; Stability AI
REST API v1 specification (what greys, alpha and the two strengths mean).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from limner_fakes.faults import spoil
from PIL import Image, ImageFilter, ImageOps

from limner_bedrock_emulator import pictures

if TYPE_CHECKING:
    from limner_fakes.faults import Fault
    from limner_fakes.painters import Painter

LARGEST_SEED = 4_294_967_295
DEFAULT_SIZE = 1024
DEFAULT_STRENGTH = 0.65  # 1 - image_strength (0.35), which is step_schedule_start's default too
BLUR = 16


def answer(body: dict[str, Any], painter: Painter, fault: Fault | None) -> dict[str, Any]:
    """Paint the picture for a valid body and return the response."""
    if fault is not None and fault.name == "error-result":
        error = {"id": "0", "name": "generation_failed", "message": "The picture could not be generated."}
        return {"result": "error", "artifacts": [], "error": error}
    asked = body.get("seed", 0)
    seed = random.randint(1, LARGEST_SEED) if asked == 0 else asked
    picture = _paint(body, painter, seed)
    reason = "SUCCESS"
    match fault.name if fault is not None else None:
        case "filtered":
            picture, reason = picture.filter(ImageFilter.GaussianBlur(BLUR)), "CONTENT_FILTERED"
        case "error-artifact":
            reason = "ERROR"
        case "fewer-images":
            return {"result": "success", "artifacts": []}
        case "missing-keys":
            return {}
    artifact = {"seed": seed, "base64": spoil(pictures.write(picture), fault), "finishReason": reason}
    return {"result": "success", "artifacts": [artifact]}


def _paint(body: dict[str, Any], painter: Painter, seed: int) -> Image.Image:
    prompt = ", ".join(part["text"] for part in body["text_prompts"] if part.get("weight", 1) > 0)
    if "init_image" not in body:
        return painter.paint(prompt, (body.get("width", DEFAULT_SIZE), body.get("height", DEFAULT_SIZE)), seed)
    source = pictures.read(body["init_image"], "#/init_image")
    picture = source.convert("RGB")
    if "mask_source" not in body:
        return painter.vary(picture, prompt, _strength(body), seed)
    opening = _opening(body, source)
    return pictures.mix(picture, painter.repaint(picture, opening, prompt, seed), opening)


def _strength(body: dict[str, Any]) -> float:
    if body.get("init_image_mode") == "STEP_SCHEDULE":
        return float(body.get("step_schedule_start", DEFAULT_STRENGTH))
    return 1 - body["image_strength"] if "image_strength" in body else DEFAULT_STRENGTH


def _opening(body: dict[str, Any], source: Image.Image) -> Image.Image:
    """Return the area to repaint as grey levels: 255 is replaced, 0 kept, linear in between."""
    mask = pictures.read(body["mask_image"], "#/mask_image")
    pictures.same_size(mask, source, "#/mask_image")
    match body["mask_source"]:
        case "MASK_IMAGE_WHITE":
            return mask.convert("L")
        case "MASK_IMAGE_BLACK":
            return ImageOps.invert(mask.convert("L"))
        case _:  # INIT_IMAGE_ALPHA
            return ImageOps.invert(source.convert("RGBA").getchannel("A"))
