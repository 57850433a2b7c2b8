"""InvokeModel: one request out, one answer in, and when to try again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import limner
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from limner_bedrock.clients import client_for, forget_clients
from limner_bedrock.errors import row_of
from limner_bedrock.identifiers import region_named_by
from limner_bedrock.settings import BedrockSettings
from limner_bedrock.translating import retry_after, translated

if TYPE_CHECKING:
    from threading import Event

MAX_BODY_BYTES = 25_000_000
"""Of a request and of an answer. Source: Amazon Bedrock API Reference, InvokeModel, body."""

_SOURCE = "Amazon Bedrock API Reference, InvokeModel"
_JSON = "application/json"

_BACKOFF_SECONDS = 1.0
"""The first wait is up to twice this long, every further one up to twice the one before: AWS advises full jitter."""

_MAX_BACKOFF_SECONDS = 20.0
_MAX_RETRY_AFTER_SECONDS = 60.0


def invoke(settings: BedrockSettings, request: limner.Request) -> limner.Response:
    """Send a request to Bedrock.

    Raises:
        TaskRefused: the body is larger than Bedrock takes, or a setting is missing or wrong; nothing was sent.
        ProviderError: of the class that fits, botocore's own error chained.
    """
    _check_size(request)
    retrying = _retrying(settings.max_attempts, limner.cancellation())
    answer: dict[str, Any] = {}
    try:
        client = client_for(settings, region_named_by(request.model_id))
        call = client.invoke_model_with_response_stream if settings.stream else client.invoke_model
        answer = retrying(
            call,
            modelId=request.model_id,
            body=request.body,
            contentType=_JSON,
            accept=_JSON,
            **settings.parameters(),
        )
        body = _stream(answer["body"]) if settings.stream else _whole(answer["body"])
    except limner.LimnerError as error:
        if isinstance(error, limner.BadResponse):
            error.request_ids = tuple(filter(None, [_request_id(answer)]))
        raise
    except Exception as error:
        known = translated(error, model=request.model_id, attempts=_attempts(retrying), request_id=_request_id(answer))
        if known is None:
            raise
        if isinstance(known, limner.AuthenticationFailed):
            forget_clients()
        raise known from error
    return limner.Response(body, _request_id(answer), _attempts(retrying), client.meta.region_name)


def _check_size(request: limner.Request) -> None:
    size = len(request.body)
    if size > MAX_BODY_BYTES:
        limit = f"at most {MAX_BODY_BYTES:,} bytes; give smaller pictures, or fewer"
        raise limner.TaskRefused([limner.Problem("request body", f"{size:,} bytes", limit, _SOURCE)], request.model_id)


# ---------------------------------------------------------------------------------------------- trying again


def _retrying(max_attempts: int, cancelled: Event) -> Retrying:
    def pause(seconds: float) -> None:
        if cancelled.wait(seconds):
            raise limner.ProviderError("cancelled before it was sent again")

    return Retrying(
        retry=retry_if_exception(_worth_another),
        stop=stop_after_attempt(max_attempts),
        wait=_seconds_to_wait,
        sleep=pause,
        reraise=True,
    )


def _worth_another(error: BaseException) -> bool:
    row = row_of(error)
    return row is not None and row.retry


def _seconds_to_wait(state: RetryCallState) -> float:
    backoff = wait_random_exponential(multiplier=_BACKOFF_SECONDS * 2, max=_MAX_BACKOFF_SECONDS)(state)
    error = state.outcome.exception() if state.outcome is not None else None
    asked = 0.0 if error is None else retry_after(error)
    return max(backoff, min(asked, _MAX_RETRY_AFTER_SECONDS))


def _attempts(retrying: Retrying) -> int:
    return int(retrying.statistics.get("attempt_number", 1))


# ---------------------------------------------------------------------------------------------- reading


def _whole(body: Any) -> bytes:
    """Read an answer that is one piece."""
    content: bytes = body.read(MAX_BODY_BYTES + 1)
    if len(content) > MAX_BODY_BYTES:
        body.close()
        raise _too_large()
    body.read(1)  # botocore compares with Content-Length when nothing more comes
    return content


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
