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

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;padding:1.5rem;max-width:90rem}
h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:1rem}
figure{margin:0}figure img{display:block;width:100%;height:auto;cursor:zoom-in}
figcaption,.facts,.note,.error{font-size:.85rem;margin:.25rem 0;overflow-wrap:anywhere}.facts,figcaption{opacity:.75}
.error{color:light-dark(#b00020,#ff8a80)}
figure .close{display:none}
figure:target{position:fixed;inset:0;z-index:1;background:rgba(0,0,0,.9);color:#fff;display:grid;place-content:center}
figure:target img{width:auto;max-width:100vw;max-height:92vh;cursor:default}
figure:target figcaption{text-align:center}figure:target .close{display:block;position:absolute;inset:0}
"""
"""The look of the page: as many columns as fit; a click on a picture shows it as large as the window."""


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
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}{style}</style></head>'
    )
    return f'{head}<body><h1 id="top">{html.escape(title)}</h1>{body}</body></html>\n'
