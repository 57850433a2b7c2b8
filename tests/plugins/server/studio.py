"""A model whose calls each test directs by words in the prompt, and a client of nothing but sockets."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs
import limner
from limner import Decoded, Generate, Image, Inpaint, Model, Picture, Request, Response, Task, Upscale, Vary, hookimpl
from limner.limits import (
    Choice,
    Count,
    Flag,
    Integer,
    MaskPicture,
    NegativeText,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    TaskLimits,
)
from limner.limits import Picture as PictureLimit
from limner.plugins import registry
from limner.testing.pictures import picture

SOURCE = "a test"
WAIT = 30.0
"""Seconds after which a test that hangs fails; none waits for it."""

PAINTED: dict[str, Any] = {
    "n": Count(2, source=SOURCE),
    "seed": Seed(0, 99, source=SOURCE),
    "steps": Integer(1, 50, source=SOURCE),
    "guidance_scale": Real(1.0, 9.0, source=SOURCE),
    "negative_prompt": NegativeText(40, source=SOURCE),
}
OPTIONS = {
    "quality": Choice(("standard", "premium"), source=SOURCE),
    "tile": Flag(source=SOURCE),
    "tiles": Integer(1, 9, source=SOURCE),
    "look": PictureLimit(source=SOURCE),
    "output_format": Choice(("png", "jpeg"), source=SOURCE),
    "output_compression": Integer(0, 100, source=SOURCE),
}
SIZE = SizeRule(16, 64, multiple_of=16, source=SOURCE)
PICTURE = PictureLimit(source=SOURCE, required=True)
PROMPT = PromptText(200, source=SOURCE)

CALLS: list[dict[str, Any]] = []
"""What was sent, oldest first: each is paid for."""
NUMBERING = threading.Lock()
GATE = threading.Event()
"""Calls whose prompt says ``wait`` wait for it."""


def _unbilled(error: limner.LimnerError) -> limner.LimnerError:
    """As a transport raises an error that it knows more of than its class says."""
    error.may_be_billed = False
    return error


ERRORS = {
    "auth": limner.AuthenticationFailed("no key"),
    "access": limner.AccessDenied("not for you"),
    "limited": limner.RateLimited("too many requests", retry_after=2.5),
    "filtered": limner.ContentFiltered("blocked"),
    "retired": limner.ModelRetired("gone"),
    "timeout": limner.ProviderTimeout("no answer in time"),
    "unavailable": _unbilled(limner.ProviderUnavailable("no connection")),
    "cut": limner.ProviderUnavailable("the connection was closed; the call may have been billed"),
    "rejected": limner.RequestRejected("no"),
    "nonsense": limner.BadResponse("not JSON"),
    "odd": limner.ProviderError("odd"),
    "bug": ZeroDivisionError("a bug"),
}


class Studio(Model):
    """Does what the prompt says."""

    id = "studio.painter-1"
    aliases = ("studio",)
    provider = "studio"
    offline = False
    limits: ClassVar = {
        Generate: TaskLimits({"prompt": PROMPT, "size": attrs.evolve(SIZE, default=(32, 32)), **PAINTED}, OPTIONS),
        Vary: TaskLimits(
            {
                "image": Pictures(PICTURE, max_items=2, source=SOURCE, required=True),
                "prompt": PROMPT,
                "size": SIZE,
                **PAINTED,
            },
            OPTIONS,
        ),
        Inpaint: TaskLimits({"image": PICTURE, "prompt": PROMPT, "mask": MaskPicture(source=SOURCE), **PAINTED}, OPTIONS),
    }

    def encode(self, task: Task) -> Request:
        known = {name: value for name, value in task.arguments() if isinstance(value, str | int | float)}
        options = {name: value for name, value in task.options.items() if not isinstance(value, Image)}
        size = getattr(task, "size", None) or _size_of(task)
        return Request(self.model_id, json.dumps({**known, "size": size, "kind": task.kind, "options": options}).encode())

    def send(self, request: Request) -> Response:
        order = json.loads(request.body)
        with NUMBERING:
            CALLS.append(order)
            number = len(CALLS)
        prompt = order.get("prompt", "")
        if "previews" in prompt:
            for step in range(3):
                limner.progress(step, 3, preview=picture((16, 16), colour=("red", "green", "blue")[step]))
        if "wait" in prompt:
            assert GATE.wait(WAIT)
        for word, error in ERRORS.items():
            if word in prompt.split():
                raise type(error)(*error.args) if isinstance(error, ZeroDivisionError) else _again(error)
        media_type = f"image/{order['options'].get('output_format', 'png')}"
        made = [base64.b64encode(picture(tuple(order["size"]), media_type=media_type).data).decode()] * order.get("n", 1)
        return Response(json.dumps({"pictures": made, "prompt": prompt}).encode(), request_id=f"req-{number}")

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        answer = json.loads(response.body)
        pictures = [Picture(image=limner.image_from_base64(text)) for text in answer["pictures"]]
        if "half" in answer["prompt"]:
            pictures[0] = Picture(outcome="filtered", reason="indecent")
        return Decoded(pictures, usage={"input_tokens": 11, "output_tokens": 22} if "tokens" in answer["prompt"] else {})


def _again(error: limner.ProviderError) -> limner.ProviderError:
    """A new error like one: errors of a run carry its result."""
    more = {"retry_after": error.retry_after} if isinstance(error, limner.RateLimited) else {}
    again = type(error)(error.message, **more)
    again.may_be_billed = error.may_be_billed
    return again


def _size_of(task: Task) -> tuple[int, int]:
    image: Any = getattr(task, "image", None)
    return image[0].size if isinstance(image, tuple) else image.size


class Enlarger(Studio):
    """Does nothing that OpenAI's API has a call for."""

    id = "studio.enlarger-1"
    aliases = ("enlarger",)
    limits: ClassVar = {Upscale: TaskLimits({"image": PICTURE})}


@contextmanager
def installed(*models: type[Model]) -> Iterator[None]:
    """Models, as if a plugin that offers them were installed."""
    offered = hookimpl(lambda: models)
    offered.__name__ = "limner_models"
    name = f"test-{models[0].id}"
    plugin = registry().register(type("Plugin", (), {"limner_models": staticmethod(offered)}), name)
    assert not plugin.broken
    try:
        yield
    finally:
        registry().unregister(name)


@attrs.frozen
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error; in OpenAI's form, or the test fails."""
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"message", "type", "param", "code"}
        assert isinstance(self.json["error"]["message"], str)
        return self.json["error"]

    @property
    def pictures(self) -> list[Image]:
        return [Image(base64.b64decode(item["b64_json"])) for item in self.json["data"]]


@attrs.frozen
class Client:
    url: str
    key: str = ""

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Make a call; underscores in headers are hyphens."""
        heads = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            heads.setdefault("Authorization", f"Bearer {self.key}")
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=WAIT)
        try:
            connection.request(method, path, body, heads)
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, document: Any, **headers: str) -> Answer:
        return self.call("POST", path, json.dumps(document).encode(), content_type="application/json", **headers)

    def generate(self, query: str = "", **fields: Any) -> Answer:
        return self.post(f"/v1/images/generations{query}", {"model": "studio", "prompt": "a fox", **fields})

    def form(self, path: str, *parts: tuple[str, str | Image], **headers: str) -> Answer:
        body, content_type = form(*parts)
        return self.call("POST", path, body, content_type=content_type, **headers)

    def edit(self, *parts: tuple[str, str | Image]) -> Answer:
        return self.form("/v1/images/edits", ("model", "studio"), ("prompt", "a red door"), *parts)


def form(*parts: tuple[str, str | Image]) -> tuple[bytes, str]:
    """A form's body and media type."""
    boundary = secrets.token_hex(12)
    body = b""
    for name, value in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, Image):
            body += f'{head}; filename="upload.png"\r\nContent-Type: {value.media_type}\r\n\r\n'.encode() + value.data
        else:
            body += f"{head}\r\n\r\n{value}".encode()
        body += b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
