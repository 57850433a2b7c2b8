"""limner: one uniform API over image-generation models.

>>> import limner
>>> result = limner.generate("a beautiful mountain landscape", model="sketch", seed=7)  # doctest: +SKIP
>>> result.image.save("mountain.png")  # doctest: +SKIP

Each name is imported when it is first used, so that ``import limner`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner.batches import BatchOutcome as BatchOutcome, abatch as abatch, batch as batch
    from limner.catalog import (
        get_model as get_model,
        models as models,
    )
    from limner.descriptions import describe as describe
    from limner.errors import (
        AccessDenied as AccessDenied,
        AuthenticationFailed as AuthenticationFailed,
        BadResponse as BadResponse,
        BatchStopped as BatchStopped,
        ContentFiltered as ContentFiltered,
        LimnerError as LimnerError,
        ModelRetired as ModelRetired,
        PluginError as PluginError,
        Problem as Problem,
        ProviderError as ProviderError,
        ProviderTimeout as ProviderTimeout,
        ProviderUnavailable as ProviderUnavailable,
        RateLimited as RateLimited,
        RequestRejected as RequestRejected,
        TaskRefused as TaskRefused,
        UnknownModel as UnknownModel,
    )
    from limner.fitting import Entry as Entry
    from limner.hookspecs import hookimpl as hookimpl
    from limner.images import Image as Image, Mask as Mask, expand_canvas as expand_canvas
    from limner.interface import (
        Decoded as Decoded,
        Finding as Finding,
        Lifecycle as Lifecycle,
        Request as Request,
        Response as Response,
    )
    from limner.keys import FoundKey as FoundKey, Key as Key
    from limner.model import Model as Model
    from limner.options import Options as Options
    from limner.previews import preview as preview
    from limner.prices import (
        Cost as Cost,
        Price as Price,
    )
    from limner.prompts import WeightedText as WeightedText
    from limner.reporting import (
        Progress as Progress,
        progress as progress,
    )
    from limner.results import (
        Picture as Picture,
        Plan as Plan,
        Result as Result,
        image_from_base64 as image_from_base64,
        image_from_bytes as image_from_bytes,
        parse_json as parse_json,
        read_provenance as read_provenance,
    )
    from limner.sending import cancellation as cancellation
    from limner.serialization import from_json as from_json, to_json as to_json
    from limner.settings import Settings as Settings
    from limner.shortcuts import (
        generate as generate,
        inpaint as inpaint,
        outpaint as outpaint,
        remove_background as remove_background,
        upscale as upscale,
        vary as vary,
    )
    from limner.tasks import (
        Generate as Generate,
        Inpaint as Inpaint,
        Outpaint as Outpaint,
        RemoveBackground as RemoveBackground,
        Task as Task,
        Upscale as Upscale,
        Vary as Vary,
    )

__version__ = "0.1.0"

_NAMES = {
    "batches": "BatchOutcome abatch batch",
    "catalog": "get_model models",
    "descriptions": "describe",
    "errors": """
        AccessDenied AuthenticationFailed BadResponse BatchStopped ContentFiltered LimnerError ModelRetired
        PluginError Problem ProviderError ProviderTimeout ProviderUnavailable RateLimited RequestRejected
        TaskRefused UnknownModel
    """,
    "fitting": "Entry",
    "hookspecs": "hookimpl",
    "images": "Image Mask expand_canvas",
    "interface": "Decoded Finding Lifecycle Request Response",
    "keys": "FoundKey Key",
    "model": "Model",
    "options": "Options",
    "previews": "preview",
    "prices": "Cost Price",
    "prompts": "WeightedText",
    "reporting": "Progress progress",
    "results": "Picture Plan Result image_from_base64 image_from_bytes parse_json read_provenance",
    "sending": "cancellation",
    "serialization": "from_json to_json",
    "settings": "Settings",
    "shortcuts": "generate inpaint outpaint remove_background upscale vary",
    "tasks": "Generate Inpaint Outpaint RemoveBackground Task Upscale Vary",
}
"""The public names by the module that they are imported from."""

_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = ["__version__", *_MODULE_OF]  # noqa: PLE0604 - one list, above


def __getattr__(name: str) -> Any:
    import importlib

    if name == "examples":
        return importlib.import_module("limner.examples")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'limner' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"limner.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
