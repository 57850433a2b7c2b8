"""A strict stand-in for the Images API and for servers that speak it, written from the reference alone.

It refuses unknown fields, wrong types of parts and wrong sizes; it edits what the service's own mask means, by inverting
colours, so that a mask of the wrong polarity shows as a wrong picture.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import re
from typing import Any

import attrs
import jsonschema
import PIL.Image
from PIL import ImageOps

LIVE = (
    "gpt-image-2",
    "gpt-image-2-2026-04-21",
    "gpt-image-2.5-sunburst",
    "gpt-image-2.5-sunburst-2026-09-08",
    "gpt-image-2.5-flare",
    "gpt-image-2.5-flare-2026-09-08",
    "gpt-image-2.6-sunburst",
    "gpt-image-2.6-flare",
)
DYING = ("gpt-image-1.5", "gpt-image-1.5-2025-12-16", "gpt-image-1-mini", "chatgpt-image-latest")
TEXT: dict[str, Any] = {"type": "string"}
WXH = {"type": "string", "pattern": "^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$"}
N10 = {"type": "integer", "minimum": 1, "maximum": 10}


def number(least: float, most: float) -> dict[str, Any]:
    return {"type": "number", "minimum": least, "maximum": most}


def integer(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def schema(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


OPENAI = {
    "model": {"enum": [*LIVE, *DYING]},
    "prompt": {"type": "string", "minLength": 1, "maxLength": 32_000},
    "n": N10,
    "size": {"anyOf": [WXH, {"const": "auto"}]},
    "quality": {"enum": ["low", "medium", "high", "xhigh", "max", "auto"]},
    "background": {"enum": ["transparent", "opaque", "auto"]},
    "output_format": {"enum": ["png", "jpeg", "webp"]},
    "output_compression": integer(0, 100),
    "complexity": {"enum": ["low", "medium", "high"]},
    "stream": {"type": "boolean"},
    "partial_images": integer(0, 3),
    "user": TEXT,
    "safety_identifier": TEXT,
}
DIFFUSION = {
    "model": TEXT,
    "prompt": TEXT,
    "n": N10,
    "size": WXH,
    "response_format": {"const": "b64_json"},
    "user": TEXT,
    "negative_prompt": TEXT,
    "num_inference_steps": integer(1, 10_000),
    "guidance_scale": number(0, 20),
    "true_cfg_scale": number(0, 20),
    "seed": integer(0, 2**63 - 1),
}
FORMAT = {"output_format": {"enum": ["png", "jpeg", "webp"]}, "output_compression": integer(0, 100)}
SD_CPP = {"model": TEXT, "prompt": TEXT, "n": integer(1, 8), "size": WXH, **FORMAT}
GENERIC = {"model": TEXT, "prompt": TEXT, "n": integer(1, 1), "size": WXH, "response_format": {"const": "b64_json"}}

Schema = dict[str, Any]


@attrs.frozen
class Server:
    """What one server takes, and what its mask means: ``alpha`` (transparent is edited) or ``white``."""

    generations: Schema
    edits: Schema | None = None
    images: tuple[str, ...] = ("image", "image[]")
    mask: str = "mask"
    reads: str = "alpha"
    formats: tuple[str, ...] = ("image/png", "image/jpeg")


SERVERS = {
    "openai": Server(
        schema("model prompt", **OPENAI, moderation={"enum": ["low", "auto"]}),
        schema("model prompt", **OPENAI, input_fidelity={"enum": ["low", "high"]}),
        formats=("image/png", "image/jpeg", "image/webp"),
    ),
    "generic": Server(schema("model prompt", **GENERIC), schema("model prompt", **GENERIC)),
    "vllm-omni": Server(
        schema("prompt", **DIFFUSION),
        schema("prompt", **DIFFUSION | FORMAT | {"size": OPENAI["size"]}),
        images=("image",),
        mask="mask_image",
        reads="white",
    ),
    "sglang": Server(
        schema("prompt", **DIFFUSION, background=OPENAI["background"], output_format=FORMAT["output_format"]),
        schema("prompt", **DIFFUSION, background=OPENAI["background"], output_format=FORMAT["output_format"]),
    ),
    "sd-cpp": Server(
        schema("prompt", **SD_CPP),
        schema("prompt", **SD_CPP | {"output_format": {"enum": ["png", "jpeg"]}}),
        images=("image", "image[]"),
        reads="white",
    ),
    "localai": Server(
        schema(
            "model prompt",
            **GENERIC | {"n": N10},
            seed=integer(0, 2**31 - 1),
            step=integer(1, 10_000),
            negative_prompt=TEXT,
            file=TEXT,
        )
    ),
    "ollama": Server(schema("model prompt", **GENERIC)),
    "together": Server(
        schema(
            "model prompt",
            model=TEXT,
            prompt=TEXT,
            n=integer(1, 4),
            width=integer(64, 4096),
            height=integer(64, 4096),
            steps=integer(1, 1000),
            seed=integer(0, 2**31 - 1),
            negative_prompt=TEXT,
            guidance_scale=number(0, 100),
            output_format={"enum": ["jpeg", "png"]},
            disable_safety_checker={"type": "boolean"},
            response_format={"enum": ["base64"]},
        )
    ),
    "xai": Server(
        schema(
            "model prompt",
            model=TEXT,
            prompt=TEXT,
            n=integer(1, 10),
            response_format={"enum": ["url", "b64_json"]},
            aspect_ratio={"type": "string", "pattern": r"^[0-9.]+:[0-9.]+$"},
            resolution={"enum": ["1k", "2k"]},
            quality={"enum": ["low", "medium"]},
        )
    ),
}

SERVERS["openai-small"] = SERVERS["openai"]
"""OpenAI without its floor of 655,360 pixels, so that many pictures are made in a short time."""

EXTRA = schema(
    "",
    seed=integer(0, 2**63 - 1),
    negative_prompt=TEXT,
    strength=number(0, 1),
    sample_params=schema("", sample_steps=integer(1, 10_000), guidance=schema("", txt_cfg=number(0, 1000))),
)


# ---------------------------------------------------------------------------------------------- reading


@attrs.frozen
class Uploaded:
    name: str
    filename: str
    content_type: str
    data: bytes


@attrs.frozen
class Call:
    """A request, read."""

    fields: dict[str, Any]
    files: list[Uploaded]

    def files_named(self, *names: str) -> list[Uploaded]:
        return [file for file in self.files if file.name in names]


def read(content_type: str, body: bytes) -> Call:
    if content_type == "application/json":
        return Call(json.loads(body), [])
    assert content_type.startswith("multipart/form-data; boundary="), content_type
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    before, *parts, end = body.split(boundary)
    assert (before, end) == (b"", b"--\r\n"), "the form is damaged"
    fields, files = {}, []
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        disposition, _, kind = head.decode("ascii").partition("\r\n")
        name = re.search(r' name="([^"]*)"', disposition)[1]
        filename = re.search(r' filename="([^"]*)"', disposition)
        if filename:
            files.append(Uploaded(name, filename[1], kind.removeprefix("Content-Type: "), content))
        else:
            assert name not in fields, f"{name} comes twice"
            fields[name] = content.decode()
    return Call(fields, files)


def typed(fields: dict[str, str], properties: Schema) -> dict[str, Any]:
    """Read the texts of a form by the types of a schema."""
    readers = {"integer": int, "number": float, "boolean": lambda text: {"true": True, "false": False}[text]}
    return {name: readers.get(properties.get(name, {}).get("type"), str)(text) for name, text in fields.items()}


def opened(data: bytes) -> PIL.Image.Image:
    picture = PIL.Image.open(io.BytesIO(data))
    picture.load()
    return picture


# ---------------------------------------------------------------------------------------------- what is wrong


def problems(path: str, content_type: str, body: bytes, dialect: str = "openai") -> list[str]:
    """Say what the service would refuse."""
    return problems_of(path, read(content_type, body), dialect)


def problems_of(path: str, call: Call, dialect: str) -> list[str]:
    server = SERVERS[dialect]
    if path == "images/generations":
        found = _against(server.generations, call.fields)
        return found + ["files in a generation"] * bool(call.files) + _of_size(call, dialect) + _of_prompt(call, dialect)
    if path != "images/edits" or server.edits is None:
        return [f"there is no {path}"]
    fields = typed(call.fields, server.edits["properties"])
    return [
        *_against(server.edits, fields),
        *_of_size(call, dialect),
        *_of_files(call, server),
        *_of_prompt(call, dialect),
    ]


def _against(schema: Schema, fields: dict[str, Any]) -> list[str]:
    return [
        f"{error.json_path}: {error.message[:200]}" for error in jsonschema.Draft202012Validator(schema).iter_errors(fields)
    ]


def _of_size(call: Call, dialect: str) -> list[str]:
    size = call.fields.get("size", "auto")
    if not dialect.startswith("openai") or size == "auto":
        return []
    width, height = map(int, size.split("x"))
    if call.fields["model"] in DYING:
        fine = size in {"1024x1024", "1536x1024", "1024x1536"}
    else:
        fine = (
            width % 16 == height % 16 == 0
            and max(width, height) <= 3840
            and max(width, height) <= 3 * min(width, height)
            and (655_360 if dialect == "openai" else 256) <= width * height <= 8_294_400
        )
    return [] if fine else [f"size {size}"]


def _of_files(call: Call, server: Server) -> list[str]:
    found = []
    images, masks = call.files_named(*server.images), call.files_named(server.mask)
    unknown = [file.name for file in call.files if file not in images + masks]
    found += [f"unknown files {unknown}"] if unknown else []
    found += [] if 1 <= len(images) <= 16 else [f"{len(images)} pictures"]
    if len(images) > 1 and len(server.images) > 1 and any(file.name != server.images[-1] for file in images):
        found.append("several pictures are image[]")
    for file in call.files:
        formats = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
        picture = opened(file.data)
        if file.content_type not in server.formats or formats[file.content_type] != picture.format:
            found.append(f"{file.name} is {picture.format}, called {file.content_type}")
        if len(file.data) >= 50_000_000:
            found.append(f"{file.name} is too large")
    if len(masks) > 1:
        found.append("several masks")
    for mask in masks:
        picture = opened(mask.data)
        if mask.content_type != "image/png" or len(mask.data) >= 4_000_000:
            found.append("a mask is a PNG of less than 4 MB")
        if picture.size != opened(images[0].data).size:
            found.append("the mask has another size than the picture")
        if server.reads == "alpha" and "A" not in picture.mode:
            found.append("the mask has no alpha channel")
    return found


def _of_prompt(call: Call, dialect: str) -> list[str]:
    if dialect != "sd-cpp":
        return []
    return _against(EXTRA, extra_of(call.fields["prompt"]))


def extra_of(prompt: str) -> dict[str, Any]:
    found = re.search("<sd_cpp_extra_args>(.*?)</sd_cpp_extra_args>", prompt, re.DOTALL)
    return json.loads(found[1]) if found else {}


# ---------------------------------------------------------------------------------------------- answering


def answer(path: str, content_type: str, body: bytes, dialect: str = "openai") -> tuple[int, dict[str, Any]]:
    """Answer as the service does."""
    return answer_to(path, read(content_type, body), dialect)


def answer_to(path: str, call: Call, dialect: str) -> tuple[int, dict[str, Any]]:
    wrong = problems_of(path, call, dialect)
    if wrong:
        said = {"message": "; ".join(wrong), "type": "image_generation_user_error", "param": None, "code": "invalid_value"}
        return 400, {"error": said}
    server = SERVERS[dialect]
    count = int(call.fields.get("n", 1))
    made = base64.b64encode(paint(call, server)).decode()
    tokens = {"text_tokens": 8, "image_tokens": 0}
    usage = {
        "input_tokens": 8,
        "output_tokens": 100 * count,
        "total_tokens": 8 + 100 * count,
        "input_tokens_details": tokens,
    }
    item = {"b64_json": made}
    said: dict[str, Any] = {"created": 1_790_000_000, "data": [item] * count}
    if dialect.startswith("openai"):
        said |= {"usage": usage, "size": call.fields.get("size", "1024x1024"), "output_format": "png", "quality": "high"}
    return 200, said


def paint(call: Call, server: Server) -> bytes:
    images, masks = call.files_named(*server.images), call.files_named(server.mask)
    if not images:
        return drawn(size_of(call, (1024, 1024)))
    source = opened(images[0].data)
    picture = source.convert("RGBA")
    if masks:
        mask = opened(masks[0].data)
        where = ImageOps.invert(mask.getchannel("A")) if server.reads == "alpha" else mask.convert("RGB").convert("L")
        where = where.point(lambda level: 255 if level == 255 or (server.reads == "white" and level > 127) else 0)
    else:
        where = PIL.Image.new("L", picture.size, 255)
    inverted = ImageOps.invert(picture.convert("RGB"))
    painted = PIL.Image.composite(inverted, picture.convert("RGB"), where)
    return png(painted.resize(size_of(call, painted.size), PIL.Image.Resampling.NEAREST))


def size_of(call: Call, otherwise: tuple[int, int]) -> tuple[int, int]:
    if "width" in call.fields:
        return call.fields["width"], call.fields["height"]
    size = call.fields.get("size", "auto")
    return otherwise if size == "auto" else tuple(map(int, size.split("x")))


@functools.lru_cache(64)
def drawn(size: tuple[int, int]) -> bytes:
    return png(PIL.Image.new("RGB", size, "teal"))


def png(picture: PIL.Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
