"""Paint the requested pictures; only the area that the mask selects is repainted."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageOps

from limner_fakes.openai.checking import Call, extra_of
from limner_fakes.openai.contract import Server
from limner_fakes.painters import Painter
from limner_fakes.pictures import Size, cut_out, opened, written

DEFAULT_SIZE = (1024, 1024)


def pictures(call: Call, server: Server, painter: Painter) -> list[bytes]:
    """Paint the requested number of pictures."""
    first = int(_said(call, server).get("seed", 0))
    return [picture(call, server, painter, first + index) for index in range(int(call.fields.get("n", 1)))]


def picture(call: Call, server: Server, painter: Painter, seed: int) -> bytes:
    """Paint one picture in the requested format."""
    painted = _painted(call, server, painter, seed)
    if call.fields.get("background") == "transparent":
        painted = cut_out(painted)
    return written(painted, str(call.fields.get("output_format", "png")).upper())


def _painted(call: Call, server: Server, painter: Painter, seed: int) -> Image.Image:
    prompt = call.fields["prompt"]
    images, masks = call.files_named(*server.images), call.files_named(server.mask)
    if not images:
        return painter.paint(prompt, _size(call, DEFAULT_SIZE), seed)
    source = opened(images[0].data).convert("RGB")
    if masks:
        opening = _opening(opened(masks[0].data), server)
        painted = Image.composite(painter.repaint(source, opening, prompt, seed), source, opening)
    else:
        painted = painter.vary(source, prompt, float(_said(call, server).get("strength", 0.7)), seed)
    return painted.resize(_size(call, source.size), Image.Resampling.NEAREST)


def _opening(mask: Image.Image, server: Server) -> Image.Image:
    """Return a mask that is white where the server edits: OpenAI edits fully transparent pixels, others use a threshold."""
    if server.reads == "alpha":
        return ImageOps.invert(mask.getchannel("A")).point(lambda level: 255 if level == 255 else 0)
    return mask.convert("RGB").convert("L").point(lambda level: 255 if level > 127 else 0)


def _said(call: Call, server: Server) -> dict[str, Any]:
    return {**call.fields, **(extra_of(call.fields["prompt"]) if server.extra_in_prompt else {})}


def _size(call: Call, otherwise: Size) -> Size:
    if "width" in call.fields and "height" in call.fields:
        return int(call.fields["width"]), int(call.fields["height"])
    size = call.fields.get("size", "auto")
    if size == "auto":
        return otherwise
    width, height = map(int, size.split("x"))
    return width, height
