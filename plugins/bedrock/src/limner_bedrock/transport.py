"""Call InvokeModel: send a request and read the response."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

import limner

from limner_bedrock.clients import client_for, forget_clients
from limner_bedrock.deadlines import one_deadline
from limner_bedrock.identifiers import region_named_by
from limner_bedrock.settings import BedrockSettings

MAX_BODY_BYTES = 25_000_000
"""The limit for request and response bodies. Source: Amazon Bedrock API Reference, InvokeModel, body."""

_SOURCE = "Amazon Bedrock API Reference, InvokeModel"
_JSON = "application/json"
_LENGTH = re.compile("[0-9]{1,15}")


def invoke(settings: BedrockSettings, request: limner.Request, *, replacement: str = "") -> limner.Response:
    """Send a request to Bedrock.

    Args:
        settings: how to reach Bedrock.
        request: the request.
        replacement: what to use instead of the model if AWS reports that it is retired.

    Raises:
        TaskRefused: the body exceeds Bedrock's limit, or a setting is missing or wrong; nothing was sent.
        ProviderError: the matching subclass, with botocore's error chained.
    """
    _check_size(request)
    call = _Call(settings, request)
    answer: dict[str, Any] = {}
    try:
        answer = _call_with_retries(call, settings.max_attempts)
        body = _stream(answer["body"]) if settings.stream else _whole(answer["body"], _length(answer))
    except limner.LimnerError as error:
        if isinstance(error, limner.BadResponse):
            error.request_ids = tuple(filter(None, [_request_id(answer)]))
        raise
    except Exception as error:
        from limner_bedrock.error_translation import reveals_secrets, translate

        known = translate(
            error,
            model=request.model_id,
            attempts=call.attempts,
            request_id=_request_id(answer),
            replacement=replacement,
        )
        if known is None and answer:
            known = limner.BadResponse(
                f"the response cannot be read ({type(error).__name__}); the call may have been billed"
            )
        if known is None:
            raise
        known.may_be_billed = known.may_be_billed or bool(answer)  # the answer had begun
        if isinstance(known, limner.AuthenticationFailed):
            forget_clients()
        raise known from (None if reveals_secrets(error) else error)
    return limner.Response(body, _request_id(answer), call.attempts, call.region)


class _Call:
    """A call that can be repeated.

    Attributes:
        attempts: how often it was sent.
        region: the region it was sent to.
    """

    def __init__(self, settings: BedrockSettings, request: limner.Request) -> None:
        self.settings, self.request = settings, request
        self.attempts, self.region = 0, ""

    def __call__(self) -> dict[str, Any]:
        """Send the request; botocore's errors are raised unchanged."""
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


def _call_with_retries(call: _Call, max_attempts: int) -> dict[str, Any]:
    timeout, started = call.settings.timeout, time.monotonic()
    with one_deadline(timeout):
        try:
            return call()
        except Exception as error:
            from limner_bedrock.retries import retry_call

            return retry_call(call, error, max_attempts, timeout - (time.monotonic() - started))


def _check_size(request: limner.Request) -> None:
    size = len(request.body)
    if size > MAX_BODY_BYTES:
        limit = f"at most {MAX_BODY_BYTES:,} bytes; use fewer or smaller images"
        raise limner.TaskRefused([limner.Problem("request body", f"{size:,} bytes", limit, _SOURCE)], request.model_id)


# ---------------------------------------------------------------------------------------------- responses


def _whole(body: Any, length: int) -> bytes:
    """Read a response that is not streamed; reading exactly its length avoids a copy."""
    content: bytes = body.read(length)
    if len(content) > MAX_BODY_BYTES:
        body.close()
        raise _too_large()
    body.read(1)  # at the end, botocore compares the length with Content-Length
    return content


def _length(answer: dict[str, Any]) -> int:
    """Return how many bytes to read: Content-Length, but at most one byte above the limit.

    Raises:
        BadResponse: Content-Length is malformed.
    """
    length = answer["ResponseMetadata"]["HTTPHeaders"].get("content-length")
    if length is None:
        return MAX_BODY_BYTES + 1
    if not _LENGTH.fullmatch(length):
        raise limner.BadResponse("the response's Content-Length is malformed; the call may have been billed")
    return min(int(length) or 1, MAX_BODY_BYTES + 1)


def _stream(events: Any) -> bytes:
    """Join the chunks of a streamed response; botocore raises events that report an error.

    botocore does not notice a truncated stream, but then the body is not valid JSON and decoding fails.
    """
    try:
        content = b"".join(_chunks(events))
    finally:
        events.close()
    if not content:
        raise limner.BadResponse("the stream ended without a response; retry; the call may have been billed")
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
    return limner.BadResponse(f"the response exceeds {MAX_BODY_BYTES:,} bytes, the limit of InvokeModel [{_SOURCE}]")


def _request_id(answer: dict[str, Any]) -> str | None:
    found: str | None = answer.get("ResponseMetadata", {}).get("RequestId")
    return found
