"""The services by name; each is imported when it is started."""

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
"""Where the class of each service is."""


def make(name: str, **arguments: Any) -> Service:
    """Make a service.

    Raises:
        KeyError: no such service, painter or dialect.
        ValueError: no such fault.
    """
    module, kind = SERVICES[name]
    made: Service = getattr(import_module(module), kind)(**arguments)
    return made
