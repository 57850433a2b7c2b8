"""Uploaded pictures, in memory and within limits."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from limner import Image

MOST_BYTES = 256 * 2**20
"""The maximum total size of the stored pictures in bytes."""


class Pictures:
    """Pictures by their SHA-256. The least recently used are discarded first; the page uploads them again.

    Args:
        most_bytes: the maximum total size; the last picture is always kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, Image] = OrderedDict()
        self._bytes = 0

    def add(self, image: Image) -> str:
        """Store a picture, and return its SHA-256."""
        if self.get(image.sha256) is None:
            self._kept[image.sha256] = image
            self._bytes += len(image.data)
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].data)
        return image.sha256

    def get(self, sha256: str) -> Image | None:
        """Return a picture; ``None`` if it is not stored."""
        if sha256 not in self._kept:
            return None
        self._kept.move_to_end(sha256)
        return self._kept[sha256]


PICTURES = web.AppKey("PICTURES", Pictures)
"""The key of an application's pictures."""
