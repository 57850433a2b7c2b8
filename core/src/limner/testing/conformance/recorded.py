"""Real responses of the provider: only they reveal a misspelt key; property tests cannot."""

from __future__ import annotations

import contextlib
import json
import re

import pytest

from limner import ContentFiltered, LimnerError, Response, Result, Task
from limner.testing import bodies
from limner.testing.conformance.answers import expect_from_answer
from limner.testing.conformance.calls import model_at
from limner.testing.kit import Conformance, ContractBroken, Recorded, check, decoded, expect, facts
from limner.testing.loopback import Reply, provider


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
    for recorded in _some(conformance):
        if recorded.is_http_error:  # decode never sees it
            continue
        call = conformance.model.plan(recorded.task).calls[0]
        try:
            pictures = decoded(conformance.model, call, Response(recorded.body))
        except LimnerError as error:
            wanted = recorded.error is not None and isinstance(error, recorded.error)
            expect(wanted, f"{recorded}: decode raised {error!r}; recorded: {recorded.error or recorded.outcomes}", call)
            continue
        outcomes = tuple(picture.outcome for picture in pictures)
        expect(recorded.error is None, f"{recorded}: decode returned {outcomes}; recorded: {recorded.error}", call)
        expect(outcomes == recorded.outcomes, f"{recorded}: decode returned {outcomes}; recorded: {recorded.outcomes}", call)
        for picture in pictures:
            expect_from_answer(picture, recorded.body, call)
        _expect_usage(conformance, recorded, call)
        _expect_turned(conformance, recorded, call)


def _expect_usage(conformance: Conformance, recorded: Recorded, call: Task) -> None:
    """Hold that usage is as recorded, and that what decode reads of other answers is read of a refusal too."""
    others = [one for one in conformance.recorded if one.error is None and not one.is_http_error]
    known: set[str] = set()
    for other in others:
        known |= set(facts(conformance.model, conformance.model.plan(other.task).calls[0], Response(other.body))[0])
    found = facts(conformance.model, call, Response(recorded.body))[0]
    fine = recorded.usage is None or found == dict(recorded.usage)
    expect(fine, f"{recorded}: decode gives the usage {found}; recorded: {recorded.usage}", call)
    there = {str(path[-1]): leaf for path, leaf in bodies.leaves(bodies.parsed(recorded.body)).items() if path}
    lost = [name for name in known if name in there and name not in found]
    expect(not lost, f"{recorded}: decode does not give the usage {', '.join(lost)}, which the response contains", call)


def _expect_turned(conformance: Conformance, recorded: Recorded, call: Task) -> None:
    """Hold that with the answer's pictures in the opposite order the outcomes are: what is bad may also come first."""
    if len(set(recorded.outcomes)) < 2 or not bodies.is_json(recorded.body):
        return
    tree = bodies.parsed(recorded.body)
    turned = bodies.with_lists(tree, len(recorded.outcomes), lambda items: items[::-1])
    if turned == tree:
        return
    try:
        pictures = decoded(conformance.model, call, Response(json.dumps(turned).encode()))
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
        met = _run(conformance, recorded, "raise")
        seen = f"{recorded}: run gave {met!r}, must raise ContentFiltered"
        expect(isinstance(met, ContentFiltered), seen, recorded.task)
        kept = _run(conformance, recorded, "return")
        if isinstance(kept, Result):
            outcomes = [picture.outcome for picture in kept.pictures]
            expect("filtered" in outcomes, f"{recorded}: on_filtered='return' returned {outcomes}", recorded.task)
            unsaid = [picture for picture in kept.pictures if picture.outcome == "filtered" and not picture.reason]
            expect(not unsaid, f"{recorded}: a filtered picture has no reason", recorded.task)
            reasons = " ".join(picture.reason for picture in kept.pictures)
            lost = [words for words in _reasons_in(recorded) if words[:40].rstrip(".!") not in reasons]
            expect(not lost, f"{recorded}: the provider says {lost[:1]}, and no picture's reason does", recorded.task)


def _reasons_in(recorded: Recorded) -> list[str]:
    """What a refusal says in words, where it says only one thing of each picture, or of all."""
    tree = bodies.parsed(recorded.body) if bodies.is_json(recorded.body) else None
    places = [path for path, node in bodies.nodes(tree) if isinstance(node, list) and len(node) == len(recorded.outcomes)]
    said: dict[bodies.Path, set[str]] = {}
    for path, leaf in bodies.leaves(tree).items():
        if isinstance(leaf, str) and _names_a_reason(path, leaf):
            of_picture = next((path[: len(place) + 1] for place in places if path[: len(place)] == place), ())
            said.setdefault(of_picture, set()).add(" ".join(leaf.split()))
    several = [words for of_picture, words in said.items() if of_picture] or list(said.values())
    return [word for words in several if len(words) == 1 for word in words]


_REASON = re.compile("reason|message|detail|why|explanation", re.IGNORECASE)


def _names_a_reason(path: bodies.Path, leaf: str) -> bool:
    return len(leaf.split()) > 1 and bool(path) and _REASON.search(str(path[-1])) is not None


def _run(conformance: Conformance, recorded: Recorded, on_filtered: str) -> Result | LimnerError:
    model = conformance.connected(lambda _: Response(recorded.body))
    reply = Reply(recorded.body, recorded.status, recorded.headers)
    with provider(reply) if recorded.is_http_error else contextlib.nullcontext() as there:
        try:
            called = model if there is None else model_at(conformance, there.url)
            return called.run(recorded.task, on_filtered=on_filtered)
        except LimnerError as error:
            return error
