"""What contact sheets and pages of pictures share."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import PIL.Image

    from limner.images import Image

CELL = 320
LINE = 14
MARGIN = 12

_STYLE = "body{font:15px/1.4 sans-serif;margin:2em}img{margin:0 8px 8px 0;vertical-align:top}.error{color:#b00020}"


def thumbnail(image: Image, side: int = CELL) -> PIL.Image.Image:
    """Decode a picture and scale it down to fit a square."""
    small = image.pil().convert("RGB")
    small.thumbnail((side, side))
    return small


def page(title: str, body: str, style: str = "") -> str:
    """Make an HTML page.

    Args:
        title: a text.
        body: HTML.
        style: further rules of CSS.
    """
    head = f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}{style}</style>'
    return f"{head}<h1>{html.escape(title)}</h1>{body}"
