"""Strict fake servers on loopback for OpenAI's Images API, Gemini, Black Forest Labs, and ``/sdapi/v1``.

>>> import limner_fakes
>>> with limner_fakes.serve("openai") as fake:
...     fake.url.startswith("http://127.0.0.1:")
True

Importing the package loads neither the server nor Pillow: :func:`serve` and the classes are imported lazily.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner_fakes.running import Fake, serve
    from limner_fakes.service import ReceivedRequest

__all__ = ["Fake", "ReceivedRequest", "serve"]


def __getattr__(name: str) -> Any:
    if name == "ReceivedRequest":
        from limner_fakes.service import ReceivedRequest

        return ReceivedRequest
    if name in __all__:
        from limner_fakes import running

        return getattr(running, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
