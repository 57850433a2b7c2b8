"""Bedrock's error responses: HTTP status, error code and message, as the service words them.

Sources: Amazon Bedrock API Reference, InvokeModel (errors); Amazon Bedrock User Guide, "Troubleshooting Amazon
Bedrock API Error Codes"; texts of the live service in public issue threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


MOST_NAMED = 20
LONGEST_VIOLATION = 400


@dataclass(frozen=True)
class Refusal:
    """An error response.

    Attributes:
        status: HTTP status.
        code: the error's name, sent in ``x-amzn-ErrorType``.
        message: the text of ``message`` in the body.
        fields: additional fields of the body.
        headers: additional headers.
    """

    status: int
    code: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return {"message": self.message, **self.fields}


class RequestRefused(Exception):
    """The request is refused with an error response."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def malformed(*violations: str) -> RequestRefused:
    """Refuse a body with the message of the live service.

    Args:
        violations: each a JSON pointer and its problem, ``#/steps: 60 is not less or equal to 50``. The service
            only counts several; each is named here after its sentence. None leaves the bare sentence.
    """
    match violations:
        case ():
            what = ""
        case (violation,):
            what = f": {shortened(violation)}"
        case _:
            what = f": {len(violations)} schema violations found"
    message = f"Malformed input request{what}, please reformat your input and try again."
    if len(violations) > 1:
        message += f" (limner-bedrock-emulator: {'; '.join(map(shortened, violations[:MOST_NAMED]))}"
        more = len(violations) - MOST_NAMED
        message += f"; and {more} more)" if more > 0 else ")"
    return invalid(message)


def shortened(text: str) -> str:
    """Shorten a long text by its middle, so that a message does not repeat a whole picture."""
    return (
        text if len(text) <= LONGEST_VIOLATION else f"{text[: LONGEST_VIOLATION // 2]}...{text[-LONGEST_VIOLATION // 2 :]}"
    )


def invalid(message: str) -> RequestRefused:
    """Refuse with a ValidationException."""
    return RequestRefused(Refusal(400, "ValidationException", message))


INVALID_API_KEY = Refusal(403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
MISSING_TOKEN = Refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
UNKNOWN_OPERATION = Refusal(404, "UnknownOperationException", "The requested operation is not recognized by the service.")
INTERNAL_ERROR = Refusal(500, "InternalServerException", "The system encountered an unexpected error during processing.")
INVALID_MODEL_ID = Refusal(400, "ValidationException", "The provided model identifier is invalid.")
UNKNOWN_MODEL = Refusal(
    404,
    "ResourceNotFoundException",
    "Could not resolve the foundation model from the provided model identifier.",
)
END_OF_LIFE = Refusal(
    404,
    "ResourceNotFoundException",
    "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
)


def profile_needed(model_id: str) -> RequestRefused:
    """Refuse an id that can be called only by its inference profile; the apostrophe is the service's own."""
    return invalid(
        f"Invocation of model ID {model_id} with on-demand throughput isn\u2019t supported. "
        "Retry your request with the ID or ARN of an inference profile that contains this model."
    )


def wrong_host(host: str, address: str) -> RequestRefused:
    """Refuse a Host header that names another machine: the request may come from a web page (DNS rebinding)."""
    message = f"limner-bedrock-emulator answers no request to host {shortened(host)!r}; use http://{address} or localhost."
    return RequestRefused(Refusal(421, "MisdirectedRequestException", message))


def late_body(seconds: float) -> RequestRefused:
    """Refuse a body that does not arrive in time."""
    message = f"limner-bedrock-emulator: the body did not arrive within {seconds:g} seconds."
    return RequestRefused(Refusal(408, "RequestTimeoutException", message))


def incomplete_signature(missing: Sequence[str]) -> RequestRefused:
    """Refuse an Authorization header that lacks parts of Signature Version 4; the header itself is not repeated."""
    parts = " ".join(f"Authorization header requires '{part}' parameter." for part in missing)
    return RequestRefused(Refusal(400, "IncompleteSignature", parts))
