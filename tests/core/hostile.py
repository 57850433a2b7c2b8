"""Documents that mean harm, and a guard that sees whether a file is opened for them."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from limner.testing.strategies import json_values

from .fakes import png

TRAP = "trap-that-nobody-opens"
"""Begins the name of every file that hostile documents name."""

PICTURE = f"{TRAP}.png"
PIPE = f"{TRAP}.fifo"

_opened: list[str] = []


def _look(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and TRAP in str(arguments[0]):
        _opened.append(str(arguments[0]))
        raise RuntimeError("a trap was opened")  # before a pipe blocks


sys.addaudithook(_look)


@contextmanager
def traps(folder: Path) -> Iterator[None]:
    """Lay a picture and a pipe into a folder, and see that neither is opened."""
    descriptor = os.open(folder / "laid.png", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, png())
    os.close(descriptor)
    (folder / "laid.png").replace(folder / PICTURE)
    if not (folder / PIPE).exists():
        os.mkfifo(folder / PIPE)
    _opened.clear()
    yield
    assert not _opened


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


PATHS = [PICTURE, PIPE, f"file:{PICTURE}", f"@{PICTURE}", f"./{PICTURE}", f"../{TRAP}", f"/dev/fd/0/{TRAP}"]

NOT_PICTURES: list[Any] = [
    *PATHS,
    *([path] for path in PATHS[:2]),
    {"$picture": PICTURE},
    {"$picture": [PICTURE]},
    {"$picture": {"$picture": PICTURE}},
    {"$picture": None},
    {"$picture": encoded(png()), "path": PICTURE},
    {"$picture": encoded(b"%!PS-Adobe-3.0 EPSF-3.0\n")},
    {"$picture": "\ud800"},
    {"$mask": PICTURE},
    {"$mask": encoded(b"GIF89a")},
    {"$text": PICTURE, "weight": 1.0},
    {"$object": {"image": PICTURE}},
    {"path": PICTURE},
    [[PICTURE]],
    [{"$picture": encoded(png())}, PICTURE],
    None,
    True,
    0,
    1e308,
    "",
    "alpha",
    PICTURE + "\0",
    "A" * 100_000,
]

TASKS: list[Any] = [
    *({"task": kind, "prompt": "a", "image": value} for kind in ("vary", "upscale") for value in NOT_PICTURES),
    *({"task": "inpaint", "prompt": "a", "image": value, "mask_prompt": "b"} for value in NOT_PICTURES),
    *({"task": "remove-background", "image": value} for value in NOT_PICTURES[:4]),
    *(
        {"task": "inpaint", "prompt": "a", "image": {"$picture": encoded(png())}, "mask": value}
        for value in NOT_PICTURES
        if value is not None
    ),
    *({"task": kind} for kind in ("", "paint", "Generate", "__class__", "a" * 10_000, "\ud800", None, 5, ["generate"], {})),
    {"task": "generate"},
    {"task": "generate", "prompt": "a", "__class__": "x"},
    {"task": "generate", "prompt": "a", "self": 1},
    {"task": "generate", "prompt": "a", "x" * 10_000: 1},
    {"task": "generate", "prompt": "a", "seed": 10**4000},
    {"task": "generate", "prompt": "a", "seed": "1"},
    {"task": "generate", "prompt": "a", "n": 1.5},
    {"task": "generate", "prompt": {"$text": "a"}},
    {"task": "generate", "prompt": [{"$text": PICTURE, "weight": "1"}]},
    {"task": "generate", "prompt": "a", "options": [1]},
    {"task": "generate", "prompt": "a", "options": {"condition_image": {"$picture": PICTURE}}},
    {"task": "generate", "prompt": "a", "options": {"a": [{"b": {"$mask": PICTURE}}]}},
    {"task": "generate", "prompt": "a", "options": {"$object": {"a": {"$picture": PICTURE}}}},
    {"task": "generate", "prompt": "a", "options": {"$object": PICTURE}},
    {"task": "generate", "prompt": "a", "options": {"$object": {}, "image": PICTURE}},
]
"""Each is wrong."""


def deep(levels: int, opening: str = "[", closing: str = "]") -> str:
    return opening * levels + "1" + closing * levels


TEXTS: list[str | bytes] = [
    "",
    "\0",
    "{",
    "nan",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "9" * 5000,
    "1e999",
    deep(100_000),
    deep(100_000, '{"task":', "}"),
    deep(500),
    *(
        f'{{"task": "generate", "prompt": "a", {rest}}}'
        for rest in (
            f'"options": {{"a": {deep(levels, *brackets)}}}'
            for levels in (40, 100, 900, 50_000)
            for brackets in (("[", "]"), ('{"a":', "}"), ('{"$object":{"a":', "}}"))
        )
    ),
    '{"task": "generate", "prompt": "a", "seed": ' + "9" * 5000 + "}",
    '{"task": "generate", "prompt": "a", "guidance_scale": 1e999}',
    '{"task": "generate", "prompt": "a", "guidance_scale": NaN}',
    '{"task": "generate", "prompt": "a", "options": {"a": -Infinity}}',
]
"""Each is wrong."""


def documents() -> st.SearchStrategy[Any]:
    """What looks like a task, with anything anywhere."""
    leaf = st.sampled_from(NOT_PICTURES) | json_values() | st.text(max_size=5)
    value = leaf | st.recursive(leaf, lambda inner: st.lists(inner, max_size=2) | _objects(inner), max_leaves=5)
    fields = [
        "prompt",
        "image",
        "mask",
        "mask_prompt",
        "negative_prompt",
        "size",
        "n",
        "seed",
        "options",
        "expand",
        "strength",
    ]
    kinds = st.sampled_from(["generate", "vary", "inpaint", "outpaint", "upscale", "remove-background"])
    return st.builds(
        lambda kind, more: {"prompt": "a"} | more | {"task": kind},
        kinds | leaf,
        st.dictionaries(st.sampled_from(fields), value, max_size=4) | _objects(value),
    )


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["$picture", "$mask", "$text", "$object", "weight", "image", "task", "pictures"]) | st.text(
        max_size=3
    )
    return st.dictionaries(names, inner, max_size=3)
