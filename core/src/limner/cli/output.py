"""The pictures that a command writes, to files and standard output."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from limner.cli.errors import discard_standard_output, error_lines
from limner.images.files import SUFFIXES, media_type_of, where, write_elsewhere
from limner.results import save_or_rescue

if TYPE_CHECKING:
    from limner.results import Picture

STANDARD_OUTPUT = "-"


class InvalidOutput(click.ClickException):
    """The output cannot be written where it was asked for."""

    exit_code = 2


_PLACEHOLDER = re.compile(r"\{(seed|place)\}")
"""In the name of a file: the picture's seed, and its place among the pictures of its call."""


@attrs.frozen(kw_only=True)
class Output:
    """Where pictures go.

    Args:
        name: the file, ``-`` for standard output, or ``None`` for a default name.
        base: how a default name starts.
        n: the number of pictures requested.
        force: overwrite existing files.
        provenance: save in the file's metadata how it was made.
    """

    name: str | None
    base: str
    n: int
    force: bool
    provenance: bool

    def check(self, seed: int | None, *, seed_is_known: bool) -> None:
        """Check, before anything is sent, that every file can be written.

        Raises:
            InvalidOutput: a file cannot be written.
            TaskRefused: the suffix names an unsupported format.
        """
        if self.name == STANDARD_OUTPUT:
            if self.n > 1:
                raise InvalidOutput(f"standard output takes one picture, not {self.n}; name a file")
            return
        if self.name is None and not seed_is_known:
            suffixes: list[str] = []
        elif self.name is None:
            suffixes = list(SUFFIXES.values())
        elif Path(self.name).is_dir():
            raise InvalidOutput(f"{self.name!r} is a folder; name a file in it")
        else:
            media_type_of(Path(self.name).suffix)
            suffixes = [""]
        if self.name is not None and _PLACEHOLDER.search(self.name):
            suffixes = []  # the names are known with the pictures
        paths = [self._path(position, seed, suffix) for position in range(self.n) for suffix in suffixes]
        check_folder(Path(self.name or ".").parent)
        existing = [str(path) for path in paths if _exists(path)]
        if existing and not self.force:
            verb = "exists" if len(existing) == 1 else "exist"
            raise InvalidOutput(f"{', '.join(existing)} already {verb}; --force overwrites, -o names another file")

    def write(self, position: int, picture: Picture, seed: int | None) -> tuple[Path | None, str]:
        """Write a picture, completely or not at all; if the file has come to exist meanwhile, write under another name.

        A picture that cannot be written there has still been paid for, so it is written elsewhere.

        Args:
            position: index among the result's pictures.
            picture: the picture.
            seed: the first call's seed, for a default name.

        Returns:
            The file, or ``None`` for standard output; and an error message, empty on success.
        """
        if self.name == STANDARD_OUTPUT:
            return _to_standard_output(picture, provenance=self.provenance)
        suffix = SUFFIXES.get(picture.media_type, "")
        path = requested = self._named_after(picture) or self._path(position, seed, suffix)
        count = 1
        while True:
            try:
                written, failure = save_or_rescue(picture, path, overwrite=self.force, provenance=self.provenance)
                return written, "" if failure is None else "; ".join(error_lines(failure))
            except FileExistsError:
                count += 1
                path = requested.with_stem(f"{requested.stem}_{count}")

    def _named_after(self, picture: Picture) -> Path | None:
        """The name with {seed} and {place} filled in, if it has them."""
        if self.name is None or not _PLACEHOLDER.search(self.name):
            return None
        values = {"seed": "none" if picture.seed is None else str(picture.seed), "place": str(picture.index + 1)}
        return Path(_PLACEHOLDER.sub(lambda found: values[found[1]], self.name))

    def _path(self, position: int, seed: int | None, suffix: str) -> Path:
        number = f"-{position + 1}" if self.n > 1 else ""
        if self.name is not None:
            path = Path(self.name)
            return path.with_name(f"{path.stem}{number}{path.suffix}")
        return Path(self.base + ("" if seed is None else f"-{seed}") + number + suffix)


def _to_standard_output(picture: Picture, *, provenance: bool) -> tuple[Path | None, str]:
    data = picture.encoded(provenance=provenance)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:  # the disk is full, or the reader has closed the pipe
        discard_standard_output()
        written = write_elsewhere(data, SUFFIXES.get(picture.media_type, ""), None)
        return written, f"standard output: {error.strerror}; {where(written)}"
    return None, ""


def _exists(path: Path) -> bool:
    """Tell whether there is a file of that name.

    Raises:
        InvalidOutput: the name is not valid, or names something other than a regular file.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InvalidOutput(f"{path}: {error.strerror}; name another file") from error
    if path.exists() and not path.is_file():
        raise InvalidOutput(f"{path} is not a regular file; name a file, or - for standard output")
    return True


def check_folder(folder: Path) -> None:
    """Check that files can be written to a folder.

    Raises:
        InvalidOutput: it does not exist or is not writable.
    """
    if not folder.is_dir():
        raise InvalidOutput(f"there is no folder {folder}; create it, or name another")
    if not os.access(folder, os.W_OK):
        raise InvalidOutput(f"the folder {folder} is not writable; name another")
