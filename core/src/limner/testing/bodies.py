"""Request bodies and answers as trees: their leaves, what they carry, and how to change one node."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from limner.interface import Request

Path = tuple[str | int, ...]


def parsed(body: bytes) -> Any:
    """Read JSON; the text itself where the body is none."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def nodes(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every node with its path, the root first."""
    yield path, tree
    inner: Iterable[tuple[str | int, Any]] = ()
    if isinstance(tree, dict):
        inner = tree.items()
    elif isinstance(tree, list):
        inner = enumerate(tree)
    for key, value in inner:
        yield from nodes(value, (*path, key))


def leaves(tree: Any) -> dict[Path, Any]:
    """Every node that holds no other."""
    return {path: value for path, value in nodes(tree) if not isinstance(value, dict | list)}


def replaced(tree: Any, path: Path, value: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return value
    key, *rest = path
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[key] = replaced(tree[key], tuple(rest), value)
    return copy


def without(tree: Any, path: Path) -> Any:
    """Return a copy without the node at a path."""
    *parent, key = path
    found = tree
    for step in parent:
        found = found[step]
    copy: Any = dict(found) if isinstance(found, dict) else list(found)
    del copy[key]
    return replaced(tree, tuple(parent), copy)


def carries_text(request: Request, text: str) -> bool:
    """Tell whether a text is in the body, whole."""
    return any(isinstance(leaf, str) and text in leaf for leaf in leaves(parsed(request.body)).values())


def carries_bytes(body: bytes, data: bytes) -> bool:
    """Tell whether bytes are in a body, as they are or in base64."""
    if data in body:
        return True
    encoded = base64.b64encode(data).decode()
    return any(isinstance(leaf, str) and encoded in leaf for leaf in leaves(parsed(body)).values())
