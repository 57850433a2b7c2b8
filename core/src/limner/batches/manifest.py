"""The sources of a batch's tasks: a manifest in JSON Lines or CSV, or tasks in Python.

A manifest is the user's own file, so its reader opens the paths in it, relative to its folder. :func:`limner.from_json`,
which reads untrusted documents, never does.

Tasks are read twice, when they are planned and when they are sent, so that no picture is kept in memory in between.
"""

from __future__ import annotations

import csv
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, cast

import attrs

from limner.documents import Document, from_base64, parse, structured, task_converter, to_base64
from limner.errors import LimnerError, Problem, TaskRefused, shorten
from limner.images import Image, Mask
from limner.serialization import to_json
from limner.tasks import TASKS, Generate, Task

Tasks = str | Path | Iterable[Task] | Mapping[str, Task]
"""A manifest's path, tasks, or tasks by id."""

_PATH = "@"
"""Marks a path in place of base64, which does not contain this character."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@attrs.frozen
class Entry:
    """A task of a manifest.

    Attributes:
        line: its line, or its position among the tasks, from 1.
        place: its position for :meth:`Source.entry`.
        task: the task.
        id: its ``id``, if it has one.
        model: its ``model``, if it has one.
    """

    line: int
    place: int
    task: Task
    id: str | None = None
    model: str | None = None


@attrs.frozen
class Unreadable:
    """A line that is not a valid task."""

    line: int
    refusal: TaskRefused


class Source(Protocol):
    """A source of tasks."""

    what: str
    """The unit of an entry's number: ``line`` or ``task``."""

    def entries(self) -> Iterator[Entry | Unreadable]:
        """Read all entries."""

    def entry(self, place: int) -> Entry:
        """Read one entry again.

        Raises:
            TaskRefused: the entry can no longer be read.
        """


@contextmanager
def opened(tasks: Tasks) -> Iterator[Source]:
    """Open a manifest or accept tasks; a source that can be read only once is copied to a temporary file.

    Raises:
        OSError: the manifest cannot be opened.
    """
    if isinstance(tasks, str | Path):
        path = Path(tasks)
        with path.open("rb") as file:
            kind = _CsvLines if path.suffix.lower() in {".csv", ".tsv"} else _JsonLines
            yield kind(file, path.parent, "\t" if path.suffix.lower() == ".tsv" else ",")
    elif isinstance(tasks, Mapping):
        yield _InMemory(list(tasks.values()), list(tasks))
    elif isinstance(tasks, Sequence):
        yield _InMemory(cast("Sequence[Task]", tasks), None)
    else:
        with tempfile.TemporaryFile() as file:
            for task in tasks:
                file.write(to_json(_checked(task)).encode() + b"\n")
            yield _JsonLines(file, Path(), what="task")


@contextmanager
def opened_stream(stream: IO[bytes]) -> Iterator[Source]:
    """Read a manifest from standard input: JSON Lines if it begins with ``{``, else CSV. Paths start in this folder."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        file.seek(0)
        kind = _JsonLines if file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else _CsvLines
        yield kind(file, Path())


def _checked(task: Any) -> Task:
    if not isinstance(task, Task):
        raise TaskRefused([Problem.of("tasks", task, "is not a task, such as limner.Generate(prompt=...)")])
    return task


class _InMemory:
    what = "task"

    def __init__(self, tasks: Sequence[Task], ids: Sequence[str] | None) -> None:
        self._tasks, self._ids = tasks, ids

    def entries(self) -> Iterator[Entry | Unreadable]:
        for place in range(len(self._tasks)):
            yield _read(place + 1, functools.partial(self.entry, place))

    def entry(self, place: int) -> Entry:
        own = None if self._ids is None else _checked_id(self._ids[place])
        return Entry(place + 1, place, _checked(self._tasks[place]), own)


class _Lines:
    """The base of both manifest formats: lines, found again by their offset."""

    def __init__(self, file: IO[bytes], folder: Path, separator: str = ",", what: str = "line") -> None:
        self.what = what
        self._file, self._separator = file, separator
        self._converter = task_converter(to_base64, functools.partial(_picture, folder))

    def _task(self, line: int, place: int, document: Document) -> Entry:
        document = dict(document)
        own, model = document.pop("id", None), document.pop("model", None)
        if model is not None and not isinstance(model, str):
            raise TaskRefused([Problem.of("model", model, "must be the name of a model")])
        document.setdefault("task", Generate.kind)
        task: Task = structured(self._converter, _with_paths(document), Task)
        return Entry(line, place, task, None if own is None else _checked_id(own), model)


class _JsonLines(_Lines):
    """One task per line, as :func:`limner.to_json` writes it, with optional ``id`` and ``model``."""

    def entries(self) -> Iterator[Entry | Unreadable]:
        place = number = 0
        while True:
            self._file.seek(place)
            line = self._file.readline()
            if not line:
                return
            number += 1
            if line.strip(b"\xef\xbb\xbf \t\r\n"):
                yield _read(number, functools.partial(self._entry, number, place, line))
            place += len(line)

    def entry(self, place: int) -> Entry:
        self._file.seek(place)
        return self._entry(0, place, self._file.readline())

    def _entry(self, number: int, place: int, line: bytes) -> Entry:
        try:
            document = parse(line.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise TaskRefused([Problem("json", shorten(line[:80]), f"is not JSON that limner reads: {error}")]) from error
        if not isinstance(document, dict):
            raise TaskRefused([Problem.of("json", document, "must be an object with the parameters of a task")])
        return self._task(number, place, document)


class _CsvLines(_Lines):
    """One task per row; the column names are ``task``, ``id``, ``model``, parameters and ``options.NAME``."""

    def entries(self) -> Iterator[Entry | Unreadable]:
        position = _Position(self._file, 0)
        rows = csv.reader(position, delimiter=self._separator)
        for heads in rows:
            if any(heads):
                break
        else:
            return
        self._heads = [head.strip() for head in heads]
        while True:
            number, place = position.number + 1, position.place
            try:
                row = next(rows, None)
            except (csv.Error, UnicodeDecodeError) as error:
                yield Unreadable(number, TaskRefused([Problem("csv", "", str(error))]))
                return
            if row is None:
                return
            if any(cell.strip() for cell in row):
                yield _read(number, functools.partial(self._entry, number, place, row))

    def entry(self, place: int) -> Entry:
        return self._entry(0, place, next(csv.reader(_Position(self._file, place), delimiter=self._separator)))

    def _entry(self, number: int, place: int, row: list[str]) -> Entry:
        if len(row) > len(self._heads):
            limit = f"has {len(row)} cells, and the header of the file {len(self._heads)}; quote cells that hold a comma"
            raise TaskRefused([Problem("row", "", limit)])
        cells = {head: cell.strip() for head, cell in zip(self._heads, row, strict=False) if head and cell.strip()}
        return self._task(number, place, _document(cells))


class _Position(Iterator[str]):
    """The lines of a file as text, with the offset of the next line."""

    def __init__(self, file: IO[bytes], place: int) -> None:
        self._file, self.place, self.number = file, place, 0

    def __next__(self) -> str:
        self._file.seek(self.place)
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.number += 1
        self.place += len(line)
        return line.decode("utf-8-sig" if self.place == len(line) else "utf-8")


def _read(number: int, read: Callable[[], Entry]) -> Entry | Unreadable:
    try:
        return read()
    except TaskRefused as refusal:
        return Unreadable(number, refusal)


def _checked_id(text: Any) -> str:
    if not (isinstance(text, str) and _ID.fullmatch(text)):
        raise TaskRefused(
            [Problem.of("id", text, "must be 1 to 100 letters, digits and . _ -, the first a letter or digit")]
        )
    return text


# ---------------------------------------------------------------------------------------------- pictures by path


def _with_paths(document: Document) -> Document:
    """Mark picture paths: strings in ``image`` and ``mask``, and ``{"$file": ...}`` anywhere in the options."""
    marked = {name: _marked(value) for name, value in document.items()}
    image, mask = marked.get("image"), marked.get("mask")
    if isinstance(image, str):
        marked["image"] = _at(image)
    if isinstance(image, list):
        marked["image"] = [_at(item) if isinstance(item, str) else item for item in image]
    if isinstance(mask, str) and mask != "alpha":
        marked["mask"] = {"$mask": _PATH + mask}
    return marked


def _marked(value: Any) -> Any:
    match value:
        case {"$file": str(path), **rest} if not rest:
            return _at(path)
        case dict():
            return {name: _marked(item) for name, item in value.items()}
        case list():
            return [_marked(item) for item in value]
    return value


def _at(path: str) -> Document:
    return {"$picture": _PATH + path}


def _picture(folder: Path, tag: str, text: str) -> Image | Mask:
    if not text.startswith(_PATH):
        return from_base64(tag, text)
    name, path = ("mask" if tag == "$mask" else "image"), text.removeprefix(_PATH)
    try:
        return Mask.read(folder / path) if tag == "$mask" else Image.read(folder / path)
    except (OSError, ValueError) as error:
        if isinstance(error, LimnerError):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise TaskRefused([Problem.of(name, path, f"cannot be read: {why}")]) from error


# ---------------------------------------------------------------------------------------------- cells


def _document(cells: Mapping[str, str]) -> Document:
    """Convert the cells of a row to a task's document."""
    kind = cells.get("task", Generate.kind)
    document: Document = {}
    options: Document = {}
    for name, text in cells.items():
        if name.startswith("options."):
            options[name.removeprefix("options.")] = _option(text)
        else:
            document[name] = _CELLS.get(name, _text)(name, text)
    several = kind in TASKS and kind == "vary"
    if several and isinstance(document.get("image"), str) and ";" in document["image"]:
        document["image"] = [part.strip() for part in document["image"].split(";")]
    return document | ({"options": options} if options else {})


def _text(_: str, text: str) -> str:
    return text


def _whole(name: str, text: str) -> int:
    if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) is None:
        raise TaskRefused([Problem.of(name, text, "must be a whole number")])
    return int(text)


def _real(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise TaskRefused([Problem.of(name, text, "must be a number")]) from None


def _sides(name: str, text: str) -> list[int]:
    separator, count, example = ("x", 2, "1024x768") if name == "size" else (",", 4, "256,0,256,0")
    parts = text.lower().split(separator)
    if len(parts) != count or not all(re.fullmatch(r"\s*-?\d{1,9}\s*", part, re.ASCII) for part in parts):
        raise TaskRefused([Problem.of(name, text, f"must be whole pixels such as {example}")])
    return [int(part) for part in parts]


def _truth(name: str, text: str) -> bool:
    values = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in values:
        raise TaskRefused([Problem.of(name, text, "must be true or false")])
    return values[text.lower()]


def _option(text: str) -> Any:
    """Parse an option as on the command line: ``@FILE`` for a picture, then JSON, else a string."""
    if text.startswith("@"):
        return {"$file": text[1:]}
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_CELLS: Mapping[str, Callable[[str, str], Any]] = {
    "n": _whole,
    "seed": _whole,
    "steps": _whole,
    "guidance_scale": _real,
    "strength": _real,
    "size": _sides,
    "expand": _sides,
    "preserve": _truth,
}
