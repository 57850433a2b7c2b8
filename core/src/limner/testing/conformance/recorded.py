"""Real responses of the provider: only they reveal a misspelt key; property tests cannot."""

from __future__ import annotations

import json

import pytest

from limner import ContentFiltered, LimnerError, Response, Result, Task
from limner.testing import bodies
from limner.testing.conformance.answers import expect_from_answer
from limner.testing.kit import Conformance, ContractBroken, Recorded, check, decoded, expect


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
        _expect_turned(conformance, recorded, call)


def _expect_turned(conformance: Conformance, recorded: Recorded, call: Task) -> None:
    """Hold that with the answer's pictures in the opposite order the outcomes are: what is bad may also come first."""
    if len(set(recorded.outcomes)) < 2 or not bodies.is_json(recorded.body):
        return
    tree = bodies.parsed(recorded.body)
    lists = [p for p, node in bodies.nodes(tree) if isinstance(node, list) and len(node) == len(recorded.outcomes)]
    turned = tree
    for path in lists:
        found = turned
        for key in path:
            found = found[key]
        turned = bodies.replaced(turned, path, found[::-1])
    if not lists or turned == tree:
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
    stored = [recorded for recorded in conformance.recorded if not recorded.is_http_error]
    filtered = [r for r in stored if "filtered" in r.outcomes or r.error is ContentFiltered]
    if not filtered:
        pytest.skip("give Conformance(recorded=[...]): an answer of which a picture was filtered")
    for recorded in filtered:
        met = _run(conformance, recorded, "raise")
        expect(
            isinstance(met, ContentFiltered),
            f"{recorded}: run gave {met!r}, must raise ContentFiltered",
            recorded.task,
        )
        kept = _run(conformance, recorded, "return")
        if isinstance(kept, Result):
            outcomes = [picture.outcome for picture in kept.pictures]
            expect("filtered" in outcomes, f"{recorded}: on_filtered='return' returned {outcomes}", recorded.task)
            unsaid = [picture for picture in kept.pictures if picture.outcome == "filtered" and not picture.reason]
            expect(not unsaid, f"{recorded}: a filtered picture has no reason", recorded.task)


def _run(conformance: Conformance, recorded: Recorded, on_filtered: str) -> Result | LimnerError:
    model = conformance.connected(lambda _: Response(recorded.body))
    try:
        return model.run(recorded.task, on_filtered=on_filtered)
    except LimnerError as error:
        return error
