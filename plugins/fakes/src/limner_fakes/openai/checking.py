"""Validation of requests: the problems for which a server would refuse them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from limner_fakes.forms import Uploaded
from limner_fakes.openai.contract import DYING, EXTRA, SERVERS, SIZES_OF_DYING, Server
from limner_fakes.pictures import FORMATS, BadPicture, opened
from limner_fakes.schemas import Schema, against
from limner_fakes.service import read_body

GENERATIONS, EDITS = "images/generations", "images/edits"
LARGEST_FILE = 50_000_000
LARGEST_MASK = 4_000_000
MOST_PICTURES = 16

_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: {"true": True, "false": False}[text],
}


@attrs.frozen
class Call:
    """A request: its JSON or the text fields of its form, and its files."""

    fields: dict[str, Any]
    files: Sequence[Uploaded] = ()

    def files_named(self, *names: str) -> list[Uploaded]:
        """Return the files with these names."""
        return [file for file in self.files if file.name in names]


def read(content_type: str, body: bytes) -> Call:
    """Read a request's body.

    Raises:
        ValueError: it is neither a JSON object nor a form.
    """
    fields, files = read_body(content_type, body)
    if not isinstance(fields, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004 - a value of the wrong kind
    return Call(fields, files)


def typed(fields: Mapping[str, str], properties: Schema) -> dict[str, Any]:
    """Convert the text fields of a form to the types of a schema; a text that cannot be converted stays a text."""
    found: dict[str, Any] = {}
    for name, text in fields.items():
        try:
            found[name] = _READERS.get(properties.get(name, {}).get("type"), str)(text)
        except (ValueError, KeyError):
            found[name] = text
    return found


def extra_of(prompt: str) -> dict[str, Any]:
    """Return the native fields that stable-diffusion.cpp reads from a prompt."""
    found = re.search("<sd_cpp_extra_args>(.*?)</sd_cpp_extra_args>", prompt, re.DOTALL)
    extra = json.loads(found[1]) if found else {}
    return extra if isinstance(extra, dict) else {}


def problems(path: str, content_type: str, body: bytes, server: Server = SERVERS["openai"]) -> list[str]:
    """Return the problems for which a server would refuse a request; ``path`` is relative to the base URL."""
    return problems_of(path, read(content_type, body), server)


def problems_of(path: str, call: Call, server: Server) -> list[str]:
    """Return the problems for which a server would refuse a parsed request."""
    if path == GENERATIONS:
        found = against(server.generations, call.fields)
        return found or [*["files in a generation"] * bool(call.files), *_of_size(call, server), *_of_extra(call, server)]
    if path != EDITS or server.edits is None:
        return [f"there is no {path}"]
    found = against(server.edits, typed(call.fields, server.edits["properties"]))
    return found or [*_of_size(call, server), *_of_files(call, server), *_of_extra(call, server)]


def _of_size(call: Call, server: Server) -> list[str]:
    size = call.fields.get("size", "auto")
    if not server.is_openai or size == "auto":
        return []
    width, height = map(int, size.split("x"))
    if call.fields["model"] in DYING:
        fine = size in SIZES_OF_DYING
    else:
        fine = (
            width % 16 == height % 16 == 0
            and max(width, height) <= 3840
            and max(width, height) <= 3 * min(width, height)
            and server.least_pixels <= width * height <= 8_294_400
        )
    return [] if fine else [f"size {size}"]


def _of_files(call: Call, server: Server) -> list[str]:
    images, masks = call.files_named(*server.images), call.files_named(server.mask)
    unknown = [file.name for file in call.files if file.name not in {*server.images, server.mask}]
    found = [f"unknown files {unknown}"] if unknown else []
    found += [] if 1 <= len(images) <= MOST_PICTURES else [f"{len(images)} pictures"]
    if len(images) > 1 and len(server.images) > 1 and any(file.name != server.images[-1] for file in images):
        found.append("several pictures are image[]")
    found += ["several masks"] if len(masks) > 1 else []
    try:
        found += [problem for file in call.files for problem in _of_file(file, server)]
        found += [problem for mask in masks for problem in _of_mask(mask, images, server)]
    except BadPicture as error:
        found.append(f"a file is {error}")
    return found


def _of_file(file: Uploaded, server: Server) -> list[str]:
    found = []
    if file.content_type not in server.formats:
        found.append(f"unsupported mimetype ('{file.content_type}')")
    elif opened(file.data).format != FORMATS[file.content_type]:
        found.append(f"{file.name} is {opened(file.data).format}, called {file.content_type}")
    return [*found, f"{file.name} is too large"] if len(file.data) >= LARGEST_FILE else found


def _of_mask(mask: Uploaded, images: Sequence[Uploaded], server: Server) -> list[str]:
    found = []
    picture = opened(mask.data)
    if mask.content_type != "image/png" or len(mask.data) >= LARGEST_MASK:
        found.append("a mask is a PNG of less than 4 MB")
    if images and picture.size != opened(images[0].data).size:
        found.append("the mask has another size than the picture")
    if server.reads == "alpha" and "A" not in picture.mode:
        found.append("the mask has no alpha channel")
    return found


def _of_extra(call: Call, server: Server) -> list[str]:
    return against(EXTRA, extra_of(call.fields["prompt"])) if server.extra_in_prompt else []
