"""Providers of which one picture takes several calls: a job is submitted, polled and downloaded."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import attrs
import pytest

from limner import LimnerError, ProviderError, ProviderTimeout, Request, Response, Task, limits, workers
from limner.testing import bodies
from limner.testing.conformance.calls import AT_ONCE, PATIENCE, ids_of, model_at, sent, some_requests, told
from limner.testing.conformance.secrets import SecretSetting, secret_settings
from limner.testing.kit import Conformance, check, decoded, expect, skip
from limner.testing.loopback import REQUEST_ID, Call, Loopback, Reply, provider
from limner.testing.probes import all_starts, plan_or_none, saying
from limner.testing.purity import side_by_side
from limner.workers import Cancellation

_MOST_CALLS = 12
_WAIT = 1.0  # seconds for a job that never ends
_BUSY = 25  # calls a second are too many


def _service(conformance: Conformance) -> Callable[[Call], Reply]:
    return conformance.service or skip("service", "a function of a Call that returns the provider's Reply")


def _jobs(conformance: Conformance) -> list[tuple[Task, Request, list[Call]]]:
    """The requests that take several calls, each with the calls of a job that goes well."""
    found, service = [], _service(conformance)
    for task, request in some_requests(conformance):
        with provider(service) as there:
            met = sent(model_at(conformance, there.url), request)
        expect(isinstance(met, Response), f"with Conformance(service=...) send gave {told(met)}", task)
        found += [(task, request, there.calls)] if len(there.calls) > 1 else []
    return found or pytest.skip("every request is one call")


@check
def test_jobs_end_with_pictures(conformance: Conformance) -> None:
    """A job that goes well gives its pictures, and is submitted once."""
    service = _service(conformance)
    for task, _ in some_requests(conformance):
        with provider(service) as there:
            result = model_at(conformance, there.url).run(task)
            outcomes = [picture.outcome for picture in result.pictures]
            expect(set(outcomes) == {"ok"}, f"a job that goes well gave {outcomes}", task)
            expect(not there.made_twice(), "the job was submitted twice", task)
    for task, request, _ in _jobs(conformance)[:1]:
        _expect_parts(conformance, task, request)
    _expect_other_downloads(conformance)


def _expect_parts(conformance: Conformance, task: Task, request: Request) -> None:
    """Hold that a number of usage which a reply gives is not cut to a whole one: 2.5 credits are 2.5 credits."""
    service = _service(conformance)
    for name, value in _usage(conformance, service, request).items():
        said: list[Reply] = []

        def answered(call: Call, name: str = name, value: float = value, said: list[Reply] = said) -> Reply:
            reply = service(call)
            other = _with_number(reply, name, value, value + 0.5)
            said.extend([other] if other != reply else [])
            return other

        found = _usage(conformance, answered, request).get(name)
        fine = not said or found in {None, value + 0.5}
        expect(fine, f"a reply says {name}={value + 0.5}, and send gives the usage {found!r}", task)


def _expect_other_downloads(conformance: Conformance) -> None:
    """Hold that a picture which cannot be downloaded takes no other with it: they are paid for."""
    service, model = _service(conformance), conformance.model
    for start in all_starts(model):
        several = plan_or_none(model, saying(start, n=2)) if model.per_call(type(start)) > 1 else None
        if several is None:
            continue
        with provider(service) as there:
            whole = sent(model_at(conformance, there.url), several.requests[0])
            met_calls = enumerate(there.exchanges)
            downloads = [at for at, (call, reply) in met_calls if call.method == "GET" and _is_file(reply)]
        if not isinstance(whole, Response) or len(downloads) < 2:
            continue
        for at in (downloads[0], downloads[-1]):
            with provider(_missing_at(service, at)) as there:
                met = sent(model_at(conformance, there.url), several.requests[0])
            seen = f"one of {len(downloads)} pictures cannot be downloaded, and send gave {told(met)}"
            pictures = decoded(model, several.calls[0], met) if isinstance(met, Response) else []
            fine = any(picture.outcome == "ok" for picture in pictures)
            expect(fine, f"{seen}: the others, which are paid for, are lost", several.calls[0])


def _is_file(reply: Reply) -> bool:
    return bool(reply.body) and reply.status == 200 and not bodies.is_json(reply.body)


def _missing_at(service: Callable[[Call], Reply], at: int) -> Callable[[Call], Reply]:
    """The provider, which does not find what one call asks for."""
    asked: list[str] = []

    def answered(call: Call) -> Reply:
        asked.append(call.path)
        reply = service(call)
        missing = len(asked) > at and call.path == asked[at]
        return Reply(b"not found", 404, {"content-type": "text/plain"}) if missing else reply

    return answered


def _usage(conformance: Conformance, service: Callable[[Call], Reply], request: Request) -> Mapping[str, float]:
    with provider(service) as there:
        met = sent(model_at(conformance, there.url), request)
    return met.usage if isinstance(met, Response) else {}


def _with_number(reply: Reply, name: str, value: float, other: float) -> Reply:
    """The reply with another number where it has this one under its name."""
    tree = bodies.parsed(reply.body) if bodies.is_json(reply.body) else None
    for path in [path for path, leaf in bodies.leaves(tree).items() if path and path[-1] == name and leaf == value]:
        tree = bodies.replaced(tree, path, other)
    body = json.dumps(tree).encode()
    return reply if bodies.parsed(reply.body) == tree or tree is None else attrs.evolve(reply, body=body)


@check
def test_failures_of_jobs_submit_nothing_twice(conformance: Conformance) -> None:
    """If any call of a job fails, send raises a ProviderError or goes on, and never submits the job again."""
    for task, request, calls in _jobs(conformance)[:1]:
        for at in range(1, min(len(calls), _MOST_CALLS)):
            for what, disturbed in _FAILURES.items():
                with provider(_failing_at(_service(conformance), at, disturbed)) as there:
                    met = sent(model_at(conformance, there.url).with_settings(timeout=_WAIT), request)
                    seen = f"call {at + 1} of a job, {calls[at].method} {calls[at].path}, {what}"
                    expect(not there.made_twice(), f"{seen}: the job was submitted again", task)
                    fine = isinstance(met, Response | ProviderError)
                    expect(fine, f"{seen}: send gave {told(met)}, must be a ProviderError", task)
                    endless = what in _NEVER_AS_DOCUMENTED and isinstance(met, ProviderTimeout)
                    expect(not endless, f"{seen}: send waited until the timeout, must be a BadResponse", task)
                    billed = not isinstance(met, LimnerError) or met.may_be_billed
                    expect(billed, f"{seen}: the error says may_be_billed=False, but the job was submitted", task)


@check
def test_jobs_side_by_side_keep_their_pictures(conformance: Conformance) -> None:
    """Of several jobs at once, each gives its own picture, and none takes a secret to another address."""
    service = _service(conformance)
    task, request, _ = _jobs(conformance)[0]
    requests = [conformance.model.plan(other).requests[0] for other in _seeded(conformance, task)] or [request]
    with provider(service) as there:
        model = model_at(conformance, there.url)
        alone = [sent(model, one) for one in requests]
        again = [sent(model, one) for one in requests]
        needed = min([2, *_calls_for_each_job(there)])  # how many there are may depend on the time
        there.exchanges.clear()
        at_once = side_by_side(lambda one: sent(model, one), requests * 2)
        left = [calls for calls in _calls_for_each_job(there) if calls < needed]
    expect(not left, f"of several jobs at once {len(left)} were not asked for to the end: keep no id in self", task)
    same = list(map(_body, alone)) == list(map(_body, again))  # a provider may paint another picture each time
    fine = not same or list(map(_body, at_once)) == list(map(_body, alone * 2))
    expect(fine, "of several jobs at once one gave the picture of another: keep nothing of a job outside the call", task)
    _expect_secrets_kept(conformance, task, request)


def _expect_secrets_kept(conformance: Conformance, task: Task, request: Request) -> None:
    """Name another address for the job, for what cancels it, and for its pictures: no secret goes there."""
    service = _service(conformance)
    with provider(service) as there:
        sent(model_at(conformance, there.url), request)
        first = bodies.parsed(there.exchanges[0][1].body)
    urls = [path for path, leaf in bodies.leaves(first).items() if isinstance(leaf, str) and leaf.startswith(there.url)]
    for secret in secret_settings(conformance):
        leak = f"send tells the setting {secret.name} to another address"
        for path, gives_up in itertools.product(urls, (False, True)):
            cancelled = Cancellation()
            answering = _giving_up(service, cancelled) if gives_up else service
            with _elsewhere(service, _OTHER_HOST) as (address, elsewhere):
                _send_secret(conformance, request, secret, _naming_for_the_job(address, path, answering), cancelled)
            named = f"which the reply names as {bodies.in_words(path)}"
            expect(not any(map(secret.is_in, elsewhere.calls)), f"{leak}, {named}", task)
        with _elsewhere(service) as (address, elsewhere):
            _send_secret(conformance, request, secret, _naming_for_files(address, service), Cancellation())
        expect(not any(map(secret.is_in, elsewhere.calls)), f"{leak}, from which it downloads", task)


_OTHER_HOST = "elsewhere.example"
"""A name, since a plugin may trust every address of this machine if its endpoint is one."""


@contextlib.contextmanager
def _elsewhere(service: Callable[[Call], Reply], host: str = "127.0.0.1") -> Iterator[tuple[str, Loopback]]:
    """The provider at another address, whose host is found at this machine."""
    find = socket.getaddrinfo

    def found(name: Any, *args: Any, **more: Any) -> Any:
        return find("127.0.0.1" if name in {host, host.encode()} else name, *args, **more)

    with provider(service) as there, mock.patch.object(socket, "getaddrinfo", found):
        yield there.url.replace("127.0.0.1", host), there


def _send_secret(
    conformance: Conformance,
    request: Request,
    secret: SecretSetting,
    service: Callable[[Call], Reply],
    cancelled: Cancellation,
) -> None:
    with provider(service) as there, mock.patch.object(workers, "current_cancellation", return_value=cancelled):
        sent(secret.given_to(model_at(conformance, there.url)).with_settings(timeout=_WAIT), request)


def _giving_up(service: Callable[[Call], Reply], cancelled: Cancellation) -> Callable[[Call], Reply]:
    """The provider of a job that does not end, until the caller gives up at the first poll."""
    never, met_calls = _never_ending(service), list[Call]()

    def answered(call: Call) -> Reply:
        met_calls.append(call)
        if len(met_calls) > 1:
            cancelled.set()
        return never(call)

    return answered


def _naming_for_the_job(elsewhere: str, path: bodies.Path, service: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The provider, whose first reply names another address at this path."""
    called: list[Call] = []

    def answered(call: Call) -> Reply:
        called.append(call)
        reply = service(call)
        tree = bodies.parsed(reply.body) if len(called) == 1 else None
        url = bodies.leaves(tree).get(path)
        if not isinstance(url, str):
            return reply
        other = bodies.replaced(tree, path, url.replace(call.base_url, elsewhere))
        return attrs.evolve(reply, body=json.dumps(other).encode())

    return answered


def _naming_for_files(elsewhere: str, service: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The provider, whose replies to a poll name another address for all that was not called before."""
    called: list[str] = []

    def answered(call: Call) -> Reply:
        called.append(call.path)
        reply = service(call)
        body = reply.body.replace(call.base_url.encode(), elsewhere.encode())
        for path in called:
            body = body.replace(f'{elsewhere}{path}"'.encode(), f'{call.base_url}{path}"'.encode())
        return attrs.evolve(reply, body=body) if call.method == "GET" else reply

    return answered


def _calls_for_each_job(there: Loopback) -> list[int]:
    """How many calls followed for each job that got an id of its own."""
    submitted = [texts for call, reply in there.exchanges if call.method == "POST" and (texts := _texts_of(reply))]
    own = [texts - set[str]().union(*(other for other in submitted if other is not texts)) for texts in submitted]
    paths = [call.path for call, _ in there.exchanges if call.method == "GET"]
    return [sum(any(text in path for text in texts) for path in paths) for texts in own if texts]


def _texts_of(reply: Reply) -> set[str]:
    """What may be an id in a reply."""
    leaves = bodies.leaves(bodies.parsed(reply.body)).values() if bodies.is_json(reply.body) else ()
    return {leaf for leaf in leaves if isinstance(leaf, str) and leaf}


def _seeded(conformance: Conformance, task: Task) -> list[Task]:
    limit = conformance.model.limits_of(type(task)).parameters.get("seed")
    return [saying(task, seed=limit.min_value + at) for at in range(4)] if isinstance(limit, limits.Integer) else []


def _body(met: Response | LimnerError) -> bytes:
    return met.body if isinstance(met, Response) else b""


Disturbed = Callable[[Reply], Reply]


def _always(reply: Reply) -> Disturbed:
    return lambda _: reply


def _with_state(word: str) -> Disturbed:
    """Say another state where the reply says one."""

    def disturbed(reply: Reply) -> Reply:
        tree = bodies.parsed(reply.body)
        names = [name for name in ("status", "state") if isinstance(tree, dict) and isinstance(tree.get(name), str)]
        return attrs.evolve(reply, body=json.dumps({**tree, **dict.fromkeys(names, word)}).encode()) if names else reply

    return disturbed


_FAILURES: dict[str, Disturbed] = {
    "fails with HTTP 500": _always(Reply(b'{"error": {"message": "no"}}', 500, AT_ONCE)),
    "fails with HTTP 404": _always(Reply(b'{"error": {"message": "no"}}', 404)),
    "has no JSON": _always(Reply(b"<html>no</html>")),
    "has other JSON": _always(Reply(b'{"none": "of what is documented"}')),
    "loses its connection": _always(Reply(dropped=True)),
    "breaks off": lambda reply: attrs.evolve(reply, cut=True),
    "is not answered": _always(Reply(silent=True)),
    **{f"says {word!r}": _with_state(word) for word in ("failed", "Error", "crashed", "a state that nobody knows")},
}


_NEVER_AS_DOCUMENTED = frozenset({"has no JSON", "has other JSON"})


def _failing_at(service: Callable[[Call], Reply], at: int, disturbed: Disturbed) -> Callable[[Call], Reply]:
    met: list[Call] = []

    def answered(call: Call) -> Reply:
        met.append(call)
        reply = service(call)
        return disturbed(reply) if len(met) > at else reply

    return answered


def _never_ending(service: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The provider, which repeats what it said to the first poll: the second call, and all that go to the same place."""
    paths: list[str] = []
    first: list[Reply] = []

    def answered(call: Call) -> Reply:
        paths.append(call.path.partition("?")[0])
        if len(paths) < 2 or paths[-1] != paths[1]:
            return service(call)
        if not first:
            first.append(service(call))
        return first[0]

    return answered


@check
def test_waiting_for_a_job_ends(conformance: Conformance) -> None:
    """Polling a job pauses between its calls, and ends with the timeout, or once the caller has given up."""
    service = _service(conformance)
    for task, request, calls in _jobs(conformance)[:1]:
        if len(calls) < 4:
            pytest.skip("give Conformance(service=...) that answers at least the first poll of a job with 'not yet'")
        with provider(_never_ending(service)) as there:
            started = time.monotonic()
            met = sent(model_at(conformance, there.url).with_settings(timeout=_WAIT), request)
            seconds = time.monotonic() - started
            polls = len(there.calls)
        expect(isinstance(met, ProviderTimeout), f"a job took longer than timeout={_WAIT}, and send gave {told(met)}", task)
        expect(seconds < PATIENCE, f"with timeout={_WAIT} send polled for {seconds:.0f} s", task)
        expect(polls < _BUSY * _WAIT, f"send made {polls} calls in {seconds:.1f} s; pause between polls", task)
        _expect_job_named(conformance, task, request, met)
        _expect_deadline_of_downloads(conformance, task, request, calls)
        cancelling = _methods_after_the_first(there.calls)
        given_up = _expect_cancelled(conformance, task, request)
        _expect_cancelling(conformance, cancelling, given_up, (task, request, calls))


def _expect_job_named(conformance: Conformance, task: Task, request: Request, late: Response | LimnerError) -> None:
    """Hold that errors name the job if responses or other errors do: the picture can be looked for by it."""
    with provider(_service(conformance)) as there:
        good = sent(model_at(conformance, there.url), request)
    lost = _always(Reply(b'{"error": {"message": "no"}}', 404, ids_of(conformance)))  # with a request id of its own
    with provider(_failing_at(_service(conformance), 1, lost)) as there:
        failed = sent(model_at(conformance, there.url).with_settings(timeout=_WAIT), request)
    errors = [met for met in (failed, late) if isinstance(met, ProviderError)]
    missing = [type(error).__name__ for error in errors if not set(error.request_ids) - {REQUEST_ID}]
    named = isinstance(good, Response) and good.request_id not in {None, REQUEST_ID}
    fine = not missing or not (named or len(missing) < len(errors))
    expect(fine, f"{' and '.join(missing)} after the submission has no job's id in its request_ids, others have", task)


_DEADLINE = 2.0  # seconds: long enough for a busy machine, too


def _expect_deadline_of_downloads(conformance: Conformance, task: Task, request: Request, calls: Sequence[Call]) -> None:
    """Finish a job shortly before the timeout, and do not answer the call that follows: the timeout is for all calls."""
    for _ in range(2):  # a busy machine may be slow once
        started, met_calls = time.monotonic(), list[Call]()

        def answered(call: Call, started: float = started, met_calls: list[Call] = met_calls) -> Reply:
            met_calls.append(call)
            reply = _service(conformance)(call)
            if len(met_calls) == len(calls) - 1:
                time.sleep(max(0.0, started + 0.9 * _DEADLINE - time.monotonic()))
            return Reply(silent=True) if len(met_calls) >= len(calls) else reply

        with provider(answered) as there:
            sent(model_at(conformance, there.url).with_settings(timeout=_DEADLINE), request)
            seconds = time.monotonic() - started
        if seconds < 1.7 * _DEADLINE:
            return
    seen = f"with timeout={_DEADLINE}, and a last call that is not answered, send ended after {seconds:.1f} s"
    expect(False, f"{seen}: the timeout is for the submission, the polls and the download together", task)


def _methods_after_the_first(calls: Sequence[Call]) -> set[str]:
    """The methods of the calls after the submission that change something: if there are any, they cancel the job."""
    return {call.method for call in calls[1:]} - {"GET", "HEAD"}


def _expect_cancelled(conformance: Conformance, task: Task, request: Request) -> set[str]:
    """Give up while a job is polled, and return how the job was cancelled."""
    cancelled = Cancellation()
    answering = _giving_up(_service(conformance), cancelled)
    with provider(answering) as there, mock.patch.object(workers, "current_cancellation", return_value=cancelled):
        started = time.monotonic()
        gave = sent(model_at(conformance, there.url).with_settings(timeout=PATIENCE), request)
        seconds = time.monotonic() - started
        posted_twice = there.made_twice()
    fine = isinstance(gave, ProviderError) and seconds < PATIENCE / 2
    expect(fine, f"the caller gave up while a job was polled, and send gave {told(gave)} after {seconds:.0f} s", task)
    expect(not posted_twice, "the job was submitted again after the caller had given up", task)
    for call, reply in there.exchanges[1:]:
        fine = call.method in {"GET", "HEAD"} or reply.status not in {404, 405}
        seen = f"send cancels a job by {call.method} {call.path}"
        expect(fine, f"{seen}, which Conformance(service=...) answers with HTTP {reply.status}", task)
    return _methods_after_the_first(there.calls)


def _expect_cancelling(
    conformance: Conformance, at_timeout: set[str], given_up: set[str], job: tuple[Task, Request, list[Call]]
) -> None:
    """Hold that a plugin which cancels jobs does so whenever nobody waits for one, only then, and hides no error by it."""
    task, request, calls = job
    always = _methods_after_the_first(calls) & at_timeout
    expect(not always, f"send calls {', '.join(always)} after a job that goes well, as it does after a timeout", task)
    expect(not at_timeout or given_up, "send cancels the job after a timeout, but not once its caller has given up", task)
    never, met_calls = _never_ending(_service(conformance)), list[Call]()

    def answered(call: Call) -> Reply:
        met_calls.append(call)
        cancels = len(met_calls) > 1 and call.method in at_timeout
        return Reply(b'{"error": {"message": "done"}}', 409) if cancels else never(call)

    with provider(answered) as there:
        met = sent(model_at(conformance, there.url).with_settings(timeout=_WAIT), request)
    expect(isinstance(met, ProviderTimeout), f"a job took too long and cannot be cancelled, and send gave {told(met)}", task)
    _expect_each_cancelled(conformance, at_timeout, job)


def _expect_each_cancelled(conformance: Conformance, at_timeout: set[str], job: tuple[Task, Request, list[Call]]) -> None:
    """Hold that of two jobs at once each is cancelled, and none twice in place of the other."""
    task, request, (submission, *_) = job
    with provider(_never_ending_jobs(_service(conformance))) as there:
        model = model_at(conformance, there.url).with_settings(timeout=_WAIT)
        requests = [conformance.model.plan(other).requests[0] for other in _seeded(conformance, task)] or [request]
        side_by_side(lambda one: sent(model, one), (requests * 2)[:2] if at_timeout else [])
        cancels = [call for call in there.calls if call.method in at_timeout and call.path != submission.path]
        jobs = {frozenset(_texts_of(reply)) for call, reply in there.exchanges if call.path == submission.path}
    told_of = {(call.path, call.body) for call in cancels}
    fine = len(jobs) < 2 or len(cancels) < 2 or len(told_of) > 1
    expect(fine, f"of two jobs at once send cancels the same one twice, {told_of}: keep no id outside the call", task)


def _never_ending_jobs(service: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The provider, which repeats what it said first of each place that is asked."""
    first: dict[str, Reply] = {}

    def answered(call: Call) -> Reply:
        return first.setdefault(call.path, service(call)) if call.method == "GET" else service(call)

    return answered
