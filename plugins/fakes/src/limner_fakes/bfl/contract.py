"""The requests that each endpoint of Black Forest Labs accepts, as JSON Schemas; checks of sizes and pictures.

Sources: BFL's OpenAPI file of 2026-04-23, docs.bfl.ai, BFL's own skill text. Where they conflict, only what all allow.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from limner_fakes.pictures import BadPicture, decoded
from limner_fakes.schemas import FLAG, TEXT, Schema, against, closed, integer, number

PICTURE: Schema = {"type": "string", "minLength": 1}
SEED: Schema = {"type": "integer"}
SIDE: Schema = {"type": "integer", "minimum": 64}
FORMAT: Schema = {"enum": ["jpeg", "png"]}
WIDE = ["21:9", "2:1", "16:9", "3:2", "7:5", "4:3", "5:4"]
RATIOS = ["auto", *WIDE, "1:1", "4:5", "3:4", "5:7", "2:3", "9:16", "1:2", "9:21"]

FLUX_3, FILL, ERASE, OUTPAINT = "flux-3-image", "flux-pro-1.0-fill", "flux-tools/erase-v1", "flux-tools/outpainting-v1"
EXPAND = "flux-pro-1.0-expand"
KONTEXT = ("flux-kontext-pro", "flux-kontext-max")
SIDE_1: Schema = {"type": "integer", "minimum": 256, "maximum": 1440, "multipleOf": 32}
RATIO: Schema = {"type": "string", "pattern": "^[1-9][0-9]?:[1-9][0-9]?$"}


def _flux_1(required: str, **more: Any) -> Schema:
    return closed(
        required,
        prompt=TEXT,
        seed=SEED,
        prompt_upsampling=FLAG,
        safety_tolerance=integer(0, 6),
        output_format=FORMAT,
        **more,
    )


def _flux_2(pictures: int, **more: Any) -> Schema:
    names = ["input_image", *(f"input_image_{i}" for i in range(2, pictures + 1))]
    return closed(
        "prompt",
        prompt={"type": "string", "maxLength": 32_000},
        **dict.fromkeys(names, PICTURE),
        width=SIDE,
        height=SIDE,
        seed=SEED,
        safety_tolerance=integer(0, 5),
        output_format=FORMAT,
        **more,
    )


SCHEMAS = {
    "flux-2-pro": _flux_2(8, disable_pup=FLAG),
    "flux-2-max": _flux_2(8, disable_pup=FLAG),
    "flux-2-flex": _flux_2(8, steps=integer(1, 50), guidance=number(1.5, 10), prompt_upsampling=FLAG),
    "flux-2-klein-4b": _flux_2(4),
    "flux-2-klein-9b": _flux_2(4),
    FLUX_3: closed(
        "prompt",
        prompt={"type": "string", "minLength": 1, "maxLength": 15_000},
        images={"type": "array", "items": PICTURE, "minItems": 1, "maxItems": 10},
        aspect_ratio={"enum": RATIOS},
        resolution={"enum": ["768sq", "1k", "1.5k", "2k", "4k"]},
        safety_tolerance=integer(0, 4),
        grounding=FLAG,
        version=TEXT,
    ),
    "flux-pro-1.1": _flux_1("", width=SIDE_1, height=SIDE_1, image_prompt=PICTURE),
    "flux-dev": _flux_1(
        "", width=SIDE_1, height=SIDE_1, image_prompt=PICTURE, steps=integer(1, 50), guidance=number(1.5, 5)
    ),
    "flux-pro-1.1-ultra": _flux_1(
        "", aspect_ratio=RATIO, raw=FLAG, image_prompt=PICTURE, image_prompt_strength=number(0, 1)
    ),
    **dict.fromkeys(KONTEXT, _flux_1("prompt", aspect_ratio=RATIO, input_image=PICTURE)),
    EXPAND: _flux_1(
        "image",
        image=PICTURE,
        **dict.fromkeys(("top", "bottom", "left", "right"), integer(0, 2048)),
        steps=integer(15, 50),
        guidance=number(1.5, 100),
    ),
    FILL: closed(
        "image",
        image=PICTURE,
        mask=PICTURE,
        prompt=TEXT,
        seed=SEED,
        steps=integer(15, 50),
        guidance=number(1.5, 100),
        prompt_upsampling=FLAG,
        safety_tolerance=integer(0, 6),
        output_format=FORMAT,
    ),
    ERASE: closed(
        "image mask",
        image=PICTURE,
        mask=PICTURE,
        dilate_pixels=integer(0, 25),
        seed=SEED,
        safety_tolerance=integer(0, 5),
        output_format=FORMAT,
    ),
    OUTPAINT: closed(
        "input_image width height",
        input_image=PICTURE,
        width=SIDE,
        height=SIDE,
        reference_offset_x=SEED,
        reference_offset_y=SEED,
        auto_crop=FLAG,
        prompt=TEXT,
        safety_tolerance=integer(0, 5),
        output_format=FORMAT,
    ),
}
"""The schemas by endpoint, relative to ``/v1/``."""

PNG_BY_DEFAULT = frozenset({FLUX_3, OUTPAINT, ERASE, *KONTEXT})
"""Endpoints that return PNG by default; the others return JPEG."""


def problems(path: str, content: Any) -> list[str]:
    """Return the problems for which the service would refuse a body; ``path`` is relative to ``/v1/``."""
    if path not in SCHEMAS:
        return [f"there is no {path}"]
    wrong = against(SCHEMAS[path], content)
    if wrong:
        return wrong
    try:
        return [*_of_sizes(path, content), *_of_pictures(path, content)]
    except BadPicture as error:
        return [f"a picture is {error}"]


def pictures_of(content: dict[str, Any]) -> list[tuple[str, Image.Image]]:
    """Return the pictures of a body by field name, without the mask.

    Raises:
        BadPicture: a value is not a picture.
    """
    named = [(name, value) for name, value in content.items() if name == "image" or name.startswith("input_image")]
    listed = [(f"images_{i}", value) for i, value in enumerate(content.get("images", []), 1)]
    return [(name, decoded(value)) for name, value in [*named, *listed]]


def _of_sizes(path: str, content: dict[str, Any]) -> list[str]:
    if content.get("aspect_ratio", "auto") != "auto":
        width, height = map(int, content["aspect_ratio"].split(":"))
        fine = max(width, height) * 9 <= min(width, height) * 21
        return [] if fine else [f"aspect_ratio {width}:{height} is not within 21:9 and 9:21"]
    if "width" not in content or "height" not in content:
        return ["width and height go together"] if "width" in content or "height" in content else []
    width, height = content["width"], content["height"]
    if path == OUTPAINT:
        return _of_canvas(content, (width, height))
    if path in {"flux-pro-1.1", "flux-dev"}:
        return []
    fine = width % 32 == height % 32 == 0 and max(width, height) <= 2048 and width * height <= 4_000_000
    return [] if fine else [f"size {width}x{height}"]


def _of_canvas(content: dict[str, Any], size: tuple[int, int]) -> list[str]:
    source = decoded(content["input_image"])
    left, top = (content.get(f"reference_offset_{axis}") for axis in "xy")
    numbers = [*size, *source.size, *(offset for offset in (left, top) if offset is not None)]
    found = [f"{numbers} are not all multiples of 16"] if any(one % 16 for one in numbers) else []
    found += ["over 4,194,304 pixels"] if size[0] * size[1] > 4_194_304 else []
    fits = left is None or top is None or (left + source.width <= size[0] and top + source.height <= size[1])
    return found if fits or content.get("auto_crop") else [*found, "the source is over the edge"]


def _of_pictures(path: str, content: dict[str, Any]) -> list[str]:
    found = []
    pictures = pictures_of(content)
    if [name for name, _ in pictures] != sorted(dict(pictures), key=_place):
        found.append("the pictures are not in their order")
    for name, picture in pictures:
        if picture.format not in {"PNG", "JPEG"}:
            found.append(f"{name} is {picture.format}")
        if path == FLUX_3:
            small, large = sorted(picture.size)
            fine = small >= 256 and small * large <= 16_000_000 and large <= 64 * small
            found += [] if fine else [f"a picture of {picture.size}"]
        if path in KONTEXT and content.get("safety_tolerance", 2) > 2:
            found.append("safety_tolerance is at most 2 with a picture")
    return found + (_of_mask(path, content) if "mask" in content else [])


def _of_mask(path: str, content: dict[str, Any]) -> list[str]:
    mask, picture = decoded(content["mask"]), decoded(content["image"])
    found = [] if mask.size == picture.size else ["the mask has another size than the picture"]
    found += ["the picture has a mask of its own"] if "A" in picture.mode else []
    found += ["the mask has grey"] if sum(mask.convert("L").histogram()[1:255]) else []
    if path == ERASE and min(picture.size) < 256:
        found.append("less than 256x256")
    return found


def _place(name: str) -> int:
    return int(name.rpartition("_")[2]) if name[-1].isdigit() else 0
