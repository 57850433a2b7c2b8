"""From an answer or an error of httpcore to limner's own errors, with messages that are safe to show."""

from __future__ import annotations

import datetime
import email.utils
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping

import httpcore
import limner
import orjson

from limner_http.attempts import Failed
from limner_http.services import BY_STATUS, Said, Service, said_by_default

_MAX_TEXT = 300
_MAX_PAGE = 4000

_SECRETS = re.compile(
    r"""(?ix)
    \b(?:sk|pk|xai|hf|r8|gsk)[-_][A-Za-z0-9_*.-]{6,}         # keys with the usual beginnings, also where they are shortened
    | \bkey[-_](?=[a-z_.-]*[0-9*])[A-Za-z0-9_*.-]{6,}        # but no code such as key_invalid
    | \bAIza[A-Za-z0-9_-]{10,}
    | \bbearer \s+ [^\s"',;]+
    | \b(?:authorization|api[-_ ]?key|x-goog-api-key|token|signature|sig|password)\b ['"]? \s* [:=] \s* ['"]? [^\s"',;]+
    | (?<=\?) [^\s"'<>]*=[^\s"'<>]*                        # the query of a URL
    | [A-Za-z0-9+/=_-]{40,}                               # other keys, tokens, signatures, pictures
    """
)
_USER_OF_URL = re.compile(r"(?<=//)[^\s/]+(?=@)")
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def answer_failed(service: Service, status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> Failed:
    """Make an error of an answer that is one."""
    said = _said(service, body)
    row = next(row for row in (*service.failures, *BY_STATUS) if row.holds(said, status))
    asked = retry_after(headers)
    wait = said.wait if asked is None else asked
    text = safe(said.text, secrets)
    code = safe(said.codes[0], secrets) if said.codes else ""
    details = ", ".join(filter(None, [code, f"HTTP {status}" if status >= 300 else ""]))
    message = f"{row.what}{': ' if text else ''}{text}{f' ({details})' if details else ''}; {row.advice}"
    if issubclass(row.error, limner.RateLimited):
        error: limner.ProviderError = row.error(message, retry_after=wait)
    else:
        error = row.error(message)
    unmade = row.retry == "always" or (row.retry == "asked" and wait is not None)
    if headers.get("x-should-retry", "").lower() == "false":
        unmade = False
    return Failed(error, unmade, unmade or status >= 500, wait)


def connection_failed(service: Service, error: Exception, secrets: Iterable[str]) -> Failed:
    """Make an error of one of httpcore's."""
    text = safe(str(error), secrets)
    said = f": {text}" if text else ""
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
        if any(isinstance(cause, ssl.SSLError) for cause in _causes(error)):
            advice = "check base_url, this machine's clock and SSL_CERT_FILE"
            return Failed(limner.ProviderUnavailable(f"TLS failed{said}; {advice}"))
        failure = limner.ProviderUnavailable(f"{service.name} cannot be reached{said}; check the network and base_url")
        return Failed(failure, unmade=True, passing=True)
    if isinstance(error, httpcore.ProxyError):
        return Failed(limner.ProviderUnavailable(f"the proxy failed{said}; check proxy, HTTPS_PROXY and NO_PROXY"))
    if isinstance(error, httpcore.RemoteProtocolError) and "disconnected" not in str(error) and "closed" not in str(error):
        return Failed(limner.BadResponse(f"the answer is not HTTP{said}; check base_url; the call may have been billed"))
    if isinstance(error, httpcore.LocalProtocolError):
        return Failed(limner.ProviderError("the request is not valid HTTP; check headers and api_key"))
    advice = "try again; the call may have been billed"
    return Failed(limner.ProviderUnavailable(f"the connection was closed before the response was complete{said}; {advice}"),
                  passing=True)  # fmt: skip


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait: ``retry-after-ms``, or Retry-After in seconds or as a date."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _SECONDS.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    asked = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(asked):
        return float(asked)
    try:
        until = email.utils.parsedate_to_datetime(asked)
        until = until if until.tzinfo is not None else until.replace(tzinfo=datetime.UTC)
        return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def safe(text: str, secrets: Iterable[str] = (), length: int = _MAX_TEXT) -> str:
    """Bring a foreign text to one line of a sensible length, without anything that looks like a secret or a picture."""
    line = " ".join(text[: _MAX_PAGE * 4].split()).rstrip(" .;")
    for secret in secrets:
        line = line.replace(secret, "[hidden]")
    line = _SECRETS.sub("[hidden]", _USER_OF_URL.sub("[hidden]", line))
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= length else f"{line[: length - 3]}..."


def tells_secrets(error: BaseException, secrets: Iterable[str]) -> bool:
    """Tell whether an error, or what it came from, has words that :func:`safe` would hide."""
    known = tuple(secrets)
    return any("[hidden]" in safe(str(one), known) for one in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = set[int]()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def _said(service: Service, body: bytes) -> Said:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Said(text=_TAG.sub(" ", body[:_MAX_PAGE].decode("utf-8", "replace")))
    return (service.said or said_by_default)(content)
