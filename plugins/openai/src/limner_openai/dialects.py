"""How servers speak OpenAI's Images API, each as data: what they take, under which names, and what a mask means to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs
from limner import Generate, Inpaint, Outpaint, Vary
from limner.limits import (
    Choice,
    Constraint,
    Count,
    Expand,
    Flag,
    Integer,
    Limits,
    MaskPicture,
    NegativeText,
    Picture,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    TaskLimits,
    Text,
)
from limner_http import Service

from limner_openai import services

MaskForm = Literal["alpha", "white"]


@attrs.frozen(kw_only=True)
class Dialect:
    """One way to speak the API.

    Args:
        service: address, key and errors.
        limits: what it accepts; ``None`` for OpenAI's own models, which have each their own.
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
    limits: Limits | None = None
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


# ---------------------------------------------------------------------------------------------- what servers accept

VLLM = "vLLM-Omni, docs/serving/image_generation_api.md and image_edit_api.md (commit 00a3619)"
SGLANG = "SGLang, multimodal_gen/runtime/entrypoints/openai/protocol.py (020befb) and image_api.py (0230ddc)"
SD_CPP = "stable-diffusion.cpp, examples/server/api.md (commit 0137f16)"
LOCALAI = "LocalAI, docs/content/features/image-generation.md (commit 0177e49)"
OLLAMA = "Ollama, docs/api/openai-compatibility.mdx (commit 043e990)"
TOGETHER = "together 3.1.1 on PyPI, types/image_generate_params.py"
XAI = "xai-sdk 1.21.0 on PyPI, image.py and types/image.py"
GENERIC = "no server is named: the parameters that all known servers support; ranges are the server's own"

_STEPS = 1000
_UNSAID = "the range is undocumented; this one is limner's"


def _size(source: str, default: tuple[int, int] | None = (1024, 1024)) -> SizeRule:
    said = f"{source}; WIDTHxHEIGHT, {_UNSAID}; default 1024x1024, so that servers' defaults do not matter"
    return SizeRule(64, 4096, default=default, source=said if default else f"{source}; {_UNSAID}")


def _prompt(source: str) -> PromptText:
    return PromptText(required=True, source=f"{source}; no length is documented")


def _picture(source: str, *, masked: bool = False) -> Picture:
    """PNG and JPEG are what every server reads; RGB, since some drop greyscale in silence."""
    formats = ("image/png",) if masked else ("image/png", "image/jpeg")
    return Picture(
        formats=formats,
        size=_size(source, None) if masked else None,
        modes=("RGB", "RGBA"),
        required=True,
        source=f"{source}; formats are undocumented; every server reads PNG and JPEG in RGB",
    )


def _seeded(source: str, most: int = 2**31 - 1) -> dict[str, Constraint]:
    return {
        "seed": Seed(0, most, source=f"{source}; the range is undocumented; every server accepts 31 bits"),
        "steps": Integer(1, _STEPS, source=f"{source}; {_UNSAID}"),
        "negative_prompt": NegativeText(source=source),
    }


def _guided(source: str) -> dict[str, Constraint]:
    return {**_seeded(source), "guidance_scale": Real(0.0, 20.0, source=f"{source}: typically 0 to 20")}


def _edits(
    source: str, shared: Mapping[str, Constraint], n: Count, options: Mapping[str, Constraint], *, mask: str, items: int = 16
) -> Limits:
    prompt, picture = _prompt(source), _picture(source, masked=True)
    edit: dict[str, Constraint] = {
        "image": picture,
        "prompt": prompt,
        "mask": MaskPicture(grey=False, source=f"{source}: {mask}"),
        "n": n,
        **{name: limit for name, limit in shared.items() if name != "strength"},
    }
    own_size = f"{source}; limner requests the size of the picture, so that kept pixels can be restored"
    images = Pictures(_picture(source), max_items=items, required=True, source=source)
    return {
        Vary: TaskLimits({"image": images, "prompt": prompt, "n": n, "size": _size(source, None), **shared}, options),
        Inpaint: TaskLimits(edit, options, own_size),
        Outpaint: TaskLimits({**edit, "expand": Expand(4096, canvas=_size(source, None), source=source)}, options, own_size),
    }


def _generate(
    source: str,
    shared: Mapping[str, Constraint],
    n: Count,
    options: Mapping[str, Constraint] | None = None,
    *,
    size: bool = True,
) -> Limits:
    sized: dict[str, Constraint] = {"size": _size(source)} if size else {}
    return {Generate: TaskLimits({"prompt": _prompt(source), "n": n, **sized, **shared}, options or {})}


_BOTH_WAYS = "the meaning of the mask's colours is undocumented; the mask is valid for both readings"

_VLLM_N = Count(10, source=f"{VLLM}: 1 to 10")
_VLLM_OPTIONS: dict[str, Constraint] = {"true_cfg_scale": Real(0.0, 20.0, source=VLLM)}
_VLLM_EDIT_OPTIONS: dict[str, Constraint] = {
    **_VLLM_OPTIONS,
    "output_format": Choice(("png", "jpeg", "webp"), source=VLLM),
    "output_compression": Integer(0, 100, source=VLLM),
}
VLLM_LIMITS: Limits = {
    **_generate(VLLM, _guided(VLLM), _VLLM_N, _VLLM_OPTIONS),
    **_edits(VLLM, _guided(VLLM), _VLLM_N, _VLLM_EDIT_OPTIONS, mask="mask_image, white areas are repainted"),
}

_SGLANG_N = Count(10, source=f"{SGLANG}: silently reduced to 1 to 10")
_SGLANG_OPTIONS: dict[str, Constraint] = {
    "true_cfg_scale": Real(0.0, 20.0, source=SGLANG),
    "output_format": Choice(("png", "jpeg", "webp"), source=SGLANG),
    "background": Choice(("transparent", "opaque", "auto"), source=SGLANG),
}
SGLANG_LIMITS: Limits = {
    **_generate(SGLANG, _guided(SGLANG), _SGLANG_N, _SGLANG_OPTIONS),
    **_edits(SGLANG, _guided(SGLANG), _SGLANG_N, _SGLANG_OPTIONS, mask=_BOTH_WAYS),
}

_SD_CPP_N = Count(8, source=f"{SD_CPP}; the source silently reduces n to 1 to 8")
_SD_CPP_SHARED: dict[str, Constraint] = {
    **_seeded(SD_CPP),
    "guidance_scale": Real(0.0, 100.0, source=f"{SD_CPP}: sample_params.guidance.txt_cfg; {_UNSAID}"),
}
_SD_CPP_FORMATS = {"output_compression": Integer(0, 100, source=f"{SD_CPP}: clamped to 0 to 100")}
SD_CPP_LIMITS: Limits = {
    **_generate(
        SD_CPP,
        _SD_CPP_SHARED,
        _SD_CPP_N,
        {"output_format": Choice(("png", "jpeg", "webp"), source=SD_CPP), **_SD_CPP_FORMATS},
    ),
    **_edits(
        SD_CPP,
        {**_SD_CPP_SHARED, "strength": Real(0.0, 1.0, source=f"{SD_CPP}: strength")},
        _SD_CPP_N,
        {"output_format": Choice(("png", "jpeg"), source=SD_CPP), **_SD_CPP_FORMATS},
        mask="white is repainted, transparency is ignored (by its source)",
    ),
}

_LOCALAI_N = Count(1, source=f"{LOCALAI}; the maximum is undocumented")
LOCALAI_LIMITS: Limits = {
    **_generate(LOCALAI, _seeded(LOCALAI), _LOCALAI_N),
    Vary: TaskLimits(
        {
            "image": Pictures(_picture(LOCALAI), max_items=1, required=True, source=f"{LOCALAI}: file, in base64"),
            "prompt": _prompt(LOCALAI),
            "n": _LOCALAI_N,
            "size": _size(LOCALAI),
            **_seeded(LOCALAI),
        }
    ),
}

OLLAMA_LIMITS = _generate(OLLAMA, {}, Count(1, source=f"{OLLAMA}: n is not supported"))

TOGETHER_LIMITS = _generate(
    TOGETHER,
    {**_seeded(TOGETHER), "guidance_scale": Real(0.0, 100.0, source=f"{TOGETHER}; {_UNSAID}")},
    Count(1, source=f"{TOGETHER}; the maximum is undocumented"),
    {"output_format": Choice(("jpeg", "png"), source=TOGETHER), "disable_safety_checker": Flag(source=TOGETHER)},
)

XAI_LIMITS = _generate(
    XAI,
    {},
    Count(1, source=f"{XAI}; the maximum is undocumented"),
    {
        "aspect_ratio": Text(pattern=r"[0-9]{1,2}(\.5)?:[0-9]{1,2}(\.5)?", example="16:9", source=XAI),
        "resolution": Choice(("1k", "2k"), source=XAI),
        "quality": Choice(("low", "medium"), source=f"{XAI}; grok-imagine-image-2.0"),
    },
    size=False,
)

_GENERIC_N = Count(1, source=f"{GENERIC}; one per call, because some servers silently reduce n")
GENERIC_LIMITS: Limits = {
    **_generate(GENERIC, {}, _GENERIC_N),
    **_edits(GENERIC, {}, _GENERIC_N, {}, mask=_BOTH_WAYS, items=1),
}

# ---------------------------------------------------------------------------------------------- how they speak

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
    "generic": Dialect(service=services.server("OpenAI-compatible"), limits=GENERIC_LIMITS),
    "vllm-omni": Dialect(
        service=services.server("vLLM-Omni", "VLLM_API_KEY"),
        limits=VLLM_LIMITS,
        names=_DIFFUSERS,
        size_of_edits="auto",
        images="image",
        mask="mask_image",
        mask_form="white",
    ),
    "sglang": Dialect(service=services.server("SGLang", "SGLANG_API_KEY"), limits=SGLANG_LIMITS, names=_DIFFUSERS),
    "sd-cpp": Dialect(
        service=services.server("stable-diffusion.cpp"),
        limits=SD_CPP_LIMITS,
        model_id="sd-cpp-local",
        response_format="",
        in_prompt=_SD_CPP_PATHS,
        image="image[]",
    ),
    "localai": Dialect(
        service=services.server("LocalAI", "LOCALAI_API_KEY"),
        limits=LOCALAI_LIMITS,
        names={"steps": "step"},
        source_field="file",
    ),
    "ollama": Dialect(service=services.server("Ollama", base_url="http://127.0.0.1:11434/v1"), limits=OLLAMA_LIMITS),
    "together": Dialect(
        service=services.server("Together", "TOGETHER_API_KEY", base_url="https://api.together.xyz/v1"),
        limits=TOGETHER_LIMITS,
        response_format="base64",
        size="sides",
    ),
    "xai": Dialect(
        service=services.server("xAI", "XAI_API_KEY", base_url="https://api.x.ai/v1"),
        limits=XAI_LIMITS,
        model_id="grok-imagine-image",
    ),
}
