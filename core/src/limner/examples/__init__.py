"""Small pictures that ship with limner, to try things with: ``limner.examples.path("house")``.

house       a house in a meadow, 512x512, JPEG
house-mask  a mask for it: its door is white, the rest black, PNG
scene       a beach, 512x384, JPEG
photo       a fox in a meadow, 512x512, JPEG

They were painted by limner-sketch.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_FOLDER = Path(__file__).parent
_FILES = {"house": "house.jpg", "house-mask": "house-mask.png", "photo": "photo.jpg", "scene": "scene.jpg"}


def names() -> tuple[str, ...]:
    """Return the names of all examples."""
    return tuple(_FILES)


def path(name: str) -> Path:
    """Return the file of an example.

    Args:
        name: such as ``house``; ``names`` returns all.

    Raises:
        ValueError: there is no such example.
    """
    if name not in _FILES:
        from limner.errors import did_you_mean

        hint = did_you_mean(name, _FILES) or f"available: {', '.join(_FILES)}"
        raise ValueError(f"there is no example {name!r}; {hint}")
    return _FOLDER / _FILES[name]


def copy(folder: str | Path) -> tuple[Path, ...]:
    """Copy all examples to a folder, which is made if needed.

    Returns:
        The files.

    Raises:
        FileExistsError: one of them is there already; nothing is copied.
        OSError: they cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / file for file in _FILES.values()]
    for file in files:
        if file.exists():
            raise FileExistsError(f"{file} exists; name another folder")
    for file in files:
        shutil.copyfile(_FOLDER / file.name, file)
    return tuple(files)
