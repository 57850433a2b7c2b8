"""The pictures that a command reads, from files and standard input."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs
import click

from limner.errors import Problem, TaskRefused, did_you_mean
from limner.images import Image, Mask
from limner.images.files import MAX_FILE_BYTES

if TYPE_CHECKING:
    from limner.images import Box, Size

T = TypeVar("T")

STANDARD_INPUT = "-"

MAX_STEM = 50
"""Characters of an input's name in the names of its outputs: a file name has at most 255 bytes."""

_MAX_ENTRIES = 1_000
"""Names in a folder that are compared with a missing file's."""


class MissingFile(click.ClickException):
    """A file to read does not exist; the message suggests the nearest name in its folder."""

    exit_code = 2

    def __init__(self, name: str) -> None:
        path = Path(name)
        if path.parent.is_dir():
            with os.scandir(path.parent) as entries:
                names = [entry.name for entry in itertools.islice(entries, _MAX_ENTRIES)]
            hint = did_you_mean(path.name, names, prefix="" if path.parent == Path() else f"{path.parent}{os.sep}")
        else:
            hint = f"there is no folder {path.parent}"
        super().__init__(f"{name} not found" + (f"; {hint}" if hint else ""))


class Inputs:
    """The pictures that a command reads; standard input can be read once."""

    def __init__(self) -> None:
        self.stem = ""
        self._standard_input_was_read = False

    def image(self, name: str) -> Image:
        """Read a picture from a file or, for ``-``, from standard input."""
        if name == STANDARD_INPUT:
            return Image(self._standard_input())
        self.stem = self.stem or Path(name).stem[:MAX_STEM]
        return _read(Image.read, name)

    def mask(self, name: str) -> Mask:
        """Read a mask from a file or, for ``-``, from standard input."""
        return Mask.read(self._standard_input()) if name == STANDARD_INPUT else _read(Mask.read, name)

    def shape(self, size: Size, *, box: Box | None, ellipse: Box | None) -> Mask:
        """Make the mask of a rectangle or an ellipse, for a picture of a size in pixels."""
        try:
            return Mask.ellipse(ellipse, size=size) if ellipse is not None else Mask.box(box or (0, 0, 0, 0), size=size)
        except TaskRefused as refusal:
            name = "ellipse" if ellipse is not None else "box"
            raise TaskRefused(attrs.evolve(problem, parameter=f"--{name}") for problem in refusal.problems) from refusal

    def option(self, text: str) -> Any:
        """Parse the value of a provider-specific option: ``@FILE`` is a picture, then JSON, else a string."""
        if text.startswith("@"):
            return Image(self._standard_input()) if text == f"@{STANDARD_INPUT}" else _read(Image.read, text[1:])
        try:
            return json.loads(text, parse_constant=_reject_constant)
        except (ValueError, RecursionError):
            return text

    def _standard_input(self) -> bytes:
        if self._standard_input_was_read:
            raise click.UsageError("standard input holds one picture; name a file for the others")
        self._standard_input_was_read = True
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            limit = f"standard input is larger than {MAX_FILE_BYTES:,} bytes"
            raise TaskRefused([Problem("image", STANDARD_INPUT, limit)])
        return data


def _read(read: Callable[[str], T], name: str) -> T:
    try:
        return read(name)
    except FileNotFoundError as error:
        raise MissingFile(name) from error


def _reject_constant(constant: str) -> NoReturn:
    """Reject NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
