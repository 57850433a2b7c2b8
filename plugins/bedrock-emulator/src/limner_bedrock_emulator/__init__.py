"""Amazon Bedrock's InvokeModel on loopback, for Stability AI's models and Titan Image Generator.

>>> import limner_bedrock_emulator
>>> with limner_bedrock_emulator.serve() as emulator:
...     emulator.url.startswith("http://127.0.0.1:")
True

Importing the package loads neither the server nor Pillow: :func:`serve` and the classes are imported lazily.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner_bedrock_emulator.service import ReceivedRequest
    from limner_bedrock_emulator.serving import Emulator, serve

__all__ = ["Emulator", "ReceivedRequest", "serve"]


def __getattr__(name: str) -> Any:
    if name == "ReceivedRequest":
        from limner_bedrock_emulator.service import ReceivedRequest

        return ReceivedRequest
    if name in __all__:
        from limner_bedrock_emulator import serving

        return getattr(serving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
