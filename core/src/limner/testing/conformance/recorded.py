"""Real responses of the provider: only they reveal a misspelt key; property tests cannot."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import attrs
import pytest

from limner import ContentFiltered, LimnerError, Picture, Response, Result, Task
from limner.testing import bodies
from limner.testing.conformance.answers import expect_from_answer
from limner.testing.conformance.calls import PATIENCE, model_at, received, reply_of
from limner.testing.kit import Conformance, ContractBroken, Recorded, check, decoded, expect, facts
from limner.testing.loopback import Call, Reply, provider


def _some(conformance: Conformance) -> list[Recorded]:
    return list(conformance.recorded) or pytest.skip("give Conformance(recorded=[Recorded(...), ...]): real responses")


@check
def test_recorded_answers_cover_every_task(conformance: Conformance) -> None:
    """For each task, a real response with a picture is stored, and at least one response is a refusal."""
    found = _some(conformance)
    good = {type(recorded.task) for recorded in found if recorded.error is None and "ok" in recorded.outcomes}
    missing = [kind.kind for kind in conformance.tasks if kind not in good]
    expect(not missing, f"no successful response is stored for {', '.join(missing)}")
    refusals = [recorded for recorded in found if recorded.error is not None or set(recorded.outcomes) != {"ok"}]
    expect(refusals, "no response is stored in which the provider filters, fails or refuses")


@check
def test_recorded_answers_decode_as_recorded(conformance: Conformance) -> None:
    """Each stored response gives the recorded outcomes, or raises the recorded error."""
    stored = list(_for_decode(conformance, _some(conformance)))
    usage = _usage_read(conformance, stored)
    for recorded, call, answer in stored:
        seen = f"{recorded}: {'send' if isinstance(answer, LimnerError) else 'decode'}"
        try:
            pictures = decoded(conformance.model, call, _answered(answer))
        except LimnerError as error:
            wanted = recorded.error is not None and isinstance(error, recorded.error)
            expect(wanted, f"{seen} raised {error!r}; recorded: {recorded.error or recorded.outcomes}", call)
            _expect_reason(conformance, recorded)
            _expect_same_of_a_later_version(conformance, recorded, call, type(error).__name__)
            continue
        outcomes = tuple(picture.outcome for picture in pictures)
        expect(recorded.error is None, f"{seen} returned {outcomes}; recorded: {recorded.error}", call)
        expect(outcomes == recorded.outcomes, f"{seen} returned {outcomes}; recorded: {recorded.outcomes}", call)
        for picture in pictures:
            expect_from_answer(picture, _answered(answer).body, call)
        _expect_usage(conformance, recorded, call, _answered(answer), usage)
        _expect_turned(conformance, recorded, call, _answered(answer))
        _expect_reasons(conformance, recorded, pictures)
        _expect_same_of_a_later_version(conformance, recorded, call, outcomes)


Received = tuple[Recorded, Task, Response | LimnerError]


def _for_decode(conformance: Conformance, stored: Iterable[Recorded]) -> Iterator[Received]:
    """The stored responses but those that decode never sees, with what becomes of each on its way there."""
    for recorded in stored:
        if not recorded.is_http_error:
            call = conformance.model.plan(recorded.task).calls[0]
            yield recorded, call, received(conformance, recorded, call)


def _rewritten(recorded: Recorded, rewrite: Callable[[Any], Any]) -> Recorded:
    """The same answer, with other JSON in each of the provider's replies."""

    def other(body: bytes) -> bytes:
        return json.dumps(rewrite(bodies.parsed(body))).encode() if bodies.is_json(body) else body

    def answered(call: Call) -> Reply:
        reply = service(call)
        return attrs.evolve(reply, body=other(reply.body))

    service = recorded.service or (lambda _: Reply())
    return attrs.evolve(recorded, body=other(recorded.body), service=recorded.service and answered)


def _expect_same_of_a_later_version(
    conformance: Conformance, recorded: Recorded, call: Task, before: str | tuple[str, ...]
) -> None:
    """Hold that one more field in each object of a job's replies changes nothing."""
    if recorded.service is None:
        return
    try:
        answer = received(conformance, _rewritten(recorded, bodies.with_new_fields), call)
        after: str | tuple[str, ...] = tuple(one.outcome for one in decoded(conformance.model, call, _answered(answer)))
    except LimnerError as error:
        after = type(error).__name__
    expect(after == before, f"{recorded}, with one more field in each object: {after}, must be {before}", call)


def _telling_more(tree: Any) -> Any:
    """The same refusal, whose reasons go on after a full stop and a colon."""
    for path, leaf in bodies.leaves(tree).items():
        if bodies.says_why(path, leaf) and len(leaf) < _SHORT_REASON:
            tree = bodies.replaced(tree, path, f"{leaf.rstrip('.')}.{_MORE}")
    return tree


_MORE = " It was seen in two places: once here"
_SHORT_REASON = 120


def _expect_reason(conformance: Conformance, recorded: Recorded) -> None:
    """Hold that the error of a job has the provider's words."""
    if recorded.service is not None:
        for told in (recorded, _rewritten(recorded, _telling_more)):
            met, said = _run(conformance, told, "raise")
            lost = [words for words in _reasons_in(said, 1) if not _is_told(words, str(met))]
            expect(not lost, f"{recorded}: the provider says {lost[:1]}, and the error does not: {met}", recorded.task)


def _is_told(words: str, text: str) -> bool:
    """Tell whether a text has the provider's words: their beginning, and the end that the kit has added."""
    return words[:40].rstrip(".!") in text and (not words.endswith(_MORE) or _MORE in text)


def _expect_reasons(conformance: Conformance, recorded: Recorded, pictures: Sequence[Picture]) -> None:
    """Hold that the pictures which a job does not give have the provider's words."""
    if recorded.service is not None and set(recorded.outcomes) != {"ok"}:
        _, said = _run(conformance, recorded, "return")
        reasons = " ".join(picture.reason for picture in pictures)
        lost = [words for words in _reasons_in(said, len(pictures)) if not _is_told(words, reasons)]
        expect(not lost, f"{recorded}: the provider says {lost[:1]}, and no picture's reason does", recorded.task)


def _usage_read(conformance: Conformance, stored: Iterable[Received]) -> set[str]:
    """The names of the usage that decode reads of some stored response."""
    names: set[str] = set()
    for recorded, call, answer in stored:
        with contextlib.suppress(LimnerError):
            names |= set() if recorded.error else set(facts(conformance.model, call, _answered(answer))[0])
    return names


def _answered(answer: Response | LimnerError) -> Response:
    """The answer, unless it is an error."""
    if isinstance(answer, LimnerError):
        raise answer
    return answer


def _expect_usage(
    conformance: Conformance, recorded: Recorded, call: Task, answer: Response, known: Collection[str]
) -> None:
    """Hold that usage is as recorded, and that what decode reads of other answers is read of a refusal too."""
    found = {**answer.usage, **facts(conformance.model, call, answer)[0]}
    fine = recorded.usage is None or found == dict(recorded.usage)
    expect(fine, f"{recorded}: the usage is {found}; recorded: {recorded.usage}", call)
    there = {str(path[-1]) for path in bodies.leaves(bodies.parsed(answer.body)) if path}
    lost = [name for name in known if name in there and name not in found]
    expect(not lost, f"{recorded}: decode does not give the usage {', '.join(lost)}, which the response contains", call)


def _expect_turned(conformance: Conformance, recorded: Recorded, call: Task, answer: Response) -> None:
    """Hold that with the answer's pictures in the opposite order the outcomes are: what is bad may also come first."""
    if len(set(recorded.outcomes)) < 2 or not bodies.is_json(answer.body):
        return
    tree = bodies.parsed(answer.body)
    turned = bodies.with_lists(tree, len(recorded.outcomes), lambda items: items[::-1])
    if turned == tree:
        return
    try:
        pictures = decoded(conformance.model, call, attrs.evolve(answer, body=json.dumps(turned).encode()))
    except LimnerError as error:
        raise ContractBroken(f"{recorded}, its pictures in the opposite order: decode raised {error!r}", call) from error
    outcomes = tuple(picture.outcome for picture in pictures)
    wanted = recorded.outcomes[::-1]
    expect(outcomes == wanted, f"{recorded}, in reverse order: decode returned {outcomes}, not {wanted}", call)


@check
def test_filtered_is_never_a_plain_success(conformance: Conformance) -> None:
    """Filtered pictures raise ContentFiltered; with on_filtered="return" they are returned with their outcome."""
    filtered = [one for one in conformance.recorded if "filtered" in one.outcomes or one.error is ContentFiltered]
    if conformance.endpoint is None:
        filtered = [one for one in filtered if not one.is_http_error]
    if not filtered:
        pytest.skip("give Conformance(recorded=[...]): an answer of which a picture was filtered")
    for recorded in filtered:
        met, _ = _run(conformance, recorded, "raise")
        seen = f"{recorded}: run gave {met!r}, must raise ContentFiltered"
        expect(isinstance(met, ContentFiltered), seen, recorded.task)
        kept, said = _run(conformance, recorded, "return")
        if isinstance(kept, Result):
            outcomes = [picture.outcome for picture in kept.pictures]
            expect("filtered" in outcomes, f"{recorded}: on_filtered='return' returned {outcomes}", recorded.task)
            unsaid = [picture for picture in kept.pictures if picture.outcome == "filtered" and not picture.reason]
            expect(not unsaid, f"{recorded}: a filtered picture has no reason", recorded.task)
            reasons = " ".join(picture.reason for picture in kept.pictures)
            told = _reasons_in(said, len(recorded.outcomes))
            lost = [words for words in told if not _is_told(words, reasons)]
            expect(not lost, f"{recorded}: the provider says {lost[:1]}, and no picture's reason does", recorded.task)
            _expect_whole_reason(conformance, recorded)


def _expect_whole_reason(conformance: Conformance, recorded: Recorded) -> None:
    """Hold that what goes on after a full stop and a colon is a part of the reason."""
    kept, said = _run(conformance, _rewritten(recorded, _telling_more), "return")
    if isinstance(kept, Result):
        reasons = " ".join(picture.reason for picture in kept.pictures)
        lost = [words for words in _reasons_in(said, len(recorded.outcomes)) if not _is_told(words, reasons)]
        expect(not lost, f"{recorded}: the provider says {lost[:1]}, and no picture's reason says it all", recorded.task)


def _reasons_in(body: bytes, pictures: int) -> list[str]:
    """What a refusal says in words, where it says only one thing of each picture, or of all."""
    tree = bodies.parsed(body) if bodies.is_json(body) else None
    places = [path for path, node in bodies.nodes(tree) if isinstance(node, list) and len(node) == pictures]
    said: dict[bodies.Path, set[str]] = {}
    for path, leaf in bodies.leaves(tree).items():
        if bodies.says_why(path, leaf):
            of_picture = next((path[: len(place) + 1] for place in places if path[: len(place)] == place), ())
            said.setdefault(of_picture, set()).add(" ".join(leaf.split()))
    several = [words for of_picture, words in said.items() if of_picture] or list(said.values())
    return [word for words in several if len(words) == 1 for word in words]


def _run(conformance: Conformance, recorded: Recorded, on_filtered: str) -> tuple[Result | LimnerError, bytes]:
    """What run makes of a stored response, and the body in which the provider says it."""
    over_http = conformance.endpoint is not None and (recorded.is_http_error or recorded.headers or recorded.service)
    with provider(recorded.service or reply_of(recorded)) if over_http else contextlib.nullcontext() as there:
        model = conformance.connected(lambda _: Response(recorded.body))
        if there is not None:
            model = model_at(conformance, there.url).with_settings(timeout=PATIENCE)
        try:
            met: Result | LimnerError = model.run(recorded.task, on_filtered=on_filtered)
        except LimnerError as error:
            met = error
        replies = [] if there is None else [reply for _, reply in there.exchanges]
        said = [reply.body for reply in replies if bodies.is_json(reply.body)]
    return met, said[-1] if said else recorded.body
