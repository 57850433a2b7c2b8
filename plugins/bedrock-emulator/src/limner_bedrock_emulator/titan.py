"""Titan Image Generator G1, v1 and v2: from a valid body to the response.

Source: Amazon Bedrock User Guide, "Amazon Titan Image Generator G1 models".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from limner_fakes.faults import spoil
from limner_fakes.pictures import cut_out
from PIL import Image, ImageChops, ImageColor, ImageFilter, ImageOps

from limner_bedrock_emulator import pictures
from limner_bedrock_emulator.refusals import malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from limner_fakes.faults import Fault
    from limner_fakes.painters import Painter

    from limner_bedrock_emulator.pictures import Size

LONGEST = 1408
"""The maximum pixels of an input picture's longer side."""
HEAVIEST = 5_000_000
"""The maximum bytes of an input picture ("5 MB", read as the smaller unit)."""
DEFAULT_SIZE = 1024
DEFAULT_SIMILARITY = 0.7
DEFAULT_CONTROL = 0.7

_FILTERED = (
    "Content in {which} of the generated image(s) has been blocked and has been filtered from the response. "
    "Our system automatically blocked because the generated image(s) may conflict our AUP or AWS Responsible AI Policy."
)


class Dialect(NamedTuple):
    """The model-specific behaviour of models with Titan's body.

    Attributes:
        read: reads a picture from base64; the second argument is its JSON pointer in the body.
        read_mask: the same for a mask.
        all_filtered, some_filtered: the error in the response if the content filter withheld every picture, or some.
    """

    read: Callable[[str, str], Image.Image]
    read_mask: Callable[[str, str], Image.Image]
    all_filtered: str
    some_filtered: str


def _read(text: str, pointer: str) -> Image.Image:
    return pictures.read(text, pointer, check=_size_problems, heaviest=HEAVIEST)


def _size_problems(size: Size) -> list[str]:
    return [f"expected longer side: {LONGEST}, actual: {max(size)}"] if max(size) > LONGEST else []


TITAN = Dialect(_read, _read, _FILTERED.format(which="the all"), _FILTERED.format(which="some"))


def without_own_size(body: dict[str, Any]) -> dict[str, Any]:
    """Return an in- or outpainting body without ``width`` and ``height`` that are its picture's own.

    The picture keeps its size in both tasks, and AWS's samples send it; it need not be one of the 25 sizes then.
    """
    names = {"INPAINTING": "inPaintingParams", "OUTPAINTING": "outPaintingParams"}
    params = body.get(names.get(str(body.get("taskType")), ""))
    config = body.get("imageGenerationConfig")
    if not (isinstance(params, dict) and isinstance(config, dict) and isinstance(params.get("image"), str)):
        return body
    if "width" not in config or (config["width"], config.get("height")) != pictures.size_of(params["image"]):
        return body
    others = {key: value for key, value in config.items() if key not in {"width", "height"}}
    return body | {"imageGenerationConfig": others}


def answer(body: dict[str, Any], painter: Painter, fault: Fault | None, dialect: Dialect = TITAN) -> dict[str, Any]:
    """Paint the pictures for a valid body and return the response."""
    painted, mask = _paint(body, painter, dialect)
    images = [spoil(pictures.write(picture), fault) for picture in painted]
    extra = {} if mask is None else {"maskImage": pictures.write(mask)}
    match fault.name if fault is not None else None:
        case "filtered":
            return _filtered(images, fault, dialect) | extra
        case "error-result" | "error-artifact":
            return {"error": "The image generation could not be completed."}
        case "fewer-images":
            return {"images": images[:-1], **extra}
        case "missing-keys":
            return {}
    return {"images": images, **extra}


def _filtered(images: list[str], fault: Fault | None, dialect: Dialect) -> dict[str, Any]:
    """Omit the first images; the response does not say which ones are missing."""
    blocked = len(images) if fault is None or fault.argument is None else fault.argument
    if blocked >= len(images):
        return {"error": dialect.all_filtered}
    return {"images": images[blocked:], "error": dialect.some_filtered}


def _paint(body: dict[str, Any], painter: Painter, dialect: Dialect) -> tuple[list[Image.Image], Image.Image | None]:
    """Return the pictures, and the mask if the body requests it."""
    config = body.get("imageGenerationConfig", {})
    seed = config.get("seed", 0)
    seeds = range(seed, seed + config.get("numberOfImages", 1))
    size = config.get("width", DEFAULT_SIZE), config.get("height", DEFAULT_SIZE)
    match body["taskType"]:
        case "TEXT_IMAGE":
            return _text_to_image(body["textToImageParams"], painter, seeds, size, dialect), None
        case "INPAINTING":
            return _edit(body["inPaintingParams"], "#/inPaintingParams", painter, seeds, dialect, outside=False)
        case "OUTPAINTING":
            return _edit(body["outPaintingParams"], "#/outPaintingParams", painter, seeds, dialect, outside=True)
        case "IMAGE_VARIATION":
            return _variation(body["imageVariationParams"], painter, seeds, size, dialect), None
        case "COLOR_GUIDED_GENERATION":
            return _colour_guided(body["colorGuidedGenerationParams"], painter, seeds, size, dialect), None
        case _:  # BACKGROUND_REMOVAL
            return [cut_out(dialect.read(body["backgroundRemovalParams"]["image"], "#/backgroundRemovalParams/image"))], None


def _text_to_image(
    params: dict[str, Any], painter: Painter, seeds: range, size: Size, dialect: Dialect
) -> list[Image.Image]:
    painted = [painter.paint(params["text"], size, seed) for seed in seeds]
    if "conditionImage" not in params:
        return painted
    condition = dialect.read(params["conditionImage"], "#/textToImageParams/conditionImage").convert("RGB").resize(size)
    if params.get("controlMode", "CANNY_EDGE") == "SEGMENTATION":
        layout = ImageOps.posterize(condition, 2)
    else:
        layout = condition.convert("L").filter(ImageFilter.FIND_EDGES).convert("RGB")
    return [Image.blend(picture, layout, params.get("controlStrength", DEFAULT_CONTROL) / 2) for picture in painted]


def _edit(
    params: dict[str, Any], pointer: str, painter: Painter, seeds: range, dialect: Dialect, *, outside: bool
) -> tuple[list[Image.Image], Image.Image | None]:
    """Repaint the area inside the mask (inpainting) or outside it (outpainting); black is inside for both."""
    picture = dialect.read(params["image"], f"{pointer}/image").convert("RGB")
    if "maskImage" in params:
        mask = dialect.read_mask(params["maskImage"], f"{pointer}/maskImage")
        pictures.same_size(mask, picture, f"{pointer}/maskImage")
        mask = pictures.black_and_white(mask, f"{pointer}/maskImage")
    else:
        mask = pictures.find(params["maskPrompt"], picture.size)
    opening = mask if outside else ImageOps.invert(mask)
    if outside and params.get("outPaintingMode", "DEFAULT") == "DEFAULT":
        opening = ImageChops.lighter(opening, opening.filter(ImageFilter.GaussianBlur(painter.feather)))
    text = params.get("text", "")
    painted = [pictures.mix(picture, painter.repaint(picture, opening, text, seed), opening) for seed in seeds]
    return painted, mask if params.get("returnMask", False) else None


def _variation(params: dict[str, Any], painter: Painter, seeds: range, size: Size, dialect: Dialect) -> list[Image.Image]:
    """Vary the input pictures in turn."""
    sources = [dialect.read(text, f"#/imageVariationParams/images/{at}") for at, text in enumerate(params["images"])]
    strength = 1 - params.get("similarityStrength", DEFAULT_SIMILARITY)
    return [
        painter.vary(sources[at % len(sources)].convert("RGB").resize(size), params.get("text", ""), strength, seed)
        for at, seed in enumerate(seeds)
    ]


def _colour_guided(
    params: dict[str, Any], painter: Painter, seeds: range, size: Size, dialect: Dialect
) -> list[Image.Image]:
    """Paint, after the reference if there is one, and tint the picture from the first colour to the last."""
    if "referenceImage" in params:
        pointer = "#/colorGuidedGenerationParams/referenceImage"
        reference = dialect.read(params["referenceImage"], pointer)
        if reference.mode != "RGB":
            raise malformed(f"{pointer}: expected an RGB picture, actual: {reference.mode}")
        strength = 1 - DEFAULT_SIMILARITY
        painted = [painter.vary(reference.resize(size), params["text"], strength, seed) for seed in seeds]
    else:
        painted = [painter.paint(params["text"], size, seed) for seed in seeds]
    dark, light = (ImageColor.getrgb(params["colors"][at]) for at in (0, -1))
    return [ImageOps.colorize(picture.convert("L"), dark, light) for picture in painted]
