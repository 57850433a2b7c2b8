"""Picture files: paths and file objects that are read, and files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Protocol

from limner.errors import refused

MAX_FILE_BYTES = 100_000_000
"""A larger file is refused unread: no provider takes a tenth of it."""

SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
"""The suffix of a file name by media type."""

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


class BinaryFile(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        ...


def media_type_of(suffix: str) -> str | None:
    """The media type that a file suffix such as ``.png`` names; ``None`` where there is no suffix.

    Raises:
        TaskRefused: the suffix names a format that is not written.
    """
    if suffix and suffix.lower() not in _MEDIA_TYPES:
        raise refused(suffix, f"pictures are saved as {', '.join(_MEDIA_TYPES)}", "suffix")
    return _MEDIA_TYPES.get(suffix.lower())


def checked_path(source: str | os.PathLike[str]) -> Path:
    """Make a path.

    Raises:
        TaskRefused: no file can have such a name.
    """
    path = os.fspath(source)
    try:
        if isinstance(path, str) and b"\0" not in os.fsencode(path):
            return Path(path)
    except UnicodeEncodeError:  # half a surrogate pair
        pass
    raise refused(source, "is not a path of a file")


def read_path(path: Path) -> bytes:
    """Read a file.

    Raises:
        TaskRefused: it is larger than ``MAX_FILE_BYTES``.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(min(size, MAX_FILE_BYTES) + 1)
        if len(data) > size:  # a device or a pipe does not tell its size
            data += file.read(MAX_FILE_BYTES + 1 - len(data))
    if len(data) > MAX_FILE_BYTES:
        raise refused(str(path), f"the file has over {MAX_FILE_BYTES:,} bytes")
    return data


def read_file_object(file: BinaryFile) -> bytes:
    """Read a file object to its end."""
    parts: list[bytes] = []
    room = MAX_FILE_BYTES + 1
    while room > 0:
        try:
            part = file.read(room)
        except Exception as error:
            raise refused(file, f"the file object cannot be read: {error}") from error
        if isinstance(part, str):
            raise refused(file, "the file is open as text; open it with mode 'rb'")
        if not isinstance(part, bytes):
            raise refused(file, f"its read() gives {type(part).__name__}, not bytes")
        if not part:
            return b"".join(parts)
        parts.append(part)
        room -= len(part)
    raise refused(file, f"the file has over {MAX_FILE_BYTES:,} bytes")


def write_atomically(path: Path, data: bytes, *, overwrite: bool, durable: bool = False) -> Path:
    """Write a file whole or not at all: under another name first, then renamed.

    With ``durable``, its bytes are on the disk before it has its name.

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
        _create(unfinished, data, mode, durable=durable)
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
        raise OSError(f"{path} is not a regular file")
    return target, stat.S_IMODE(mode)


def _create(path: Path, data: bytes, mode: int | None, *, durable: bool) -> None:
    readable = 0o666 if mode is None else 0o600  # until it has the mode of the file that it replaces
    binary = getattr(os, "O_BINARY", 0)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, readable), "wb") as file:  # noqa: PTH123
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
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
