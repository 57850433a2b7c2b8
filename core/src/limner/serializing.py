"""Tasks and results as JSON, by cattrs; pictures are base64, or their SHA-256 alone.

Inside JSON a picture is ``{"$picture": ...}``, a mask ``{"$mask": ...}``, a weighted text ``{"$text": ..., "weight": ...}``;
an option's own object is ``{"$object": ...}``, so that no option can be taken for one of the others.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from limner.errors import Problem, TaskRefused
from limner.images import Image, Mask
from limner.options import Options
from limner.results import Picture, Result
from limner.tasks import TASKS, Task
from limner.values import WeightedText

Document = dict[str, Any]
Write = Callable[[Image | Mask], str]
Read = Callable[[str, str], Image | Mask]


def to_json(value: Task | Result) -> str:
    """Write a task or a result as JSON, pictures included; :func:`from_json` reads it without loss."""
    return json.dumps(_whole().unstructure(value), ensure_ascii=False)


def from_json(text: str | bytes) -> Task | Result:
    """Read what :func:`to_json` wrote.

    Raises:
        TaskRefused: it is not such a text, or the task in it is wrong.
    """
    return _structured(_whole, lambda: json.loads(text))


def fingerprint(value: Any) -> Any:
    """A task, an account or a value of theirs as JSON values, each picture as its SHA-256.

    Of the task it is what is embedded in a saved picture.
    """
    return _fingerprints().unstructure(value)


def restore(document: Document, pictures: Mapping[str, Image | Mask]) -> Task:
    """Rebuild a task from its fingerprint and its pictures by SHA-256.

    Raises:
        TaskRefused: a picture is missing, or the document is no fingerprint of a task.
    """
    missing = [sha256 for sha256 in pictures_of(document) if sha256 not in pictures]
    if missing:
        raise TaskRefused([Problem("image", "", f"the picture of SHA-256 {sha256} is needed") for sha256 in missing])
    restored = _structured(lambda: _converter(_digest, lambda _, sha256: pictures[sha256]), lambda: document)
    assert isinstance(restored, Task)  # noqa: S101
    return restored


def pictures_of(document: Any) -> list[str]:
    """The SHA-256 of every picture and mask that a fingerprint names, in order."""
    match document:
        case {"$picture": str(sha256)} | {"$mask": str(sha256)}:
            return [sha256]
        case dict():
            return [sha256 for value in document.values() for sha256 in pictures_of(value)]
        case list():
            return [sha256 for value in document for sha256 in pictures_of(value)]
    return []


def _structured(converter: Callable[[], Converter], load: Callable[[], Any]) -> Task | Result:
    try:
        document = load()
        kind: Any = Result if "pictures" in document else Task
        structured: Task | Result = converter().structure(document, kind)
    except Exception as error:
        raise _refusal_in(error) or TaskRefused([Problem("json", "", "is no task or result of limner")]) from error
    return structured


def _refusal_in(error: BaseException) -> TaskRefused | None:
    """Cattrs gathers errors into groups: find ours."""
    if isinstance(error, TaskRefused):
        return error
    return next(filter(None, map(_refusal_in, getattr(error, "exceptions", ()))), None)


@functools.cache
def _whole() -> Converter:
    return _converter(_base64, _from_base64)


@functools.cache
def _fingerprints() -> Converter:
    return _converter(_digest, _from_base64)


def _base64(picture: Image | Mask) -> str:
    return base64.b64encode(picture.data if isinstance(picture, Image) else picture.png()).decode()


def _from_base64(tag: str, text: str) -> Image | Mask:
    data = base64.b64decode(text, validate=True)
    return Image(data) if tag == "$picture" else Mask.read(data)


def _digest(picture: Image | Mask) -> str:
    return picture.sha256


def _converter(write: Write, read: Read) -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(Image, lambda image: {"$picture": write(image)})
    converter.register_unstructure_hook(Mask, lambda mask: {"$mask": write(mask)})
    converter.register_unstructure_hook(WeightedText, lambda part: {"$text": part.text, "weight": part.weight})
    converter.register_unstructure_hook(Options, lambda inner: {"$object": converter.unstructure(dict(inner))})
    converter.register_unstructure_hook_func(_is_task, lambda task: _unstructure_task(task, converter))

    def value(document: Any, _: object = None) -> Any:
        match document:
            case {"$picture": str(text)}:
                return read("$picture", text)
            case {"$mask": str(text)}:
                return read("$mask", text)
            case {"$text": str(text), "weight": weight}:
                return WeightedText(text, weight)
            case {"$object": dict(inner)}:
                return Options({name: value(item) for name, item in inner.items()})
            case list():
                return tuple(map(value, document))
        return document

    def task(document: Any, _: object) -> Task:
        fields = {name: value(item) for name, item in document.items() if name != "task"}
        return TASKS[document["task"]](**fields)

    converter.register_structure_hook_func(_is_task, task)
    converter.register_structure_hook_func(lambda kind: kind is Any or kind is Image, value)
    in_words = override(struct_hook=lambda document, _: document or None)
    converter.register_structure_hook(Picture, make_dict_structure_fn(Picture, converter, origin=in_words))
    plain = make_dict_unstructure_fn(Picture, converter, origin=override(omit=True))
    converter.register_unstructure_hook(Picture, lambda picture: {**plain(picture), "origin": dict(picture.provenance)})
    return converter


def _is_task(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Task)


def _unstructure_task(task: Task, converter: Converter) -> Document:
    said = {name: converter.unstructure(value) for name, value in task.said()}
    return {"task": task.kind, **said} | ({"options": converter.unstructure(task.options)} if task.options else {})
