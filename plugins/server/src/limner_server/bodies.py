"""Reads the bodies of requests, JSON and forms, within limits."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import attrs
import orjson
import pybase64
from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from limner_server.errors import RequestRefused, wrong
from limner_server.settings import LARGEST_BODY, LARGEST_FIELD, LARGEST_JSON, MOST_PARTS, MOST_PICTURES, SLOWEST_BODY

_CHUNK = 2**18
_IN_MEMORY = 2**20
"""The number of bytes of an uploaded file that are buffered in memory."""


@attrs.frozen
class Body:
    """The content of a request.

    Attributes:
        fields: its values by name; strings for a form.
        files: the uploaded pictures by name, ``image[]`` as ``image``.
        digest: the SHA-256 of its content.
        is_form: whether it is a form.
    """

    fields: dict[str, Any]
    files: dict[str, list[bytes]]
    digest: str
    is_form: bool


async def read_json(request: web.Request) -> Body:
    """Read a JSON object."""
    async with _in_time():
        document = _object(await _read(request, LARGEST_JSON))
    return Body(document, {}, _digest_of(document), is_form=False)


async def read_pictures(request: web.Request) -> Body:
    """Read a form with pictures, or a JSON object with pictures as data URLs."""
    async with _in_time():
        if request.content_type == "multipart/form-data":
            return await _read_form(request)
        document = _object(await _read(request, LARGEST_BODY))
    digest = _digest_of(document)
    return Body(document, _referenced(document), digest, is_form=False)


@contextlib.asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            yield
    except TimeoutError:
        raise RequestRefused(408, "the request did not arrive in time", code="request_timeout") from None


# ---------------------------------------------------------------------------------------------- JSON


async def _read(request: web.Request, most: int) -> bytes:
    if request.content_type != "application/json":
        raise wrong(_media_type(request), code="unsupported_media_type", status=415)
    return await _bounded(request, most)


async def read_bytes(request: web.Request, most: int) -> bytes:
    """Read a body of any media type, within limits of size and time."""
    async with _in_time():
        return await _bounded(request, most)


async def _bounded(request: web.Request, most: int) -> bytes:
    _check_plain(request, most)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _media_type(request: web.Request) -> str:
    forms = "" if request.path.endswith("/generations") else " or multipart/form-data"
    return f"the Content-Type must be application/json{forms}"


def _check_plain(request: web.Request, most: int) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise wrong("compressed requests are not supported; send it without Content-Encoding", code=None, status=415)
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)


def _too_large(most: int, what: str = "the request") -> RequestRefused:
    return wrong(f"{what} is too large: at most {most:,} bytes", code="request_too_large", status=413)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(raw)
    except ValueError:
        raise wrong("the request is not JSON", code="invalid_json") from None
    if not isinstance(document, dict):
        raise wrong("the request must be a JSON object", code="invalid_json")
    return document


def _digest_of(document: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _referenced(document: dict[str, Any]) -> dict[str, list[bytes]]:
    """Extract the pictures from a JSON request: ``images`` and ``mask``, each ``{"image_url": "data:..."}``."""
    files: dict[str, list[bytes]] = {}
    pictures = document.pop("images", None)
    if pictures is not None:
        if not isinstance(pictures, list) or len(pictures) >= MOST_PICTURES:
            raise wrong(f"must be a list of 1 to {MOST_PICTURES - 1} pictures", "images")
        files["image"] = [_decoded(picture, "images") for picture in pictures]
    mask = document.pop("mask", None)
    if mask is not None:
        files["mask"] = [_decoded(mask, "mask")]
    return files


def _decoded(reference: Any, param: str) -> bytes:
    url = reference.get("image_url") if isinstance(reference, dict) else None
    head, comma, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise wrong(f"each must be {{'image_url': 'data:image/png;base64,...'}}; {_NO_URLS}", param)
    try:
        return pybase64.b64decode(data, validate=True)
    except ValueError:
        raise wrong("the data URL is not base64", param) from None


_NO_URLS = "URLs are not fetched, and files are not stored"


# ---------------------------------------------------------------------------------------------- forms


async def _read_form(request: web.Request) -> Body:
    _check_plain(request, LARGEST_BODY)
    try:
        with contextlib.ExitStack() as open_files:
            form = _Form(open_files)
            reader = await request.multipart()
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise wrong("the form has a form within it", code="invalid_form")
                await form.add(part)
            return form.body()
    except (ValueError, AssertionError, RuntimeError, LookupError, HttpProcessingError, Warning):
        raise wrong("the form cannot be read; it must be multipart/form-data with a boundary", code="invalid_form") from None


class _Form:
    """A form that is being received; its files are stored in temporary files until it is complete."""

    def __init__(self, open_files: contextlib.ExitStack) -> None:
        self._open_files = open_files
        self._fields: dict[str, str] = {}
        self._files: list[tuple[str, tempfile.SpooledTemporaryFile[bytes]]] = []
        self._digest = hashlib.sha256()
        self._parts = self._bytes = 0

    async def add(self, part: BodyPartReader) -> None:
        """Read one part."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise wrong(f"the form has over {MOST_PARTS} parts", code="invalid_form")
        if not part.name:
            raise wrong("a part of the form has no name", code="invalid_form")
        if {"Content-Encoding", "Content-Transfer-Encoding"} & part.headers.keys():
            raise wrong("parts of a form must not be encoded", code="invalid_form")
        name = part.name.removesuffix("[]")
        self._digest.update(f"{len(name)} {name}\n".encode("utf-8", "surrogatepass"))
        if part.filename is not None or name in {"image", "mask"}:
            await self._add_file(name, part)
        else:
            await self._add_field(name, part)

    async def _add_file(self, name: str, part: BodyPartReader) -> None:
        if len(self._files) == MOST_PICTURES:
            raise wrong(f"the form has over {MOST_PICTURES} pictures", name)
        file = self._open_files.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - it outlives this function
        self._files.append((name, file))
        inner = hashlib.sha256()
        async for chunk in self._chunks(part):
            inner.update(chunk)
            file.write(chunk)
        self._digest.update(inner.digest())

    async def _add_field(self, name: str, part: BodyPartReader) -> None:
        if name in self._fields:
            raise wrong("is given twice", name)
        value = bytearray()
        async for chunk in self._chunks(part):
            value += chunk
            if len(value) > LARGEST_FIELD:
                raise _too_large(LARGEST_FIELD, "a field")
        try:
            self._fields[name] = value.decode()
        except UnicodeDecodeError:
            raise wrong("is not UTF-8", name) from None
        self._digest.update(hashlib.sha256(value).digest())

    async def _chunks(self, part: BodyPartReader) -> AsyncIterator[bytes]:
        while chunk := await part.read_chunk(_CHUNK):
            self._bytes += len(chunk)
            if self._bytes > LARGEST_BODY:
                raise _too_large(LARGEST_BODY)
            yield chunk

    def body(self) -> Body:
        """Return the content of the complete form."""
        files: dict[str, list[bytes]] = {}
        for name, file in self._files:
            file.seek(0)
            files.setdefault(name, []).append(file.read())
        return Body(dict(self._fields), files, self._digest.hexdigest(), is_form=True)
