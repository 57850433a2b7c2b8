"""Servers with a dialect of their own: what each accepts."""

from __future__ import annotations

from limner import Vary
from limner.limits import Choice, Constraint, Count, Flag, Integer, Limits, Pictures, Real, TaskLimits, Text

from limner_openai.compatible import Compatible
from limner_openai.server_limits import BOTH_WAYS, UNDOCUMENTED, edits, generate, guided, picture, prompt, seeded, size_rule

VLLM = "vLLM-Omni, docs/serving/image_generation_api.md and image_edit_api.md (commit 00a3619)"
SGLANG = "SGLang, multimodal_gen/runtime/entrypoints/openai/protocol.py (020befb) and image_api.py (0230ddc)"
SD_CPP = "stable-diffusion.cpp, examples/server/api.md (commit 0137f16)"
LOCALAI = "LocalAI, docs/content/features/image-generation.md (commit 0177e49)"
OLLAMA = "Ollama, docs/api/openai-compatibility.mdx (commit 043e990)"
TOGETHER = "together 3.1.1 on PyPI, types/image_generate_params.py"
XAI = "xai-sdk 1.21.0 on PyPI, image.py and types/image.py"

_VLLM_N = Count(10, source=f"{VLLM}: 1 to 10")
_VLLM_OPTIONS: dict[str, Constraint] = {"true_cfg_scale": Real(0.0, 20.0, source=VLLM)}
_VLLM_EDIT_OPTIONS: dict[str, Constraint] = {
    **_VLLM_OPTIONS,
    "output_format": Choice(("png", "jpeg", "webp"), source=VLLM),
    "output_compression": Integer(0, 100, source=VLLM),
}
VLLM_LIMITS: Limits = {
    **generate(VLLM, guided(VLLM), _VLLM_N, _VLLM_OPTIONS),
    **edits(VLLM, guided(VLLM), _VLLM_N, _VLLM_EDIT_OPTIONS, mask="mask_image, white areas are repainted"),
}

_SGLANG_N = Count(10, source=f"{SGLANG}: silently reduced to 1 to 10")
_SGLANG_OPTIONS: dict[str, Constraint] = {
    "true_cfg_scale": Real(0.0, 20.0, source=SGLANG),
    "output_format": Choice(("png", "jpeg", "webp"), source=SGLANG),
    "background": Choice(("transparent", "opaque", "auto"), source=SGLANG),
}
SGLANG_LIMITS: Limits = {
    **generate(SGLANG, guided(SGLANG), _SGLANG_N, _SGLANG_OPTIONS),
    **edits(SGLANG, guided(SGLANG), _SGLANG_N, _SGLANG_OPTIONS, mask=BOTH_WAYS),
}

_SD_CPP_N = Count(8, source=f"{SD_CPP}; the source silently reduces n to 1 to 8")
_SD_CPP_SHARED: dict[str, Constraint] = {
    **seeded(SD_CPP),
    "guidance_scale": Real(0.0, 100.0, source=f"{SD_CPP}: sample_params.guidance.txt_cfg; {UNDOCUMENTED}"),
}
_SD_CPP_FORMATS = {"output_compression": Integer(0, 100, source=f"{SD_CPP}: clamped to 0 to 100")}
SD_CPP_LIMITS: Limits = {
    **generate(
        SD_CPP,
        _SD_CPP_SHARED,
        _SD_CPP_N,
        {"output_format": Choice(("png", "jpeg", "webp"), source=SD_CPP), **_SD_CPP_FORMATS},
    ),
    **edits(
        SD_CPP,
        {**_SD_CPP_SHARED, "strength": Real(0.0, 1.0, source=f"{SD_CPP}: strength")},
        _SD_CPP_N,
        {"output_format": Choice(("png", "jpeg"), source=SD_CPP), **_SD_CPP_FORMATS},
        mask="white is repainted, transparency is ignored (by its source)",
    ),
}

_LOCALAI_N = Count(1, source=f"{LOCALAI}; the maximum is undocumented")
LOCALAI_LIMITS: Limits = {
    **generate(LOCALAI, seeded(LOCALAI), _LOCALAI_N),
    Vary: TaskLimits(
        {
            "image": Pictures(picture(LOCALAI), max_items=1, required=True, source=f"{LOCALAI}: file, in base64"),
            "prompt": prompt(LOCALAI),
            "n": _LOCALAI_N,
            "size": size_rule(LOCALAI),
            **seeded(LOCALAI),
        }
    ),
}

OLLAMA_LIMITS = generate(OLLAMA, {}, Count(1, source=f"{OLLAMA}: n is not supported"))

TOGETHER_LIMITS = generate(
    TOGETHER,
    {**seeded(TOGETHER), "guidance_scale": Real(0.0, 100.0, source=f"{TOGETHER}; {UNDOCUMENTED}")},
    Count(1, source=f"{TOGETHER}; the maximum is undocumented"),
    {"output_format": Choice(("jpeg", "png"), source=TOGETHER), "disable_safety_checker": Flag(source=TOGETHER)},
)

XAI_LIMITS = generate(
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


class VllmOmni(Compatible):
    """A model of vLLM-Omni."""

    limits = VLLM_LIMITS
    default_dialect = "vllm-omni"


class SGLang(Compatible):
    """A model of SGLang."""

    limits = SGLANG_LIMITS
    default_dialect = "sglang"


class SdCpp(Compatible):
    """A model of stable-diffusion.cpp."""

    limits = SD_CPP_LIMITS
    default_dialect = "sd-cpp"


class LocalAI(Compatible):
    """A model of LocalAI."""

    limits = LOCALAI_LIMITS
    default_dialect = "localai"


class Ollama(Compatible):
    """A model of Ollama."""

    limits = OLLAMA_LIMITS
    default_dialect = "ollama"


class Together(Compatible):
    """A model of Together."""

    limits = TOGETHER_LIMITS
    default_dialect = "together"


class Xai(Compatible):
    """A model of xAI."""

    limits = XAI_LIMITS
    default_dialect = "xai"


SERVERS: dict[str, type[Compatible]] = {
    server.default_dialect: server for server in (VllmOmni, SGLang, SdCpp, LocalAI, Ollama, Together, Xai)
}
"""By the setting ``dialect``."""
