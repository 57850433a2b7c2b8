"""A model for batches, and a plugin: it writes a bill of every picture it makes, and fails as the prompt tells it to.

A picture has the colour that prompt and seed decide. The bill is a file, so that it outlives whatever is killed.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import re
import struct
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import ClassVar

import attrs
import limner
from limner import Generate, Model, Picture, Price, Request, Response, hookimpl, image_from_base64
from limner.limits import Count, PromptText, Seed, TaskLimits

_write = os.write
"""Not the one that a test replaces: a bill is whole."""

SOURCE = "Painter API reference"


@attrs.frozen(kw_only=True)
class PainterSettings(limner.Settings):
    """Where the bill is, and how long a picture takes."""

    bill: str = ""
    seconds: float = attrs.field(default=0.0, converter=float)


def colour(prompt: str, seed: int) -> tuple[int, int, int]:
    red, green, blue = hashlib.sha256(f"{seed} {prompt}".encode()).digest()[:3]
    return red, green, blue


def png(rgb: tuple[int, int, int]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes(rgb) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Painter(Model):
    """Two pictures a call at most."""

    id = "painter.batches-1"
    aliases = ("painter",)
    offline = True
    Settings = PainterSettings
    limits: ClassVar = {
        Generate: TaskLimits(
            {
                "prompt": PromptText(200, source=SOURCE, required=True),
                "seed": Seed(0, 1_000_000, source=SOURCE),
                "n": Count(2, source=SOURCE),
            }
        )
    }
    prices: ClassVar = {Generate: (Price("0.05", as_of=datetime.date(2026, 11, 21), source=SOURCE),)}
    met: ClassVar[Counter[str]] = Counter()

    def encode(self, task: Generate) -> Request:
        return Request(self.model_id, json.dumps([task.prompt, task.seed, task.n or 1]).encode())

    def send(self, request: Request) -> Response:
        prompt, seed, n = json.loads(request.body)
        time.sleep(self.settings.seconds)
        fault = next(iter(re.findall(r"\[([\w-]+)\]", prompt)), "")
        self.met[prompt] += 1
        if fault in {"throttled", "broken-once"} and self.met[prompt] == 1:
            unmade = limner.RateLimited("slow down", retry_after=0.01) if fault == "throttled" else _unreachable()
            raise unmade
        if fault == "denied":
            raise limner.AuthenticationFailed("no key")
        if fault == "refused":
            raise _unreachable()
        if fault == "rejected":
            raise limner.RequestRejected("not like this")
        if fault == "filtered":
            raise limner.ContentFiltered("not this")
        self.pay(prompt, seed, n)
        if fault == "timeout":
            raise limner.ProviderTimeout("no answer")
        if fault == "reset":
            raise limner.ProviderUnavailable("the connection was reset")
        made = [base64.b64encode(png(colour(prompt, seed + place))).decode() for place in range(n)]
        return Response(json.dumps(made[: n - (fault == "lost")]).encode(), request_id=f"id-{seed}")

    def pay(self, prompt: str, seed: int, n: int) -> None:
        bill = os.open(self.settings.bill, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        _write(bill, (json.dumps([prompt, seed, n]) + "\n").encode())
        os.fsync(bill)
        os.close(bill)

    def decode(self, task: Generate, response: Response) -> list[Picture]:
        return [Picture(image=image_from_base64(text)) for text in json.loads(response.body)]


def bill_of(path: Path) -> list[tuple[str, int, int]]:
    """Every call that was paid for: prompt, seed, pictures."""
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def _unreachable() -> limner.ProviderError:
    error = limner.ProviderUnavailable("connection refused")
    error.may_be_billed = False
    return error


@hookimpl
def limner_models() -> list[type[Model]]:
    return [Painter]
