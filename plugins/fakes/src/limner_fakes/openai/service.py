"""The Images API on loopback: OpenAI's, Azure's, or that of a compatible server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from limner_fakes.faults import Fault, spoil
from limner_fakes.openai.checking import EDITS, GENERATIONS, Call, problems_of, read
from limner_fakes.openai.contract import LIVE, SERVERS, Server
from limner_fakes.openai.painting import pictures
from limner_fakes.painters import Invert, Painter
from limner_fakes.pictures import encoded
from limner_fakes.service import KEY, Answer, ReceivedRequest, Service

CREATED = 1_790_000_000
REQUEST_ID = {"x-request-id": "req-42"}


def error(status: int, code: str | None, message: str, kind: str = "invalid_request_error", **more: Any) -> Answer:
    """Return an error in OpenAI's format."""
    said = {"message": message, "type": kind, "param": None, "code": code, **more}
    return Answer(status, {"error": said}, REQUEST_ID)


def _moderated(stage: str) -> Answer:
    details = {"moderation_stage": stage, "categories": ["violence"]}
    words = "Your request was rejected by the safety system."
    return error(400, "moderation_blocked", words, "image_generation_user_error", moderation_details=details)


def answer(
    path: str, content_type: str, body: bytes, server: Server = SERVERS["openai"], painter: Painter | None = None
) -> tuple[int, dict[str, Any]]:
    """Respond to a request with status and JSON; ``path`` is relative to the base URL."""
    found = _answer(path, read(content_type, body), server, painter or Invert())
    return found.status, found.body


def _answer(path: str, call: Call, server: Server, painter: Painter, fault: Fault | None = None) -> Answer:
    wrong = problems_of(path, call, server)
    if wrong:
        return error(400, "invalid_value", "; ".join(wrong), "image_generation_user_error")
    made = [spoil(encoded(data), fault) for data in pictures(call, server, painter)]
    if server.is_openai and str(call.fields.get("stream", "")).lower() == "true":
        body = "".join(_events("image_edit" if path == EDITS else "image_generation", call, made))
        return Answer(body=body.encode(), headers=REQUEST_ID, content_type="text/event-stream")
    said: dict[str, Any] = {"created": CREATED, "data": [{"b64_json": text} for text in made]}
    if server.is_openai:
        said |= {"usage": _usage(len(made)), **_used(call)}
    return Answer(body=said, headers=REQUEST_ID)


def _usage(count: int) -> dict[str, Any]:
    return {
        "input_tokens": 8,
        "output_tokens": 100 * count,
        "total_tokens": 8 + 100 * count,
        "input_tokens_details": {"text_tokens": 8, "image_tokens": 0},
    }


def _used(call: Call) -> dict[str, Any]:
    """Return the values that the service chose for omitted parameters."""
    size, quality = call.fields.get("size", "auto"), call.fields.get("quality", "auto")
    return {
        "size": "1024x1024" if size == "auto" else size,
        "quality": "high" if quality == "auto" else quality,
        "output_format": call.fields.get("output_format", "png"),
    }


def _events(name: str, call: Call, made: list[str]) -> Iterator[str]:
    """Return server-sent events: partial pictures (here identical to the final ones), then the final pictures."""
    for text in made:
        for index in range(int(call.fields.get("partial_images", 0))):
            yield _event(f"{name}.partial_image", b64_json=text, partial_image_index=index, **_used(call))
        yield _event(f"{name}.completed", b64_json=text, usage=_usage(1), **_used(call))


def _event(kind: str, **content: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, 'created_at': CREATED, **content})}\n\n"


class OpenAIService(Service):
    """The fake server.

    Args:
        dialect: the name of the server's dialect.
        **more: the arguments of :class:`Service`.

    Raises:
        KeyError: the dialect is unknown.
    """

    name = "openai"
    base_path = "/v1"
    model = "openai"
    refusals: ClassVar = {
        "throttle": error(429, "rate_limit_exceeded", "Rate limit reached for images per minute.", "requests"),
        "quota": error(429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"),
        "input-filtered": _moderated("input"),
        "filtered": _moderated("output"),
        "access-denied": error(403, None, "Your organization must be verified to use the model."),
        "wrong-key": error(401, "invalid_api_key", "Incorrect API key provided."),
        "no-model": error(404, "model_not_found", "The model does not exist, or you have no access to it."),
        "internal-error": error(500, None, "The server had an error while processing your request.", "server_error"),
        "unavailable": error(503, None, "The engine is currently overloaded.", "server_error"),
    }

    def __init__(self, dialect: str = "openai", **more: Any) -> None:
        super().__init__(**more)
        self.dialect = dialect
        self.server = SERVERS[dialect]
        self.model = "openai" if self.server.is_openai else "openai-compatible/a-model"

    def settings(self) -> dict[str, str]:
        """Include the dialect."""
        named = {} if self.dialect == "openai" else {"dialect": self.dialect}
        return {**super().settings(), **named, **({"api_key": KEY} if self.server.keyed else {})}

    def environment(self) -> dict[str, str]:
        """Return the environment variables that the ``openai`` client and limner's model ``openai`` read."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": KEY}

    def makes_pictures(self, request: ReceivedRequest) -> bool:
        return request.method == "POST" and self._path(request) in {GENERATIONS, EDITS}

    def answer(self, request: ReceivedRequest, fault: Fault | None) -> Answer:
        if self.server.keyed and not any(_key(request.headers.get(name, "")) for name in self.server.keyed):
            return error(401, "invalid_api_key", "You didn't provide an API key.")
        path = self._path(request)
        if request.method == "GET" and path == "models":
            return Answer(body={"object": "list", "data": [{"id": name, "object": "model"} for name in LIVE]})
        if not self.makes_pictures(request):
            return error(404, None, f"Invalid URL ({request.method} {request.path})")
        if not isinstance(request.body, dict):
            return error(400, None, "We could not parse the body of your request.")
        return _answer(path, Call(request.body, request.files), self.server, self.painter, fault)

    def _path(self, request: ReceivedRequest) -> str:
        """Return the path relative to the base URL, which for Azure may also be ``/openai/v1``."""
        return request.path.removeprefix("/openai").removeprefix("/v1/")


def _key(text: str) -> str:
    return text.removeprefix("Bearer").strip()
