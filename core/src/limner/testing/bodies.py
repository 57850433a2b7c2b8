"""Request bodies and answers as trees: their leaves, what they carry, and how to change one node."""

from __future__ import annotations

import base64
import contextlib
import email
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from limner import Request
from limner.testing.broken import expect

Path = tuple[str | int, ...]

_FORM = re.compile(rb"[\w.~%+\[\]-]+=[^\s{}<>]*(&[\w.~%+\[\]-]+=[^\s{}<>]*)*")


def is_json(body: bytes) -> bool:
    """Tell whether a body is JSON."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def parsed(body: bytes) -> Any:
    """Read JSON, or a form (multipart or urlencoded) as an object of its fields; the text itself where it is neither.

    A file of a multipart form is bytes; a field that is there several times is a list.
    """
    expect(isinstance(body, bytes), f"the body is {type(body).__name__}, must be bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    if body.startswith(b"--") and b"\r\n" in body:
        return _multipart(body)
    if _FORM.fullmatch(body):
        return _gathered(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True))
    return body.decode("utf-8", "replace")


def _multipart(body: bytes) -> Any:
    boundary = body[2 : body.index(b"\r\n")].decode("latin-1")
    head = f'Content-Type: multipart/form-data; boundary="{boundary}"\r\n\r\n'.encode("latin-1")
    message: Any = email.message_from_bytes(head + body)  # compat32 parses a header only when it is read
    fields: list[tuple[str, Any]] = []
    for part in message.get_payload() if message.is_multipart() else ():
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        fields.append((name, data if part.get_filename() is not None else _json_or_text(data)))
    return _gathered(fields) if fields else body.decode("utf-8", "replace")


def _json_or_text(data: bytes) -> Any:
    text = data.decode("utf-8", "replace")
    return json.loads(text) if text[:1] in {"{", "["} and is_json(data) else text


def _gathered(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def plain(tree: Any) -> Any:
    """Write the bytes of a tree in base64, as a JSON Schema knows them."""
    if isinstance(tree, bytes):
        return base64.b64encode(tree).decode()
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    return [plain(value) for value in tree] if isinstance(tree, list) else tree


def typed_form(tree: Any, schema: Any) -> Any:
    """Read the fields of a form as a schema types them: a form knows only texts, and a list of one looks like none."""
    if not isinstance(tree, dict):
        return tree
    wanted = schema.get("properties", {})
    return {name: _typed(value, wanted.get(name, {})) for name, value in tree.items()}


def _typed(value: Any, schema: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if kind == "array":
        several = value if isinstance(value, list) else [value]
        return [_typed(one, schema.get("items", {})) for one in several]
    if kind in {"number", "integer", "boolean"} and isinstance(value, str):
        with contextlib.suppress(ValueError):
            read = json.loads(value)
            return read if isinstance(read, bool) == (kind == "boolean") else value
    return value


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


def says_why(path: Path, leaf: Any) -> bool:
    """Tell whether a leaf of an answer says in words why there is no picture."""
    return isinstance(leaf, str) and len(leaf.split()) > 1 and bool(path) and _REASON.search(str(path[-1])) is not None


_REASON = re.compile("reason|message|detail|why|explanation|error", re.IGNORECASE)


def leaves_of(request: Request) -> dict[Path, Any]:
    """The leaves of a request's body."""
    return leaves(parsed(request.body))


def in_words(path: Path) -> str:
    """Write a path as one reads it: ``a.b[0]``."""
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return "".join(parts).removeprefix(".") or "the body"


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


def with_lists(tree: Any, length: int, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Return a copy in which every list of a length is another, also those in a text that is JSON."""
    if isinstance(tree, dict):
        return {key: with_lists(value, length, change) for key, value in tree.items()}
    if isinstance(tree, list):
        inner = [with_lists(value, length, change) for value in tree]
        return change(inner) if len(inner) == length else inner
    if isinstance(tree, str) and tree[:1] == "{" and is_json(tree.encode()):
        return json.dumps(with_lists(json.loads(tree), length, change))
    return tree


def is_tree(request: Request) -> bool:
    """Tell whether a body has parts that can be told apart."""
    return isinstance(parsed(request.body), dict | list)


def carries_text(request: Request, text: str) -> bool:
    """Tell whether a text is in the body, whole."""
    return any(isinstance(leaf, str) and text in leaf for leaf in leaves_of(request).values())


def is_a_leaf(request: Request, text: str) -> bool:
    """Tell whether a text is a leaf of the body, with nothing before or after it."""
    return any(isinstance(leaf, str) and text == leaf for leaf in leaves_of(request).values())


def place_of(body: bytes, data: bytes) -> int:
    """Where bytes are in a body, as they are or in base64; -1 where they are not."""
    found = body.find(data)
    return found if found >= 0 else body.find(base64.b64encode(data))


def carries_bytes(body: bytes, data: bytes) -> bool:
    """Tell whether bytes are in a body, as they are or in base64."""
    if place_of(body, data) >= 0:
        return True
    encoded = base64.b64encode(data).decode()
    return any(isinstance(leaf, str) and encoded in leaf for leaf in leaves(parsed(body)).values())


def with_bytes(body: bytes, data: bytes, other: bytes) -> bytes:
    """Replace bytes in a body, as they are or in base64."""
    return body.replace(data, other).replace(base64.b64encode(data), base64.b64encode(other))


def data_url(text: str) -> tuple[str, str]:
    """Split a data URL into its head and its base64; the head of plain base64 is empty."""
    head, comma, encoded = text.rpartition(",")
    return (head + comma, encoded) if text.startswith("data:") else ("", text)


_MEDIA_TYPE = re.compile(r"image/[\w.+-]+")


def media_types_of(body: bytes, data: bytes) -> set[str]:
    """The media types that a body says of a picture in it: in a data URL, beside it in JSON, or in the head of its part."""
    place = place_of(body, data)
    if body.startswith(b"--") and place >= 0:
        head = body[:place].rpartition(b"\r\n--")[2].decode("latin-1")
        return set(_MEDIA_TYPE.findall(head.lower().partition("content-type:")[2]))
    encoded = base64.b64encode(data).decode()
    said: set[str] = set()
    for _, node in nodes(parsed(body)):
        inner = node.values() if isinstance(node, dict) else ()
        if any(isinstance(value, str) and encoded in value for value in inner):
            said |= {value for value in inner if isinstance(value, str) and _MEDIA_TYPE.fullmatch(value)}
        if isinstance(node, str) and node.endswith(encoded) and node.startswith("data:"):
            said |= set(_MEDIA_TYPE.findall(node[:100]))
    return said


def written_otherwise(tree: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The same answer in other words of JSON."""
    yield "with blanks and lines", json.dumps(tree, indent=3).encode()
    yield "without blanks", json.dumps(tree, separators=(",", ":")).encode()
    yield "in another order of its fields", json.dumps(_turned(tree)).encode()
    yield "with a new field", json.dumps({**tree, _NEW_FIELD: {"of": ["a later version", 7, None]}}).encode()
    more = with_new_fields(tree)
    if more != tree:
        yield "with a new field in each object", json.dumps(more).encode()


def with_new_fields(node: Any) -> Any:
    """Add a field to each object."""
    if isinstance(node, dict):
        return {key: with_new_fields(value) for key, value in node.items()} | {_NEW_FIELD: None}
    return [with_new_fields(one) for one in node] if isinstance(node, list) else node


_NEW_FIELD = "fieldOfALaterVersion"


def _turned(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _turned(node[key]) for key in reversed(node)}
    return [_turned(one) for one in node] if isinstance(node, list) else node
