"""limner: one uniform API over image-generation models.

>>> import limner
>>> result = limner.generate("a beautiful mountain landscape", model="sketch", seed=7)  # doctest: +SKIP
>>> result.image.save("mountain.png")  # doctest: +SKIP

Everything is imported when it is first used, so that ``import limner`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner.compositing import expand_canvas
    from limner.contracts import Finding, Lifecycle, Plan, Request, Response, Settings
    from limner.errors import (
        AccessDenied,
        AuthenticationFailed,
        BadResponse,
        ContentFiltered,
        LimnerError,
        ModelRetired,
        PluginError,
        Problem,
        ProviderError,
        ProviderTimeout,
        ProviderUnavailable,
        RateLimited,
        RequestRejected,
        TaskRefused,
        UnknownModel,
    )
    from limner.finding import (
        generate,
        get_model,
        inpaint,
        models,
        outpaint,
        remove_background,
        upscale,
        vary,
    )
    from limner.fitting import Entry
    from limner.hookspecs import hookimpl
    from limner.images import Image, Mask
    from limner.model import Model
    from limner.options import Options
    from limner.results import Picture, Result, image_from_base64, parse_json, read_provenance
    from limner.running import cancellation
    from limner.serializing import from_json, to_json
    from limner.tasks import Generate, Inpaint, Outpaint, RemoveBackground, Task, Upscale, Vary
    from limner.values import WeightedText

__version__ = "0.1.0"

_HOMES = {
    "compositing": ("expand_canvas",),
    "contracts": ("Finding", "Lifecycle", "Plan", "Request", "Response", "Settings"),
    "errors": (
        "AccessDenied",
        "AuthenticationFailed",
        "BadResponse",
        "ContentFiltered",
        "LimnerError",
        "ModelRetired",
        "PluginError",
        "Problem",
        "ProviderError",
        "ProviderTimeout",
        "ProviderUnavailable",
        "RateLimited",
        "RequestRejected",
        "TaskRefused",
        "UnknownModel",
    ),
    "finding": ("generate", "get_model", "inpaint", "models", "outpaint", "remove_background", "upscale", "vary"),
    "fitting": ("Entry",),
    "hookspecs": ("hookimpl",),
    "images": ("Image", "Mask"),
    "model": ("Model",),
    "options": ("Options",),
    "results": ("Picture", "Result", "image_from_base64", "parse_json", "read_provenance"),
    "running": ("cancellation",),
    "serializing": ("from_json", "to_json"),
    "tasks": ("Generate", "Inpaint", "Outpaint", "RemoveBackground", "Task", "Upscale", "Vary"),
    "values": ("WeightedText",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AccessDenied",
    "AuthenticationFailed",
    "BadResponse",
    "ContentFiltered",
    "Entry",
    "Finding",
    "Generate",
    "Image",
    "Inpaint",
    "Lifecycle",
    "LimnerError",
    "Mask",
    "Model",
    "ModelRetired",
    "Options",
    "Outpaint",
    "Picture",
    "Plan",
    "PluginError",
    "Problem",
    "ProviderError",
    "ProviderTimeout",
    "ProviderUnavailable",
    "RateLimited",
    "RemoveBackground",
    "Request",
    "RequestRejected",
    "Response",
    "Result",
    "Settings",
    "Task",
    "TaskRefused",
    "UnknownModel",
    "Upscale",
    "Vary",
    "WeightedText",
    "__version__",
    "cancellation",
    "expand_canvas",
    "from_json",
    "generate",
    "get_model",
    "hookimpl",
    "image_from_base64",
    "inpaint",
    "models",
    "outpaint",
    "parse_json",
    "read_provenance",
    "remove_background",
    "to_json",
    "upscale",
    "vary",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'limner' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"limner.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
