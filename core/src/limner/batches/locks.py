"""Locks: one driver per folder, and one worker per attempt at a task."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limner.batches.journal import sync_folder
from limner.errors import Problem, TaskRefused

LOCK = ".lock"
CLAIMS = ".claims"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock; the system releases it when the process ends for any reason.

    Raises:
        TaskRefused: another process holds it.
        OSError: it cannot be opened.
    """
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            _lock(file)
        except OSError as error:
            limit = f"another batch uses this folder ({_holder(file)}); wait until it ends, or use another folder"
            raise TaskRefused([Problem("out", str(folder), limit)]) from error
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        os.close(file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, 1 << 20, os.SEEK_SET)  # after the text, which other processes may read
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(file: int) -> str:
    with contextlib.suppress(OSError):
        os.lseek(file, 0, os.SEEK_SET)
        return os.read(file, 200).decode("utf-8", "replace") or "process not known"
    return "process not known"


# ---------------------------------------------------------------------------------------------- claims


def take_claim(folder: Path, task: str, attempt: int) -> bool:
    """Claim an attempt at a task. Of all workers on all machines, exactly one succeeds.

    Raises:
        OSError: the claim cannot be written.
    """
    try:
        file = os.open(_claim(folder, task, attempt), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    os.close(file)
    sync_folder(folder / CLAIMS)
    return True


def settle_claim(folder: Path, task: str, attempt: int, record: dict[str, Any]) -> None:
    """Record the outcome of an attempt beside its claim, in case the worker's result is lost."""
    with contextlib.suppress(OSError):  # best effort
        file = os.open(_claim(folder, task, attempt), os.O_WRONLY)
        try:
            os.write(file, json.dumps(record).encode() + b"\n")
        finally:
            os.close(file)


def claimed_record(folder: Path, task: str, attempt: int) -> dict[str, Any] | None:
    """Return what :func:`settle_claim` wrote; ``None`` if it wrote nothing."""
    with contextlib.suppress(OSError, ValueError):
        text = _claim(folder, task, attempt).read_bytes()
        record = json.loads(text) if text.endswith(b"\n") else None
        return record if isinstance(record, dict) and "outcome" in record else None
    return None


def _claim(folder: Path, task: str, attempt: int) -> Path:
    return folder / CLAIMS / f"{task}.{attempt}"
