"""What ``send`` does on the wire: once, with its own settings, in time, and every failure as the error that fits."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import inspect
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from unittest import mock
from urllib.parse import unquote

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
    Task,
    TaskRefused,
    workers,
)
from limner.errors import shorten
from limner.testing import bodies
from limner.testing.kit import Conformance, ContractBroken, Recorded, check, expect, skip
from limner.testing.loopback import ID_HEADERS, REQUEST_ID, Call, Loopback, Reply, nowhere, provider
from limner.testing.probes import starts
from limner.testing.purity import side_by_side
from limner.workers import Cancellation

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

_PATIENCE = 10.0  # seconds: far more than a timeout of a half
_TIMEOUT = 0.5
_REFUSALS = (400, 401, 402, 403, 404, 409, 413, 422, 451)
"""What is refused is refused the second time too."""

AT_ONCE = {"retry-after": "0"}
"""So that a plugin that may try again does not wait."""

_FAULTS = (500, 502, 504)
"""After these the picture may have been made, and billed, unless the provider documents otherwise."""

_MOST_ATTEMPTS = 10
_LARGE = 3_000_000  # bytes, as a picture has
_LONGEST_MESSAGE = 2_000


def some_requests(conformance: Conformance) -> Iterator[tuple[Task, Request]]:
    """A small request of each kind, with its task."""
    for kind in conformance.tasks:
        for start in starts(conformance.model, kind):
            yield start, conformance.model.plan(start).requests[0]


def first_request(conformance: Conformance) -> tuple[Task, Request]:
    """The first of them."""
    return next(some_requests(conformance))


def model_at(conformance: Conformance, url: str) -> Model:
    """The model, calling a URL."""
    if conformance.endpoint is None:
        skip("endpoint", "a function that makes the model call a URL in place of the provider's")
    model = conformance.endpoint(url)
    expect(isinstance(model, Model), f"Conformance(endpoint=...) returned {model!r} instead of the model")
    return model


def sent(model: Model, request: Request) -> Response | LimnerError:
    """Send a request; its answer, or the error of limner's tree that it raised."""
    try:
        response: Any = model.send(request)
    except LimnerError as error:
        return error
    except Exception as error:
        raise ContractBroken(f"send raised {error!r}, must be a ProviderError with this as its cause") from error
    fine = isinstance(response, Response) and isinstance(response.body, bytes)
    expect(fine, f"send returned {shorten(response)} instead of Response(bytes)")
    return response  # type: ignore[no-any-return]


def good(conformance: Conformance, call: Call, request: Request) -> Reply:
    """What the provider answers when all goes well; anything, where nobody says."""
    if conformance.service is not None:
        reply = conformance.service(call)
        others = {name: value for name, value in reply.headers.items() if not _is_id(name)}
        return attrs.evolve(reply, headers=_ids(conformance) | others)
    if conformance.answer is None:
        return Reply()
    with contextlib.suppress(Exception):
        return Reply(conformance.answer(attrs.evolve(request, body=call.body)).body, headers=_ids(conformance))
    with contextlib.suppress(Exception):
        return Reply(conformance.answer(request).body, headers=_ids(conformance))
    return Reply(headers=_ids(conformance))


@check
def test_send_calls_once(conformance: Conformance) -> None:
    """One request is one call: nothing is repeated that was refused, carried out or possibly billed."""
    for task, request in some_requests(conformance):
        with provider(lambda call, request=request: good(conformance, call, request)) as there:  # type: ignore[misc]
            met = sent(model_at(conformance, there.url), request)
            expect(there.calls, f"send did not call the endpoint, and returned or raised {met!r}", task)
            expect(not there.made_twice(), f"one send made the same call twice: {_shown(there)}", task)
            again = [
                path
                for path, times in Counter(call.path for call in there.calls if call.method == "POST").items()
                if times > 1
            ]
            expect(not again, f"one send posts more than once to {', '.join(again)}", task)
            whole = [call.path for call in there.calls if call.method == "POST" and _same_body(call, request)]
            expect(len(whole) < 2, f"one send posts the whole request to each of {', '.join(whole)}", task)
            attempts = met.attempts if isinstance(met, Response) else 1
            expect(attempts == 1, f"the response has attempts={attempts} after one call", task)
    task, request = first_request(conformance)
    once = [status for status in (*_REFUSALS, *_FAULTS) if status not in conformance.retryable]
    replies = [Reply(b'{"error": {"message": "no"}}', status, headers) for status in once for headers in ({}, AT_ONCE)]
    replies += [Reply(b'{"none": "of what is documented"}'), Reply(b"not even JSON"), Reply(b"")]
    for reply in replies:
        with provider(reply) as there:
            met = sent(model_at(conformance, there.url), request)
            seen = f"HTTP {reply.status} {reply.body!r} makes send call again: {_shown(there)}"
            times = sum(call.method == "POST" and _same_body(call, request) for call in there.calls)
            expect(not there.made_twice() and times < 2, seen, task)
    for status in (301, 302, 307, 308):
        with provider(lambda call: good(conformance, call, request)) as elsewhere:
            with provider(Reply(b"{}", status, {"location": f"{elsewhere.url}/elsewhere"})) as there:
                sent(model_at(conformance, there.url), request)
            posted = [call for call in elsewhere.calls if call.method == "POST"]
            expect(not posted, f"HTTP {status} makes send post the request to an address that nobody configured", task)
    with provider(Reply(dropped=True)) as there:
        sent(model_at(conformance, there.url), request)
        expect(
            not there.made_twice(),
            "a connection that breaks before the answer makes send call again; it may be billed",
            task,
        )
    for status in (429, 503):
        with provider(Reply(b'{"error": {"message": "busy"}}', status, AT_ONCE)) as there:
            sent(model_at(conformance, there.url), request)
            fine = len(there.calls) <= _MOST_ATTEMPTS
            expect(fine, f"HTTP {status} makes send call {len(there.calls)} times; give up after a few", task)
    _expect_attempts(conformance, task, request)
    _expect_no_attempt_after_giving_up(conformance, task, request)
    for recorded in conformance.recorded:
        if recorded.error is ContentFiltered or (recorded.error is None and set(recorded.outcomes) != {"ok"}):
            with provider(_reply_of(recorded)) as there:
                sent(model_at(conformance, there.url), request)
                expect(not there.made_twice(), f"{recorded}, which may be billed, makes send call again", task)


def _expect_attempts(conformance: Conformance, task: Task, request: Request) -> None:
    """Where send repeats what was asked too soon, its response says how often."""
    busy = [Reply(status=429, body=b'{"error": {"message": "busy"}}', headers={"retry-after": "0"})]
    with provider(lambda call: busy.pop() if busy else good(conformance, call, request)) as there:
        met = sent(model_at(conformance, there.url), request)
        first = [call for call in there.calls if call.identity == there.calls[0].identity]
    fine = not isinstance(met, Response) or len(first) < 2 or met.attempts == len(first)
    expect(fine, f"send called {len(first)} times, and the response has attempts={getattr(met, 'attempts', 1)}", task)


def _expect_no_attempt_after_giving_up(conformance: Conformance, task: Task, request: Request) -> None:
    """Where send would try again, it does not once its caller has given up: nobody wants the picture that it would pay."""
    cancelled = Cancellation()

    def busy(_: Call) -> Reply:
        cancelled.set()
        return Reply(b'{"error": {"message": "busy"}}', 429, {"retry-after": "1"})

    with provider(busy) as there, mock.patch.object(workers, "current_cancellation", return_value=cancelled):
        sent(model_at(conformance, there.url), request)
    times = sum(_same_body(call, request) for call in there.calls)
    expect(times < 2, "after its caller has given up, send tries again what was refused with HTTP 429", task)


def _shown(there: Loopback) -> str:
    return "; ".join(shorten(identity, 120) for identity in there.made_twice())


def _reply_of(recorded: Recorded) -> Reply:
    return Reply(recorded.body, recorded.status, recorded.headers)


@check
def test_send_posts_the_request(conformance: Conformance) -> None:
    """The request that plan shows is sent unchanged, and each response belongs to its own request."""
    found = list(some_requests(conformance))
    verbatim: list[bool] = []
    for task, request in found:
        with provider(lambda call, request=request: good(conformance, call, request)) as there:  # type: ignore[misc]
            sent(model_at(conformance, there.url), request)
            verbatim.append(any(_same_body(call, request) for call in there.calls))
            for call in there.calls:
                if call.body == request.body:
                    _expect_envelope(call, request, task)
    for (task, _), same in zip(found, verbatim, strict=True):
        expect(same or not any(verbatim), "send posts another body than the request's", task)
    _expect_own_answers(conformance, found[0][1])
    _expect_nothing_kept(conformance, found[0][1])


def _expect_envelope(call: Call, request: Request, task: Task) -> None:
    """Hold that what the request says beside its body is sent too: media type, path and headers."""
    told, wanted = _media_type(call.headers.get("content-type", "")), _media_type(request.content_type)
    shown = "the request has content_type"
    silent = wanted == _media_type("application/json") and not bodies.is_json(request.body)  # send knows it alone
    fine = silent or told == wanted
    expect(fine, f"{shown}={request.content_type!r}, sent was {call.headers.get('content-type')!r}", task)
    path = unquote(request.path).strip("/")
    expect(path in unquote(call.path), f"the request has path={request.path!r}, and send posts to {call.path!r}", task)
    for name, value in request.headers.items():
        there = call.headers.get(name.lower())
        expect(there == value, f"the request has the header {name}: {value!r}, sent was {there!r}", task)


def _media_type(header: str) -> tuple[str, Any]:
    read = EmailMessage()
    read["content-type"] = header
    return read.get_content_type(), read.get_boundary()


def _same_body(call: Call, request: Request) -> bool:
    if call.body == request.body:
        return True
    one, other = bodies.parsed(call.body), bodies.parsed(request.body)
    return isinstance(one, dict | list) and bodies.plain(one) == bodies.plain(other)


def _expect_own_answers(conformance: Conformance, request: Request) -> None:
    """Send several at once: an answer that came to another request would be another's picture."""
    with provider(lambda call: Reply(b'{"to": "%d"}' % len(call.body))) as there:
        model = model_at(conformance, there.url)
        if not isinstance(first := sent(model, request), Response) or b'"to"' not in first.body:
            return
        several = [attrs.evolve(request, body=request.body + b" " * blanks) for blanks in range(6)]
        answers = side_by_side(lambda one: sent(model, one), several)
    with provider(Reply(large := b'{"to": "%b"}' % (b"x" * _LARGE))) as there:
        whole = sent(model_at(conformance, there.url), request)
    fine = not isinstance(whole, Response) or whole.body == large
    expect(fine, f"of an answer of {len(large):,} bytes send gave other bytes: {whole!r}")
    _expect_own_headers(conformance, several)
    for one, answer in zip(several, answers, strict=True):
        fine = isinstance(answer, Response) and answer.body == b'{"to": "%d"}' % len(one.body)
        expect(
            fine, "of several sends at once one gave another's answer: send runs in several threads, keep nothing in self"
        )


def _expect_nothing_kept(conformance: Conformance, request: Request) -> None:
    """Hold that no call leaves something in the model: another call, in another thread, would find it there."""
    with provider(lambda call: good(conformance, call, request)) as there:
        model = model_at(conformance, there.url)
        kept: list[str] = []

        def noted(itself: Model, name: str, value: Any) -> None:
            kept.append(name)
            object.__setattr__(itself, name, value)

        kind = type(model)
        model.__class__ = type(kind.__name__, (kind,), {"__setattr__": noted, "__module__": kind.__module__})
        sent(model, request)
        kept.clear()  # a client that is made once may stay
        sent(model, request)
    expect(not kept, f"each send sets self.{', self.'.join(kept)}: send runs in several threads, keep nothing of a call")


def _expect_own_headers(conformance: Conformance, several: list[Request]) -> None:
    """Send with two media types in turn: a header of one request that is kept goes with another."""
    kinds = [attrs.evolve(one, headers={**one.headers, "x-number": str(at)}) for at, one in enumerate(several * 3)]
    with provider(lambda call: Reply(b'{"to": "%d"}' % len(call.body))) as there:
        model = model_at(conformance, there.url)
        side_by_side(lambda one: sent(model, one), kinds)
        sizes = {str(at): len(one.body) for at, one in enumerate(kinds)}
        wrong = [
            call for call in there.calls if sizes.get(call.headers.get("x-number", ""), len(call.body)) != len(call.body)
        ]
    expect(not wrong, "of several sends at once one had the headers of another: send runs in several threads")


@check
def test_send_uses_its_own_settings(conformance: Conformance) -> None:
    """A model uses its own settings, regardless of models that were created before or after it."""
    _, request = first_request(conformance)
    with provider(Reply()) as here, provider(Reply()) as there:
        one, other = model_at(conformance, here.url), model_at(conformance, there.url)
        for model, called in ((one, here), (other, there), (one, here), (other.with_settings(fit="nearest"), there)):
            before = len(called.calls), len(here.calls) + len(there.calls)
            sent(model, request)
            after = len(called.calls), len(here.calls) + len(there.calls)
            seen = f"a model whose endpoint is {called.url} called the endpoint of another model"
            expect(after[0] > before[0] and after[1] - before[1] == after[0] - before[0], seen)
    _expect_no_setting_of_another(conformance, request)


_OF_ANOTHER = "of-another-model-4v7"


def _expect_no_setting_of_another(conformance: Conformance, request: Request) -> None:
    """Hold that a model does not send a text that another model for the same address was given."""
    with provider(lambda call: good(conformance, call, request)) as there:
        plain = model_at(conformance, there.url)
        for field in attrs.fields(type(plain.settings)):
            value = getattr(plain.settings, field.name)
            if not isinstance(value, str | None) or there.url in str(value):
                continue
            with contextlib.suppress(TaskRefused, TypeError):
                sent(plain.with_settings(**{field.name: _OF_ANOTHER}), request)
            there.calls.clear()
            sent(plain, request)
            told = any(_OF_ANOTHER in f"{call.path} {call.headers!r}" for call in there.calls)
            expect(not told, f"a model sends the setting {field.name} of another model that called the same address")


@check
def test_send_keeps_the_timeout(conformance: Conformance) -> None:
    """If no response arrives within the setting timeout, ProviderTimeout is raised soon, without a second call."""
    task, request = first_request(conformance)
    with provider(Reply(silent=True)) as there:
        model = model_at(conformance, there.url).with_settings(timeout=_TIMEOUT)
        started = time.monotonic()
        met = sent(model, request)
        seconds = time.monotonic() - started
        expect(isinstance(met, ProviderTimeout), f"no answer came within timeout={_TIMEOUT}, and send gave {met!r}", task)
        expect(seconds < _PATIENCE, f"with timeout={_TIMEOUT} send waited {seconds:.0f} s", task)
        expect(not there.made_twice(), "after a timeout, when the call may have been billed, send called again", task)
        _expect_maybe_billed(met, "a timeout", task)
    met = sent(model_at(conformance, nowhere()), request)
    expect(isinstance(met, ProviderUnavailable), f"nobody is at the endpoint, and send gave {met!r}", task)
    with provider(Reply(dropped=True)) as there:
        _expect_maybe_billed(sent(model_at(conformance, there.url), request), "a connection that broke", task)
    _expect_timeout_of_each_model(conformance, task, request)
    with provider(Reply(b'{"error": {"message": "busy"}}', 429, {"retry-after": "30"})) as there:
        started = time.monotonic()
        sent(model_at(conformance, there.url).with_settings(timeout=_TIMEOUT), request)
        seconds = time.monotonic() - started
    expect(seconds < _PATIENCE, f"with timeout={_TIMEOUT} and Retry-After: 30 send waited {seconds:.0f} s", task)


def _expect_maybe_billed(met: Response | LimnerError, after: str, task: Task) -> None:
    fine = not isinstance(met, LimnerError) or met.may_be_billed
    expect(fine, f"after {after}, the error says may_be_billed=False: the request may have been carried out", task)


def _expect_timeout_of_each_model(conformance: Conformance, task: Task, request: Request) -> None:
    """Hold that a model has its own timeout although another has called the same address; a trickle does not prolong it."""
    silent = False
    with provider(lambda call: Reply(silent=True) if silent else good(conformance, call, request)) as there:
        sent(model_at(conformance, there.url), request)
        silent = True
        hasty = model_at(conformance, there.url).with_settings(timeout=_TIMEOUT)
        started = time.monotonic()
        sent(hasty, request)
        seconds = time.monotonic() - started
        expect(seconds < _PATIENCE, f"with timeout={_TIMEOUT} send waited {seconds:.0f} s, as an earlier model would", task)
    with provider(Reply(b"{" + b" " * 60 + b"}", pause=_TIMEOUT / 5)) as there:
        met = sent(model_at(conformance, there.url).with_settings(timeout=_TIMEOUT), request)
    seen = f"with timeout={_TIMEOUT}, and an answer that comes byte by byte for many times as long, send gave {told(met)}"
    expect(isinstance(met, ProviderTimeout), f"{seen}: the timeout is for the whole answer", task)


# ---------------------------------------------------------------------------------------------- errors


def _failure(conformance: Conformance, reply: Reply, request: Request) -> Response | LimnerError:
    """What send makes of an answer that is an error; over the endpoint, or the failing transport."""
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
            met = _failure(conformance, Reply(body, status, AT_ONCE), request)
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


_ID_NAME = re.compile(r"(^|-)(id|ids|requestid|request|trace|traceid|correlation|ray)(-|$)", re.IGNORECASE)


def _is_id(header: str) -> bool:
    return header.lower() in ID_HEADERS or _ID_NAME.search(header) is not None


def _ids(conformance: Conformance) -> dict[str, str]:
    """The headers by which the provider tells a request's id, as its stored answers have them."""
    names = [name for recorded in conformance.recorded for name in recorded.headers if _is_id(name)]
    return dict.fromkeys([*ID_HEADERS, *names], REQUEST_ID)


def told(met: Response | LimnerError) -> str:
    """Say what send gave."""
    return f"{type(met).__name__}: {met}" if isinstance(met, LimnerError) else f"an answer, {met!r}"


def _expect_recorded(conformance: Conformance, recorded: Recorded, request: Request) -> None:
    met = _failure(conformance, _reply_of(recorded), request)
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
    ids = [value for name, value in recorded.headers.items() if _is_id(name)]
    if ids and _carries_headers(conformance) and isinstance(met, ProviderError):
        expect(set(ids) & set(met.request_ids), f"{recorded}: the request id {ids[0]!r} is not in {met.request_ids}")


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


_RETRY_AFTER: dict[str, tuple[float, float]] = {"7": (7, 7), "0": (0, 0), "1.5": (1, 2), "-3": (0, 0), "soon": (0, 0)}
"""What may be read of a header retry-after, from and to; nothing may be read of any."""


@check
def test_retry_after_is_in_seconds(conformance: Conformance) -> None:
    """The header retry-after becomes retry_after in seconds, or is ignored; so is a value that is none."""
    _, request = first_request(conformance)
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
    for value, (least, most) in {**_RETRY_AFTER, email.utils.format_datetime(soon, usegmt=True): (0, 3)}.items():
        reply = Reply(b'{"error": {"message": "too many requests"}}', 429, {"retry-after": value})
        with provider(reply) as there:
            met = sent(model_at(conformance, there.url).with_settings(timeout=_SHORT), request)
        after = met.retry_after if isinstance(met, RateLimited) else None
        expect(after is None or least <= after <= most, f"retry-after: {value} becomes retry_after={after}")


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
        met = _failure(conformance, Reply(b'{"error": {"message": "no"}}', status, _ids(conformance) | AT_ONCE), request)
        if isinstance(met, ProviderError):
            having_id[f"HTTP {status}"] = REQUEST_ID in met.request_ids
    missing = [what for what, fine in having_id.items() if not fine]
    having = [what for what, fine in having_id.items() if fine]
    expect(
        not missing or not having, f"the request id is told of {', '.join(having)}, but not of {', '.join(missing)}", task
    )
