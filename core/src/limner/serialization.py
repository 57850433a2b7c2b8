"""Tasks and results as JSON: :func:`to_json` and :func:`from_json`, which is safe with untrusted text."""

from __future__ import annotations

import functools
import json
from typing import Any

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from limner.documents import Document, from_base64, parse, structured, task_converter, to_base64
from limner.errors import Problem, TaskRefused, shorten
from limner.results import Picture, Result
from limner.tasks import Task


def to_json(value: Task | Result) -> str:
    """Convert a task or a result to JSON, including its pictures. :func:`from_json` restores it without loss."""
    return json.dumps(_converter().unstructure(value), ensure_ascii=False)


def from_json(text: str | bytes) -> Task | Result:
    """Restore a task or result from :func:`to_json`. Safe with untrusted input: it never opens a file.

    A document may nest at most 80 levels deep; the limits of :class:`~limner.Options` apply to its options.

    Raises:
        TaskRefused: the text is not such a document, or its task is invalid.
    """
    try:
        document = parse(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise TaskRefused([Problem("json", shorten(text), f"is not JSON that limner reads: {error}")]) from error
    is_result = isinstance(document, dict) and "pictures" in document
    if is_result:
        _check_lists(document)
    read: Task | Result = structured(_converter(), document, Result if is_result else Task)
    return read


@functools.cache
def _converter() -> Converter:
    converter = task_converter(to_base64, from_base64)
    origin = override(struct_hook=lambda document, _: _provenance(document))
    converter.register_structure_hook(Picture, make_dict_structure_fn(Picture, converter, origin=origin))
    plain = make_dict_unstructure_fn(Picture, converter, origin=override(omit=True))
    converter.register_unstructure_hook(Picture, lambda picture: {**plain(picture), "origin": dict(picture.provenance)})
    return converter


def _check_lists(document: Document) -> None:
    """Check what cattrs does not: it takes a string for a list of strings, and an empty list for an object."""
    for name, inner in {"pictures": dict, "account": dict, "request_ids": str, "warnings": str}.items():
        items = document.get(name, [])
        if not isinstance(items, list) or not all(isinstance(item, inner) for item in items):
            what = "objects" if inner is dict else "texts"
            raise TaskRefused([Problem.of(name, items, f"must be a list of {what}")])


def _provenance(document: Any) -> Document | None:
    if document is not None and not isinstance(document, dict):
        raise TaskRefused([Problem.of("origin", document, "must be an object")])
    return document or None
