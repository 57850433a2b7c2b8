"""Faults on demand: what can go wrong, how it is asked for, and how often it still happens.

A fault is written ``name``, ``name*2`` (the first two requests only) or, for ``filtered``, ``filtered:K``.
It is asked for by the server's own list, by a request's header ``x-limner-fault``, or by ``[[fault:name]]`` in any
text of the body. Where counts run out the next fault asked for has its turn, then the request is answered as usual.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limner_bedrock_emulator.refusals import END_OF_LIFE, Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEADER = "x-limner-fault"

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
"""Faults that answer with an error of the service."""

BROKEN = {
    "hang": "no answer until the client goes",
    "reset": "the connection is reset in the middle of the answer",
    "truncated-json": "the answer's JSON ends in the middle",
    "bad-base64": "the pictures are no base64",
    "not-a-picture": "the pictures are base64 of something else",
    "missing-keys": "the answer is an empty object",
    "fewer-images": "one picture less than asked for, without a word",
    "filtered": "content filter on the output: all pictures, with filtered:K the first K of them",
    "prompt-filtered": "Stability's newer models: the finish reason is that of a filtered prompt",
    "image-filtered": "Stability's newer models: the finish reason is that of a filtered input picture",
    "error-result": "no picture, an error in the answer (SDXL: result is error; Stability's newer models: Inference error)",
    "error-artifact": "SDXL: the artifact's finishReason is ERROR; others: as error-result",
}
"""Faults of the connection or of the answer itself, each in words."""


@dataclass(frozen=True)
class Fault:
    """One fault as asked for.

    Attributes:
        name: a name of :data:`REFUSALS` or :data:`BROKEN`.
        argument: pictures to filter, ``None`` for all; for ``filtered`` alone.
        times: requests that it meets, ``None`` for every one.
    """

    name: str
    argument: int | None = None
    times: int | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``name``, ``name:K``, ``name*N`` or ``name:K*N``.

        Raises:
            ValueError: no such fault, or not of that form.
        """
        form = re.fullmatch(r"([a-z0-9-]+)(?::([1-9]\d*))?(?:\*([1-9]\d*))?", text.strip())
        if form is None or form[1] not in REFUSALS | BROKEN or (form[2] is not None and form[1] != "filtered"):
            known = ", ".join(sorted(REFUSALS | BROKEN))
            raise ValueError(f"{text!r} is no fault; it is NAME, NAME*COUNT or filtered:K, where NAME is one of {known}")
        argument, times = (None if number is None else int(number) for number in form.groups()[1:])
        return cls(form[1], argument, times)


class Faults:
    """The server's own faults, and how often each fault was met.

    Args:
        texts: the server's own faults, in their order.

    Raises:
        ValueError: one of them is no fault.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._own = list(texts)
        for text in self._own:
            Fault.parse(text)
        self._met: Counter[tuple[str, str]] = Counter()

    def next(self, headers: Iterable[str], body: object) -> Fault | None:
        """Return the fault that the next request meets: by its header, by its texts, or the server's own.

        Raises:
            RequestRefused: the header or a text asks for an unknown fault.
        """
        asked = [("header", text) for text in headers]
        asked += [("text", text) for text in _markers(body)]
        asked += [(f"own {at}", text) for at, text in enumerate(self._own)]
        for key in asked:
            try:
                fault = Fault.parse(key[1])
            except ValueError as error:
                raise invalid(f"limner-bedrock-emulator: {error}") from error
            if fault.times is None or self._met[key] < fault.times:
                self._met[key] += 1
                return fault
        return None


def spoil(picture: str, fault: Fault | None) -> str:
    """Return the base64 of a picture, spoilt where the fault says so."""
    match fault.name if fault is not None else None:
        case "bad-base64":
            return "*" + picture[1:-1]
        case "not-a-picture":
            return base64.b64encode(b"This is not a picture.").decode()
    return picture


def _markers(body: object) -> Iterator[str]:
    """Find ``[[fault:...]]`` in the texts of a body, in their order, however deep it nests."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield from re.findall(r"\[\[fault:([^\[\]]{,100})\]\]", value)
        elif isinstance(value, dict | list):
            waiting.extend(reversed(list(value.values() if isinstance(value, dict) else value)))
