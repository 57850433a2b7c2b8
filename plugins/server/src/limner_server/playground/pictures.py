"""The pictures that were uploaded, in memory and within bounds."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from limner import Image

MOST_BYTES = 256 * 2**20
"""Bytes of all kept pictures."""


class Pictures:
    """Pictures by their SHA-256; those that were not used for longest are forgotten first, and the page sends them again.

    Args:
        most_bytes: of all kept pictures; the last one is always kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, Image] = OrderedDict()
        self._bytes = 0

    def add(self, image: Image) -> str:
        """Keep a picture, and return its SHA-256."""
        if self.get(image.sha256) is None:
            self._kept[image.sha256] = image
            self._bytes += len(image.data)
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].data)
        return image.sha256

    def get(self, sha256: str) -> Image | None:
        """Return a picture; ``None`` where it is not kept."""
        if sha256 not in self._kept:
            return None
        self._kept.move_to_end(sha256)
        return self._kept[sha256]


PICTURES = web.AppKey("PICTURES", Pictures)
"""Where an application keeps its pictures."""
