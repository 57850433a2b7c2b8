"""Tasks as JSON documents, by cattrs; pictures are base64, or their SHA-256 alone.

Inside JSON a picture is ``{"$picture": ...}``, a mask ``{"$mask": ...}``, a weighted text ``{"$text": ..., "weight": ...}``;
an option's own object is ``{"$object": ...}``, so that no option can be taken for one of the others.

Documents are untrusted. No path in one is ever opened: only these objects are pictures.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import attrs
from cattrs import Converter, transform_error

from limner.errors import Problem, TaskRefused, did_you_mean, shorten
from limner.images import Image, Mask
from limner.options import MAX_DEPTH, Options
from limner.prompts import WeightedText
from limner.tasks import TASKS, Task

MAX_LEVELS = 2 * MAX_DEPTH + 16
"""Levels of lists and objects in a document: each of the options' own takes up to two, and there are those around them."""

Document = dict[str, Any]
Write = Callable[[Image | Mask], str]
Read = Callable[[str, str], Image | Mask]


def parse(text: str | bytes) -> Any:
    """Read untrusted JSON.

    Raises:
        ValueError: it is not JSON, has a number beyond every float, or nests too deep.
        RecursionError: it nests much too deep.
        TypeError: it is not text.
    """
    document = json.loads(text, parse_constant=_no_number)
    level = [document]
    for _ in range(MAX_LEVELS + 1):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return document
    raise ValueError(f"it has more than {MAX_LEVELS} levels of lists and objects")


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _inside(value: Any) -> list[Any]:
    """Return what a list or an object holds."""
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case float() if not math.isfinite(value):
            raise ValueError("a number is beyond every float")
    return []


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
    if isinstance(document, dict) and "pictures" in document:
        raise TaskRefused([Problem("task", "", "is a result, not a task")])
    restored: Task = structured(task_converter(_digest, lambda _, sha256: pictures[sha256]), document, Task)
    return restored


def pictures_of(document: Any) -> list[str]:
    """The SHA-256 of every picture and mask that a fingerprint names, in order.

    Raises:
        TaskRefused: what stands there is no SHA-256.
    """
    match document:
        case {"$picture": sha256} | {"$mask": sha256}:
            if not isinstance(sha256, str) or re.fullmatch("[0-9a-f]{64}", sha256) is None:
                raise TaskRefused([Problem.of("image", sha256, "is no SHA-256 of a picture")])
            return [sha256]
        case {"$object": dict(inner)}:  # its names are an option's own, even if they begin with $
            return [sha256 for value in inner.values() for sha256 in pictures_of(value)]
        case dict():
            return [sha256 for value in document.values() for sha256 in pictures_of(value)]
        case list():
            return [sha256 for value in document for sha256 in pictures_of(value)]
    return []


def structured(converter: Converter, document: Any, kind: Any) -> Any:
    """Structure an untrusted document.

    Raises:
        TaskRefused: it is not what the converter writes.
    """
    if not isinstance(document, dict) or "task" not in document:
        raise TaskRefused([Problem("json", shorten(document), "is not a task or result of limner: it has no 'task'")])
    try:
        return converter.structure(document, kind)
    except Exception as error:
        raise _refusal_in(error) or TaskRefused([Problem("json", "", _not_structured(error))]) from error


def _not_structured(error: Exception) -> str:
    """Describe an error of cattrs, which names the places."""
    return f"is not a result of limner: {shorten('; '.join(transform_error(error)), 200)}"


def _refusal_in(error: BaseException) -> TaskRefused | None:
    """Cattrs gathers errors into groups: find ours."""
    if isinstance(error, TaskRefused):
        return error
    return next(filter(None, map(_refusal_in, getattr(error, "exceptions", ()))), None)


@functools.cache
def _fingerprints() -> Converter:
    return task_converter(_digest, from_base64)


def to_base64(picture: Image | Mask) -> str:
    """Encode the file of a picture, or a mask as PNG."""
    return base64.b64encode(picture.data if isinstance(picture, Image) else picture.png()).decode()


def from_base64(tag: str, text: str) -> Image | Mask:
    """Read an untrusted picture or mask, by its tag.

    Raises:
        TaskRefused: it is not base64 of a picture; a mask must be a PNG.
    """
    name = tag.removeprefix("$").replace("picture", "image")
    try:
        image = Image(base64.b64decode(text, validate=True))
    except TaskRefused as refusal:
        raise TaskRefused(attrs.evolve(problem, parameter=name) for problem in refusal.problems) from refusal
    except (binascii.Error, ValueError) as error:  # such as a character beyond ASCII
        raise TaskRefused([Problem.of(name, text, f"is not base64 of a picture: {error}")]) from error
    if tag == "$picture":
        return image
    if image.media_type != "image/png":
        raise TaskRefused([Problem(name, image.media_type, "a mask in JSON is a PNG")])
    return Mask.read(image)


def _digest(picture: Image | Mask) -> str:
    return picture.sha256


def task_converter(write: Write, read: Read) -> Converter:
    """Make the converter of tasks and accounts.

    Args:
        write: makes text of a picture or mask.
        read: makes a picture or mask of what follows ``$picture`` or ``$mask``.
    """
    converter = Converter()
    converter.register_unstructure_hook(Image, lambda image: {"$picture": write(image)})
    converter.register_unstructure_hook(Mask, lambda mask: {"$mask": write(mask)})
    converter.register_unstructure_hook(WeightedText, lambda part: {"$text": part.text, "weight": part.weight})
    converter.register_unstructure_hook(Options, lambda inner: {"$object": converter.unstructure(dict(inner))})
    converter.register_unstructure_hook_func(_is_task, lambda task: _unstructure_task(task, converter))

    reading = _Reading(read)
    converter.register_structure_hook_func(_is_task, lambda document, _: reading.task(document))
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda document, _: reading.value(document))
    converter.register_structure_hook_func(lambda kind: kind is Image, lambda document, _: reading.image(document))
    for kind in (str, int, float):
        converter.register_structure_hook(kind, exact)
    return converter


class _Reading:
    """Reads values out of a document that anybody may have written; a task's constructor checks what they are worth.

    Args:
        read: makes a picture of what stands behind ``$picture`` or ``$mask``.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    def task(self, document: Any) -> Task:
        kind = document.get("task") if isinstance(document, dict) else None
        if not isinstance(kind, str) or kind not in TASKS:
            raise TaskRefused([Problem.of("task", kind, f"must be one of {', '.join(TASKS)}")])
        made = TASKS[kind]
        fields = {field.name: field.default is attrs.NOTHING for field in attrs.fields(made)}
        problems = [_unknown(name, kind, fields) for name in document if name not in fields and name != "task"]
        problems += [Problem(name, "", "is needed") for name, needed in fields.items() if needed and name not in document]
        if problems:
            raise TaskRefused(problems)
        return made(**{name: self._field(name, item) for name, item in document.items() if name != "task"})

    def _field(self, name: str, document: Any) -> Any:
        """Only these hold pictures; what is none of limner's own documents would be read as a path."""
        match name:
            case "image" if isinstance(document, list):
                return tuple(map(self.image, document))
            case "image":
                return self.image(document)
            case "mask":
                return document if document in (None, "alpha") else self._mask(document)
        return self._value(document)

    def image(self, document: Any) -> Image:
        match document:
            case {"$picture": str(text), **rest} if not rest:
                read = self._read("$picture", text)
                if isinstance(read, Image):
                    return read
        raise TaskRefused([Problem.of("image", document, 'must be {"$picture": ...}; nothing else in JSON is a picture')])

    def _mask(self, document: Any) -> Mask:
        match document:
            case {"$mask": str(text), **rest} if not rest:
                read = self._read("$mask", text)
                if isinstance(read, Mask):
                    return read
        raise TaskRefused(
            [Problem.of("mask", document, 'must be {"$mask": ...} or "alpha"; nothing else in JSON is a mask')]
        )

    def value(self, document: Any) -> Any:
        """A value in an account: that of any field."""
        return self._mask(document) if isinstance(document, dict) and "$mask" in document else self._value(document)

    def _value(self, document: Any) -> Any:
        """No mask, of which a task has one: a few kilobytes can unpack to 100 MB, and options might hold thousands."""
        match document:
            case {"$picture": _}:
                return self.image(document)
            case {"$text": text, "weight": weight, **rest} if not rest:
                return WeightedText(text, weight)
            case dict():
                return self._object(document)
            case list():
                return tuple(map(self._value, document))
        return document

    def _object(self, document: Document) -> Options:
        """Also one that somebody wrote without ``$object``."""
        match document:
            case {"$object": dict(inner), **rest} if not rest:
                document = inner
            case _ if wrong := [name for name in document if name in _TAGS]:
                raise TaskRefused([Problem.of("json", document, f"this is not how limner writes {wrong[0]}")])
        return Options({name: self._value(item) for name, item in document.items()})


_TAGS = ("$picture", "$mask", "$text", "$object")


def _unknown(name: str, kind: str, known: Mapping[str, object]) -> Problem:
    meant = did_you_mean(name, known) if len(name) < 100 else ""
    return Problem("json", shorten(name), f"is no parameter of {kind}; {meant or 'there are ' + ', '.join(known)}")


def exact(document: Any, kind: type[Any]) -> Any:
    """Where cattrs would convert, such as a list into its text."""
    if type(document) is kind or (kind is float and type(document) is int):
        return kind(document)
    raise TypeError(f"expected {kind.__name__}, not {type(document).__name__}")


def _is_task(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Task)


def _unstructure_task(task: Task, converter: Converter) -> Document:
    said = {name: converter.unstructure(value) for name, value in task.arguments()}
    return {"task": task.kind, **said} | ({"options": converter.unstructure(task.options)} if task.options else {})
