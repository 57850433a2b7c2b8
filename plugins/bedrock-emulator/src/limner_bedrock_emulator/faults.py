"""The simulated failures (faults) of Amazon Bedrock; ``limner_fakes.faults`` describes how to request them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner_fakes import faults

from limner_bedrock_emulator.refusals import END_OF_LIFE, Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from limner_fakes.faults import Fault

REFUSALS = {
    "throttle": Refusal(429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "internal-error": Refusal(
        500,
        "InternalServerException",
        "The system encountered an unexpected error during processing. Try your request again.",
    ),
    "unavailable": Refusal(
        503, "ServiceUnavailableException", "The service is temporarily unable to process the request. Try again later."
    ),
    "overloaded": Refusal(529, "overloaded_error", "Overloaded", headers={"Retry-After": "1"}),
    "model-not-ready": Refusal(429, "ModelNotReadyException", "The model is not ready for inference. Wait and try again."),
    "model-timeout": Refusal(408, "ModelTimeoutException", "Model has timed out in processing the request."),
    "model-error": Refusal(
        424,
        "ModelErrorException",
        "The request failed due to an error while processing the model.",
        fields={"originalStatusCode": 500, "resourceName": "limner-bedrock-emulator"},
    ),
    "access-denied": Refusal(
        403, "AccessDeniedException", "You don't have access to the model with the specified model ID."
    ),
    "expired-token": Refusal(403, "ExpiredTokenException", "The security token included in the request is expired"),
    "quota": Refusal(400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account."),
    "input-filtered": Refusal(
        400,
        "ValidationException",
        "This request has been blocked by our content filters. Our filters automatically flagged this prompt because it "
        "may conflict our AUP or AWS Responsible AI Policy. Please adjust your text prompt to submit a new request.",
    ),
    "end-of-life": END_OF_LIFE,
    "legacy": Refusal(
        404,
        "ResourceNotFoundException",
        "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in "
        "the last 15 days. Please upgrade to an active model on Amazon Bedrock",
    ),
}
"""Faults that return an error of the service."""

BROKEN = {
    **faults.BROKEN,
    "fewer-images": "one picture fewer than requested, without an error",
    "filtered": "content filter on the output: all pictures, with filtered:K the first K of them",
    "prompt-filtered": "Stability's newer models: the finish reason is that of a filtered prompt",
    "image-filtered": "Stability's newer models: the finish reason is that of a filtered input picture",
    "error-result": "no picture, an error in the response (SDXL: result error; Stability's newer models: Inference error)",
    "error-artifact": "SDXL: the artifact's finishReason is ERROR; others: as error-result",
}
"""Faults of the connection or the response, with descriptions."""


class Faults(faults.Faults):
    """The emulator's own faults, and how often each fault was applied.

    Args:
        texts: the server's own faults, in order.

    Raises:
        ValueError: a fault is unknown or malformed.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        super().__init__(texts, REFUSALS | BROKEN, counting=("filtered",))

    def next(self, headers: Iterable[str], body: object) -> Fault | None:
        """Return the fault for the next request: from its header, its texts, or the server's own list.

        Raises:
            RequestRefused: the header or a text requests an unknown fault.
        """
        try:
            return super().next(headers, body)
        except ValueError as error:
            raise invalid(f"limner-bedrock-emulator: {error}") from error
