"""How A1111 reads weights in a prompt: ``(text:1.2)``, ``(text)`` for 1.1, ``[text]`` for 1 / 1.1, and escaped brackets."""

from __future__ import annotations

import re

STEP = 1.1
_TOKEN = re.compile(
    r"\\(?P<escaped>[\\()\[\]])|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<bracket>[()\[\]])|(?P<text>[^\\()\[\]:]+|.)", re.DOTALL
)


def weights_of(prompt: str) -> list[tuple[str, float]]:
    """Return the parts of a prompt with their weights; adjacent parts with equal weight are merged."""
    parts: list[tuple[str, float]] = []
    opened: list[tuple[str, int]] = []
    for token in _TOKEN.finditer(prompt):
        if token["bracket"] in {"(", "["}:
            opened.append((token["bracket"], len(parts)))
        elif token["weight"] is not None and opened and opened[-1][0] == "(":
            _weigh(parts, opened.pop()[1], float(token["weight"]))
        elif token["bracket"] == ")" and opened and opened[-1][0] == "(":
            _weigh(parts, opened.pop()[1], STEP)
        elif token["bracket"] == "]" and opened and opened[-1][0] == "[":
            _weigh(parts, opened.pop()[1], 1 / STEP)
        else:
            parts.append((token["escaped"] or token[0], 1.0))
    for bracket, start in opened:
        _weigh(parts, start, STEP if bracket == "(" else 1 / STEP)
    return _joined(parts)


def _weigh(parts: list[tuple[str, float]], start: int, factor: float) -> None:
    parts[start:] = [(text, weight * factor) for text, weight in parts[start:]]


def _joined(parts: list[tuple[str, float]]) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for text, weight in parts:
        if found and found[-1][1] == weight:
            text = found.pop()[0] + text  # noqa: PLW2901
        found.append((text, weight))
    return found
