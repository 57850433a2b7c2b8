"""What ``send`` does on the wire: it calls once, with its own settings, and in time."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from email.message import EmailMessage
from typing import Any
from unittest import mock
from urllib.parse import unquote

import attrs
import pytest

from limner import (
    ContentFiltered,
    LimnerError,
    Model,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    Request,
    Response,
    Task,
    TaskRefused,
    workers,
)
from limner.errors import shorten
from limner.testing import bodies
from limner.testing.conformance.calls import (
    AT_ONCE,
    first_request,
    good,
    model_at,
    reply_of,
    same_body,
    sent,
    some_requests,
    told,
)
from limner.testing.conformance.interface import ids_by_pattern, versions_of
from limner.testing.conformance.settings import accepted_text, text_settings
from limner.testing.kit import Conformance, check, expect
from limner.testing.loopback import Call, Loopback, Reply, nowhere, provider
from limner.testing.probes import changed, plan_or_none
from limner.testing.purity import side_by_side
from limner.workers import Cancellation

_PATIENCE = 10.0  # seconds: far more than a timeout of a half
_TIMEOUT = 0.5
_TIMEOUT_OF_ALL = 2.0  # long enough for a busy machine, too
_PAUSE = 0.1  # between the bytes of an answer that trickles
_REFUSALS = (400, 401, 402, 403, 404, 409, 413, 422, 451)
"""What is refused is refused the second time too."""


_FAULTS = (500, 502, 504)
"""After these the picture may have been made, and billed, unless the provider documents otherwise."""

_MOST_ATTEMPTS = 10
_LARGE = 3_000_000  # bytes, as a picture has


@check
def test_send_calls_once(conformance: Conformance) -> None:
    """One request is one call: nothing is repeated that was refused, carried out or possibly billed."""
    for task, request in some_requests(conformance):
        _expect_one_call(conformance, task, request)
    task, request = first_request(conformance)
    _expect_no_other_call(conformance, task, request)
    _expect_no_redirected_post(conformance, task, request)
    _expect_no_call_for_another(conformance, task)
    _expect_few_attempts(conformance, task, request)
    _expect_attempts(conformance, task, request)
    _expect_no_attempt_after_giving_up(conformance, task, request)
    _expect_filtered_is_final(conformance, task, request)


def _expect_one_call(conformance: Conformance, task: Task, request: Request) -> None:
    """Call when all goes well."""
    with provider(lambda call: good(conformance, call, request)) as there:
        met = sent(model_at(conformance, there.url), request)
    expect(there.calls, f"send did not call the endpoint, and returned or raised {met!r}", task)
    expect(not there.made_twice(), f"one send made the same call twice: {_shown(there)}", task)
    posted = [call for call in there.calls if call.method == "POST"]
    again = [path for path, times in Counter(call.path for call in posted).items() if times > 1]
    expect(not again, f"one send posts more than once to {', '.join(again)}", task)
    whole = [call.path for call in posted if same_body(call, request)]
    expect(len(whole) < 2, f"one send posts the whole request to each of {', '.join(whole)}", task)
    attempts = met.attempts if isinstance(met, Response) else 1
    expect(attempts == 1, f"the response has attempts={attempts} after one call", task)


def _expect_no_other_call(conformance: Conformance, task: Task, request: Request) -> None:
    """Hold that no call follows what was refused, what may be billed, and an answer that cannot be read."""
    once = [status for status in (*_REFUSALS, *_FAULTS) if status not in conformance.retryable]
    replies = [Reply(b'{"error": {"message": "no"}}', status, headers) for status in once for headers in ({}, AT_ONCE)]
    replies += [Reply(b'{"none": "of what is documented"}'), Reply(b"not even JSON"), Reply(b"")]
    stored = [one for one in conformance.recorded if one.is_http_error and one.status not in conformance.retryable]
    replies += [attrs.evolve(reply_of(one), headers={**one.headers, **AT_ONCE}) for one in stored]
    for reply in replies:
        with provider(reply) as there:
            sent(model_at(conformance, there.url), request)
        times = sum(call.method == "POST" and same_body(call, request) for call in there.calls)
        seen = f"HTTP {reply.status} {reply.body!r} makes send call again: {_shown(there)}"
        expect(not there.made_twice() and times < 2, seen, task)
    for when, cut in {"before": False, "within": True}.items():
        first = Reply(dropped=not cut, cut=cut, body=b'{"error": {"message": "no"}}')
        with provider(first) as there:
            sent(model_at(conformance, there.url), request)
        seen = f"a connection that breaks {when} the answer makes send call again; it may be billed"
        expect(not there.made_twice(), seen, task)
    with provider(lambda call: attrs.evolve(good(conformance, call, request), cut=True)) as there:
        sent(model_at(conformance, there.url), request)
    expect(not there.made_twice(), "a good answer that breaks off makes send call again; it is billed", task)


def _expect_no_redirected_post(conformance: Conformance, task: Task, request: Request) -> None:
    for status in (301, 302, 307, 308):
        with provider(lambda call: good(conformance, call, request)) as elsewhere:
            with provider(Reply(b"{}", status, {"location": f"{elsewhere.url}/elsewhere"})) as there:
                sent(model_at(conformance, there.url), request)
            posted = [call for call in elsewhere.calls if call.method == "POST"]
            expect(not posted, f"HTTP {status} makes send post the request to an address that nobody configured", task)


def _expect_few_attempts(conformance: Conformance, task: Task, request: Request) -> None:
    for status in (429, 503):
        with provider(Reply(b'{"error": {"message": "busy"}}', status, AT_ONCE)) as there:
            sent(model_at(conformance, there.url), request)
        fine = len(there.calls) <= _MOST_ATTEMPTS
        expect(fine, f"HTTP {status} makes send call {len(there.calls)} times; give up after a few", task)


def _expect_filtered_is_final(conformance: Conformance, task: Task, request: Request) -> None:
    """Hold that a stored answer of which pictures are missing is not asked for again, nor a job that has failed."""
    for recorded in conformance.recorded:
        ended = recorded.error is ContentFiltered or recorded.service is not None
        if ended or (recorded.error is None and set(recorded.outcomes) != {"ok"}):
            with provider(recorded.service or reply_of(recorded)) as there:
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
    times = sum(same_body(call, request) for call in there.calls)
    expect(times < 2, "after its caller has given up, send tries again what was refused with HTTP 429", task)


def _expect_no_call_for_another(conformance: Conformance, task: Task) -> None:
    """Hold that what is refused with a setting, such as the project that is billed, is not sent again without it."""
    with provider(Reply()) as there:
        plain = model_at(conformance, there.url)
        unsaid = [name for name in text_settings(plain, but=there.url) if getattr(plain.settings, name) is None]
        given = {name: value for name in unsaid if (value := accepted_text(plain, name)) is not None}
    for name, value in given.items():
        for status in _NOT_ALLOWED:
            with provider(Reply(b'{"error": {"message": "no"}}', status)) as there:
                model = model_at(conformance, there.url).with_settings(**{name: value})
                request = model.plan(task).requests[0]
                sent(model, request)
            times = sum(call.method == "POST" and same_body(call, request) for call in there.calls)
            expect(times < 2, f"with the setting {name}, HTTP {status} makes send post the request again", task)


_NOT_ALLOWED = (401, 403, 404)


def _shown(there: Loopback) -> str:
    return "; ".join(shorten(identity, 120) for identity in there.made_twice())


@check
def test_send_posts_the_request(conformance: Conformance) -> None:
    """The request that plan shows is sent unchanged, and each response belongs to its own request."""
    found = list(some_requests(conformance))
    verbatim: list[bool] = []
    for task, request in found:
        with provider(lambda call, request=request: good(conformance, call, request)) as there:  # type: ignore[misc]
            sent(model_at(conformance, there.url), request)
            verbatim.append(any(same_body(call, request) for call in there.calls))
            for call in there.calls:
                if call.body == request.body:
                    _expect_envelope(call, request, task)
    for (task, _), same in zip(found, verbatim, strict=True):
        expect(same or not any(verbatim), "send posts another body than the request's", task)
    _expect_own_answers(conformance, *found[0])
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


def _expect_own_answers(conformance: Conformance, task: Task, request: Request) -> None:
    """Send several at once: an answer that came to another request would be another's picture."""
    several = _of_other_lengths(conformance, task, request)
    with provider(lambda call: Reply(b'{"to": "%d"}' % len(call.body))) as there:
        model = model_at(conformance, there.url)
        if not isinstance(first := sent(model, request), Response) or b'"to"' not in first.body:
            return
        there.calls.clear()
        alone = [_body_of(sent(model, one)) for one in several]
        lengths = [len(call.body) for call in there.calls]
        at_once = side_by_side(lambda one: _body_of(sent(model, one)), several)
    with provider(Reply(large := b'{"to": "%b"}' % (b"x" * _LARGE))) as there:
        whole = sent(model_at(conformance, there.url), request)
    fine = not isinstance(whole, Response) or whole.body == large
    expect(fine, f"of an answer of {len(large):,} bytes send gave other bytes: {whole!r}")
    if len(lengths) == len(several):
        _expect_own_headers(conformance, several, lengths)
    fine = at_once == alone
    expect(fine, "of several sends at once one gave another's answer: send runs in several threads, keep nothing in self")


def _of_other_lengths(conformance: Conformance, task: Task, request: Request) -> list[Request]:
    """Requests that the provider can tell apart by how long they are: for other prompts, or with blanks at their end."""
    tasks = [changed(task, "prompt", " ".join(["fox"] * words)) for words in range(1, 7) if hasattr(task, "prompt")]
    made = [plan.requests[0] for other in tasks if (plan := plan_or_none(conformance.model, other)) is not None]
    told_apart = len({len(one.body) for one in made}) == 6
    return made if told_apart else [attrs.evolve(request, body=request.body + b" " * blanks) for blanks in range(6)]


def _body_of(met: Response | LimnerError) -> bytes:
    return met.body if isinstance(met, Response) else b""


def _expect_nothing_kept(conformance: Conformance, request: Request) -> None:
    """Hold that no call leaves something in the model: another call, in another thread, would find it there."""
    with provider(lambda call: good(conformance, call, request)) as there:
        model = model_at(conformance, there.url)
        kept: list[str] = []

        def noted(itself: Model, name: str, value: Any) -> None:
            if itself is model:  # and not one with other settings that send has made of it
                kept.append(f"self.{name}")
            object.__setattr__(itself, name, value)

        kind = type(model)
        model.__class__ = type(kind.__name__, (kind,), {"__setattr__": noted, "__module__": kind.__module__})
        sent(model, request)
        kept.clear()  # a client that is made once may stay
        before = _class_attributes(type(model), conformance.package)
        sent(model, attrs.evolve(request))
        after = _class_attributes(type(model), conformance.package)
        kept += [f"{kind.__name__}.{name}" for name, value in after.items() if value is not before.get(name)]
    expect(not kept, f"each send sets {', '.join(kept)}: send runs in several threads, keep nothing of a call")


def _class_attributes(kind: type[Model], package: str) -> dict[str, Any]:
    """What the classes of a plugin hold."""
    own = [one for one in reversed(kind.__mro__) if one.__module__.partition(".")[0] == package]
    return {name: value for one in own for name, value in vars(one).items()}


def _expect_own_headers(conformance: Conformance, several: list[Request], lengths: list[int]) -> None:
    """Send with another header each, at once: a header of one request that is kept goes with another."""
    kinds = [attrs.evolve(one, headers={**one.headers, "x-number": str(at)}) for at, one in enumerate(several * 3)]
    with provider(lambda call: Reply(b'{"to": "%d"}' % len(call.body))) as there:
        model = model_at(conformance, there.url)
        side_by_side(lambda one: sent(model, one), kinds)
        known = {str(at): length for at, length in enumerate(lengths * 3)}
        wrong = [call for call in there.calls if known.get(call.headers.get("x-number", ""), 0) not in {0, len(call.body)}]
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
    _expect_path_of_the_endpoint(conformance, request)
    _expect_own_version(conformance)


def _expect_own_version(conformance: Conformance) -> None:
    """Hold that a version of the model, which matches takes, is asked for where the model is."""
    task, _ = first_request(conformance)

    def called(model: Model) -> str:
        request = model.plan(task).requests[0]
        with provider(lambda call: good(conformance, call, request)) as there:
            at = model_at(conformance, there.url)
            sent(type(at)(at.settings, model_id=model.model_id), request)
            return " ".join(unquote(f"{call.path} {call.body.decode('utf-8', 'replace')}") for call in there.calls)

    kind = type(conformance.model)
    plain = called(conformance.model)
    versions = [*versions_of(kind)[:2], *list(ids_by_pattern(kind))[:2]]
    for version in versions if conformance.model.model_id in plain else ():
        found = called(kind(conformance.model.settings, model_id=version))
        expect(version in found, f"the model made for the id {version!r} does not ask for this version")


def _expect_path_of_the_endpoint(conformance: Conformance, request: Request) -> None:
    """Hold that the path of an endpoint's URL stays: a gateway serves several providers under paths of one address."""
    with provider(lambda call: good(conformance, call, request)) as there:
        try:
            model = model_at(conformance, f"{there.url}{_GATEWAY}")
        except TaskRefused:
            return
        for name, ask in (("send", lambda: sent(model, request)), ("available_ids", model.available_ids)):
            there.calls.clear()
            with contextlib.suppress(ProviderError):
                ask()
            lost = [call.path for call in there.calls[:1] if not call.path.startswith(_GATEWAY)]
            expect(not lost, f"the endpoint's URL ends in {_GATEWAY}, and {name} calls {''.join(lost)}")
        there.calls.clear()
        try:
            slash = model_at(conformance, f"{there.url}{_GATEWAY}/")
        except TaskRefused:
            return
        sent(slash, request)
        own = f"{_GATEWAY}//" in str(attrs.astuple(slash.settings))  # where Conformance(endpoint=...) adds a path
        twice = [call.path for call in there.calls if "//" in call.path.partition("?")[0] and not own]
        expect(not twice, f"the endpoint's URL ends in a slash, and send calls {''.join(twice[:1])}")


_GATEWAY = "/of/a-gateway"


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
            with contextlib.suppress(TaskRefused, TypeError):
                sent(plain.with_settings(**{field.name: None}), request)
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
    fine = isinstance(met, Response) or not met.may_be_billed
    expect(fine, "nobody is at the endpoint, and the error says may_be_billed=True: set it to False, nothing was sent", task)
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
        works = isinstance(sent(model_at(conformance, there.url), request), Response)
        silent = True
        hasty = model_at(conformance, there.url).with_settings(timeout=_TIMEOUT)
        started = time.monotonic()
        sent(hasty, request)
        seconds = time.monotonic() - started
        expect(seconds < _PATIENCE, f"with timeout={_TIMEOUT} send waited {seconds:.0f} s, as an earlier model would", task)
    pieces = int(1.2 * _PATIENCE / _PAUSE)
    with provider(Reply(b"{" + b" " * pieces + b"}", pause=_PAUSE)) as there:
        started = time.monotonic()
        met = sent(model_at(conformance, there.url).with_settings(timeout=_TIMEOUT), request)
        seconds = time.monotonic() - started
    seen = f"with timeout={_TIMEOUT}, and an answer that comes byte by byte for many times as long, send gave {told(met)}"
    fine = isinstance(met, ProviderTimeout) and seconds < _PATIENCE
    expect(fine, f"{seen} after {seconds:.0f} s: the timeout is for the whole answer", task)
    _expect_timeout_of_all_attempts(conformance, task, request)
    if works:
        _expect_others_to_go_on(conformance, task, request)


def _expect_others_to_go_on(conformance: Conformance, task: Task, request: Request) -> None:
    """Hold that the end of one call's time does not end another call, which another model makes meanwhile."""
    begun: list[Call] = []

    def late(call: Call) -> Reply:
        begun.append(call)
        if len(begun) == 1:
            time.sleep(2 * _TIMEOUT)
        return good(conformance, call, request)

    with provider(Reply(silent=True)) as silent, provider(late) as there:
        hasty = model_at(conformance, silent.url).with_settings(timeout=_TIMEOUT)
        _, met = side_by_side(lambda model: sent(model, request), [hasty, model_at(conformance, there.url)])
    seen = f"while another call ran out of time, send gave {told(met)}"
    expect(isinstance(met, Response), f"{seen}: each call has its own timeout", task)


def _expect_timeout_of_all_attempts(conformance: Conformance, task: Task, request: Request) -> None:
    """Refuse the first attempt shortly before the end of the timeout, and do not answer the second."""
    busy = Reply(b'{"error": {"message": "busy"}}', 429, AT_ONCE)
    with provider(busy) as there:
        sent(model_at(conformance, there.url).with_settings(timeout=_TIMEOUT_OF_ALL), request)
        if not there.made_twice():
            return
    for _ in range(2):  # a busy machine may be slow once
        met, seconds = _two_attempts(conformance, request, busy)
        if seconds < 1.7 * _TIMEOUT_OF_ALL:
            return
    seen = f"with timeout={_TIMEOUT_OF_ALL}, and a second attempt that is not answered, send gave {told(met)}"
    expect(False, f"{seen} after {seconds:.1f} s: the timeout is for all attempts", task)


def _two_attempts(conformance: Conformance, request: Request, busy: Reply) -> tuple[Response | LimnerError, float]:
    """What send gives if its first attempt is refused late and its second not answered, and after how many seconds."""
    refused: list[str] = []

    def late(call: Call) -> Reply:
        if refused:
            return Reply(silent=call.identity in refused)
        refused.append(call.identity)
        time.sleep(_TIMEOUT_OF_ALL * 0.9)
        return busy

    with provider(late) as there:
        started = time.monotonic()
        met = sent(model_at(conformance, there.url).with_settings(timeout=_TIMEOUT_OF_ALL), request)
        return met, time.monotonic() - started


@check
def test_failed_calls_leave_nothing_behind(conformance: Conformance) -> None:
    """After a call that failed, or went well, the next call of the same model gets its own response."""
    task, request = first_request(conformance)
    with provider(lambda call: good(conformance, call, request)) as there:
        model = model_at(conformance, there.url)
        first, second = sent(model, request), sent(model, request)
    if not isinstance(first, Response):
        pytest.skip("no response is known with which a call goes well")
    fine = isinstance(second, Response) and second.attempts == first.attempts
    expect(
        fine, f"after a call that went well with attempts={first.attempts}, the same call gave {_attempts_of(second)}", task
    )
    for what, failure in _FAILURES_BEFORE.items():
        met = _after(conformance, request, failure)
        expect(isinstance(met, Response), f"after a call that {what}, the next call gave {told(met)}", task)
    if conformance.service is None:
        _expect_no_late_answer(conformance, task, request)


def _attempts_of(met: Response | LimnerError) -> str:
    return f"attempts={met.attempts}" if isinstance(met, Response) else told(met)


_FAILURES_BEFORE = {
    "met HTTP 500": Reply(b'{"error": {"message": "no"}}', 500),
    "met HTTP 401": Reply(b'{"error": {"message": "no"}}', 401),
    "got no JSON": Reply(b"<html>no</html>"),
    "lost its connection": Reply(dropped=True),
}


def _after(conformance: Conformance, request: Request, failure: Reply) -> Response | LimnerError:
    """What a model gives, after everything that its first send asked had failed."""
    failing = True
    with provider(lambda call: failure if failing else good(conformance, call, request)) as there:
        model = model_at(conformance, there.url)
        sent(model, request)
        failing = False
        return sent(model, request)


def _expect_no_late_answer(conformance: Conformance, task: Task, request: Request) -> None:
    """Hold that an answer which comes after the timeout is not taken for that to the next call."""
    late = b'{"late": "%b"}' % (b"x" * 100)
    for timeout in (_TIMEOUT, _TIMEOUT_OF_ALL):  # a busy machine may be slow
        calls: list[Call] = []

        def answered(call: Call, timeout: float = timeout, calls: list[Call] = calls) -> Reply:
            calls.append(call)
            if len(calls) > 1:
                return good(conformance, call, request)
            time.sleep(timeout + _LATE)
            return Reply(late)

        with provider(answered) as there:
            model = model_at(conformance, there.url).with_settings(timeout=timeout)
            first = sent(model, request)
            time.sleep(_LATE if isinstance(first, ProviderTimeout) else 0)
            met = sent(model, request)
        if isinstance(met, Response) and met.body != late:
            return
    expect(False, f"after a call that ran out of time, the next call gave {told(met)}", task)


_LATE = 0.2  # seconds after the timeout
