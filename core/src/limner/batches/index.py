"""The index of a batch's pictures: ``metadata.jsonl``, as Hugging Face's ``imagefolder`` reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from limner.batches import journal
from limner.images.files import write_atomically

NAME = "metadata.jsonl"


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Return the rows of all pictures in the folder from the journal, in the order of the tasks."""
    known = journal.settled(journal.read(folder / journal.NAME))
    there = {path.name for path in folder.iterdir()}
    for task in known.values():
        yield from (row for row in task.get("rows", ()) if row["file_name"] in there)


def write_metadata(folder: Path) -> None:
    """Rewrite the index atomically.

    Raises:
        OSError: it cannot be written.
    """
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(folder)]
    if lines or (folder / NAME).exists():
        write_atomically(folder / NAME, "".join(lines).encode("utf-8", "replace"), overwrite=True)
