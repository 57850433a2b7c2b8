"""Files: written whole or not at all, and somewhere else where they cannot be written where they should."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, overwrite: bool) -> Path:
    """Write a file whole or not at all: under another name first, then renamed.

    A file that is overwritten keeps its mode; where a symbolic link has the name, the file that it points to is overwritten.

    Raises:
        FileExistsError: there is a file and ``overwrite`` is not set.
        OSError: it cannot be written.
    """
    if not overwrite and os.path.lexists(path):
        raise _exists(path)
    target, mode = _overwritten(path) if overwrite else (path, None)
    unfinished = target.parent / f".{os.urandom(8).hex()}.part"  # short, however long the name is
    try:
        _create(unfinished, data, mode)
        if overwrite:
            unfinished.replace(target)
        else:
            _name(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def write_elsewhere(data: bytes, suffix: str, beside: Path | None) -> Path | None:
    """Write a file that cannot be written where it should: beside that place, else to the folder for temporary files.

    Args:
        data: its bytes.
        suffix: what its name ends with.
        beside: where it should have been; ``None`` takes the folder for temporary files at once.

    Returns:
        Where it is now; ``None`` where it can be written nowhere.
    """
    name = f"limner-{os.urandom(6).hex()}{suffix}"
    for folder in (None if beside is None else beside.parent, None):
        with contextlib.suppress(OSError):
            return write_atomically(Path(folder or tempfile.gettempdir()) / name, data, overwrite=False)
    return None


def where(written: Path | None) -> str:
    """Say what :func:`write_elsewhere` made of a file."""
    return f"it was written to {written} instead" if written else "it could not be written anywhere else either"


def _overwritten(path: Path) -> tuple[Path, int | None]:
    """The file that is behind a name, and its mode, ``None`` where there is none yet."""
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{path} is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(f"{path} is no regular file")
    return target, stat.S_IMODE(mode)


def _create(path: Path, data: bytes, mode: int | None) -> None:
    readable = 0o666 if mode is None else 0o600  # until it has the mode of the file that it replaces
    binary = getattr(os, "O_BINARY", 0)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, readable), "wb") as file:  # noqa: PTH123
        file.write(data)
    if mode is not None:
        with contextlib.suppress(OSError):  # a file system without modes
            path.chmod(mode)


def _name(unfinished: Path, path: Path) -> None:
    """Give a file its name, unless somebody else made one of that name meanwhile."""
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        raise _exists(path) from None
    except (OSError, NotImplementedError):  # a file system without hard links
        unfinished.replace(path)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path} exists; say overwrite=True (--force) to replace it")
