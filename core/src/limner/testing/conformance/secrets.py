"""Secrets: what is in a secret setting is in nothing that anybody sees."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock
from urllib.parse import quote

import attrs
import pytest

from limner import Finding, LimnerError, Model, ProviderError, Request, Response, TaskRefused, to_json
from limner.testing import bodies
from limner.testing.conformance.calls import AT_ONCE, first_request, good, model_at, sent, source_of
from limner.testing.kit import Conformance, Recorded, check, decoded, expect
from limner.testing.loopback import Call, Reply, nowhere, provider
from limner.testing.probes import starts
from limner.testing.purity import RecordingEnvironment

CANARIES = (
    "canary-7fK2mQ9xWv4TzL8p",
    "sk-canary7fK2mQ9xWv4TzL8p",
    "AKIACANARY7FK2MQ9XWV",
    "c0ffee7f2a9d4b8c6e1f3a5d7b9c0e2f",
)
"""Secrets of several looks, for settings that check how theirs looks."""

_SECRET = re.compile(
    r"(^|_)(api_?key|key|token|secrets?|pass(word|wd|phrase|code)|credentials?|authorization|auth|bearer|cookie|jwt|pat|pin)(_|$)",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(r"(^|_)(key_id|token_limit|max_tokens)(_|$)", re.IGNORECASE)
Given = Mapping[str, Any]
"""Secret settings by name."""

_PART = 6  # characters of a secret that are too many already
_PART_OF_LONG = 10  # in long texts, which hold shorter ones by chance
_LONG = 5_000  # characters


def is_secret(field: attrs.Attribute[Any]) -> bool:
    """Tell whether a setting is named like a secret, or not shown."""
    return not field.repr or (_SECRET.search(field.name) is not None and _NOT_SECRET.search(field.name) is None)


@attrs.frozen
class SecretSetting:
    """A secret setting, and a value for it that nobody else says.

    Attributes:
        name: the setting.
        value: the text that nobody may see.
        given: what the setting is given: the text, or headers with it.
    """

    name: str
    value: str
    given: Any

    def given_to(self, model: Model) -> Model:
        """The model with it."""
        return model.with_settings(**{self.name: self.given})

    def is_in(self, call: Call) -> bool:
        """Tell whether a call says it."""
        return says(call, self.value)


def _with_canary(model: Model, name: str) -> SecretSetting | None:
    """A setting with a canary that a model takes; nothing where it takes neither a text nor headers."""
    for canary in CANARIES:
        for given in (canary, {"x-of-the-kit": canary}):
            with contextlib.suppress(TaskRefused, TypeError, ValueError):
                made = SecretSetting(name, canary, given)
                if canary in _plain(getattr(made.given_to(model).settings, name)):
                    return made
    return None


def says(call: Call, value: str) -> bool:
    """Tell whether a call says a text, plainly or in base64."""
    return holds(f"{call.headers!r} {call.path} {call.body!r}", value)


def holds(text: str, value: str) -> bool:
    """Tell whether a text holds another, plainly or in base64."""
    return any(told in text for told in (value, *coded_in_base64(value)))


def secret_settings(conformance: Conformance) -> list[SecretSetting]:
    """The secret settings of a model that take a text."""
    fields = [field.name for field in attrs.fields(type(conformance.model.settings)) if is_secret(field)]
    found = [made for name in fields if (made := _with_canary(conformance.model, name)) is not None]
    return [made for made in found if made.given == made.value]


def _plain(value: Any) -> str:
    for reveal in ("get_secret_value", "reveal"):
        if hasattr(value, reveal):
            value = getattr(value, reveal)()
    return value if isinstance(value, str) else repr(getattr(value, "__dict__", value))


def _told_by(canary: str, text: str) -> bool:
    """Tell whether a text has a secret, or a good part of it, plainly or written in another way."""
    length = _PART if len(text) < _LONG else _PART_OF_LONG
    parts = {canary[at : at + length] for at in range(len(canary) - length + 1)}
    coded = {*coded_in_base64(canary), quote(canary, safe=""), canary[::-1], canary.encode().hex()}
    return any(part in text for part in parts | coded)


def coded_in_base64(canary: str) -> list[str]:
    """What base64 makes of a text wherever it stands in what is encoded, such as after ``user:``."""
    found = []
    for before in range(3):
        coded = base64.b64encode(b"." * before + canary.encode()).decode()
        found.append(coded[4 * bool(before) : 4 * ((before + len(canary)) // 3)])
    return found


class _Seen:
    """Everything that is shown while something is done: log records, warnings and what is printed."""

    def __init__(self, package: str) -> None:
        self.package, self.logged, self.printed = package, list[str](), io.StringIO()
        self.warned: list[warnings.WarningMessage] = []
        self.files = {getattr(sys.modules.get(name), "__file__", None) for name in _modules_of(package)} - {None}

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        seen = self

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if (
                    record.name.partition(".")[0] in {seen.package, "limner", "root", "__main__"}
                    or record.pathname in seen.files
                ):
                    seen.logged.append(f"{record.getMessage()} {vars(record)!r}")

        handler, root = Handler(), logging.getLogger()
        levels = {name: logging.getLogger(name).level for name in ("", self.package, "limner")}
        root.addHandler(handler)
        for name in levels:
            logging.getLogger(name).setLevel(logging.DEBUG)
        try:
            with (
                contextlib.redirect_stdout(self.printed),
                contextlib.redirect_stderr(self.printed),
                _all_warnings() as warned,
            ):
                yield
                self.warned += warned
        finally:
            root.removeHandler(handler)
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)

    def expect_without(self, canary: str, who: str) -> None:
        expect(not any(_told_by(canary, text) for text in self.logged), f"a log record contains {who}")
        expect(not any(_told_by(canary, str(one.message)) for one in self.warned), f"a warning holds {who}")
        expect(not _told_by(canary, self.printed.getvalue()), f"the output contains {who}")


def _modules_of(package: str) -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == package]


@contextlib.contextmanager
def _all_warnings() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        yield warned


@check
def test_secrets_are_never_shown(conformance: Conformance) -> None:
    """A secret setting is in no repr, finding, plan, request, result, log record or error, even if the provider sends it."""
    found = [field.name for field in attrs.fields(type(conformance.model.settings)) if is_secret(field)]
    made = [one for name in found if (one := _with_canary(conformance.model, name)) is not None]
    named = secret_variables(conformance)
    if not made and not named:
        pytest.skip("the model has no secret settings (named like a key, or not shown)")
    for one in made:
        model, who = one.given_to(conformance.model), f"the value of the setting {one.name}"
        _expect_hidden(conformance, model, one.value, who, {one.name: one.given})
    for name in found:
        _expect_own_hidden(conformance, name)
    for name in named:
        with mock.patch.dict(os.environ, {name: CANARIES[0]}):
            model = type(conformance.model)(type(conformance.model.settings)(), model_id=conformance.model.model_id)
            nothing = {field.name: None for field in attrs.fields(type(model.settings)) if _is_left_out(field)}
            given: Given = nothing if _is_sent(conformance, nothing, CANARIES[0]) else {}
            _expect_hidden(conformance, model, CANARIES[0], f"the value of the variable {name}", given)


def _expect_own_hidden(conformance: Conformance, name: str) -> None:
    """Look for the secret that the model was given for the kit: one that opens something is shown elsewhere."""
    value = _plain(getattr(conformance.model.settings, name))
    common = source_of(conformance).casefold()
    parts = {value[at : at + _OWN_PART] for at in range(len(value) - _OWN_PART + 1)}
    telling = {part for part in parts if part.casefold() not in common}  # the rest are words that the plugin says anyway
    for what, text in _shown(conformance, conformance.model) if telling else ():
        expect(not any(part in text for part in telling), f"{what} contains a part of the value of the setting {name}")


_OWN_PART = 8


@check
def test_refused_secrets_are_not_quoted(conformance: Conformance) -> None:
    """A secret setting that is refused for how it looks is not quoted in the error."""
    for secret in secret_settings(conformance):
        for odd in _misshapen(secret.value):
            _expect_unquoted_by_validators(conformance, secret, odd)
            told = _said_of_refused(conformance, {secret.name: odd})
            fine = not _told_by(secret.value, told) and odd.strip() not in told
            expect(fine, f"the setting {secret.name} is refused for how it looks, and the error quotes it")
    for name in secret_variables(conformance) if conformance.endpoint is not None else ():
        for odd in _misshapen(CANARIES[0]):
            with without_secrets(conformance) as without, mock.patch.dict(os.environ, {name: odd.replace("\x00", "\x01")}):
                told = _said_of_refused(conformance, without)
            fine = not _told_by(CANARIES[0], told) and odd.strip() not in told
            expect(fine, f"the variable {name} is refused for how it looks, and an error or finding quotes it")


def _misshapen(secret: str) -> tuple[str, ...]:
    """The secret as it is copied badly."""
    return *unfit_for_headers(secret), f" {secret}", secret[:9]


def unfit_for_headers(value: str) -> tuple[str, ...]:
    """A value as no header of HTTP can have it."""
    return f"{value}\n", f"{value} é", f"{value}\x00"


def _expect_unquoted_by_validators(conformance: Conformance, secret: SecretSetting, odd: str) -> None:
    """Make the settings themselves, without limner around them."""
    settings: Any = type(conformance.model.settings)
    try:
        settings(**{secret.name: odd})
    except Exception as error:
        fine = not _told_by(secret.value, f"{error}") and odd.strip() not in f"{error}"
        expect(fine, f"Settings({secret.name}=...) raises an error that quotes the value; a validator must not")


def _said_of_refused(conformance: Conformance, settings: Given) -> str:
    """What is said of a secret's value: by the error, whether the settings find it or send, and by diagnose."""
    told = ""
    try:
        if conformance.endpoint is None:
            conformance.model.with_settings(**settings)
            return told
        _, request = first_request(conformance)
        with provider(lambda call: good(conformance, call, request)) as there:
            model = model_at(conformance, there.url).with_settings(**settings)
            met = sent(model, request)
            told = _with_causes(met) if isinstance(met, LimnerError) else ""
            return told + repr(diagnosed(model, live=False))
    except LimnerError as error:
        return told + _with_causes(error)


def _with_causes(error: LimnerError) -> str:
    return "".join(traceback.format_exception(error))


def _is_sent(conformance: Conformance, settings: Given, canary: str) -> bool:
    """Tell whether a call says a secret of the environment."""
    if conformance.endpoint is None:
        return False
    request = conformance.model.plan(starts(conformance.model, conformance.tasks[0])[0]).requests[0]
    with provider(lambda call: good(conformance, call, request)) as there, contextlib.suppress(TaskRefused):
        sent(model_at(conformance, there.url).with_settings(**settings), request)
    return any(says(call, canary) for call in there.calls)


def _is_left_out(field: attrs.Attribute[Any]) -> bool:
    """Tell whether a secret setting may be unsaid, so that the environment is asked."""
    return is_secret(field) and field.default is None


def _expect_hidden(conformance: Conformance, model: Model, canary: str, who: str, settings: Given) -> None:
    seen = _Seen(conformance.package)
    with seen.watched():
        shown = dict(_shown(conformance, model))
        met = list(_met(conformance, settings, canary)) if settings else []
    for what, text in shown.items():
        expect(not _told_by(canary, text), f"{what} contains {who}")
    for one in met:
        if isinstance(one, Response):
            expect(not _told_by(canary, _all_but_body(one)), f"the response of send holds {who}, outside its body: {one!r}")
            continue
        expect_not_told(one, canary, who)
    seen.expect_without(canary, who)


def expect_not_told(error: LimnerError, canary: str, who: str) -> None:
    """Hold that a secret is neither in an error nor in what it shows of its cause."""
    text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    seen_in = f"the error, or its cause, holds {who}: {type(error).__name__}; take it out of what is quoted"
    expect(not _told_by(canary, text), seen_in)


def _shown(conformance: Conformance, model: Model) -> Iterator[tuple[str, str]]:
    """All that a model shows of itself, by what it is."""
    yield "repr(settings)", f"{model.settings!r} {model.settings}"
    yield "repr(model)", f"{model!r} {model}"
    yield "notices()", " ".join(model.notices())
    findings = diagnosed(model, live=False)
    yield "diagnose()", " ".join(f"{finding!r} {finding}" for finding in findings)
    for kind in conformance.tasks:
        plan = model.plan(starts(model, kind)[0])
        yield f"the plan of {kind.kind}", f"{plan!r}"
        yield (
            f"the request of {kind.kind}",
            " ".join(f"{_all_but_body(one)} {one.body.decode('utf-8', 'replace')}" for one in plan.requests),
        )
    if conformance.answer is not None or model.offline:
        send = {"send": lambda _, request: conformance.transport(request)} if conformance.answer is not None else {}
        answered = type(model.__class__.__name__, (type(model),), send)
        with contextlib.suppress(ProviderError):  # that is another check's to say
            result = answered(model.settings, model_id=model.model_id).run(starts(model, conformance.tasks[0])[0])
            yield "the result", f"{result!r} {to_json(result)} {[dict(one.provenance) for one in result.pictures]}"


def _all_but_body(one: Request | Response) -> str:
    return repr({field.name: getattr(one, field.name) for field in attrs.fields(type(one)) if field.name != "body"})


def diagnosed(model: Model, *, live: bool) -> list[Finding]:
    """What diagnose finds."""
    found: Any = model.diagnose(live=live)
    findings = list(found)
    for finding in findings:
        expect(isinstance(finding, Finding), f"diagnose yielded {finding!r} instead of a Finding")
    return findings


@contextlib.contextmanager
def without_secrets(conformance: Conformance) -> Iterator[dict[str, None]]:
    """Take the secret variables out of the environment; the settings that take the secrets out of a model."""
    fields = [field for field in attrs.fields(type(conformance.model.settings)) if is_secret(field)]
    without: dict[str, None] = {field.name: None for field in fields if _is_left_out(field)}
    kept = {name: value for name, value in os.environ.items() if not _SECRET.search(name)}
    with mock.patch.dict(os.environ, kept, clear=True):
        yield without


def _met(conformance: Conformance, settings: Given, canary: str) -> Iterator[Response | LimnerError]:
    """What comes of calls in whose answer the provider says the secret itself, and of one that goes well."""
    if conformance.endpoint is None:
        return
    request = conformance.model.plan(starts(conformance.model, conformance.tasks[0])[0]).requests[0]
    for body, status in _echoes(conformance, canary.encode()):
        with provider(lambda call, body=body, status=status: _echo(call, body, status)) as there:  # type: ignore[misc]
            yield sent(model_at(conformance, there.url).with_settings(**settings), request)
    for service in _worded_jobs(conformance, canary):
        with provider(service) as there:
            yield sent(model_at(conformance, there.url).with_settings(**settings), request)
    for one in conformance.recorded:
        if one.service is not None and one.error is None and set(one.outcomes) != {"ok"}:
            _expect_reasons_without(conformance, settings, canary, one)
    for url in (nowhere(), None):  # nobody there; and one who hangs up
        with provider(Reply(dropped=True)) as there:
            yield sent(model_at(conformance, url or there.url).with_settings(**settings), request)
    for status in (302, 307):
        yield _redirected(conformance, settings, canary, request, status)
    yield _met_well(conformance, settings, canary, request)


def _expect_reasons_without(conformance: Conformance, settings: Given, canary: str, one: Recorded) -> None:
    """Say the secret in the reasons of single pictures of a job."""
    service, plan = one.service, conformance.model.plan(one.task)
    if service is None:
        return
    with provider(lambda call: _with_words(service(call), f"wrong key: {canary}")) as there:
        met = sent(model_at(conformance, there.url).with_settings(**settings), plan.requests[0])
    pictures = decoded(conformance.model, plan.calls[0], met) if isinstance(met, Response) else []
    told = any(_told_by(canary, picture.reason) for picture in pictures)
    expect(not told, f"the reason of a picture holds the value of the setting {next(iter(settings))}; take it out in send")


def _met_well(conformance: Conformance, settings: Given, canary: str, request: Request) -> Response | LimnerError:
    """Call when all goes well: the secret is in no URL, and another model's is its own."""
    with provider(lambda call: good(conformance, call, request)) as there:
        model = model_at(conformance, there.url).with_settings(**settings)
        met = sent(model, request)
        told = any(says(call, canary) for call in there.calls)
        others = [other for other in CANARIES if other != canary]
        before = len(there.calls)
        if told and all(isinstance(value, str) for value in settings.values()):
            sent(model.with_settings(**dict.fromkeys(settings, others[0])), request)
        stale = any(canary in f"{call.headers!r} {call.path}" for call in there.calls[before:])
        expect(not stale, f"a model with another {next(iter(settings))} uses the one of an earlier model")
        in_path = any(canary in call.path for call in there.calls)
        expect(
            not in_path,
            f"the setting {next(iter(settings))} is in the URL, which every proxy writes down; send it in a header",
        )
    return met


def _redirected(
    conformance: Conformance, settings: Given, canary: str, request: Request, status: int
) -> Response | LimnerError:
    """Answer with a redirect to another address, which must not learn the secret."""
    with provider(lambda call: good(conformance, call, request)) as elsewhere:
        away = Reply(b"{}", status, {"location": f"{elsewhere.url}/elsewhere"})
        with provider(away) as there:
            met = sent(model_at(conformance, there.url).with_settings(**settings), request)
        told = [call for call in elsewhere.calls if _told_by(canary, f"{call.headers!r} {call.path} {call.body!r}")]
        secret = next(iter(settings))
        expect(not told, f"after a redirect (HTTP {status}) to another address, send tells it the setting {secret}")
    return met


def _echoes(conformance: Conformance, canary: bytes) -> Iterator[tuple[bytes, int]]:
    """Bodies that say the secret, or (by ``%h``) the headers of the call, each with its HTTP status."""
    forms = [*_forms(conformance), b"key %b is wrong; %b"]
    for status in (400, 401, 403, 429, 500, 200):
        for form in forms[:1] if status in {429, 500} else forms:
            yield form.replace(b"%b", canary), status
    for form in forms:
        yield from ((form.replace(b"%b", b"%h"), status) for status in (400, 502))
    for form in filter(bodies.is_json, forms):
        yield _with_code(form).replace(b"%b", canary), 400
    yield from ((one.body.replace(b"%b", canary), one.status) for one in _worded_failures(conformance))
    for form in _forms(conformance):
        yield from ((form.replace(b"wrong key: %b", words).replace(b"%b", canary), 400) for words in _CUT_SOMEWHERE)


_CUT_SOMEWHERE = (b"no: " + b"%b " * 60, b"no, not this: " + b"%b " * 60)
"""Messages of which the end is cut off within a secret, wherever that is."""


def _forms(conformance: Conformance) -> list[bytes]:
    """A failure of a common form, and a few of the provider's own, with room for the secret in their words."""
    common = b'{"error": {"code": "no", "message": "wrong key: %b"}, "message": "wrong key: %b"}'
    return [common, *dict.fromkeys(one.body for one in _worded_failures(conformance))][:3]


def _worded_failures(conformance: Conformance) -> list[Recorded]:
    """The provider's own failures, as they are stored, with room for the secret in their words; one of each form."""
    forms = dict[tuple[int, tuple[bodies.Path, ...]], Recorded]()
    for one in conformance.recorded:
        tree = bodies.parsed(one.body) if one.is_http_error and bodies.is_json(one.body) else None
        leaves = bodies.leaves(tree) if isinstance(tree, dict) else {}
        words = {path: leaf for path, leaf in leaves.items() if isinstance(leaf, str) and " " in leaf.strip()}
        if words:
            longest = max(words, key=lambda path: len(words[path]))
            body = json.dumps(bodies.replaced(tree, longest, "wrong key: %b")).encode()
            forms.setdefault((one.status, tuple(leaves)), attrs.evolve(one, body=body))
    return list(forms.values())


def _with_code(form: bytes) -> bytes:
    """A failure with the secret in place of every short text: its code, its type, the parameter that it names."""
    tree = bodies.parsed(form)
    codes = [path for path, leaf in bodies.leaves(tree).items() if isinstance(leaf, str) and " " not in leaf.strip()]
    for path in codes:
        tree = bodies.replaced(tree, path, "%b")
    return json.dumps(tree).encode()


def _worded_jobs(conformance: Conformance, canary: str) -> Iterator[Callable[[Call], Reply]]:
    """The provider's own jobs that fail, as they are stored, with the secret in their words."""
    for one in conformance.recorded:
        for words in ("wrong key: %b", *map(bytes.decode, _CUT_SOMEWHERE)) if one.service and one.error else ():
            said = words.replace("%b", canary)
            yield lambda call, service=one.service, said=said: _with_words(service(call), said)  # type: ignore[misc]


def _with_words(reply: Reply, words: str) -> Reply:
    """The reply with these words wherever it says a reason."""
    tree = bodies.parsed(reply.body) if bodies.is_json(reply.body) else None
    for path, leaf in bodies.leaves(tree).items() if isinstance(tree, dict) else ():
        if bodies.says_why(path, leaf):
            tree = bodies.replaced(tree, path, words)
    return attrs.evolve(reply, body=json.dumps(tree).encode()) if isinstance(tree, dict) else reply


def _said_by(call: Call) -> bytes:
    """The headers of a call, as the error page of a gateway may repeat them."""
    return ", ".join(f"{name}: {value}" for name, value in call.headers.items()).encode().replace(b'"', b"'")


def _echo(call: Call, body: bytes, status: int) -> Reply:
    body = body.replace(b"%h", _said_by(call))
    return Reply(body, status, {"x-echo": call.headers.get("authorization", "")[:200], **AT_ONCE})


def secret_variables(conformance: Conformance) -> list[str]:
    """The secret variables of the environment that the plugin's own code asks for."""
    recording = RecordingEnvironment(dict(os.environ))
    kind = type(conformance.model)
    with mock.patch.object(os, "environ", recording), contextlib.suppress(Exception):
        model = kind(type(conformance.model.settings)(), model_id=conformance.model.model_id)
        diagnosed(model, live=False)
        model.plan(starts(model, conformance.tasks[0])[0])
    names = [name for name in dict.fromkeys(recording.asked) if _SECRET.search(name) and not name.startswith("AWS_")]
    return [name for name in names if not name.startswith(("PYTEST", "HYPOTHESIS", "COV_"))]
