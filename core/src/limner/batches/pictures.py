"""The pictures of a batch: named by task, with the task's id in the metadata, so they can be found after a crash."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from limner.batches.journal import sync_folder
from limner.batches.outcomes import STATUSES, Record
from limner.errors import LimnerError
from limner.images import Image, metadata
from limner.images.files import SUFFIXES, where, write_atomically, write_elsewhere
from limner.results import Picture, read_provenance

Row = dict[str, Any]
"""The description of one picture: a line of ``metadata.jsonl``."""


def save(folder: Path, task: str, key: str, pictures: Iterable[tuple[int, Picture]], outcome: str) -> Record:
    """Save the pictures of a task and flush them to disk.

    Args:
        folder: the destination.
        task: the task's id.
        key: the hash of its content.
        pictures: the received pictures, each with its number among the requested ones, from 1.
        outcome: the task's outcome, saved with the pictures in case the record is lost.

    Returns:
        Their ``rows``, and the problem if a picture could not be saved and was written elsewhere.
    """
    pictures = list(pictures)
    rows: list[Row] = []
    problems: list[str] = []
    for number, picture in pictures:
        mark = {"id": task, "key": key, "came": [number for number, _ in pictures], "outcome": outcome}
        provenance = {**picture.provenance, "batch": mark}
        data = metadata.embed(picture.data, picture.media_type, json.dumps(provenance, ensure_ascii=False).encode())
        suffix = SUFFIXES.get(picture.media_type, "")
        path = folder / f"{task}-{number}{suffix}"
        try:
            write_atomically(path, data, overwrite=True, durable=True)
            rows.append(_row(path.name, picture.size, provenance))
        except OSError as error:
            elsewhere = write_elsewhere(data, suffix, path)
            problems.append(f"{path.name} cannot be saved: {error.strerror or error}; {where(elsewhere)}")
    sync_folder(folder)
    record: Record = {"rows": rows} if rows else {}
    if problems:
        reason = f"{'; '.join(problems)}; move it there under that name, and a resumed batch counts it"
        record |= {"outcome": "unknown", "reason": reason, "stop": True, "error": "OSError", "message": reason}
    return record


def find(folder: Path, task: str, key: str, asked: int) -> Record | None:
    """Look for the pictures of a task, independently of the journal.

    Args:
        folder: the folder of the pictures.
        task: the task's id.
        key: the hash of its content.
        asked: the number of requested pictures.

    Returns:
        The record of the worker that saved them, with the outcome ``unknown`` if not all were saved; ``None`` if there are
        no pictures.
    """
    paths = (folder / f"{task}-{number}{suffix}" for number in range(1, asked + 1) for suffix in SUFFIXES.values())
    found = [picture for path in paths if (picture := _found(path, task, key)) is not None]
    if not found:
        return None
    sync_folder(folder)
    rows, mark = [row for row, _ in found], found[0][1]
    if len(rows) < len(mark["came"]):
        return {"outcome": "unknown", "rows": rows, "reason": f"{len(rows)} of {len(mark['came'])} pictures were saved"}
    return {"outcome": mark["outcome"], "rows": rows} | ({} if mark["outcome"] == "done" else {"reason": "found on disk"})


def _found(path: Path, task: str, key: str) -> tuple[Row, Mapping[str, Any]] | None:
    """Read a picture's provenance; ``None`` if this task has no such picture."""
    try:
        image = Image.read(path)
        provenance = read_provenance(image) or {}
        mark = provenance["batch"]
        if (mark["id"], mark["key"]) == (task, key) and isinstance(mark["came"], list) and mark["outcome"] in STATUSES:
            return _row(path.name, image.size, provenance), mark
    except (OSError, LimnerError, KeyError, TypeError):  # missing, or not from a batch
        pass
    return None


def _row(name: str, size: tuple[int, int], provenance: Mapping[str, Any]) -> Row:
    """Describe a picture. All rows have the same columns and types, as data set loaders require."""
    task = provenance["task"]
    return {
        "file_name": name,
        "id": provenance["batch"]["id"],
        "task": task["task"],
        "prompt": _words(task.get("prompt")),
        "negative_prompt": _words(task.get("negative_prompt")),
        "seed": provenance["seed"],
        "place": provenance["index"] + 1,
        "of": provenance["of"],
        "width": size[0],
        "height": size[1],
        "model": provenance["model"],
        "model_id": provenance["model_id"],
        "fit": provenance["fit"],
        "limner": provenance["limner"],
    }


def _words(prompt: Any) -> str | None:
    match prompt:
        case {"$text": str(text)}:
            return text
        case list():
            return ", ".join(filter(None, map(_words, prompt)))
    return prompt if isinstance(prompt, str) else None
