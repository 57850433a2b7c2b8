"""The user's own folder for limner: where configuration, keys and logs are, and files that only the user can read."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path

FOLDER_VARIABLE = "LIMNER_CONFIG_DIR"
"""The environment variable that names another folder for all of them."""

_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


def config_folder() -> Path:
    """Return the folder of ``config.toml`` and ``keys.json``; it need not exist."""
    own = os.environ.get(FOLDER_VARIABLE)
    return Path(own).expanduser() if own else _platform_folder("user_config_path")


def data_folder() -> Path:
    """Return the folder of ``logs.db``; it need not exist."""
    own = os.environ.get(FOLDER_VARIABLE)
    return Path(own).expanduser() if own else _platform_folder("user_data_path")


@functools.cache
def _platform_folder(kind: str) -> Path:
    import platformdirs  # takes longer to import than most programs need

    folder: Path = getattr(platformdirs, kind)("limner", appauthor=False)
    return folder


def make_folder(folder: Path) -> None:
    """Make a folder that only the user can read, where there is none.

    Raises:
        OSError: it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=_PRIVATE_FOLDER)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only the user can read, whole or not at all; it never has another mode, not even for a moment.

    Where a symbolic link has the name, the file that it points to is replaced.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    make_folder(target.parent)
    unfinished = target.parent / f".{os.urandom(8).hex()}.part"
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE_FILE)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def create_private(path: Path) -> None:
    """Make an empty file that only the user can read, where there is none.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE))


def others_can_read(path: Path) -> bool:
    """Tell whether the mode of a file lets other users read or change it; ``False`` where there is no such mode."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
