"""Answers that nobody documented: each gives pictures that it holds, or an error of limner's tree, and nothing else."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import attrs

from limner import Model, PluginError, ProviderError, Response, Task
from limner.errors import shorten
from limner.testing import bodies
from limner.testing.conformance.answers import expect_from_answer, good_answers
from limner.testing.conformance.calls import received
from limner.testing.kit import Conformance, ContractBroken, check, decoded, expect, explore
from limner.testing.probes import first, plan_or_none
from limner.testing.strategies import json_values

WRONG: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, 10**30, "", "text", [], {}, [[]], [None], {"a": 1}, ["text"])
NO_JSON = (b"", b" ", b"null", b"\xff\xfe\x00", b"<html>502 Bad Gateway</html>", b"NaN", b"[" * 100_000, b'{"a":' * 100_000)
_LONG = 60  # characters from which a text may be a picture


def _expect_harmless(model: Model, call: Task, answer: Response) -> None:
    """Hold what decode makes of an answer."""
    shown = f"the answer {shorten(answer.body, 200)}" + (f" with metadata {answer.metadata}" if answer.metadata else "")
    try:
        pictures = decoded(model, call, answer)
    except ProviderError:
        return
    except (PluginError, ContractBroken):
        raise
    except Exception as error:
        seen = f"{shown} makes decode raise {error!r}; it must raise BadResponse (or another ProviderError)"
        raise ContractBroken(seen, call) from error
    for picture in pictures:
        expect_from_answer(picture, answer.body, call)


def _calls(conformance: Conformance) -> Iterator[Task]:
    for kind in conformance.tasks:
        yield conformance.model.plan(first(conformance.model, kind)).calls[0]


@check
def test_truncated_answers_are_refused(conformance: Conformance) -> None:
    """A valid response that is truncated anywhere gives a ProviderError, or complete pictures."""
    for call, answer in good_answers(conformance):
        length = len(answer.body)
        for cut in sorted({*range(min(length, 40)), *range(0, length, max(1, length // 60)), length - 2, length - 1}):
            _expect_harmless(conformance.model, call, Response(answer.body[:cut]))


@check
def test_arbitrary_answers_are_refused(conformance: Conformance) -> None:
    """Bytes that are not JSON, and arbitrary JSON, give a ProviderError, never a picture that is not in them."""
    model = conformance.model
    for call in _calls(conformance):
        for body in NO_JSON:
            _expect_harmless(model, call, Response(body))
        explore(json_values(), lambda value, call=call: _expect_harmless(model, call, Response(json.dumps(value).encode())))  # type: ignore[misc]


@check
def test_wrong_types_are_refused(conformance: Conformance) -> None:
    """A valid response or stored refusal with a wrong type at any node gives a ProviderError or pictures it contains."""
    for call, answer in [*good_answers(conformance), *_stored_refusals(conformance)]:
        tree = bodies.parsed(answer.body)
        for path, _ in bodies.nodes(tree) if not isinstance(tree, str) else ():
            spoilt = [bodies.replaced(tree, path, value) for value in WRONG] + ([bodies.without(tree, path)] if path else [])
            for other in spoilt:
                _expect_harmless(conformance.model, call, Response(json.dumps(other).encode()))


def _stored_refusals(conformance: Conformance) -> Iterator[tuple[Task, Response]]:
    """The stored answers in which some picture is held back or failed."""
    for recorded in conformance.recorded:
        made = None if recorded.is_http_error else plan_or_none(conformance.model, recorded.task)
        if made is not None and (recorded.error is not None or set(recorded.outcomes) != {"ok"}):
            answer = received(conformance, recorded)
            if isinstance(answer, Response):
                yield made.calls[0], answer


_ODD_TEXTS = ("", "odd", "-1", "9" * 500, "é")


@check
def test_odd_metadata_is_refused(conformance: Conformance) -> None:
    """Whatever text of the provider send puts into metadata, decode makes pictures of the answer or a ProviderError."""
    for call, answer in good_answers(conformance):
        for name, value in answer.metadata.items():
            for odd in _ODD_TEXTS if isinstance(value, str) else ():
                other = attrs.evolve(answer, metadata={**answer.metadata, name: odd})
                _expect_harmless(conformance.model, call, other)


def bomb() -> bytes:
    """Make a PNG of a few bytes whose header says 60,000 x 60,000 pixels."""

    def chunk(tag: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@check
def test_damaged_pictures_are_refused(conformance: Conformance) -> None:
    """Invalid base64, other data, half a picture or a decompression bomb in place of a picture gives a ProviderError."""
    for call, answer in good_answers(conformance):
        for body in _damaged(answer.body):
            try:
                pictures = decoded(conformance.model, call, Response(body))
            except ProviderError:
                continue
            except ContractBroken:
                raise
            except Exception as error:
                raise ContractBroken(f"a damaged picture makes decode raise {error!r}, no ProviderError") from error
            for picture in pictures:
                seen = f"a damaged picture has the outcome {picture.outcome}; response: {shorten(body, 200)}"
                expect(picture.outcome == "failed", seen, call)


def _damaged(body: bytes) -> Iterator[bytes]:
    """Answers whose every picture is damaged in the same way."""
    tree = bodies.parsed(body)
    if isinstance(tree, str):  # the answer is the picture
        yield from (bomb(), body[: len(body) // 2], b"no picture")
        return
    found = [(path, leaf) for path, leaf in bodies.leaves(tree).items() if isinstance(leaf, str) and _is_encoded(leaf)]
    for at in range(len(_spoilt(b""))):
        other = tree
        for path, leaf in found:
            head, encoded = bodies.data_url(leaf)
            other = bodies.replaced(other, path, head + _spoilt(encoded.encode())[at])
        if found:
            yield json.dumps(other).encode()


def _is_encoded(leaf: str) -> bool:
    """Whether a text of an answer may be a picture: it is long, and base64, perhaps in a data URL."""
    _, encoded = bodies.data_url(leaf)
    try:
        base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:  # binascii.Error is one
        return False
    return len(encoded) > _LONG


def _spoilt(encoded: bytes) -> list[str]:
    data = base64.b64decode(encoded + b"=" * (-len(encoded) % 4))
    wrong = [b"no picture" * 20, data[: len(data) // 2], bomb()]
    texts = [base64.b64encode(found).decode() for found in wrong]
    text = encoded.decode()
    return [*texts, "", "!" + text, text[:-5] + "\n" + text[-5:] + "é", text[: len(text) // 3 * 2 + 1]]
