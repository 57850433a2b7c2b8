"""InvokeModel: one request out, one answer in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import limner

from limner_bedrock.clients import client_for, forget_clients
from limner_bedrock.identifiers import region_named_by
from limner_bedrock.settings import BedrockSettings

MAX_BODY_BYTES = 25_000_000
"""Of a request and of an answer. Source: Amazon Bedrock API Reference, InvokeModel, body."""

_SOURCE = "Amazon Bedrock API Reference, InvokeModel"
_JSON = "application/json"
_LENGTH = re.compile("[0-9]{1,15}")


def invoke(settings: BedrockSettings, request: limner.Request) -> limner.Response:
    """Send a request to Bedrock.

    Raises:
        TaskRefused: the body is larger than Bedrock takes, or a setting is missing or wrong; nothing was sent.
        ProviderError: of the class that fits, botocore's own error chained.
    """
    _check_size(request)
    call = _Call(settings, request)
    answer: dict[str, Any] = {}
    try:
        answer = _answered(call, settings.max_attempts)
        body = _stream(answer["body"]) if settings.stream else _whole(answer["body"], _length(answer))
    except limner.LimnerError as error:
        if isinstance(error, limner.BadResponse):
            error.request_ids = tuple(filter(None, [_request_id(answer)]))
        raise
    except Exception as error:
        from limner_bedrock.translating import tells_secrets, translated

        known = translated(error, model=request.model_id, attempts=call.attempts, request_id=_request_id(answer))
        if known is None and answer:
            known = limner.BadResponse(f"the answer cannot be read ({type(error).__name__}); the call may have been billed")
        if known is None:
            raise
        if isinstance(known, limner.AuthenticationFailed):
            forget_clients()
        raise known from (None if tells_secrets(error) else error)
    return limner.Response(body, _request_id(answer), call.attempts, call.region)


class _Call:
    """A call that can be made more than once.

    Attributes:
        attempts: how often it was made.
        region: where it goes.
    """

    def __init__(self, settings: BedrockSettings, request: limner.Request) -> None:
        self.settings, self.request = settings, request
        self.attempts, self.region = 0, ""

    def __call__(self) -> dict[str, Any]:
        """Make it; botocore's own errors come as they are."""
        self.attempts += 1
        client = client_for(self.settings, region_named_by(self.request.model_id))
        self.region = client.meta.region_name
        send = client.invoke_model_with_response_stream if self.settings.stream else client.invoke_model
        answer: dict[str, Any] = send(
            modelId=self.request.model_id,
            body=self.request.body,
            contentType=_JSON,
            accept=_JSON,
            **self.settings.parameters(),
        )
        return answer


def _answered(call: _Call, max_attempts: int) -> dict[str, Any]:
    try:
        return call()
    except Exception as error:
        from limner_bedrock.retrying import try_again

        return try_again(call, error, max_attempts)


def _check_size(request: limner.Request) -> None:
    size = len(request.body)
    if size > MAX_BODY_BYTES:
        limit = f"at most {MAX_BODY_BYTES:,} bytes; give smaller pictures, or fewer"
        raise limner.TaskRefused([limner.Problem("request body", f"{size:,} bytes", limit, _SOURCE)], request.model_id)


# ---------------------------------------------------------------------------------------------- reading


def _whole(body: Any, length: int) -> bytes:
    """Read an answer that is one piece; asked for as long as it says it is, it comes without a copy made on the way."""
    content: bytes = body.read(length)
    if len(content) > MAX_BODY_BYTES:
        body.close()
        raise _too_large()
    body.read(1)  # botocore compares with Content-Length when nothing more comes
    return content


def _length(answer: dict[str, Any]) -> int:
    """How much to read at first: what the answer's head says, but no more than one byte over the most.

    Raises:
        BadResponse: it says what is no length.
    """
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("content-length")
    if said is None:
        return MAX_BODY_BYTES + 1
    if not _LENGTH.fullmatch(said):
        raise limner.BadResponse("the answer's Content-Length is no number; the call may have been billed")
    return min(int(said) or 1, MAX_BODY_BYTES + 1)


def _stream(events: Any) -> bytes:
    """Put an answer together that comes in events; botocore raises those that report an error.

    It does not notice when a stream ends too early, but half an answer is no JSON, and decoding says so.
    """
    try:
        content = b"".join(_chunks(events))
    finally:
        events.close()
    if not content:
        raise limner.BadResponse("the stream ended before any answer; try again, the call may have been billed")
    return content


def _chunks(events: Iterable[Any]) -> Iterable[bytes]:
    size = 0
    for event in events:
        chunk: bytes = event.get("chunk", {}).get("bytes", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise _too_large()
        yield chunk


def _too_large() -> limner.BadResponse:
    return limner.BadResponse(f"the answer has over {MAX_BODY_BYTES:,} bytes, the most that InvokeModel gives [{_SOURCE}]")


def _request_id(answer: dict[str, Any]) -> str | None:
    found: str | None = answer.get("ResponseMetadata", {}).get("RequestId")
    return found
