"""A strict stand-in for Black Forest Labs' API, written from the reference alone.

It refuses unknown fields and wrong sizes; it edits what the service's mask means, by inverting colours, so that a mask of
the wrong polarity, or a picture in the wrong place, shows as a wrong picture.
"""

from __future__ import annotations

import base64
import functools
import io
import json
from typing import Any

import jsonschema
import PIL.Image
from PIL import ImageOps

TEXT: dict[str, Any] = {"type": "string"}
FLAG = {"type": "boolean"}
PICTURE = {"type": "string", "minLength": 1}
RATIOS = "auto 21:9 2:1 16:9 3:2 7:5 4:3 5:4 1:1 4:5 3:4 5:7 2:3 9:16 1:2 9:21"

Schema = dict[str, Any]


def integer(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def number(least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


def formats(*names: str) -> Schema:
    return {"enum": list(names)}


def schema(required: str, **properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


SEED = {"type": "integer"}


def flux_2(pictures: int, **more: Any) -> Schema:
    names = ["input_image", *(f"input_image_{i}" for i in range(2, pictures + 1))]
    return schema(
        "prompt",
        prompt={"type": "string", "maxLength": 32_000},
        **dict.fromkeys(names, PICTURE),
        width={"type": "integer", "minimum": 64},
        height={"type": "integer", "minimum": 64},
        seed=SEED,
        safety_tolerance=integer(0, 5),
        output_format=formats("jpeg", "png"),
        **more,
    )


FLEX = {"steps": integer(1, 50), "guidance": number(1.5, 10), "prompt_upsampling": FLAG}
SCHEMAS = {
    "flux-2-pro": flux_2(8, disable_pup=FLAG),
    "flux-2-max": flux_2(8, disable_pup=FLAG),
    "flux-2-flex": flux_2(8, **FLEX),
    "flux-2-klein-4b": flux_2(4),
    "flux-2-klein-9b": flux_2(4),
    "flux-3-image": schema(
        "prompt",
        prompt={"type": "string", "minLength": 1, "maxLength": 15_000},
        images={"type": "array", "items": PICTURE, "minItems": 1, "maxItems": 10},
        aspect_ratio={"enum": RATIOS.split()},
        resolution={"enum": ["768sq", "1k", "1.5k", "2k", "4k"]},
        safety_tolerance=integer(0, 4),
        grounding=FLAG,
        version=TEXT,
    ),
    "flux-pro-1.0-fill": schema(
        "image",
        image=PICTURE,
        mask=PICTURE,
        prompt=TEXT,
        seed=SEED,
        steps=integer(15, 50),
        guidance=number(1.5, 100),
        prompt_upsampling=FLAG,
        safety_tolerance=integer(0, 6),
        output_format=formats("jpeg", "png"),
    ),
    "flux-tools/erase-v1": schema(
        "image mask",
        image=PICTURE,
        mask=PICTURE,
        dilate_pixels=integer(0, 25),
        seed=SEED,
        safety_tolerance=integer(0, 5),
        output_format=formats("jpeg", "png"),
    ),
    "flux-tools/outpainting-v1": schema(
        "input_image width height",
        input_image=PICTURE,
        width={"type": "integer", "minimum": 64},
        height={"type": "integer", "minimum": 64},
        reference_offset_x={"type": "integer"},
        reference_offset_y={"type": "integer"},
        auto_crop=FLAG,
        prompt=TEXT,
        safety_tolerance=integer(0, 5),
        output_format=formats("jpeg", "png"),
    ),
}


# ---------------------------------------------------------------------------------------------- what is wrong


def problems(path: str, body: bytes) -> list[str]:
    """Say what the service would refuse."""
    if path not in SCHEMAS:
        return [f"there is no {path}"]
    content = json.loads(body)
    found = jsonschema.Draft202012Validator(SCHEMAS[path]).iter_errors(content)
    wrong = [f"{error.json_path}: {error.message[:200]}" for error in found]
    return wrong or [*_of_sizes(path, content), *_of_pictures(path, content)]


def _of_sizes(path: str, content: dict[str, Any]) -> list[str]:
    if "width" not in content or "height" not in content:
        return ["width and height go together"] if "width" in content or "height" in content else []
    width, height = content["width"], content["height"]
    if path == "flux-tools/outpainting-v1":
        source = opened(content["input_image"])
        left, top = (content.get(f"reference_offset_{axis}") for axis in "xy")
        numbers = [width, height, *source.size, *(offset for offset in (left, top) if offset is not None)]
        found = [f"{numbers} are not all multiples of 16"] if any(one % 16 for one in numbers) else []
        found += ["over 4,194,304 pixels"] if width * height > 4_194_304 else []
        fits = left is None or top is None or (left + source.width <= width and top + source.height <= height)
        return found if fits else [*found, "the source is over the edge"]
    fine = width % 32 == height % 32 == 0 and max(width, height) <= 2048 and width * height <= 4_000_000
    return [] if fine else [f"size {width}x{height}"]


def _of_pictures(path: str, content: dict[str, Any]) -> list[str]:
    found = []
    pictures = pictures_of(content)
    if [name for name, _ in pictures] != sorted(dict(pictures), key=_place):
        found.append("the pictures are not in their order")
    for name, picture in pictures:
        if picture.format not in {"PNG", "JPEG"}:
            found.append(f"{name} is {picture.format}")
        if path == "flux-3-image":
            small, large = sorted(picture.size)
            fine = small >= 256 and small * large <= 16_000_000 and large <= 64 * small
            found += [] if fine else [f"a picture of {picture.size}"]
    if "mask" in content:
        mask, picture = opened(content["mask"]), opened(content["image"])
        found += [] if mask.size == picture.size else ["the mask has another size than the picture"]
        found += ["the picture has a mask of its own"] if "A" in picture.mode else []
        levels = {level for _, level in mask.convert("L").getcolors()}
        found += [] if levels <= {0, 255} else ["the mask has grey"]
        if path == "flux-tools/erase-v1" and min(picture.size) < 256:
            found.append("less than 256x256")
    return found


def _place(name: str) -> int:
    return int(name.rpartition("_")[2]) if name[-1].isdigit() else 0


def pictures_of(content: dict[str, Any]) -> list[tuple[str, PIL.Image.Image]]:
    named = [(name, value) for name, value in content.items() if name == "image" or name.startswith("input_image")]
    listed = [(f"images_{i}", value) for i, value in enumerate(content.get("images", []), 1)]
    return [(name, opened(value)) for name, value in [*named, *listed]]


def opened(text: str) -> PIL.Image.Image:
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    picture.load()
    return picture


# ---------------------------------------------------------------------------------------------- answering


def paint(path: str, body: bytes) -> bytes:
    """Make the picture of a request that is right."""
    content = json.loads(body)
    pictures = pictures_of(content)
    size = (content["width"], content["height"]) if "width" in content else None
    if not pictures:
        return drawn(size or (1024, 1024))
    source = pictures[0][1].convert("RGB")
    if path == "flux-tools/outpainting-v1":
        canvas = PIL.Image.new("RGB", size, "teal")
        left = content.get("reference_offset_x", (size[0] - source.width) // 2)
        canvas.paste(source, (left, content.get("reference_offset_y", (size[1] - source.height) // 2)))
        return png(canvas)
    where = opened(content["mask"]).convert("L") if "mask" in content else PIL.Image.new("L", source.size, 255)
    painted = PIL.Image.composite(ImageOps.invert(source), source, where)
    return png(painted.resize(size or painted.size, PIL.Image.Resampling.NEAREST))


@functools.lru_cache(64)
def drawn(size: tuple[int, int]) -> bytes:
    return png(PIL.Image.new("RGB", size, "teal"))


def png(picture: PIL.Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def refusal(wrong: list[str]) -> dict[str, Any]:
    """The body of HTTP 422."""
    return {"detail": [{"loc": ["body"], "msg": one, "type": "value_error"} for one in wrong]}


def ready(url: str, seed: int | None = None) -> dict[str, Any]:
    """The last answer to a poll."""
    result = {"sample": url, "prompt": "a fox", "seed": seed, "start_time": 1.0, "end_time": 3.5, "duration": 2.5}
    return {"id": "task-1", "status": "Ready", "result": result, "progress": 1.0, "details": None, "preview": None}
