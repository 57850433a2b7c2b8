"""Responses: the pictures of a result, and the JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any

import attrs
import limner
import orjson
import pybase64
from limner import Image, Picture, ProviderError, Result, TaskRefused

from limner_server.asking import FORMATS, Asked, Wanted

_STANDARD_SIZES = {"1024x1024", "1024x1536", "1536x1024"}
"""The sizes that OpenAI's specification allows in a response; the actual size is in the field ``limner``."""
_PIECE = 3 * 2**16
"""Size in bytes of the chunks in which a picture is encoded."""
_QUALITIES = {"low", "medium", "high"}
_BACKGROUNDS = {"transparent", "opaque"}


@attrs.frozen
class Made:
    """The parts of a run's result that responses need.

    Attributes:
        pictures: data and media type of each received picture.
        created: the Unix time.
        shared: the fields common to responses and events: ``size``, ``quality``, ``background``, ``output_format``.
        usage: tokens, if the provider counts them.
        limner: the response's field ``limner``.
    """

    pictures: tuple[tuple[bytes, str], ...]
    created: int
    shared: Mapping[str, str]
    usage: Mapping[str, Any] | None
    limner: Mapping[str, Any]

    @property
    def weight(self) -> int:
        """The total size of the pictures in bytes."""
        return sum(len(data) for data, _ in self.pictures)

    def with_urls(self, url_of: Callable[[bytes, str], str]) -> bytes:
        """Return the response's JSON with URLs."""
        data = [{"url": url_of(data, media_type)} for data, media_type in self.pictures]
        return orjson.dumps({"created": self.created, "data": data, **self._rest()})

    def with_base64(self) -> tuple[int, Iterator[bytes]]:
        """Return the length and the chunks of the response's JSON; pictures are encoded chunk by chunk as they are sent."""
        rest = b"]," + orjson.dumps(self._rest())[1:]
        heads = [b'{"created":%d,"data":[{"b64_json":"' % self.created, *[b'"},{"b64_json":"'] * (len(self.pictures) - 1)]
        length = len(b'"}') + len(rest) + sum(map(len, heads)) + sum((len(data) + 2) // 3 * 4 for data, _ in self.pictures)

        def pieces() -> Iterator[bytes]:
            for head, (data, _) in zip(heads, self.pictures, strict=True):
                yield head
                for start in range(0, len(data), _PIECE):
                    yield pybase64.b64encode(memoryview(data)[start : start + _PIECE])
            yield b'"}' + rest

        return length, pieces()

    def _rest(self) -> dict[str, Any]:
        usage = {} if self.usage is None else {"usage": self.usage}
        return {**self.shared, **usage, "limner": self.limner}


def encoded(data: bytes) -> str:
    """Encode as base64."""
    return pybase64.b64encode_as_string(data)


def made(result: Result, asked: Asked, wanted: Wanted, failure: ProviderError | None = None) -> Made:
    """Extract the parts of a result that responses need; convert pictures to the requested format."""
    warnings = [*result.warnings, *([] if failure is None else [str(failure)])]
    if "output_compression" in result.task.options:  # the model has already compressed it
        wanted = attrs.evolve(wanted, output_compression=None)
    pictures = []
    for picture in result.images:
        if picture.image is not None:
            try:
                pictures.append(converted(picture.image, wanted))
            except TaskRefused as refused:  # the picture is paid for
                warnings.append(f"not converted to {wanted.output_format}: {refused}")
                pictures.append(picture.image)
    return Made(
        tuple((picture.data, picture.media_type) for picture in pictures),
        int(time.time()),
        _shared(result, pictures),
        _usage(result.usage),
        _limner(result, asked, warnings),
    )


def converted(image: Image, wanted: Wanted) -> Image:
    """Return a picture in the requested format."""
    media_type = FORMATS.get(wanted.output_format or "", image.media_type)
    if media_type == image.media_type and (media_type == "image/png" or wanted.output_compression is None):
        return image
    if media_type == "image/png" or wanted.output_compression is None:
        return image.converted(f".{wanted.output_format}")
    return _compressed(image, media_type, wanted.output_compression)


def _compressed(image: Image, media_type: str, quality: int) -> Image:
    picture = image.flattened().pil() if media_type == "image/jpeg" and image.has_alpha else image.pil()
    buffer = BytesIO()
    mode = "RGB" if media_type == "image/jpeg" else picture.mode
    picture.convert(mode).save(buffer, media_type.removeprefix("image/").upper(), quality=quality)
    return Image(buffer.getvalue())


def _shared(result: Result, pictures: list[Image]) -> dict[str, str]:
    options = result.task.options
    sizes = {"{}x{}".format(*picture.size) for picture in pictures} & _STANDARD_SIZES
    formats = {name for name, media_type in FORMATS.items() if media_type in {one.media_type for one in pictures}}
    said = {
        "size": next(iter(sizes)) if len(sizes) == 1 else None,
        "quality": _known(options.get("quality"), _QUALITIES),
        "background": _known(options.get("background"), _BACKGROUNDS),
        "output_format": next(iter(formats)) if len(formats) == 1 else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _known(value: Any, known: set[str]) -> str | None:
    return value if isinstance(value, str) and value in known else None


def _usage(usage: Mapping[str, float]) -> dict[str, Any] | None:
    """Return the tokens in OpenAI's format, if the provider counts input and output."""
    if "input_tokens" not in usage or "output_tokens" not in usage:
        return None
    spent, gained = int(usage["input_tokens"]), int(usage["output_tokens"])
    return tokens(spent, gained)


def tokens(spent: int, gained: int) -> dict[str, Any]:
    """Return token counts in OpenAI's format."""
    details = {"text_tokens": spent, "image_tokens": 0}
    return {
        "input_tokens": spent,
        "output_tokens": gained,
        "total_tokens": spent + gained,
        "input_tokens_details": details,
    }


def _limner(result: Result, asked: Asked, warnings: list[str]) -> dict[str, Any]:
    """Return the information that OpenAI's response has no field for."""
    dropped = [
        {"parameter": f"options.{name}", "outcome": "dropped", "asked": plain(value), "used": None, "why": why}
        for name, (value, why) in asked.dropped.items()
    ]
    account = [
        {
            "parameter": entry.parameter,
            "outcome": entry.outcome,
            "asked": plain(entry.asked),
            "used": plain(entry.used),
            "why": entry.why,
        }
        for entry in result.account
    ]
    return {
        "model": result.model,
        "task": result.task.kind,
        "seeds": [picture.seed for picture in result.images],
        "pictures": [_about(picture) for picture in result.pictures],
        "account": account + dropped,
        "dropped": [entry["parameter"] for entry in account + dropped if entry["outcome"] == "dropped"],
        "request_ids": list(result.request_ids),
        "warnings": warnings,
        "usage": dict(result.usage),
        "version": limner.__version__,
    }


def _about(picture: Picture) -> dict[str, Any]:
    size = None if picture.image is None else "{}x{}".format(*picture.image.size)
    return {"outcome": picture.outcome, "seed": picture.seed, "size": size, "reason": picture.reason}


def plain(value: Any) -> Any:
    """Return a value of an account as JSON; pictures and masks are described in words."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [plain(item) for item in value]
        case Mapping():
            return {name: plain(item) for name, item in value.items()}
        case limner.WeightedText():
            return {"text": value.text, "weight": value.weight}
    return str(value)
