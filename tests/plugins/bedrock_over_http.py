"""The plugins of Bedrock over real HTTP, with boto3: what the kit's checks of ``send`` need, and AWS's documented errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import limner
import pytest
from limner import Model, Task
from limner.testing import Recorded

RETRYABLE = (429, 500, 503)
"""After these nothing was made. Source: Amazon Bedrock User Guide, "Troubleshooting Amazon Bedrock API Error Codes"."""

FILTERED = "This request has been blocked by our content filters."
DENIED = "You don't have access to the model with the specified model ID."
ERRORS: tuple[tuple[int, str, str, type[limner.ProviderError]], ...] = (
    (400, "ValidationException", FILTERED, limner.ContentFiltered),
    (400, "ValidationException", "Malformed input request: seed is out of range", limner.RequestRejected),
    (403, "AccessDeniedException", DENIED, limner.AccessDenied),
    (403, "ExpiredTokenException", "The security token included in the request is expired", limner.AuthenticationFailed),
    (408, "ModelTimeoutException", "Model has timed out in processing the request", limner.ProviderTimeout),
    (429, "ThrottlingException", "Too many requests, please wait before trying again.", limner.RateLimited),
    (503, "ServiceUnavailableException", "Bedrock is unable to process your request.", limner.ProviderUnavailable),
)
"""Status, code, message and limner's error. Source: Amazon Bedrock API Reference, InvokeModel, "Errors"."""


def errors(task: Task) -> list[Recorded]:
    """AWS's answers to a task that fails."""
    return [
        Recorded(
            task=task,
            status=status,
            headers={"x-amzn-requestid": f"request-{at}", "x-amzn-errortype": code},
            body=json.dumps({"message": message}).encode(),
            error=error,
            name=f"{status} {code}: {message}",
        )
        for at, (status, code, message, error) in enumerate(ERRORS)
    ]


def endpoint(model: type[Model], **settings: Any) -> Callable[[str], Model]:
    """Make the model call a URL in place of AWS."""
    return lambda url: model(model.Settings.of({"endpoint_url": url, "region": "us-west-2", "max_attempts": 2, **settings}))


@contextmanager
def credentials() -> Iterator[None]:
    """Credentials that are no secret, none of this machine's own AWS configuration, and no waiting between attempts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "example")
        patch.setattr("limner_bedrock.retries._BACKOFF_SECONDS", 0.0)
        yield
