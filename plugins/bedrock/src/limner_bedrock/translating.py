"""From an error of AWS or botocore to limner's own, with a message that is safe to show."""

from __future__ import annotations

import datetime
import email.utils
import re
from typing import Any

from limner import LimnerError, Problem, ProviderError, TaskRefused

from limner_bedrock.connections import GivenUp
from limner_bedrock.errors import row_of, said

_MAX_TEXT = 300

_SECRETS = re.compile(
    r"""(?ix)
    \b(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{12,}              # access keys
    | \b(?:authorization|x-amz-security-token|signature|credential)\b ['"]? \s* [:=] \s* \S+
    | [A-Za-z0-9+/=_]{40,}                                 # secret keys, tokens, signatures, pictures
    """
)
_USER_OF_URL = re.compile(r"(?<=//)\S+(?=@)")
"""All before the last ``@``: a password may have one, or a ``/``, itself."""


def translated(error: BaseException, *, model: str, attempts: int = 1, request_id: str | None = None) -> LimnerError | None:
    """Turn an error of AWS or botocore into limner's; ``None`` where it is neither.

    Args:
        error: what was raised.
        model: the id that was called.
        attempts: how often the call was sent.
        request_id: where the error itself has none.
    """
    if isinstance(error, GivenUp):
        return type(error.error)(error.error.message, model=model, request_ids=filter(None, [request_id]))
    row = row_of(error)
    if row is None:
        return None
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code, text, status = said(response)
        request_id = response.get("ResponseMetadata", {}).get("RequestId") or request_id
        details = [part for part in (_safe(code), f"HTTP {status}" if status else "", _original(response)) if part]
    else:
        text, details = _in_words(error), [type(error).__name__]
    details += [f"{attempts} attempts"] if attempts > 1 else []
    message = f"{row.what}{': ' if text else ''}{_safe(text)} ({', '.join(details)}); {row.advice}"
    if issubclass(row.error, ProviderError):
        return row.error(message, model=model, request_ids=() if request_id is None else (request_id,))
    return TaskRefused([Problem(row.parameter, "", message)], model)


def retry_after(error: BaseException) -> float:
    """Return the seconds that the answer asks to wait by Retry-After, as seconds or as a date; 0 where it does not."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return 0.0
    asked = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", asked, re.ASCII):
        return float(asked)
    try:
        until = email.utils.parsedate_to_datetime(asked)
        return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, one without a zone, or with one that is none
        return 0.0


def tells_secrets(error: BaseException) -> bool:
    """Tell whether an error, or what it came from, has words that :func:`translated` would hide."""
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


def _in_words(error: BaseException) -> str:
    if type(error).__name__ == "ParamValidationError":  # its report quotes values: the names are enough
        return "wrong " + ", ".join(dict.fromkeys(re.findall(r"(?:for parameter |in input: \")([\w.]+)", str(error))))
    return str(error)


def _safe(text: str) -> str:
    """Bring a foreign text to one line of a sensible length, without anything that looks like a secret or a picture."""
    line = _USER_OF_URL.sub("***", " ".join(text.split()).rstrip(" .;"))
    line = _SECRETS.sub("[hidden]", line)
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _MAX_TEXT else f"{line[: _MAX_TEXT - 3]}..."
