"""What ``send`` makes of a failure: the error that fits, with the provider's words and the request's id."""

from __future__ import annotations

import datetime
import email.utils
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from limner import (
    AccessDenied,
    AuthenticationFailed,
    BadResponse,
    ContentFiltered,
    LimnerError,
    Model,
    ModelRetired,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Request,
    RequestRejected,
    Response,
)
from limner.errors import shorten
from limner.testing import bodies
from limner.testing.conformance.calls import (
    AT_ONCE,
    first_request,
    good,
    headers_read,
    ids_of,
    is_id,
    model_at,
    reply_of,
    sent,
    told,
)
from limner.testing.kit import Conformance, Recorded, check, expect, skip
from limner.testing.loopback import REQUEST_ID, Reply, provider

ANY = (ProviderError,)
BY_STATUS: dict[int, tuple[type[ProviderError], ...]] = {
    400: (RequestRejected, ContentFiltered, BadResponse, AccessDenied),
    401: (AuthenticationFailed, AccessDenied),
    402: (AccessDenied, RateLimited, RequestRejected, AuthenticationFailed),
    403: (AccessDenied, AuthenticationFailed, ContentFiltered),
    404: (RequestRejected, ModelRetired, AccessDenied, ProviderUnavailable),
    409: ANY,
    410: ANY,
    413: ANY,
    418: ANY,
    422: (RequestRejected, ContentFiltered),
    429: (RateLimited,),
    451: ANY,
    500: (ProviderUnavailable,),
    502: (ProviderUnavailable, ProviderTimeout, BadResponse),
    503: (ProviderUnavailable, RateLimited),
    504: (ProviderUnavailable, ProviderTimeout, BadResponse),
    529: ANY,
}
"""The classes that a status may become where the body says nothing that is documented."""

_LONGEST_MESSAGE = 2_000


def _failure(conformance: Conformance, reply: Reply, request: Request) -> Response | LimnerError:
    """What send makes of an answer that is an error; over the endpoint, or the failing transport."""
    reply = attrs.evolve(reply, headers={**AT_ONCE, **reply.headers})
    if conformance.endpoint is not None:
        with provider(reply) as there:
            return sent(model_at(conformance, there.url), request)
    if conformance.failing is None:
        skip("endpoint", "a function that makes the model call a URL (or failing, of a status and a body)")
    headers = [dict(reply.headers)] if _carries_headers(conformance) else []
    over = conformance.failing(reply.status, reply.body, *headers)
    return sent(over if isinstance(over, Model) else conformance.connected(over), request)


@check
def test_send_names_each_failure(conformance: Conformance) -> None:
    """An HTTP error becomes the error for its status, or for its body by the documents; never a response."""
    task, request = first_request(conformance)
    for recorded in conformance.recorded:
        if recorded.is_http_error:
            _expect_recorded(conformance, recorded, request)
            _expect_same_error(conformance, recorded, request)
    known = {recorded.status for recorded in conformance.recorded if recorded.is_http_error}
    for status, allowed in BY_STATUS.items():
        bodies_of = [b"<html>no</html>", b'{"error": {"message": "of no documented kind"}}', b""]
        for body in bodies_of[: 2 if status in known else 1 if allowed is ANY else 3]:
            met = _failure(conformance, Reply(body, status), request)
            names = " or ".join(kind.__name__ for kind in allowed)
            expect(isinstance(met, allowed), f"HTTP {status} {body!r} became {told(met)}, must be {names}", task)


def _carries_headers(conformance: Conformance) -> bool:
    """Whether an HTTP error reaches the model with its headers: a ``failing`` of two arguments knows none."""
    if conformance.endpoint is not None or conformance.failing is None:
        return conformance.endpoint is not None
    try:
        inspect.signature(conformance.failing).bind(400, b"", {})
    except TypeError:
        return False
    return True


def _expect_recorded(conformance: Conformance, recorded: Recorded, request: Request) -> None:
    met = _failure(conformance, reply_of(recorded), request)
    wanted = recorded.error or ProviderError
    expect(isinstance(met, wanted), f"{recorded} became {told(met)}, must be {wanted.__name__}")
    said = _words_of(recorded.body)
    if said and isinstance(met, ProviderError):
        fine = _one_line(said)[:40].rstrip(".!") in _one_line(str(met))
        expect(fine, f"{recorded}: the provider says {said!r}, and the error does not: {met}")
        lost = [words for words in _listed_words(recorded.body) if words[:40].rstrip(".!") not in _one_line(str(met))]
        expect(not lost, f"{recorded}: of what the provider lists the error does not say {lost[:1]}: {met}")
    after = next((value for name, value in recorded.headers.items() if name.lower() == "retry-after"), "")
    if after.isdigit() and _carries_headers(conformance) and isinstance(met, RateLimited):
        expect(met.retry_after == float(after), f"{recorded}: the error has retry_after={met.retry_after}, not {after}")
    if isinstance(met, RateLimited):
        _expect_seconds(recorded, met)
    if recorded.error is not None and issubclass(recorded.error, RateLimited) and conformance.endpoint is not None:
        with provider(reply_of(recorded)) as there:  # which says how long to wait in the body alone
            late = sent(model_at(conformance, there.url).with_settings(timeout=_SHORT), request)
        if isinstance(late, RateLimited):
            _expect_seconds(recorded, late)
    ids = [value for name, value in recorded.headers.items() if is_id(name)]
    if ids and _carries_headers(conformance) and isinstance(met, ProviderError):
        expect(set(ids) & set(met.request_ids), f"{recorded}: the request id {ids[0]!r} is not in {met.request_ids}")


_WAIT = re.compile("retry|wait|reset", re.IGNORECASE)
_MILLISECONDS = re.compile(r"_ms$|Ms$|millis", re.ASCII)


def _expect_seconds(recorded: Recorded, met: RateLimited) -> None:
    """Hold that how long to wait, where the body says it in milliseconds, is told in seconds."""
    for path, leaf in bodies.leaves(bodies.parsed(recorded.body)).items():
        name = str(path[-1]) if path else ""
        if isinstance(leaf, int | float) and leaf and _WAIT.search(name):
            wrong = leaf if _MILLISECONDS.search(name) else leaf / 1000
            seen = f"{recorded}: {name} is {leaf}, and the error has retry_after={met.retry_after}"
            expect(met.retry_after != wrong, f"{seen}, which is in seconds")


def _expect_same_error(conformance: Conformance, recorded: Recorded, request: Request) -> None:
    """Hold that an error is the same when its JSON is written in another order, or with other blanks."""
    tree = bodies.parsed(recorded.body)
    if not bodies.is_json(recorded.body) or not isinstance(tree, dict) or recorded.error is None:
        return
    several = list(bodies.written_otherwise(tree))
    for how, body in several[-1:] if recorded.status in conformance.retryable else several:  # of which each may take seconds
        met = _failure(conformance, Reply(body, recorded.status, recorded.headers), request)
        fine = isinstance(met, recorded.error)
        expect(fine, f"{recorded}, {how}, became {told(met)}, must be {recorded.error.__name__}")


_RETRY_AFTER: dict[str, tuple[float, float]] = {
    "7": (7, 7),
    "120": (120, 120),
    "0": (0, 0),
    "1.5": (1, 2),
    "-3": (0, 0),
    "soon": (0, 0),
    "inf": (0, 0),
    "1e400": (0, 0),
}
"""What may be read of a header retry-after, from and to; nothing may be read of any."""


@check
def test_retry_after_is_in_seconds(conformance: Conformance) -> None:
    """The header retry-after becomes retry_after in seconds, or is ignored; so is a value that is none."""
    _, request = first_request(conformance)
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
    read: dict[str, float | None] = {}
    dates = {
        _date(soon): (0, 3),
        _date(soon - datetime.timedelta(hours=1)): (0, 0),
        _date(soon + datetime.timedelta(days=2)): (2 * _DAY - 10, 2 * _DAY + 3),
    }
    for value, (least, most) in {**_RETRY_AFTER, **dates}.items():
        reply = Reply(b'{"error": {"message": "too many requests"}}', 429, {"retry-after": value})
        with provider(reply) as there:
            met = sent(model_at(conformance, there.url).with_settings(timeout=_SHORT), request)
        after = met.retry_after if isinstance(met, RateLimited) else None
        expect(after is None or least <= after <= most, f"retry-after: {value} becomes retry_after={after}")
        read[value] = after
    expect(read["7"] is None or read["120"] is not None, "retry-after: 7 becomes retry_after=7, and 120 is ignored")


_DAY = 86_400  # seconds


def _date(moment: datetime.datetime) -> str:
    return email.utils.format_datetime(moment, usegmt=True)


_SHORT = 1.0  # seconds, in which a plugin that waits gives up


def _words_of(body: bytes) -> str:
    """The message of an error: the longest text with blanks in it."""
    texts = [leaf for leaf in bodies.leaves(bodies.parsed(body)).values() if isinstance(leaf, str) and " " in leaf.strip()]
    return max(texts, key=len, default="") if bodies.is_json(body) else ""


_MOST_LISTED = 3


def _listed_words(body: bytes) -> list[str]:
    """The messages of an error that lists a few."""
    tree = bodies.parsed(body) if bodies.is_json(body) else None
    for _, node in bodies.nodes(tree):
        if isinstance(node, list) and 1 < len(node) <= _MOST_LISTED:
            texts = [leaf for one in node for leaf in bodies.leaves(one).values() if isinstance(leaf, str)]
            return [_one_line(text) for text in texts if len(text.split()) > 2]
    return []


def _one_line(text: str) -> str:
    return " ".join(text.split())


_ODD_BODIES: tuple[bytes, ...] = (
    *(b"", b"null", b"[]", b"[1]", b'"text"', b"17", b"{", b"\xff\xfe\x00", b'{"error": null}', b'{"error": "text"}'),
    *(b'{"error": {"message": null}}', b'{"error": {"message": 7, "code": []}}', b'{"error": [{"message": "x"}]}'),
    *(b'{"message": {"a": 1}}', b'{"detail": [{"loc": ["body"], "msg": "field required"}]}', b"[" * 50_000),
    json.dumps({"error": {"message": "word " * 100_000}}).encode(),
)


@check
def test_send_reads_odd_failures(conformance: Conformance) -> None:
    """Whatever the body of an HTTP error is, it becomes a ProviderError with a message of reasonable length."""
    task, request = first_request(conformance)
    for status in (400, 500):
        for body in _ODD_BODIES:
            met = _failure(conformance, Reply(body, status), request)
            seen = f"HTTP {status} with the body {shorten(body)} became {shorten(told(met), 200)}"
            expect(isinstance(met, ProviderError), f"{seen}, must be a ProviderError", task)
            expect(len(str(met)) < _LONGEST_MESSAGE, f"{seen}: an error's message must be of a sensible length", task)
            if status == 500:
                break
    for status, body in _spoilt_failures(conformance):
        met = _failure(conformance, Reply(body, status), request)
        seen = f"HTTP {status} with the body {shorten(body)} became {shorten(told(met), 200)}"
        expect(isinstance(met, ProviderError), f"{seen}, must be a ProviderError", task)
        expect(len(str(met)) < _LONGEST_MESSAGE, f"{seen}: an error's message must be of a sensible length", task)


@check
def test_send_reads_odd_headers(conformance: Conformance) -> None:
    """Whatever the headers of an answer are, send gives a Response or a ProviderError; numbers keep their decimals."""
    task, request = first_request(conformance)
    for odd in _ODD_HEADERS:
        headers = dict.fromkeys(headers_read(conformance), odd)
        with provider(lambda call, headers=headers: _with_headers(good(conformance, call, request), headers)) as there:  # type: ignore[misc]
            met = sent(model_at(conformance, there.url), request)
        fine = isinstance(met, Response | ProviderError)
        expect(
            fine, f"with {odd!r} in its headers an answer became {shorten(told(met), 200)}, must be a ProviderError", task
        )
    whole, part = (_usage_with(conformance, request, str(number)) for number in (_SOME, _SOME + 0.5))
    for name, value in whole.items():
        fine = value != _SOME or part.get(name, _SOME + 0.5) == _SOME + 0.5
        expect(fine, f"a header says {_SOME + 0.5}, and the usage is {name}={part.get(name)}", task)


_SOME = 7919  # which no other number is by chance
_ODD_HEADERS = ("unlimited", "nan", "9" * 400, "9" * 5000, "²", "-1")


def _usage_with(conformance: Conformance, request: Request, number: str) -> Mapping[str, float]:
    """The usage that send reads where each header says a number."""
    headers = dict.fromkeys(headers_read(conformance), number)
    with provider(lambda call: _with_headers(good(conformance, call, request), headers)) as there:
        met = sent(model_at(conformance, there.url), request)
    return met.usage if isinstance(met, Response) else {}


def _with_headers(reply: Reply, headers: Mapping[str, str]) -> Reply:
    return attrs.evolve(reply, headers={**reply.headers, **headers})


_SPOILT: tuple[Any, ...] = ("word " * 100_000, None, 7, [{}])
_MOST_SPOILT = 4  # stored failures, of which each is spoilt at each leaf


def _spoilt_failures(conformance: Conformance) -> Iterator[tuple[int, bytes]]:
    """The provider's own failures with something else at one place: a plugin reads these further than any other."""
    trees = [bodies.parsed(one.body) for one in conformance.recorded if one.is_http_error and bodies.is_json(one.body)]
    kinds = {tuple(bodies.leaves(tree)): tree for tree in trees}
    for tree in [*kinds.values()][:_MOST_SPOILT]:
        for path in bodies.leaves(tree) if isinstance(tree, dict) else ():
            for value in _SPOILT:
                yield 400, json.dumps(bodies.replaced(tree, path, value)).encode()


@check
def test_send_tells_the_request_id(conformance: Conformance) -> None:
    """If successful responses have a request id, errors have one, and the other way round."""
    task, request = first_request(conformance)
    with provider(lambda call: good(conformance, call, request)) as there:
        answered = sent(model_at(conformance, there.url), request)
    having_id: dict[str, bool] = {}
    if isinstance(answered, Response):
        own_id = REQUEST_ID if conformance.service is None else answered.request_id  # or that of a job
        having_id["a good answer"] = bool(own_id) and answered.request_id == own_id
        expect(answered.request_id is None or answered.request_id, "the request id of a good answer is an empty text", task)
    for status in (400, 429, 500):
        for body in (b'{"error": {"message": "no"}}', b"<html>no</html>", b""):
            met = _failure(conformance, Reply(body, status, ids_of(conformance)), request)
            if isinstance(met, ProviderError):
                having_id[f"HTTP {status} {body!r}"] = REQUEST_ID in met.request_ids
    missing = [what for what, fine in having_id.items() if not fine]
    having = [what for what, fine in having_id.items() if fine]
    expect(
        not missing or not having, f"the request id is told of {', '.join(having)}, but not of {', '.join(missing)}", task
    )
