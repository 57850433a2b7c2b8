"""The services by name, imported lazily."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner_fakes.service import Service

SERVICES = {
    "openai": ("limner_fakes.openai", "OpenAIService"),
    "gemini": ("limner_fakes.gemini", "GeminiService"),
    "bfl": ("limner_fakes.bfl", "BflService"),
    "sdapi": ("limner_fakes.sdapi", "SdapiService"),
}
"""The module of each service's class."""


def make(name: str, **arguments: Any) -> Service:
    """Create a service.

    Raises:
        KeyError: the service, painter or dialect is unknown.
        ValueError: a fault is unknown.
    """
    module, kind = SERVICES[name]
    made: Service = getattr(import_module(module), kind)(**arguments)
    return made
