"""The requests that each server of the Images API accepts, as JSON Schemas; mask polarity and error format.

Sources: the types of OpenAI's Python client 3.54.0 (generated from OpenAI's specification) and OpenAI's image generation
guide; the documents of vLLM-Omni, SGLang, stable-diffusion.cpp, LocalAI, Ollama, Together and xAI.
"""

from __future__ import annotations

from typing import Any

import attrs

from limner_fakes.schemas import FLAG, TEXT, Schema, closed, integer, number

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
SIZES_OF_DYING = frozenset({"1024x1024", "1536x1024", "1024x1536"})

WXH = {"type": "string", "pattern": "^[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$"}
N10 = integer(1, 10)

OPENAI: dict[str, Any] = {
    "model": {"enum": [*LIVE, *DYING]},
    "prompt": {"type": "string", "minLength": 1, "maxLength": 32_000},
    "n": N10,
    "size": {"anyOf": [WXH, {"const": "auto"}]},
    "quality": {"enum": ["low", "medium", "high", "xhigh", "max", "auto"]},
    "background": {"enum": ["transparent", "opaque", "auto"]},
    "output_format": {"enum": ["png", "jpeg", "webp"]},
    "output_compression": integer(0, 100),
    "complexity": {"enum": ["low", "medium", "high"]},
    "stream": FLAG,
    "partial_images": integer(0, 3),
    "user": TEXT,
    "safety_identifier": TEXT,
}
DIFFUSION: dict[str, Any] = {
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
FORMAT: dict[str, Any] = {"output_format": {"enum": ["png", "jpeg", "webp"]}, "output_compression": integer(0, 100)}
SD_CPP: dict[str, Any] = {"model": TEXT, "prompt": TEXT, "n": integer(1, 8), "size": WXH, **FORMAT}
GENERIC: dict[str, Any] = {
    "model": TEXT,
    "prompt": TEXT,
    "n": integer(1, 1),
    "size": WXH,
    "response_format": {"const": "b64_json"},
}

EXTRA = closed(
    "",
    seed=integer(0, 2**63 - 1),
    negative_prompt=TEXT,
    strength=number(0, 1),
    sample_params=closed("", sample_steps=integer(1, 10_000), guidance=closed("", txt_cfg=number(0, 1000))),
)
"""The native fields that stable-diffusion.cpp reads from a prompt."""


@attrs.frozen
class Server:
    """The contract of one server.

    Attributes:
        generations: the schema of ``images/generations``.
        edits: the schema of the fields of ``images/edits``; ``None`` if the server has no such endpoint.
        images: the names of the files with pictures; several pictures use the last name.
        mask: the name of the file with the mask.
        reads: the meaning of the mask: ``alpha`` (transparent is edited) or ``white``.
        formats: the allowed file formats.
        is_openai: whether sizes, usage and streams follow OpenAI.
        least_pixels: the minimum number of pixels, for OpenAI's sizes.
        keyed: the headers that may hold the key; empty for local servers.
        extra_in_prompt: whether native fields are read from the prompt.
    """

    generations: Schema
    edits: Schema | None = None
    images: tuple[str, ...] = ("image", "image[]")
    mask: str = "mask"
    reads: str = "alpha"
    formats: tuple[str, ...] = ("image/png", "image/jpeg")
    is_openai: bool = False
    least_pixels: int = 655_360
    keyed: tuple[str, ...] = ()
    extra_in_prompt: bool = False


def _openai(*keyed: str, **changed: Any) -> Server:
    return Server(
        closed("model prompt", **OPENAI | changed, moderation={"enum": ["low", "auto"]}),
        closed("model prompt", **OPENAI | changed, input_fidelity={"enum": ["low", "high"]}),
        formats=("image/png", "image/jpeg", "image/webp"),
        is_openai=True,
        keyed=keyed,
    )


def _sglang() -> Schema:
    return closed("prompt", **DIFFUSION, background=OPENAI["background"], output_format=FORMAT["output_format"])


SERVERS = {
    "openai": _openai("authorization"),
    "azure": _openai("api-key", "authorization", model=TEXT),
    "generic": Server(closed("model prompt", **GENERIC), closed("model prompt", **GENERIC)),
    "vllm-omni": Server(
        closed("prompt", **DIFFUSION),
        closed("prompt", **DIFFUSION | FORMAT | {"size": OPENAI["size"]}),
        images=("image",),
        mask="mask_image",
        reads="white",
    ),
    "sglang": Server(_sglang(), _sglang()),
    "sd-cpp": Server(
        closed("prompt", **SD_CPP),
        closed("prompt", **SD_CPP | {"output_format": {"enum": ["png", "jpeg"]}}),
        reads="white",
        extra_in_prompt=True,
    ),
    "localai": Server(
        closed(
            "model prompt",
            **GENERIC | {"n": N10},
            seed=integer(0, 2**31 - 1),
            step=integer(1, 10_000),
            negative_prompt=TEXT,
            file=TEXT,
        )
    ),
    "ollama": Server(closed("model prompt", **GENERIC)),
    "together": Server(
        closed(
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
            disable_safety_checker=FLAG,
            response_format={"enum": ["base64"]},
        ),
        keyed=("authorization",),
    ),
    "xai": Server(
        closed(
            "model prompt",
            model=TEXT,
            prompt=TEXT,
            n=integer(1, 10),
            response_format={"enum": ["url", "b64_json"]},
            aspect_ratio={"type": "string", "pattern": r"^[0-9.]+:[0-9.]+$"},
            resolution={"enum": ["1k", "2k"]},
            quality={"enum": ["low", "medium"]},
        ),
        keyed=("authorization",),
    ),
}
"""Servers by dialect name."""
