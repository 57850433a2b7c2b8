"""What a model says beside the pictures: prices, warnings, remarks, progress, findings. It is true, and quotes no prompt."""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import attrs
import pytest

from limner import (
    AuthenticationFailed,
    Image,
    LimnerError,
    Model,
    Price,
    Progress,
    ProviderError,
    Request,
    Response,
    Task,
    TaskRefused,
    WeightedText,
    limits,
)
from limner.errors import shorten
from limner.limits import Constraint
from limner.prices import PRICES_VARIABLE, cost, wrong_prices
from limner.testing import bodies
from limner.testing.conformance.answers import small_tasks
from limner.testing.conformance.calls import AT_ONCE, first_request, good, model_at, sent
from limner.testing.conformance.secrets import SecretSetting, diagnosed, secret_settings, unfit_for_headers, without_secrets
from limner.testing.ends import ends
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.loopback import Call, Loopback, Reply, nowhere, provider
from limner.testing.probes import (
    all_starts,
    changed,
    constraints,
    full,
    pairs,
    plan_or_none,
    probes,
    starts,
    value_of,
    values_for,
)
from limner.testing.purity import another_world

_LONGEST = 500  # characters of one remark or warning


# ---------------------------------------------------------------------------------------------- prices


@check
def test_prices_can_apply(conformance: Conformance) -> None:
    """Each price is of a task that the model does, for values that its limits allow, and cost_of agrees with it."""
    model = conformance.model
    with mock.patch.dict(os.environ):
        os.environ.pop(PRICES_VARIABLE, None)  # the user's own prices are not the plugin's
        wrong = wrong_prices(type(model))
        expect(wrong is None, f"the model {wrong}")
        for kind, prices in model.prices.items():
            _expect_prices(model, kind, prices)
        for task in _priced_tasks(model):
            _expect_cost(model, task)
            _expect_known_for_several(model, task)


def _expect_prices(model: Model, kind: type[Task], prices: Iterable[Price]) -> None:
    table = model.limits_of(kind)
    declared, seen = constraints(table), dict[tuple[Any, ...], Price]()
    today = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)  # it is tomorrow already somewhere
    for price in prices:
        shown = f"{kind.kind}: the price {price}"
        expect(price.as_of <= today, f"{shown} is as of {price.as_of}, a day that has not come")
        for name, value in price.when.items():
            wrong = _never(declared.get(name), value)
            expect(wrong is None, f"{shown} never applies: {name}={value!r} {wrong}")
        condition = tuple(sorted(price.when.items(), key=repr))
        earlier = seen.setdefault(condition, price)
        expect(earlier is price, f"{kind.kind}: two prices have the same condition: {earlier}, and {price}")
        sized = price.per != "megapixel" or "size" in table.parameters or bool(table.own_size)
        expect(sized, f"{shown} never applies: no size of the pictures is known")
    currencies = sorted({price.currency for price in prices})
    expect(len(currencies) < 2, f"{kind.kind}: prices in {' and '.join(currencies)} make no cost")


def _never(limit: Constraint | None, value: Any) -> str | None:
    """Say why no task says a value; ``None`` where one may."""
    if limit is None:  # an edit's own size
        return None
    adapted, _ = limit.adapted(value)
    return limit.wrong(adapted)


def _expect_known_for_several(model: Model, start: Task) -> None:
    """Hold that what is known for one picture is known for several."""
    if "n" not in model.limits_of(type(start)).parameters:
        return
    one, two = (plan_or_none(model, changed(start, "n", n)) for n in (1, 2))
    if one is not None and two is not None and model.cost_of(one.task) is not None:
        expect(model.cost_of(two.task) is not None, "what one picture costs is known, and with n=2 it is not", two.task)


def _priced_tasks(model: Model) -> Iterator[Task]:
    """Small tasks of each kind: plain, for several pictures, and each with the condition of a price."""
    for kind in model.limits:
        for start in starts(model, kind)[:1]:
            yield start
            for name in ("n", *dict.fromkeys(name for price in model.prices.get(kind, ()) for name in price.when)):
                limit = constraints(model.limits_of(kind)).get(name)
                for value in values_for(start, name, limit)[:4] if limit is not None else ():
                    task = changed(start, name, value)
                    if task is not None:
                        yield task


def _expect_cost(model: Model, task: Task) -> None:
    made = plan_or_none(model, task)
    if made is None:
        return
    wanted, found = cost(type(model), made.task), model.cost_of(made.task)
    if not model.prices.get(type(task)):
        expect(found is None, f"cost_of gives {found!r} where no price is declared: what it costs is unknown", made.task)
    if wanted is not None:
        expect(found == wanted, f"cost_of gives {found!r}, by the declared prices it is {wanted!r}", made.task)


# ---------------------------------------------------------------------------------------------- warnings and remarks


@check
def test_comments_are_texts_that_quote_nothing(conformance: Conformance) -> None:
    """Warnings, remarks and notices are texts, the same each time, that name declared parameters and quote no prompt."""
    model = conformance.model
    notices: Any = model.notices()
    _expect_texts("notices()", notices, None)
    kind = type(model)
    if kind.warnings is Model.warnings and kind.remarks is Model.remarks:
        return
    tasks = [made.task for task in _commented(model) if (made := plan_or_none(model, task)) is not None]
    found = [_comments(model, task) for task in tasks]
    for task, (warned, remarks) in zip(tasks, found, strict=True):
        _expect_comments(model, task, warned, remarks)
    with another_world(conformance.package, 2049):
        for task, before in zip(tasks, found, strict=True):
            expect(_comments(model, task) == before, "warnings and remarks of a task are others in another year", task)


_UNUSUAL = "zebras juggling quinces beside a frozen lighthouse"


def _commented(model: Model) -> Iterator[Task]:
    """Tasks of each kind: small, everything said, and with each parameter at its ends; texts that nobody says by chance."""
    for start in all_starts(model):
        yield start
        yield _worded(model, full(model, start))
        yield from _wordy(model, start)
        for pair in pairs(model, start):
            yield _worded(model, pair)
            yield _with_all_texts(model, pair)
    for base, name, limit in probes(model):
        if isinstance(limit, limits.Text):
            for text in _unusual_texts(limit):
                task = changed(base, name, text)
                if task is not None:
                    yield task
        else:
            for value in values_for(base, name, limit)[:6]:
                task = changed(base, name, value)
                if task is not None:
                    yield task
                    yield from _wordy(model, task, but=name)


def _unusual_texts(limit: limits.Text) -> list[Any]:
    longest = limit.max_length or 4000
    long = " ".join(f"{_UNUSUAL} {at}" for at in range(200))[: min(longest, 4000)].strip()
    found: list[Any] = [_UNUSUAL, _UNUSUAL[:20], "Qx", "7 foxes", long]
    if isinstance(limit, limits.PromptText) and limit.weights is not None:
        parts = [WeightedText(_UNUSUAL, weight) for weight in ends(limit.weights)]
        found += [(part,) for part in parts] + [(part, WeightedText("snow", parts[0].weight)) for part in parts]
    return [text for text in found if limit.wrong(text) is None]


def _worded(model: Model, task: Task) -> Task:
    for name, limit in model.limits_of(type(task)).parameters.items():
        if isinstance(limit, limits.Text) and isinstance(value_of(task, name), str) and limit.wrong(_UNUSUAL) is None:
            task = changed(task, name, _UNUSUAL) or task
    return task


def _wordy(model: Model, task: Task, but: str = "") -> Iterator[Task]:
    """The task with a text that nobody says by chance wherever a text can be, also in options and lists."""
    for name, limit in constraints(model.limits_of(type(task))).items():
        text = _unusual(limit) if name != but else None
        said = None if text is None else changed(task, name, text)
        task = said if said is not None and plan_or_none(model, said) is not None else task
    yield task
    if getattr(task, "prompt", None) is not None and (unprompted := changed(task, "prompt", None)) is not None:
        yield unprompted


def _with_all_texts(model: Model, task: Task) -> Task:
    """The task with the unusual text in all that it may say."""
    for name, limit in constraints(model.limits_of(type(task))).items():
        text = _unusual(limit) if isinstance(limit, limits.Text) else None
        said = None if text is None else changed(task, name, text)
        task = task if said is None else said
    return task


def _unusual(limit: Constraint) -> Any:
    """The unusual text as far as a parameter takes it, alone or in a list; ``None`` where it takes none."""
    if isinstance(limit, limits.Items):
        inner = _unusual(limit.of)
        return next((some for most in (1, 2) if limit.wrong(some := (inner,) * most) is None), None) if inner else None
    longest = range(len(_UNUSUAL), _QUOTED - 1, -1)
    texts = (_UNUSUAL[:length] for length in longest if isinstance(limit, limits.Text))
    return next((text for text in texts if limit.wrong(text) is None), None)


def _comments(model: Model, task: Task) -> tuple[list[Any], dict[Any, Any]]:
    warned: Any = model.warnings(task)
    several = isinstance(warned, Iterable) and not isinstance(warned, str)
    expect(several, f"warnings(task) gave {shorten(warned)}, must be several texts", task)
    remarks: Any = model.remarks(task)
    expect(isinstance(remarks, Mapping), f"remarks(task) gave {shorten(remarks)}, must be a mapping of names to texts", task)
    return list(warned), dict(remarks)


def _expect_comments(model: Model, task: Task, warned: list[Any], remarks: dict[Any, Any]) -> None:
    _expect_texts("warnings(task)", warned, task)
    _expect_texts("remarks(task)", list(remarks.values()), task)
    declared = constraints(model.limits_of(type(task)))
    for name in remarks:
        expect(name in declared, f"remarks(task) has a remark on {name!r}, which is no parameter of this task", task)
    for text in _said_texts(task):
        quoted = [one for one in warned if _quotes(one, text)]
        expect(not quoted, f"a warning quotes what the user said: {shorten(quoted)}", task)
        whole = len(text) > len(_UNUSUAL) // 2 and any(text in one for one in remarks.values())
        expect(not whole, "a remark quotes a whole prompt", task)


def _expect_texts(what: str, found: Any, task: Task | None) -> None:
    several = isinstance(found, Iterable) and not isinstance(found, str | bytes)
    expect(several, f"{what} gave {shorten(found)}, must be several texts", task)
    for text in found:
        fine = isinstance(text, str) and text.strip() and "\n" not in text and len(text) <= _LONGEST
        expect(fine, f"{what} gave {shorten(text)}, must be one line of at most {_LONGEST} characters", task)


_QUOTED = 12  # characters


def _quotes(warning: str, text: str) -> bool:
    """Tell whether a warning holds a part of a text that nobody writes by chance."""
    return any(text[at : at + _QUOTED] in warning for at in range(min(len(text), 200) - _QUOTED + 1))


def _said_texts(task: Task) -> Iterator[str]:
    for _, value in [*task.arguments(), *task.options.items()]:
        for part in value if isinstance(value, tuple) else (value,):
            text = getattr(part, "text", part)
            if isinstance(text, str) and _UNUSUAL[:_QUOTED] in text:
                yield text


# ---------------------------------------------------------------------------------------------- progress


@check
def test_progress_is_true(conformance: Conformance) -> None:
    """What send reports of its progress is numbers from 0 to their end, pictures, and short texts without the prompt."""
    send = conformance.transport
    model = conformance.connected(send)
    reported: list[Progress] = []
    for task in small_tasks(conformance):
        made = plan_or_none(model, _worded(model, task))
        if made is None:
            continue
        reported.clear()
        model.run(made.task, on_progress=reported.append)
        _expect_forward(reported, made.task)
        for one in reported:
            _expect_progress(one, made.task)
        if conformance.endpoint is not None:
            _expect_progress_at(conformance, made.task)


def _expect_progress_at(conformance: Conformance, task: Task) -> None:
    """Look at what the model's own send reports of an answer in pieces; that it fails is another check's to say."""
    first = conformance.model.plan(task).requests[0]

    def slowly(call: Call) -> Reply:
        return attrs.evolve(good(conformance, call, first), pause=0.02, pieces=3)

    def near_its_end(call: Call) -> Reply:
        return _at_the_last_step(good(conformance, call, first))

    for answered in (slowly, near_its_end) if conformance.service is not None else (slowly,):
        reported: list[Progress] = []
        with provider(answered) as there, contextlib.suppress(ProviderError):
            model_at(conformance, there.url).run(task, on_progress=reported.append)
        _expect_forward(reported, task)
        for one in reported:
            _expect_progress(one, task)


_DONE = re.compile(r"(current|last)?_?(steps?_?(done|completed)?|done|completed|finished|progress)", re.IGNORECASE)
_OF = re.compile(r"(num_|max_|total_)?(steps|total|of|all)(_total)?", re.IGNORECASE)


def _at_the_last_step(reply: Reply) -> Reply:
    """The reply, in which all steps are done where it says how many there are."""
    tree = bodies.parsed(reply.body) if bodies.is_json(reply.body) else None
    for path, node in [*bodies.nodes(tree)] if tree is not None else ():
        whole = [value for name, value in node.items() if _is_number(name, value, _OF)] if isinstance(node, dict) else []
        for name, value in node.items() if whole else ():
            if _is_number(name, value, _DONE) and value < max(whole):
                tree = bodies.replaced(tree, (*path, name), max(whole))
    return attrs.evolve(reply, body=json.dumps(tree).encode()) if tree is not None else reply


def _is_number(name: str, value: Any, named: re.Pattern[str]) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and named.fullmatch(name) is not None


def _expect_forward(reported: Sequence[Progress], task: Task) -> None:
    """Hold that the steps of a call do not only fall: what is left is not what is done."""
    for number in {one.call for one in reported}:
        steps = [one.step for one in reported if one.call == number and one.step is not None]
        falling = len(steps) > 1 and steps[-1] < steps[0] and steps == sorted(steps, reverse=True)
        expect(not falling, f"progress runs backwards: {steps}; report what is done, not what is left", task)


def _expect_progress(one: Progress, task: Task) -> None:
    for name in ("step", "of"):
        value = getattr(one, name)
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
        expect(value is None or number, f"progress reports {name}={value!r}, must be a number from 0", task)
    beyond = one.step is not None and one.of is not None and one.step > one.of
    expect(not beyond, f"progress reports step {one.step} of {one.of}", task)
    expect(one.preview is None or isinstance(one.preview, Image), f"the preview is {one.preview!r}, must be an Image", task)
    fine = isinstance(one.message, str) and len(one.message) <= _LONGEST and "\n" not in one.message
    expect(fine, f"progress reports the message {shorten(one.message)}, must be one short line", task)
    quoted = any(_quotes(one.message, text) for text in _said_texts(task))
    expect(not quoted, f"progress quotes the prompt: {shorten(one.message)}", task)


# ---------------------------------------------------------------------------------------------- diagnose, available_ids


@check
def test_diagnose_tells_the_truth(conformance: Conformance) -> None:
    """Diagnose fails where send would: if credentials are missing, malformed or refused. It makes no billed call."""
    task, request = first_request(conformance)
    with provider(lambda call: good(conformance, call, request)) as there:
        model = model_at(conformance, there.url)
        works, called = isinstance(sent(model, request), Response), list(there.calls)
        there.calls.clear()
        failed = _failed(model, live=False)
        expect(not works or not failed, f"send works, and diagnose() says {failed}", task)
        _failed(model, live=True)
        _expect_unbilled("diagnose(live=True)", called, there.calls)
    for secret in secret_settings(conformance):
        for status in (401, 403):
            with provider(Reply(b'{"error": {"message": "wrong key"}}', status, AT_ONCE)) as there:
                failed = _failed(secret.given_to(model_at(conformance, there.url)), live=True)
                told = any(secret.is_in(call) for call in there.calls)
                asks = told or _asks_for_ids_with(secret, model_at(conformance, there.url), there)
            fine = failed or not asks
            expect(fine, f"the provider answers {secret.name} with HTTP {status}, and diagnose(live=True) finds no fault")
        _expect_odd_credentials(conformance, secret, request)
    _expect_missing_credentials(conformance, request)


def _asks_for_ids_with(secret: SecretSetting, model: Model, there: Loopback) -> bool:
    """Tell whether available_ids says a secret: then there is a free call by which diagnose can find that it is refused."""
    there.calls.clear()
    _ids_of(secret.given_to(model))
    return any(secret.is_in(call) for call in there.calls)


def _failed(model: Model, *, live: bool) -> list[str]:
    """What diagnose finds at fault; it may raise what send would."""
    try:
        return [f"{one.subject}: {one.detail}" for one in diagnosed(model, live=live) if one.fine is False]
    except LimnerError as error:
        return [str(error)]


def _expect_unbilled(what: str, of_send: list[Call], calls: list[Call]) -> None:
    """Hold that nothing is posted to where send posts."""
    posted = {(call.method, call.path) for call in of_send if call.method != "GET"}
    again = [call.path for call in calls if (call.method, call.path) in posted]
    expect(not again, f"{what} posts to {', '.join(again)} as send does, which may be billed")


def _expect_missing_credentials(conformance: Conformance, request: Request) -> None:
    with without_secrets(conformance) as without, provider(Reply()) as there:
        for less in [without, *({name: None} for name in without)]:
            try:
                model = model_at(conformance, there.url).with_settings(**less)
            except TaskRefused:
                continue
            there.calls.clear()
            met = sent(model, request)
            missing = isinstance(met, AuthenticationFailed) and not there.calls
            failed = not missing or _failed(model, live=False)
            expect(failed, f"without {', '.join(less)} send says {met}, and diagnose() finds no fault")


def _expect_odd_credentials(conformance: Conformance, secret: SecretSetting, request: Request) -> None:
    """Hold that diagnose finds a secret that send refuses for how it looks."""
    for odd in unfit_for_headers(secret.value):
        with provider(lambda call: good(conformance, call, request)) as there, contextlib.suppress(TaskRefused):
            model = model_at(conformance, there.url).with_settings(**{secret.name: odd})
            met = sent(model, request)
            refused = isinstance(met, AuthenticationFailed) and not there.calls
            failed = not refused or _failed(model, live=False)
            expect(failed, f"send refuses the setting {secret.name} for how it looks, and diagnose() finds no fault")


_LISTS = (b"{}", b"[]", b'"text"', b"<html>no</html>", b'{"data": null}', b'{"data": [{"id": 7}, null]}', b"[" * 50_000)


@check
def test_available_ids_are_texts(conformance: Conformance) -> None:
    """The ids of available_ids are texts; a failure is a ProviderError, and no call is billed."""
    if type(conformance.model).available_ids is Model.available_ids:
        pytest.skip("the model does not ask its provider for ids")
    if conformance.model.offline:
        _ids_of(conformance.model)
        return
    _, request = first_request(conformance)
    with provider(lambda call: good(conformance, call, request)) as there:
        sent(model_at(conformance, there.url), request)
        called = list(there.calls)
        _ids_of(model_at(conformance, there.url))
        called_for_ids = there.calls[len(called) :]
    lists = [reply.body for reply in map(conformance.service, called_for_ids)] if conformance.service else []
    for body in lists:
        _expect_no_id_of_nothing(conformance, body)
    for reply in [*map(Reply, [*_LISTS, *_spoilt_lists(lists)]), Reply(b"no", 401), Reply(b"no", 500, AT_ONCE)]:
        with provider(reply) as there:
            found = _ids_of(model_at(conformance, there.url))
            _expect_unbilled("available_ids", called, there.calls)
            refused = reply.status == 200 or not there.calls or found is None
            expect(refused, f"HTTP {reply.status} to available_ids gave {found!r}, must be a ProviderError")
    found = _ids_of(model_at(conformance, nowhere()))
    expect(found is None, f"nobody is at the endpoint, and available_ids gave {shorten(found)} without asking")


def _expect_no_id_of_nothing(conformance: Conformance, body: bytes) -> None:
    """Hold that an item without an id, which a list may have, is not listed as one."""
    found: list[Sequence[str] | None] = []
    nothings: list[list[Any]] = [[], [{}], [{"id": None}]]
    for items in nothings:
        tree = bodies.parsed(body)
        for path, node in [*bodies.nodes(tree)] if bodies.is_json(body) else ():
            if isinstance(node, list):
                tree = bodies.replaced(tree, path, [*node, *items])
                break
        with provider(Reply(json.dumps(tree).encode())) as there:
            found.append(_ids_of(model_at(conformance, there.url)))
    plain, *others = found
    more = [name for ids in others if plain is not None and ids is not None for name in ids if name not in plain]
    expect(not more, f"available_ids gives {more[:1]} for an item of the list that has no id")


def _spoilt_lists(found: Iterable[bytes]) -> Iterator[bytes]:
    """The provider's own lists with an item of another form in each."""
    for body in found:
        tree = bodies.parsed(body) if bodies.is_json(body) else None
        for path, node in bodies.nodes(tree):
            if isinstance(node, list):
                yield from (json.dumps(bodies.replaced(tree, path, [*node, odd])).encode() for odd in _ODD_ITEMS)


_ODD_ITEMS: tuple[Any, ...] = (None, 7, "text", {}, [], {"id": 7})


def _ids_of(model: Model) -> Sequence[str] | None:
    try:
        found: Any = model.available_ids()
    except ProviderError:
        return None
    except Exception as error:
        raise ContractBroken(f"available_ids raised {error!r}, must be a ProviderError") from error
    several = isinstance(found, Sequence) and not isinstance(found, str | bytes)
    fine = found is None or (several and all(isinstance(one, str) for one in found))
    expect(fine, f"available_ids gave {shorten(found)}, must be texts, or None")
    return found  # type: ignore[no-any-return]
