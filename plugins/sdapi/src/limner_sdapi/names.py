"""Names of samplers, schedulers, checkpoints and upscalers, as servers list them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

LISTS: Mapping[str, str] = {
    "sampler": "samplers",
    "scheduler": "schedulers",
    "checkpoint": "sd-models",
    "upscaler": "upscalers",
    "hr_upscaler": "latent-upscale-modes",
}
"""Options, and where a server lists what they may be."""

_KEYS = ("title", "model_name", "name", "label", "hash", "sha256", "aliases", "filename")


def plain(name: str) -> str:
    """Bring a name to the form in which two are compared: without folder, hash, suffix of a checkpoint, and case."""
    name = re.sub(r" \[[0-9a-f]+\]$", "", name.strip()).replace("\\", "/").rpartition("/")[2]
    return re.sub(r"\.(safetensors|ckpt|gguf|pt|pth)$", "", name, flags=re.IGNORECASE).casefold()


def names_of(listed: Any) -> list[str]:
    """Read a list's names, one for each item, as a user would write it."""
    items = listed if isinstance(listed, list) else []
    return [found for item in items if (found := next(_texts(item), ""))]


def is_listed(name: str, listed: Any) -> bool:
    """Tell whether a name is one of a list, by any name of its items; a sampler also with its scheduler behind it."""
    known = {plain(text) for item in listed for text in _texts(item)}
    return plain(name) in known or any(plain(name) == f"{one} {other}" for one in known for other in _JOINED)


_JOINED = ("karras", "exponential", "polyexponential", "sgm uniform")
"""Schedulers that A1111 before 1.9 wrote behind a sampler, and later versions split off."""


def _texts(item: Any) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    for key in _KEYS if isinstance(item, dict) else ():
        value = item.get(key)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text:
                yield text
