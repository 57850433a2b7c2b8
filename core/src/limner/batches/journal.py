"""The journal of a batch: an append-only JSON Lines file of planned and sent tasks and their outcomes.

Each record is a single ``write``. A record truncated by a crash is removed when the journal is next opened, so that no
other record is appended to it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from limner.errors import Problem, TaskRefused

NAME = "journal.jsonl"
VERSION = 1

_CHUNK = 65536


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Read the records of a journal, except a truncated one at the end; none if there is no journal.

    Raises:
        TaskRefused: a line is not a record of this version.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            yield _record(path, number, line)


def _record(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("event"), str):
        limit = "is not a record of a batch; restore the file, or use another folder"
        raise TaskRefused([Problem(f"line {number}", str(path), limit)])
    if record["event"] == "batch" and record.get("version") != VERSION:
        limit = f"has version {record.get('version')}; this limner reads {VERSION}"
        raise TaskRefused([Problem("journal", str(path), limit)])
    return record


class Journal:
    """A journal opened for appending; its owner holds the lock of the folder.

    Raises:
        OSError: the journal cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            self._size = _whole_records(self._file)
            os.ftruncate(self._file, self._size)
            if new:
                sync_folder(path.parent)
            if not self._size:
                self.append({"event": "batch", "version": VERSION})
        except BaseException:
            self.close()
            raise

    def append(self, *records: dict[str, Any], durable: bool = False) -> None:
        """Append records, each by one ``write``.

        Args:
            records: JSON values with an ``event``.
            durable: whether to flush them to disk before returning.

        Raises:
            OSError: they cannot be written.
        """
        for record in records:
            self._write(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n")
        if durable:
            os.fsync(self._file)

    def _write(self, line: bytes) -> None:
        written = os.write(self._file, line)
        if written != len(line):  # the disk is full
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), NAME)
        self._size += written

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _whole_records(file: int) -> int:
    """Return the size in bytes up to the last newline."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - _CHUNK)
        os.lseek(file, start, os.SEEK_SET)
        found = os.read(file, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk, if the system supports it."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def settled(records: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Combine the records of each task, by its id.

    Each entry has the ``planned`` record, the ``status``, the number of times the task was sent (``attempt``) and may have
    been billed (``spent``), and the content of the last outcome record.
    """
    known: dict[str, dict[str, Any]] = {}
    for record in records:
        match record:
            case {"event": "planned", "id": str(task)}:
                known[task] = {**record, "status": "planned", "attempt": 0, "spent": 0}
            case {"event": str(event), "id": str(task)} if task in known:
                _fold(known[task], event, record)
    return known


def _fold(task: dict[str, Any], event: str, record: dict[str, Any]) -> None:
    earlier = task["status"]
    task.pop("reason", None)
    task |= {name: value for name, value in record.items() if name not in {"event", "id"}}
    task["status"] = "planned" if event == "unmade" else event
    if event == "sent":
        task["spent"] += 1
    elif event in {"unmade", "failed"} and earlier == "sent":
        task["spent"] -= 1
    elif event in {
        "done",
        "filtered",
        "unknown",
    }:  # its pictures may have been found on disk although this journal never sent it
        task["spent"] = max(1, task["spent"])
