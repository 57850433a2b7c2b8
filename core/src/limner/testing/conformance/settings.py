"""What the settings of a model do: each changes something, and a value that cannot be right is refused."""

from __future__ import annotations

import contextlib
import math
import os
import re
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from limner import LimnerError, Model, Request, Settings, Task, TaskRefused
from limner.testing.conformance.calls import AT_ONCE, first_request, good, model_at, sent, variables_named
from limner.testing.conformance.interface import type_of
from limner.testing.conformance.secrets import (
    CANARIES,
    holds,
    is_secret,
    says,
    secret_variables,
    unfit_for_headers,
    without_secrets,
)
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.loopback import Call, Reply, provider
from limner.testing.probes import all_starts
from limner.testing.processes import in_another_process
from limner.testing.purity import RecordingEnvironment

_CANARY = CANARIES[0]


def own_fields(model: Model) -> list[attrs.Attribute[Any]]:
    """The settings that the plugin adds to limner's."""
    common = {field.name for field in attrs.fields(Settings)}
    return [field for field in attrs.fields(type(model.settings)) if field.name not in common]


@check
def test_settings_are_used(conformance: Conformance) -> None:
    """Another text in a setting of the plugin's own changes a call, its outcome, a request or a finding."""
    with provider(Reply()) as there:
        model = model_at(conformance, there.url)
    calls = [model.plan(start).calls[0] for start in all_starts(model)]
    texts = text_settings(model, but=there.url)
    plain = _effects(conformance, calls, {}) if texts else None
    for name in texts:
        fine = _is_used(conformance, calls, name, plain, {})
        with without_secrets(conformance) as less:  # which may overrule it
            fine = fine or _is_used(conformance, calls, name, _effects(conformance, calls, less), less)
        expect(fine, f"the setting {name} is not used: another value changes nothing")
    for name in texts:
        if not is_secret(attrs.fields_dict(type(model.settings))[name]):
            _expect_sent_with_requests(conformance, calls, name)
            _expect_misshapen_refused(conformance, calls[0], name)
    _expect_sent_together(conformance, calls[0], texts)
    for field in own_fields(model):
        if getattr(model.settings, field.name) is None and not is_secret(field):
            _expect_zero_sent(conformance, field.name)


def _expect_sent_with_requests(conformance: Conformance, calls: list[Task], name: str) -> None:
    """Hold that a setting which goes with free calls, such as an organization, goes with those that are billed, too."""
    first = conformance.model.encode(calls[0])
    with provider(lambda call: good(conformance, call, first)) as there:
        value = accepted_text(model_at(conformance, there.url), name)
        if value is None:
            return
        model = model_at(conformance, there.url).with_settings(**{name: value})
        for ask in (lambda: list(model.diagnose(live=True)), model.available_ids):
            with contextlib.suppress(LimnerError):
                ask()
        asked = any(says(call, value) for call in there.calls)
        there.calls.clear()
        for task in calls if asked else ():
            sent(model, model.encode(task))
        fine = not asked or any(says(call, value) for call in there.calls)
    expect(fine, f"the setting {name} is sent when diagnose or available_ids ask, but never with a request")


def _expect_sent_together(conformance: Conformance, task: Task, names: list[str]) -> None:
    """Hold that no setting takes the place of another: what a call says with one, it says with all of them, too."""
    request = conformance.model.encode(task)

    def told(given: dict[str, str]) -> dict[str, str]:
        with provider(lambda call: good(conformance, call, request)) as there:
            try:
                sent(model_at(conformance, there.url).with_settings(**given), request)
            except (TaskRefused, TypeError):
                return {}
            return {name: value for name, value in given.items() if any(says(call, value) for call in there.calls)}

    alone: dict[str, str] = {}
    for at, name in enumerate(names):
        if not is_secret(attrs.fields_dict(type(conformance.model.settings))[name]):
            with provider(Reply()) as there:
                value = accepted_text(model_at(conformance, there.url), name, f"{_CANARY}{chr(ord('a') + at)}")
            alone |= {} if value is None else told({name: value})
    together = told(alone)
    lost = [name for name in alone if together and name not in together]
    expect(not lost, f"with {' and '.join(alone)} given, send does not say {', '.join(lost)}, as it does without the others")


def _expect_zero_sent(conformance: Conformance, name: str) -> None:
    """Hold that a number which a header or the query takes to the provider goes there if it is 0, too."""
    _, request = first_request(conformance)
    told: list[set[str]] = []
    for value in (1, 0, None):
        with provider(lambda call: good(conformance, call, request)) as there:
            try:
                sent(model_at(conformance, there.url).with_settings(**{name: value}), request)
            except (TaskRefused, TypeError):
                return
        told.append({part for call in there.calls for part in (*call.headers, *parse_qs(urlsplit(call.path).query))})
    one, zero, without = told
    lost = (one - without) - zero
    expect(not lost, f"with {name}=1 send says {', '.join(lost)}, and with {name}=0 it does not")


def _expect_misshapen_refused(conformance: Conformance, task: Task, name: str) -> None:
    """Hold that a text which no header or address can have is refused, or a ProviderError, and nothing else."""
    first = conformance.model.encode(task)
    for odd in unfit_for_headers(_CANARY):
        with provider(lambda call: good(conformance, call, first)) as there:
            try:
                model = model_at(conformance, there.url).with_settings(**{name: odd})
            except (TaskRefused, TypeError):
                continue
            try:
                sent(model, model.encode(task))
            except ContractBroken as error:
                raise ContractBroken(f"with {name}={odd!r}: {error}; refuse such a value in the settings") from error


def _is_used(conformance: Conformance, calls: list[Task], name: str, plain: list[str] | None, more: dict[str, Any]) -> bool:
    other = _effects(conformance, calls, {**more, name: _CANARY})
    told = other is None or any(holds(one, _CANARY) for one in other)
    return told or plain is None or plain != other


def shapes(canary: str) -> tuple[str, ...]:
    """A text that nobody else says, as a name, an address and in small letters: settings check how their values look."""
    return canary, f"https://{canary}.invalid/", canary.lower()


def accepted_text(model: Model, name: str, canary: str = _CANARY) -> str | None:
    """A text for a setting that it takes; ``None`` where it refuses all."""
    for value in shapes(canary):
        with contextlib.suppress(TaskRefused, TypeError):
            model.with_settings(**{name: value})
            return value
    return None


def text_settings(model: Model, but: str) -> list[str]:
    """The plugin's own settings that are texts, but for the one with the endpoint's URL."""
    values = {field.name: getattr(model.settings, field.name) for field in own_fields(model)}
    kind = type(model.settings)
    found = [name for name, value in values.items() if isinstance(value, str) or type_of(kind, name) is str]
    return [name for name in found if but not in str(values[name])]


def _effects(conformance: Conformance, calls: list[Task], settings: dict[str, Any]) -> list[str] | None:
    """What is seen of a model with other settings; ``None`` where it refuses them."""
    seen: list[str] = []
    for task in calls:
        request = conformance.model.encode(task)
        with provider(lambda call, request=request: good(conformance, call, request)) as there:  # type: ignore[misc]
            try:
                model = model_at(conformance, there.url).with_settings(**settings)
            except (TaskRefused, TypeError):
                return None
            seen += [f"{model.encode(task)}", _outcome(model, request)]
            with contextlib.suppress(LimnerError):
                seen += [f"{finding}" for finding in model.diagnose(live=True)]
            seen += [_wire(call, settings) for call in there.calls]
            seen = [one.replace(there.url, "") for one in seen]
    return seen


def _outcome(model: Model, request: Request) -> str:
    met = sent(model, request)
    return f"{type(met).__name__} {met}" if isinstance(met, LimnerError) else "answered"


def _wire(call: Call, settings: dict[str, Any]) -> str:
    """A call as text; of its headers only what holds the value, for others may differ from call to call."""
    told = [name for name, value in call.headers.items() if settings and holds(value, _CANARY)]
    return f"{call.method} {call.path} {sorted(told)} {call.identity}"


_ATTEMPTS = re.compile(r"(^|_)(attempts|tries)(_|$)")
_RETRIES = re.compile(r"(^|_)retries(_|$)")


@check
def test_attempts_are_counted(conformance: Conformance) -> None:
    """With one attempt, or no retries, send calls once, whatever the provider answers; fewer do not crash it."""
    with provider(Reply()) as there:
        model = model_at(conformance, there.url)
    least = {field.name: 1 for field in own_fields(model) if _ATTEMPTS.search(field.name)}
    least |= {field.name: 0 for field in own_fields(model) if _RETRIES.search(field.name)}
    task, request = first_request(conformance)
    for name, value in least.items():
        for status in (429, 503):
            with provider(Reply(b'{"error": {"message": "busy"}}', status, AT_ONCE)) as there:
                try:
                    once = model_at(conformance, there.url).with_settings(**{name: value})
                except TaskRefused:
                    break
                sent(once, request)
                fine = not there.made_twice()
                expect(fine, f"with {name}={value}, HTTP {status} makes send call {len(there.calls)} times", task)
        with provider(lambda call: good(conformance, call, request)) as there, contextlib.suppress(TaskRefused):
            sent(model_at(conformance, there.url).with_settings(**{name: value - 1}), request)  # and no other error
    if not least:
        pytest.skip("the model has no setting for attempts or retries")


@check
def test_a_setting_overrides_the_environment(conformance: Conformance) -> None:
    """A setting that is given is used, whatever the environment says; otherwise each call reads the environment."""
    secret = [name for name in secret_variables(conformance) if name.isupper()]
    task, request = first_request(conformance)
    _expect_read_by_each_call(conformance, request, secret)
    with provider(lambda call: good(conformance, call, request)) as there:
        texts = text_settings(model_at(conformance, there.url), but=there.url)
        asked = _asked_variables(model_at(conformance, there.url), request)
    for name in texts:
        _expect_variable_read_by_each_call(conformance, task, request, name)
        names = {*secret, *(one for one in asked if name.upper() in one)}
        with provider(Reply()) as there:
            value = accepted_text(model_at(conformance, there.url), name) or _CANARY
        other = shapes(CANARIES[1])[shapes(_CANARY).index(value)]
        told = []
        for environment in ({}, dict.fromkeys(names, other)):
            with (
                mock.patch.dict(os.environ, environment),
                provider(lambda call: good(conformance, call, request)) as there,
                contextlib.suppress(TaskRefused, TypeError),
            ):
                sent(model_at(conformance, there.url).with_settings(**{name: value}), request)
            told.append(any(says(call, value) for call in there.calls))
        fine = told[1] or not told[0]
        named = [one for one in names if one.endswith(name.upper())]
        fine = fine and _one_of_its_words_overrides(conformance, request, name, dict.fromkeys(named, CANARIES[1]))
        expect(fine, f"a variable of {', '.join(names)} is used although the setting {name} is given", task)


def _expect_read_by_each_call(conformance: Conformance, request: Request, names: list[str]) -> None:
    """Change the secret variables between two calls: a key may be replaced while the program runs."""
    told: list[bool] = []
    with without_secrets(conformance) as without, provider(lambda call: good(conformance, call, request)) as there:
        for value in CANARIES[:2]:
            there.calls.clear()
            with mock.patch.dict(os.environ, dict.fromkeys(names, value)), contextlib.suppress(TaskRefused):
                sent(model_at(conformance, there.url).with_settings(**without), request)
                told.append(any(says(call, value) for call in there.calls))
    shown = f"after another value of {' or '.join(names)} a call still uses the one before"
    expect(told != [True, False], f"{shown}; read the environment when the call is made")


def _expect_variable_read_by_each_call(conformance: Conformance, task: Task, request: Request, name: str) -> None:
    """Hold that a variable which the source names for a setting is used here, too, if it is in a new process."""
    with provider(lambda call: good(conformance, call, request)) as there:
        value = accepted_text(model_at(conformance, there.url), name) or _CANARY
        model = model_at(conformance, there.url).with_settings(**{name: getattr(type(conformance.model.settings)(), name)})
        for variable in variables_named(conformance, name):
            there.calls.clear()
            with mock.patch.dict(os.environ, {variable: value}):
                sent(model, request)
                here = any(says(call, value) for call in there.calls)
                if not here:
                    in_another_process(model, task, request)
                elsewhere = any(says(call, value) for call in there.calls)
            seen = f"a call uses {variable} of the environment in a new process, and not after other calls"
            expect(here == elsewhere, f"{seen}; read the environment when the call is made", task)


def _one_of_its_words_overrides(conformance: Conformance, request: Request, name: str, environment: dict[str, str]) -> bool:
    """Look at a setting that takes only a few words: it is where it was in the call, whatever the environment says."""

    def called(value: str, environment: dict[str, str]) -> dict[str, str]:
        with mock.patch.dict(os.environ, environment), provider(lambda call: good(conformance, call, request)) as there:
            sent(model_at(conformance, there.url).with_settings(**{name: value}), request)
            return {"path": there.calls[0].path, **there.calls[0].headers} if there.calls else {}

    with provider(Reply()) as there:
        words = accepted_words(model_at(conformance, there.url), name)[:2]
    if len(words) < 2:
        return True
    one, other = called(words[0], {}), called(words[1], {})
    places = [place for place, text in one.items() if words[0] in text and words[0] not in other.get(place, "")]
    found = called(words[0], environment) if places else {}
    return all(words[0] in found.get(place, "") for place in places)


def accepted_words(model: Model, name: str) -> list[str]:
    """The words that a setting takes, of those that it names where it refuses another."""
    accepted: list[str] = []
    try:
        model.with_settings(**{name: _CANARY})
    except (TaskRefused, TypeError) as refused:
        for word in dict.fromkeys(re.findall(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", str(refused))):
            with contextlib.suppress(TaskRefused, TypeError):
                model.with_settings(**{name: word})
                accepted.append(word)
    return accepted


def _asked_variables(model: Model, request: Request) -> list[str]:
    """The variables that a call asks for."""
    recording = RecordingEnvironment(dict(os.environ))
    with mock.patch.object(os, "environ", recording):
        sent(model, request)
    return [name for name in dict.fromkeys(recording.asked) if name.isupper()]


@check
def test_numbers_of_settings_are_checked(conformance: Conformance) -> None:
    """A number setting of the plugin's own refuses NaN."""
    kind = type(conformance.model.settings)
    for field in own_fields(conformance.model):
        default = getattr(kind(), field.name)
        if isinstance(default, bool) or not isinstance(default, int | float):
            continue
        for wrong in ("nan", math.nan):
            try:
                found = getattr(kind.of({field.name: wrong}), field.name)
            except TaskRefused:
                continue
            expect(False, f"the setting {field.name}={wrong!r} becomes {found!r}; it must be refused")
