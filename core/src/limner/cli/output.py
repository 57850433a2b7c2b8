"""Pictures in and out of files, standard input and standard output."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import click

from limner.cli.errors import discard_standard_output, lines_of
from limner.errors import Problem, TaskRefused
from limner.images import Image, Mask
from limner.images.files import MAX_FILE_BYTES, SUFFIXES, media_type_of, where, write_elsewhere
from limner.results import save_or_rescue

if TYPE_CHECKING:
    from limner.images import Box, Size
    from limner.results import Picture

STANDARD = "-"

LONGEST_STEM = 50
"""Characters of an input's name in the names of what is made of it: a file's name has 255 bytes."""


class Inputs:
    """The pictures that a command reads; standard input can be read once."""

    def __init__(self) -> None:
        self.stem = ""
        self._standard_input_is_read = False

    def image(self, name: str) -> Image:
        """Read a picture from a file or, for ``-``, from standard input."""
        if name == STANDARD:
            return Image(self._standard_input())
        self.stem = self.stem or Path(name).stem[:LONGEST_STEM]
        return Image.read(name)

    def mask(self, name: str) -> Mask:
        """Read a mask."""
        return Mask.read(self._standard_input() if name == STANDARD else name)

    def shape(self, size: Size, *, box: Box | None, ellipse: Box | None) -> Mask:
        """Make a mask of a rectangle or an ellipse on a picture of a size in pixels."""
        try:
            return Mask.ellipse(ellipse, size=size) if ellipse is not None else Mask.box(box or (0, 0, 0, 0), size=size)
        except TaskRefused as refusal:
            name = "ellipse" if ellipse is not None else "box"
            raise TaskRefused(attrs.evolve(problem, parameter=f"--{name}") for problem in refusal.problems) from refusal

    def option(self, text: str) -> Any:
        """Read an option's value: ``@FILE`` is a picture, JSON is JSON, all else is a text."""
        if text.startswith("@"):
            return Image(self._standard_input()) if text == "@-" else Image.read(text[1:])
        try:
            return json.loads(text, parse_constant=_not_json)
        except (ValueError, RecursionError):
            return text

    def _standard_input(self) -> bytes:
        if self._standard_input_is_read:
            raise click.UsageError("standard input holds one picture; name a file for the others")
        self._standard_input_is_read = True
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise TaskRefused([Problem("image", STANDARD, f"standard input has over {MAX_FILE_BYTES:,} bytes")])
        return data


def _not_json(constant: str) -> NoReturn:
    raise ValueError(constant)


class Unusable(click.ClickException):
    """Pictures cannot be written there."""

    exit_code = 2


@attrs.frozen(kw_only=True)
class Output:
    """Where pictures go.

    Args:
        name: the file as it was said, ``-`` or ``None``.
        base: what a name starts with where none was said.
        n: how many pictures are asked for.
        force: replace existing files.
        provenance: write into the file how it was made.
    """

    name: str | None
    base: str
    n: int
    force: bool
    provenance: bool

    def check(self, seed: int | None, *, seed_is_known: bool) -> None:
        """See, before anything is sent, that every file can be written.

        Raises:
            Unusable: it cannot.
            TaskRefused: the suffix names a format that is not written.
        """
        if self.name == STANDARD:
            if self.n > 1:
                raise Unusable(f"standard output takes one picture, not {self.n}; name a file")
            return
        if self.name is None and not seed_is_known:
            suffixes: list[str] = []
        elif self.name is None:
            suffixes = list(SUFFIXES.values())
        elif Path(self.name).is_dir():
            raise Unusable(f"{self.name!r} is a folder; name a file in it")
        else:
            media_type_of(Path(self.name).suffix)
            suffixes = [""]
        paths = [self._path(position, seed, suffix) for position in range(self.n) for suffix in suffixes]
        check_folder(Path(self.name or ".").parent)
        there = [str(path) for path in paths if _is_there(path)]
        if there and not self.force:
            exist = "exists" if len(there) == 1 else "exist"
            raise Unusable(f"{', '.join(there)} {exist}; --force replaces, -o names another file")

    def write(self, position: int, picture: Picture, seed: int | None) -> tuple[Path | None, str]:
        """Write a picture, whole or not at all; a file that has come up meanwhile is left alone, another name taken.

        A picture that cannot be written there is paid for all the same: it is written elsewhere.

        Args:
            position: which of the result's pictures it is, from 0.
            picture: what to write.
            seed: of the first call, for a name that was not said.

        Returns:
            The file, ``None`` for standard output; and what went wrong, empty where nothing did.
        """
        if self.name == STANDARD:
            return _to_standard_output(picture, provenance=self.provenance)
        path = wanted = self._path(position, seed, SUFFIXES.get(picture.media_type, ""))
        count = 1
        while True:
            try:
                written, failure = save_or_rescue(picture, path, overwrite=self.force, provenance=self.provenance)
                return written, "" if failure is None else "; ".join(lines_of(failure))
            except FileExistsError:
                count += 1
                path = wanted.with_stem(f"{wanted.stem}_{count}")

    def _path(self, position: int, seed: int | None, suffix: str) -> Path:
        number = f"-{position + 1}" if self.n > 1 else ""
        if self.name is not None:
            said = Path(self.name)
            return said.with_name(f"{said.stem}{number}{said.suffix}")
        return Path(self.base + ("" if seed is None else f"-{seed}") + number + suffix)


def _to_standard_output(picture: Picture, *, provenance: bool) -> tuple[Path | None, str]:
    data = picture.encoded(provenance=provenance)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:  # the disk behind it is full, or the reader has gone
        discard_standard_output()
        written = write_elsewhere(data, SUFFIXES.get(picture.media_type, ""), None)
        return written, f"standard output: {error.strerror}; {where(written)}"
    return None, ""


def _is_there(path: Path) -> bool:
    """Tell whether a name is taken.

    Raises:
        Unusable: no file can have that name, or what has it is no file.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; name another file") from error
    if path.exists() and not path.is_file():
        raise Unusable(f"{path} is no regular file; name a file, or - for standard output")
    return True


def check_folder(folder: Path) -> None:
    """See that files can be written to a folder.

    Raises:
        Unusable: they cannot.
    """
    if not folder.is_dir():
        raise Unusable(f"there is no folder {folder}; make it, or name another")
    if not os.access(folder, os.W_OK):
        raise Unusable(f"the folder {folder} cannot be written to; name another")
