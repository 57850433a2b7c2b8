"""Executes an order: decodes its pictures, calls the painter, and encodes the result."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

import PIL.Image
from limner import Image

from limner_sketch.painter.inpainting import inpaint
from limner_sketch.painter.lexicon import without
from limner_sketch.painter.matting import remove_background
from limner_sketch.painter.outpainting import outpaint
from limner_sketch.painter.scene import paint
from limner_sketch.painter.upscaling import upscale
from limner_sketch.painter.variation import vary

_PNG_COMPRESSION = 2


def execute(body: bytes) -> bytes:
    """Paint what an order (JSON) asks for. Return JSON with the pictures as base64 PNG, in order."""
    order = json.loads(body)
    count, seed = order.get("n", 1), order.get("seed", 0)
    pictures = [_picture(order, seed + index) for index in range(count)]
    return json.dumps({"pictures": [_encoded(picture) for picture in pictures]}).encode()


def _picture(order: dict[str, Any], seed: int) -> PIL.Image.Image:
    words = without(order.get("words", ""), order.get("without", ()))
    size = tuple(order.get("size") or ())
    picture = _decoded(order["picture"]) if "picture" in order else None
    if picture is None:
        return paint(words, (size[0], size[1]), seed)
    match order["do"]:
        case "vary":
            return vary(picture, words, order["strength"], seed, (size[0], size[1]))
        case "inpaint":
            return inpaint(picture, _decoded(order["mask"]), words, seed)
        case "outpaint":
            return outpaint(picture, _decoded(order["mask"]), words, seed)
        case "remove-background":
            return remove_background(picture)
        case "upscale":
            return upscale(picture, (size[0], size[1]))
    raise ValueError(order["do"])


def _decoded(text: str) -> PIL.Image.Image:
    return Image(base64.b64decode(text)).pil()


def _encoded(picture: PIL.Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=_PNG_COMPRESSION)
    return base64.b64encode(buffer.getvalue()).decode()
