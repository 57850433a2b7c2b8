"""HTML for notebooks: pictures, accounts, limits and tables. Every text is escaped, since prompts may come from anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from limner.errors import LimnerError, shorten

if TYPE_CHECKING:
    from limner.images import Image

MOST_BYTES = 300_000
"""A larger picture is shown smaller: notebooks keep what they show."""

LONGEST_ALONE, LONGEST_IN_GRID = 768, 384
"""Pixels of the longer side of a picture that is shown smaller."""

_SHOWN_BY_BROWSERS = {"image/png", "image/jpeg", "image/webp", "image/gif"}

_GRID = "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start"
_FIGURE = "margin:0;max-width:min(100%,{width}px)"
_SMALL = "font-size:85%;opacity:.8"
_CELL = "text-align:left;vertical-align:top;overflow-wrap:break-word"


def escape(text: object) -> str:
    """Escape a text for HTML, between tags and in attributes."""
    import html

    return html.escape(str(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "") -> str:
    """Make a table of texts; ``None`` leaves a cell empty."""
    head = "".join(f'<th style="{_CELL}">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    title = f'<caption style="text-align:left;font-weight:bold">{escape(caption)}</caption>' if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return f'<td style="{_CELL}">{"" if value is None else escape(value)}</td>'


def paragraph(text: object, *, small: bool = False) -> str:
    """Make a paragraph of a text."""
    return f'<p style="margin:4px 0{";" + _SMALL if small else ""}">{escape(text)}</p>'


def hidden(title: str, content: str) -> str:
    """Make a part that opens with a click."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>" if content else ""


def grid(figures: Iterable[str]) -> str:
    """Place figures beside each other, as many as fit in a line."""
    return f'<div style="{_GRID}">{"".join(figures)}</div>'


def figure(image: Image | None, caption: Iterable[str], *, alt: str, longest: int = LONGEST_ALONE) -> str:
    """Show a picture with a caption; without a picture, the caption alone."""
    source = None if image is None else _source(image, longest)
    shown = [f'<img src="{source}" alt="{escape(alt)}" style="max-width:100%;height:auto">'] if source else []
    words = " · ".join(escape(part) for part in caption if part)
    style = _FIGURE.format(width=longest)
    return f'<figure style="{style}">{"".join(shown)}<figcaption style="{_SMALL}">{words}</figcaption></figure>'


def _source(image: Image, longest: int) -> str | None:
    """The data URL of a picture, made smaller where it is large; ``None`` where it cannot be decoded."""
    if image.media_type in _SHOWN_BY_BROWSERS and len(image.data) <= MOST_BYTES:
        return _data_url(image.media_type, image.data)
    from io import BytesIO

    try:
        picture = image.pil()
        picture.thumbnail((longest, longest))
    except (LimnerError, OSError):
        return None
    buffer = BytesIO()
    picture.convert("RGBA" if image.has_alpha else "RGB").save(buffer, "WEBP", quality=85)
    return _data_url("image/webp", buffer.getvalue())


def _data_url(media_type: str, data: bytes) -> str:
    import base64

    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def prompt_of(task: Any) -> str:
    """Return the prompt of a task as one text; its kind where it has none."""
    prompt = getattr(task, "prompt", None)
    if prompt is None:
        return str(task.kind)
    return prompt if isinstance(prompt, str) else "; ".join(part.text for part in prompt)


def account(entries: Iterable[Any]) -> str:
    """Show an account as a table."""
    columns = ("parameter", "outcome", "asked", "used", "why")
    return table(columns, ((e.parameter, e.outcome, value(e.asked), value(e.used), e.why) for e in entries))


def value(content: object) -> str:
    """Show a value of an account, shortened."""
    match content:
        case None:
            return ""
        case (int(width), int(height)):
            return f"{width}x{height}"
        case str():
            return content if len(content) <= 60 else f"{content[:57]}..."
    return shorten(content)


def limits(parameters: Iterable[tuple[str, Any]], *, caption: str = "") -> str:
    """Show the limits of parameters as a table."""
    rows = ((name, limit.describe(), _default(limit)) for name, limit in parameters)
    return table(("parameter", "limit", "default"), rows, caption=caption)


def _default(limit: Any) -> str:
    return "required" if limit.required else value(limit.default)
