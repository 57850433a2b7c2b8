"""Dialects: the ways in which servers speak OpenAI's Images API, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs
from limner_http import Service

from limner_openai import services

MaskForm = Literal["alpha", "white"]


@attrs.frozen(kw_only=True)
class Dialect:
    """One way to speak the API.

    Args:
        service: address, key and errors.
        model_id: what is sent where the user names no model; empty where one must be named.
        response_format: what is sent, so that pictures come in the answer; empty where the key is refused or not known.
        names: uniform parameters under other names than limner's.
        in_prompt: parameters that travel inside the prompt, by their path in its JSON.
        size: whether a size is sent as ``1024x768``, or as ``width`` and ``height``.
        size_of_edits: what is sent as ``size`` of an edit where the user gives none; empty for nothing.
        image: the part that carries a picture.
        images: the part that carries each of several pictures.
        mask: the part that carries the mask.
        mask_form: ``alpha``, where transparent is edited (written so that a reader of white as edited reads the same), or
            ``white``.
        source_field: the JSON field of generations that takes a source picture, where that is how a picture is varied.
        fixed: fields that are always sent.
        streams: whether unfinished pictures can be streamed.
    """

    service: Service
    model_id: str = ""
    response_format: str = "b64_json"
    names: Mapping[str, str] = attrs.field(factory=dict)
    in_prompt: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    size: Literal["text", "sides"] = "text"
    size_of_edits: str = ""
    image: str = "image"
    images: str = "image[]"
    mask: str = "mask"
    mask_form: MaskForm = "alpha"
    source_field: str = ""
    fixed: Mapping[str, str] = attrs.field(factory=dict)
    streams: bool = False


_DIFFUSERS = {"steps": "num_inference_steps"}
_SD_CPP_PATHS = {
    "seed": ("seed",),
    "negative_prompt": ("negative_prompt",),
    "strength": ("strength",),
    "steps": ("sample_params", "sample_steps"),
    "guidance_scale": ("sample_params", "guidance", "txt_cfg"),
}

DIALECTS: dict[str, Dialect] = {
    "openai": Dialect(service=services.OPENAI, response_format="", size_of_edits="auto", streams=True),
    "azure": Dialect(service=services.AZURE, response_format="", size_of_edits="auto", streams=True),
    "generic": Dialect(service=services.server("OpenAI-compatible")),
    "vllm-omni": Dialect(
        service=services.server("vLLM-Omni", "VLLM_API_KEY"),
        names=_DIFFUSERS,
        size_of_edits="auto",
        images="image",
        mask="mask_image",
        mask_form="white",
    ),
    "sglang": Dialect(service=services.server("SGLang", "SGLANG_API_KEY"), names=_DIFFUSERS),
    "sd-cpp": Dialect(
        service=services.server("stable-diffusion.cpp"),
        model_id="sd-cpp-local",
        response_format="",
        in_prompt=_SD_CPP_PATHS,
        image="image[]",
    ),
    "localai": Dialect(
        service=services.server("LocalAI", "LOCALAI_API_KEY"),
        names={"steps": "step"},
        source_field="file",
    ),
    "ollama": Dialect(service=services.server("Ollama", base_url="http://127.0.0.1:11434/v1")),
    "together": Dialect(
        service=services.server("Together", "TOGETHER_API_KEY", base_url="https://api.together.xyz/v1"),
        response_format="base64",
        size="sides",
    ),
    "xai": Dialect(
        service=services.server("xAI", "XAI_API_KEY", base_url="https://api.x.ai/v1"),
        model_id="grok-imagine-image",
    ),
}
