"""Translate errors of AWS and botocore to limner's, with messages that are safe to show."""

from __future__ import annotations

import datetime
import email.utils
import re
from typing import Any

from limner import LimnerError, ModelRetired, Problem, ProviderError, RateLimited, TaskRefused

from limner_bedrock.connections import CallAborted
from limner_bedrock.errors import parse_error, row_of

_MAX_TEXT = 300

_SECRETS = re.compile(
    r"""(?ix)
    \b(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{12,}              # access keys
    | \b(?:authorization|x-amz-security-token|signature|credential)\b ['"]? \s* [:=] \s* \S+
    | [A-Za-z0-9+/=_]{40,}                                 # secret keys, tokens, signatures, pictures
    """
)
_USER_OF_URL = re.compile(r"(?<=//)\S+(?=@)")
"""Everything before the last ``@``, because a password may contain ``@`` or ``/``."""


def translate(
    error: BaseException, *, model: str, attempts: int = 1, request_id: str | None = None, replacement: str = ""
) -> LimnerError | None:
    """Translate an error of AWS or botocore to limner's; return ``None`` if it is neither.

    Args:
        error: the error.
        model: the id that was called.
        attempts: how often the request was sent.
        request_id: used if the error has none.
        replacement: what to use instead of the model if AWS reports that it is retired.
    """
    if isinstance(error, CallAborted):
        return type(error.error)(error.error.message, model=model, request_ids=filter(None, [request_id]))
    row = row_of(error)
    if row is None:
        return None
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code, text, status = parse_error(response)
        request_id = response.get("ResponseMetadata", {}).get("RequestId") or request_id
        details = [part for part in (_safe(code), f"HTTP {status}" if status else "", _original(response)) if part]
    else:
        text, details = _message(error), [type(error).__name__]
    details += [f"{attempts} attempts"] if attempts > 1 else []
    advice = f"use {replacement}" if replacement and row.error is ModelRetired else row.advice
    message = f"{row.what}{': ' if text else ''}{_safe(text)} ({', '.join(details)}); {advice}"
    ids = () if request_id is None else (request_id,)
    if row.error is RateLimited:
        return RateLimited(message, model=model, request_ids=ids, retry_after=retry_after(error) or None)
    if issubclass(row.error, ProviderError):
        known = row.error(message, model=model, request_ids=ids)
        known.may_be_billed = known.may_be_billed and not row.retry
        return known
    return TaskRefused([Problem(row.parameter, "", message)], model)


def retry_after(error: BaseException) -> float:
    """Return the delay in seconds that Retry-After, a number or a date, asks for; 0 without it."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return 0.0
    value = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
        return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # not a date, or without a valid time zone
        return 0.0


def reveals_secrets(error: BaseException) -> bool:
    """Return whether an error, or one in its chain, has text that :func:`translate` would hide."""
    chain, seen = [error], set[int]()
    while chain:
        one = chain.pop()
        if type(one).__name__ == "ParamValidationError" or _USER_OF_URL.search(str(one)) or _SECRETS.search(str(one)):
            return True
        seen.add(id(one))
        chain += [other for other in (one.__cause__, one.__context__) if other is not None and id(other) not in seen]
    return False


def _original(response: dict[str, Any]) -> str:
    status = response.get("originalStatusCode")
    return f"the model's own status {status}" if isinstance(status, int) else ""


def _message(error: BaseException) -> str:
    if type(error).__name__ == "ParamValidationError":  # its report quotes values; name only the parameters
        return "wrong " + ", ".join(dict.fromkeys(re.findall(r"(?:for parameter |in input: \")([\w.]+)", str(error))))
    return str(error)


def _safe(text: str) -> str:
    """Shorten untrusted text to one line without anything that looks like a secret or a picture."""
    line = _USER_OF_URL.sub("***", " ".join(text.split()).rstrip(" .;"))
    line = _SECRETS.sub("[hidden]", line)
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 3]}..."
