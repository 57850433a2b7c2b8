"""The settings of models that are declared offline: weights, devices and their passwords, given or of the environment."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from limner import LimnerError, Model, Request, Task, TaskRefused
from limner.errors import shorten
from limner.testing.conformance.calls import sent, some_requests, variables_named
from limner.testing.conformance.offline import connections, offline_model, shown
from limner.testing.conformance.secrets import SecretSetting, diagnosed, expect_not_told, is_secret, secret_settings
from limner.testing.conformance.settings import accepted_words, own_fields
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.processes import in_another_process

_ODD = "/no/such/place/zq7"
_ODD_NAME = "no-such/name-zq7"
"""For a setting that names a file, a device or a model: values that no machine has."""


@check
def test_offline_settings_are_used(conformance: Conformance) -> None:
    """Another text in a setting is used or refused, whatever ran before; a failure tells no secret."""
    model = offline_model(conformance)
    task, request = next(some_requests(conformance))
    plain = shown(model, task, request)
    if plain != shown(model, task, request):
        pytest.skip("the same request gives another picture the second time")
    secrets = secret_settings(conformance)
    for name, value in itertools.product(_texts(model), (_ODD, _ODD_NAME)):
        _expect_used_or_refused(model, {name: value}, secrets, task, request)
    if secrets:
        other = model.with_settings(**{secret.name: secret.given for secret in secrets})
        _expect_as_elsewhere(other, f"another {', '.join(secret.name for secret in secrets)}", task, request)
        _expect_secrets_kept(model, secrets, "", request)
    _expect_environment_used(model, task, request)
    for field in own_fields(model):
        variables = variables_named(conformance, field.name)
        if variables and isinstance(getattr(model.settings, field.name), str):
            _expect_given_or_read(model, field.name, variables, task, request)
    for name in _texts(model):
        _expect_no_foreign_error(model, name, request)
        for word in accepted_words(model, name)[:_MOST_WORDS]:
            _expect_as_elsewhere(model.with_settings(**{name: word}), f"{name}={word!r}", task, request)
        _expect_file_read_again(model, name, task, request)
    expect(shown(model, task, request) == plain, "after calls with other settings, send gives another picture", task)


def _expect_used_or_refused(
    model: Model, setting: Mapping[str, str], secrets: Sequence[SecretSetting], task: Task, request: Request
) -> None:
    """Say something odd in a setting, after a call without it: what that has loaded is not used in its place."""
    ((name, value),) = setting.items()
    try:
        odd = model.with_settings(**setting)
    except (TaskRefused, TypeError):
        return
    plain = shown(model, task, request)
    with connections() as asked:
        found = shown(odd, task, request)
    expect(not asked, f"with {name}={value!r} the offline model calls {', '.join(asked[:3])}", task)
    used = found != plain or not getattr(type(model.settings)(), name) or found["error"]
    expect(used, f"the setting {name}={value!r} is neither refused nor used: the same picture comes", task)
    _expect_as_elsewhere(odd, f"{name}={value!r}", task, request)
    _expect_found(odd, name, value, found)
    account = found["error"] in {"AuthenticationFailed", "AccessDenied", "RateLimited", "ContentFiltered"}
    expect(not account, f"with {name}={value!r} the offline model raises {found['error']}, which sends users elsewhere")
    _expect_secrets_kept(odd, secrets, f", with {name}={value!r}", request)


def _expect_secrets_kept(model: Model, secrets: Sequence[SecretSetting], where: str, request: Request) -> None:
    met = sent(model.with_settings(**{secret.name: secret.given for secret in secrets}), request)
    if isinstance(met, LimnerError):
        for secret in secrets:
            expect_not_told(met, secret.value, f"the value of the setting {secret.name}{where}")


_MOST_WORDS = 4


def _expect_environment_used(model: Model, task: Task, request: Request) -> None:
    """Say something else in the variables of a setting: each call reads them, unless the setting is given."""
    plain = type(model)(type(model.settings)(), model_id=model.model_id)
    asked = in_another_process(plain, task, request).get("variables", [])  # here they may have been read before
    for name in _texts(model):
        words = set(name.upper().split("_")) - _COMMON
        variables = [one for one in asked if words & set(one.split("_"))]
        unsaid = model.with_settings(**{name: getattr(type(model.settings)(), name)})
        shown(unsaid, task, request)
        with mock.patch.dict(os.environ, dict.fromkeys(variables, _ODD_NAME)):
            if variables:
                _expect_as_elsewhere(unsaid, f"{' and '.join(variables)} in the environment", task, request)
            beside = _outcome(model, {name: _ODD}, request)
        alone = _outcome(model, {name: _ODD}, request)
        seen = f"with {name}={_ODD!r} send gives {shorten(beside)} if {' or '.join(variables)} says something else"
        expect(alone == beside, f"{seen}, and {shorten(alone)} if not: a setting that is given is used")


def _expect_given_or_read(model: Model, name: str, variables: list[str], task: Task, request: Request) -> None:
    """Say the setting's own value in its variables: it is used if it is given, and each call reads them if it is not."""

    def by_the_environment() -> Model:
        return model.with_settings(**{name: getattr(type(model.settings)(), name)})

    known, plain = " and ".join(variables), shown(model, task, request)
    with mock.patch.dict(os.environ, dict.fromkeys(variables, _ODD_NAME)):
        beside, made_before = shown(model, task, request), by_the_environment()
    expect(
        beside == plain, f"the setting {name} is given, and send gives something else if {known} says something else", task
    )
    with mock.patch.dict(os.environ, dict.fromkeys(variables, getattr(model.settings, name))):
        now, later = (shown(one, task, request) for one in (by_the_environment(), made_before))
    seen = f"a model that was made before {known} changed gives something else than one made after"
    expect(later == now, f"{seen}; read the environment when the call is made", task)


def _expect_no_foreign_error(model: Model, name: str, request: Request) -> None:
    """Name what is no file: a folder, and what no path can be."""
    with tempfile.TemporaryDirectory() as folder:
        for value in (folder, "no\x00file", "x" * 5000):
            try:
                _outcome(model, {name: value}, request)
            except ContractBroken as error:
                raise ContractBroken(f"with {name}={value[:60]!r}: {error}") from error


_COMMON = frozenset({"PATH", "FILE", "DIR", "NAME", "URL", "ID"})


def _outcome(model: Model, setting: Mapping[str, str], request: Request) -> str:
    """What comes with a setting: the picture, or what an error says."""
    try:
        met = sent(model.with_settings(**setting), request)
    except (TaskRefused, TypeError) as refused:
        return f"{refused}"
    return f"{type(met).__name__} {met}" if isinstance(met, LimnerError) else f"{met.body!r}"


def _expect_as_elsewhere(model: Model, setting: str, task: Task, request: Request) -> None:
    """Hold that nothing which an earlier model has loaded shows."""
    found = shown(model, task, request)
    elsewhere = in_another_process(model, task, request)
    seen = f"with {setting} send gives something else in a new process than after other calls"
    expect(elsewhere.get("shown", found) == found, f"{seen}: it uses what an earlier model loaded", task)


def _expect_file_read_again(model: Model, name: str, task: Task, request: Request) -> None:
    """Name a file, if the setting takes any, and write another in its place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(bytes(range(256)) * 16)
        try:
            with_file = model.with_settings(**{name: str(path)})
        except (TaskRefused, TypeError):
            return
        if shown(with_file, task, request)["error"]:
            return
        path.write_bytes(bytes(range(255, -1, -1)) * 17)
        _expect_as_elsewhere(with_file, f"{name} as a file that was replaced", task, request)


def _texts(model: Model) -> list[str]:
    """The settings of the plugin's own that hold a text, or may, and no secret."""
    own = [field for field in own_fields(model) if not is_secret(field)]
    return [field.name for field in own if isinstance(getattr(model.settings, field.name), str | None)]


def _expect_found(model: Model, name: str, value: str, found: dict[str, Any]) -> None:
    findings = diagnosed(model, live=False) if found["error"] else []
    fine = [one for one in findings if one.fine and value in one.detail]
    expect(not fine, f"with {name}={value!r} send fails, and diagnose() finds it fine: {fine}")
    blind = findings and all(one.fine for one in findings)
    expect(not blind, f"with {name}={value!r} send fails, and diagnose() finds all fine: {findings[:3]}")
