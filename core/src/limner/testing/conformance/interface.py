"""Names, signatures and declared data, apart from behaviour: what is wrong here is said once, before all else."""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import attrs
import pytest
from hypothesis import find, settings
from hypothesis.strategies import from_regex

from limner import Lifecycle, Model, Settings, Task, TaskRefused, Vary, limits, models
from limner.interface import CONTRACT
from limner.limits import Constraint, TaskLimits
from limner.plugins import FIRST_PARTY
from limner.tasks import TASKS
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.probes import OF_LIMNER, WAYS, constraints, starts
from limner.testing.watching import NETWORK, PROCESSES

HEAVY = (
    *(
        "accelerate",
        "aiohttp",
        "anthropic",
        "diffusers",
        "imageio",
        "jax",
        "keras",
        "matplotlib",
        "onnxruntime",
        "replicate",
    ),
    *("safetensors", "skimage", "sympy", "azure", "fal_client", "huggingface_hub", "tkinter", "multiprocessing.pool"),
    *("boto3", "botocore", "cv2", "google", "grpc", "httpx", "numpy", "openai", "pandas", "PIL"),
    *("pydantic", "requests", "scipy", "tensorflow", "torch", "transformers", "urllib3"),
)
_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]*")
_METHODS = {
    "encode": 1,
    "send": 1,
    "decode": 2,
    "check": 1,
    "matches": 1,
    "notices": 0,
    "warnings": 1,
    "remarks": 1,
    "diagnose": 0,
    "available_ids": 0,
}
_KINDS: dict[str, type[Constraint]] = {
    "seed": limits.Seed,
    "n": limits.Count,
    "prompt": limits.PromptText,
    "negative_prompt": limits.NegativeText,
    "mask": limits.MaskPicture,
    "expand": limits.Expand,
}


@check
def test_interface_of_the_model(conformance: Conformance) -> None:
    """The model is an instance of a concrete subclass of limner.Model, made from settings and a model_id."""
    model = conformance.model
    expect(isinstance(model, Model), f"Conformance(model=...) is {model!r}, which is not an instance of limner.Model")
    kind = type(model)
    expect(kind.contract == CONTRACT, f"contract is {kind.contract}; this limner has {CONTRACT}")
    try:
        made = kind(model.settings, model_id="arn:another")
    except TypeError as error:
        raise ContractBroken(f"{kind.__name__}(settings, model_id=...) does not work: {error}") from error
    more = [name for name in inspect.signature(kind).parameters if name not in {"settings", "model_id", "args", "kwargs"}]
    expect(not more, f"{kind.__name__} also takes {', '.join(more)}, which with_settings and every call with fit=... lose")
    expect(made.settings is model.settings, "the model does not use the settings that it was created with")
    expect(made.model_id == "arn:another", f"made with model_id='arn:another', model_id is {made.model_id!r}")


@check
def test_interface_of_the_methods(conformance: Conformance) -> None:
    """The methods have the signatures of limner.Model: encode(task), send(request), decode(task, response), ..."""
    for name, count in _METHODS.items():
        method = getattr(conformance.model, name)
        expect(not inspect.iscoroutinefunction(method), f"{name} is async; limner runs it in its own threads")
        try:
            inspect.signature(method).bind(*[None] * count)
        except TypeError as error:
            raise ContractBroken(f"{name}{inspect.signature(method)} does not take {count} arguments: {error}") from error
    for name in ("arun", *(f"a{kind.kind.replace('-', '_')}" for kind in TASKS.values())):
        own = getattr(type(conformance.model), name) is getattr(Model, name)
        expect(own, f"{name} is overridden; limner runs send in its own threads, so there is nothing to write for async")


@check
def test_interface_of_names(conformance: Conformance) -> None:
    """Id and aliases consist of letters, digits and . : / _ -, are unique, and the model matches only its own id."""
    kind = type(conformance.model)
    names = [kind.id, *kind.aliases]
    expect(not isinstance(kind.aliases, str), f"aliases is the string {kind.aliases!r}; it must be a tuple of strings")
    for name in names:
        fine = isinstance(name, str) and _NAME.fullmatch(name)
        expect(fine, f"{name!r} is not a valid name; use letters, digits and . : / _ -")
    expect(len(set(names)) == len(names), f"a name is listed twice: {names}")
    for own in (kind.id, *kind.ids):
        expect(kind.matches(own) is True, f"matches({own!r}), its own id, returns {kind.matches(own)!r}")
    for other in _other_names(kind):
        expect(
            kind.matches(other) is False,
            f"matches({other!r}) is {kind.matches(other)!r}, though that does not name the model",
        )
    for other_kind in _others(conformance):
        taken = set(names) & {other_kind.id, *other_kind.aliases}
        who = f"{other_kind.__name__} ({other_kind.plugin or other_kind.__module__})"
        expect(not taken, f"the name {', '.join(sorted(taken))} is one of {who}")
        for own in (other_kind.id, *other_kind.aliases):
            expect(not kind.matches(own), f"matches({own!r}) is true, which is a name of {who}")
    for alias in kind.aliases:
        owner = next(
            (who for family, who in FIRST_PARTY.items() if alias.casefold() == family or alias.startswith(f"{family}-")),
            None,
        )
        expect(
            owner is None or owner.replace("-", "_") == conformance.package,
            f"the alias {alias!r} is a name that {owner} offers its models by",
        )


def _other_names(kind: type[Model]) -> list[str]:
    """Ids that do not name the model, however like its own they look."""
    known, own_versions = {kind.id, *kind.ids, *kind.aliases}, versions_of(kind)
    alike = _alike(kind.id)
    alike += [other for own in (*kind.ids, *own_versions) for other in (f"{own}-turbo", f"{own}x", f"x{own}")]
    by_pattern = ids_by_pattern(kind)
    alike += [other for own in (*kind.ids, *own_versions, *by_pattern) for other in _without_a_dot(own)]
    alike += [other for own, pattern in by_pattern.items() for other in _beyond(own, pattern)]
    alike += [other for own in own_versions for other in _of_next_number(own, kind)]
    alike += [f"other.{alias}x-2" for alias in kind.aliases] + [f"my-{alias}-clone" for alias in kind.aliases]
    odd = ["", " ", "another.model-1", "ünïcode 🦊", "x" * 5000, "*", ".*", "None", f"{kind.id} "]
    return [other for other in dict.fromkeys(odd + alike) if other not in {*known, *own_versions}]


def _of_next_number(version: str, kind: type[Model]) -> Iterator[str]:
    """The version of models whose ids differ in one digit: painter-2 does not speak for painter-3."""
    for own in (kind.id, *kind.ids):
        for at, character in enumerate(own):
            if character.isdigit() and version.startswith(own):
                yield f"{own[:at]}{_next(character)}{version[at + 1 :]}"


_VERSIONS = (
    *(
        "-2026-04",
        "@2026-04",
        "-20260401",
        "-2026-04-01",
        "@20260401",
        "@2026-04-01",
        ":2026-04",
        ":20260401",
        "-v2",
        "-v1:0",
        ":1",
        "-001",
        "-1.0",
        "-2604",
    ),
    *("@3fa9c01", "@latest", ":latest", "-latest", "-preview", "/versions/1"),
)
"""How providers name the versions of a model; a model may match some of its own."""


def versions_of(kind: type[Model]) -> list[str]:
    """The versions of a model that it matches."""
    versions = [own + suffix for own in (kind.id, *kind.ids) for suffix in _VERSIONS]
    return [version for version in versions if kind.matches(version) is True]


def _without_a_dot(own: str) -> Iterator[str]:
    """The id with another character in place of each dot: a regular expression takes any for one that is not escaped."""
    yield from (f"{own[:at]}x{own[at + 1 :]}" for at, character in enumerate(own) if character == ".")


def _beyond(own: str, pattern: str) -> Iterator[str]:
    """The id with more before or after it, where its regular expression says that nothing follows."""
    longer = (f"{own}-turbo", f"{own}x", f"x{own}")
    yield from (other for other in longer if re.fullmatch(pattern, other) is None)


def ids_by_pattern(kind: type[Model]) -> dict[str, str]:
    """An id for each regular expression that matches looks for, its dots being dots; with it, the expression."""
    patterns = [one.pattern for one in vars(sys.modules[kind.__module__]).values() if isinstance(one, re.Pattern)]
    with contextlib.ExitStack() as stack:
        functions = ("fullmatch", "match", "search", "compile")
        asked = [stack.enter_context(mock.patch.object(re, name, side_effect=getattr(re, name))) for name in functions]
        kind.matches(f"{kind.id}?")
        patterns += [call.args[0] for one in asked for call in one.call_args_list]
    found = {_example(_DOT.sub(r"\\.", pattern)): pattern for pattern in patterns if isinstance(pattern, str)}
    return {one: pattern for one, pattern in found.items() if kind.matches(one) is True}


_DOT = re.compile(r"(?<!\\)\.(?![*+?{])")


def _example(pattern: str) -> str:
    """A short text of printable ASCII that a regular expression describes."""
    ids = from_regex(pattern, fullmatch=True).filter(lambda one: one.isascii() and one.isprintable())
    with contextlib.suppress(Exception):
        return str(find(ids, lambda _: True, settings=settings(max_examples=100, database=None, deadline=None)))
    return ""


def _alike(own: str) -> list[str]:
    provider, _, rest = own.partition(".")
    alike = [
        own + "0",
        own + "-turbo",
        own + "-xl",
        own + "x",
        own[:-1],
        "x" + own,
        f"{own[:-1]}{_next(own[-1])}",
        f"{own}/other",
        f"other/{own}",
        own.upper(),
        own.title(),
        f"other/{own.rpartition('/')[2]}",
        own.rpartition("/")[2],
        own.replace(".", "x"),
        re.sub("[^A-Za-z0-9]", "x", own),
        own.replace("-", "."),
    ]
    alike += [f"{provider}.another-model-1", provider, f"{provider}."] if rest else []
    arn = "arn:aws:bedrock:us-east-1:123456789012"
    alike += [f"{arn}:imported-model/abc", f"arn:aws:bedrock:us-east-1::foundation-model/{own}0"]
    alike += [f"arn:aws:bedrock:us-east-1::foundation-model/{provider}.another-model-1", f"{arn}:custom-model/another.model"]
    return alike


def _next(char: str) -> str:
    return str((int(char) + 1) % 10) if char.isdigit() else "q" if char != "q" else "w"


def _others(conformance: Conformance) -> list[type[Model]]:
    """The other models that are installed, or offered by the same plugin."""
    own = type(conformance.model)
    found = list(models())
    module = sys.modules.get(conformance.module or own.__module__)
    hook = getattr(module, "limner_models", None)
    if callable(hook):
        with contextlib.suppress(Exception):
            found += hook()
    return [kind for kind in dict.fromkeys(found) if kind.id != own.id and not issubclass(own, kind)]


@check
def test_interface_of_limits(conformance: Conformance) -> None:
    """The limits are data: a TaskLimits of Constraints for each task, by the names of the task's own fields."""
    declared = conformance.model.limits
    expect(declared, "limits is empty: the model supports no task")
    for task, table in declared.items():
        expect(task in TASKS.values(), f"limits has {task!r}, which is not a limner task")
        expect(isinstance(table, TaskLimits), f"limits[{task.__name__}] is {type(table).__name__}, not TaskLimits")
        for name, limit in constraints(table).items():
            expect(isinstance(limit, Constraint), f"{task.kind}, {name}: {limit!r} is not a Constraint")
            _expect_schema(f"{task.kind}, {name}", limit)
        _expect_parameters(task, table)
        expect(starts(conformance.model, task), f"{task.kind}: no task can be made from its limits")


def _expect_parameters(task: type[Task], table: TaskLimits) -> None:
    fields = {field.name: field for field in attrs.fields(task)}
    for name, limit in table.parameters.items():
        expect(name in fields and name not in {"options", *OF_LIMNER}, f"{task.kind} has no parameter {name!r} to limit")
        kind = _KINDS.get(name, Constraint)
        if name == "image":
            kind = limits.Pictures if task is Vary else limits.Picture
        expect(isinstance(limit, kind), f"{task.kind}, {name}: is {type(limit).__name__}, must be limits.{kind.__name__}")
    needed = [name for name, field in fields.items() if field.default is attrs.NOTHING and name not in table.parameters]
    expect(not needed, f"{task.kind} always has {', '.join(needed)}, but its limits do not")
    ways = WAYS.get(task)
    expect(ways is None or set(ways) & set(table.parameters), f"{task.kind} needs one of {ways} in its limits")


def _expect_schema(where: str, limit: Constraint) -> None:
    from jsonschema import Draft202012Validator, SchemaError

    expect(limit.describe().strip(), f"{where}: describe() returns an empty string")
    try:
        Draft202012Validator.check_schema(limit.schema())
    except SchemaError as error:
        raise ContractBroken(f"{where}: schema() is no JSON Schema: {error.message}") from error
    least, most = getattr(limit, "min_value", None), getattr(limit, "max_value", None)
    expect(least is None or most is None or least <= most, f"{where}: the range from {least} to {most} is empty")


def _all_constraints(where: str, limit: Constraint) -> Iterator[tuple[str, Constraint]]:
    yield where, limit
    for field in attrs.fields(type(limit)):
        inner = getattr(limit, field.name)
        if isinstance(inner, Constraint):
            yield from _all_constraints(f"{where}, {field.name}", inner)


@check
def test_interface_of_sources(conformance: Conformance) -> None:
    """Every limit names the provider's document that sets it."""
    for task, table in conformance.model.limits.items():
        for name, limit in constraints(table).items():
            for where, inner in _all_constraints(f"{task.kind}, {name}", limit):
                said = isinstance(inner.source, str) and inner.source.strip()
                expect(said, f"{where}: {type(inner).__name__} has no source")


@check
def test_interface_of_defaults(conformance: Conformance) -> None:
    """Every default is within its limit."""
    for task, table in conformance.model.limits.items():
        for name, limit in constraints(table).items():
            wrong = None if limit.default is None else limit.wrong(limit.default)
            expect(wrong is None, f"{task.kind}, {name}: the default {limit.default!r} {wrong}")
            useless = limit.required and limit.default is not None
            expect(not useless, f"{task.kind}, {name}: is required, so its default {limit.default!r} is never used")


@check
def test_interface_of_settings_and_lifecycle(conformance: Conformance) -> None:
    """Settings is an attrs class in which every field has a default; the lifecycle has dates and their source."""
    kind = type(conformance.model)
    expect(issubclass(kind.Settings, Settings), f"Settings is {kind.Settings!r}, which is not a subclass of limner.Settings")
    for field in attrs.fields(kind.Settings):
        expect(field.default is not attrs.NOTHING, f"the setting {field.name} has no default")
    for field in attrs.fields(kind.Settings):
        _expect_converted(kind.Settings, field)
    life = kind.lifecycle
    expect(isinstance(life, Lifecycle), f"lifecycle is {life!r}, which is not a limner.Lifecycle")
    dated = life.legacy_since is not None or life.end_of_life is not None
    expect(life.source or not dated, "lifecycle has dates, but no source")
    for name in ("legacy_since", "end_of_life"):
        day = getattr(life, name)
        expect(day is None or type(day) is datetime.date, f"lifecycle: {name} is {day!r}, must be a datetime.date")
    expect(isinstance(life.replacement, str), f"lifecycle: replacement is {life.replacement!r}, must be a text")
    itself = {kind.id, *kind.ids, *kind.aliases}
    expect(life.replacement not in itself, f"lifecycle: the replacement {life.replacement!r} is the model itself")
    ordered = life.legacy_since is None or life.end_of_life is None or life.legacy_since <= life.end_of_life
    expect(ordered, f"lifecycle: legacy since {life.legacy_since}, but end of life is {life.end_of_life}")


@check
def test_interface_of_the_smallest_tasks(conformance: Conformance) -> None:
    """The smallest task of each kind within the limits can be planned: check() yields Problems, encode a Request."""
    for kind in conformance.tasks:
        for task in starts(conformance.model, kind):
            try:
                conformance.model.plan(task)
            except TaskRefused as refusal:
                raise ContractBroken(f"the smallest task is refused: {refusal}", task) from refusal


_TEXTS: dict[type, tuple[tuple[str, Any], ...]] = {
    bool: (("true", True), ("false", False), ("no", False), ("1", True)),
    int: (("7", 7),),
    float: (("2.5", 2.5), ("20", 20.0)),
}


def _expect_converted(kind: type[Settings], field: attrs.Attribute[Any]) -> None:
    """Hold that a setting may be given as the text that the command line gives."""
    default = getattr(kind(), field.name)
    wanted = type(default) if default is not None else type_of(kind, field.name)
    for text, value in _TEXTS.get(wanted, ()):
        try:
            found = getattr(kind.of({field.name: text}), field.name)
        except TaskRefused:
            continue
        except Exception as error:
            raise ContractBroken(
                f"the setting {field.name}={text!r} raises {error!r}, must be a ValueError in words"
            ) from error
        fine = type(found) is wanted and found == value
        expect(
            fine,
            f"the setting {field.name} given as the text {text!r} becomes {found!r}, must be {value!r}: give it a converter",
        )
    if wanted in {int, float, bool}:
        try:
            found = getattr(kind.of({field.name: "neither"}), field.name)
        except TaskRefused:
            return
        except Exception as error:
            raise ContractBroken(
                f"the setting {field.name}='neither' raises {error!r}, must be a ValueError in words"
            ) from error
        expect(False, f"the setting {field.name}='neither' becomes {found!r}; it must be refused")


def type_of(kind: type[Settings], name: str) -> type:
    """The type that a setting without a default is annotated with."""
    try:
        hint = typing.get_type_hints(kind).get(name)
    except Exception:
        return type(None)
    found = [one for one in (typing.get_args(hint) or (hint,)) if one is not type(None)]
    return found[0] if len(found) == 1 and isinstance(found[0], type) else type(None)


def _module_name(conformance: Conformance) -> str:
    name = conformance.module or type(conformance.model).__module__
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    return name if found is not None else pytest.skip(f"give Conformance(module=...): {name} cannot be imported by name")


@check
def test_interface_of_the_hook(conformance: Conformance) -> None:
    """The hook limner_models of the plugin's module is marked, has no parameters, and returns the model's class."""
    module: ModuleType | Any = importlib.import_module(_module_name(conformance))
    hook = getattr(module, "limner_models", None)
    if hook is None:
        pytest.skip(f"give Conformance(module=...): {module.__name__} has no hook limner_models")
    expect(hasattr(hook, "limner_impl"), "limner_models is not marked with @hookimpl")
    offered = hook()
    expect(isinstance(offered, list | tuple), f"limner_models returned {type(offered).__name__}, not a list")
    expect(type(conformance.model) in offered, f"limner_models offers {offered}, not {type(conformance.model).__name__}")


_IMPORT = """
import sys, json
sys.path[:] = {path!r}
import asyncio, atexit, base64, builtins, decimal, gc, hashlib, http.client, inspect, io, locale, logging, os, random, signal
import socket, ssl, subprocess, tempfile, threading, time, types, urllib.request, uuid, warnings
import limner.model, limner.limits, limner.tasks
asked, writing, read, variables, at_exit = [], [], [], [], []
def own_code():
    frame = sys._getframe(1)
    between = {{"pathlib", "io", "codecs", "json", "os", "collections", "__main__"}}
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in between:
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == {own!r}
def registered(function, *args, **kwargs):
    if own_code():
        at_exit.append(function)
    return register(function, *args, **kwargs)
register, atexit.register = atexit.register, registered
def at_home(path):
    here = getattr(sys.modules.get({own!r}), "__file__", None) or ""
    return os.path.realpath(path).startswith(os.path.realpath(os.path.dirname(here)) + os.sep)
def hook(event, args):
    if event in {events!r}:
        asked.append(event + " " + repr(args[:1]))
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+") and "__pycache__" not in str(args[0]):
        writing.append(str(args[0]))
    if event == "open" and isinstance(args[0], str | os.PathLike) and own_code() and not at_home(args[0]):
        read.append(str(args[0]))
    if event in {{"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate"}}:
        writing.append(event + " " + str(args[0]))
class Environment(type(os.environ)):
    def __getitem__(self, name):
        if own_code():
            variables.append(name)
        return super().__getitem__(name)
    def __contains__(self, name):
        if own_code():
            variables.append(name)
        return super().__contains__(name)
os.environ.__class__ = Environment
def world():
    others = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] != {own!r}]
    loggers = [logging.getLogger(name) for name in (None, *sorted({{"limner", *others}}))]
    return {{
        "logging": [
            (one.name, repr(one.handlers), one.level, one.disabled)
            for one in loggers
            if one.level or one.disabled or one.handlers or one.name in {{"root", "limner"}}
        ] + [logging.root.manager.disable],
        "the environment": dict(os.environ),
        "warnings.filters": repr([f for f in warnings.filters if f[0] != "default" or f[2] is not DeprecationWarning]),
        "random": hash(random.getstate()),
        "the folder": os.getcwd(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "socket.setdefaulttimeout": socket.getdefaulttimeout(),
        "sys.excepthook": repr(sys.excepthook) + repr(threading.excepthook),
        "sys.setrecursionlimit": sys.getrecursionlimit(),
        "signal handlers": repr([signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]),
        "sys.path": list(sys.path),
        "sys.stdout": repr(sys.stdout) + repr(sys.stderr),
        "open or print": repr((builtins.open, builtins.print)),
        "atexit": len(at_exit),
        "os.umask": umask(),
        "the trusted certificates, which are read from disk": contexts(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the decimal context": repr(decimal.getcontext()),
        "the garbage collector": [gc.isenabled(), gc.get_threshold()],
        "the media types of mimetypes": mimetypes_of(sys.modules.get("mimetypes")),
        "http.client's debuglevel": debuglevel(sys.modules.get("http.client")),
        "the switch interval": sys.getswitchinterval(),
        "the folder of tempfile": getattr(sys.modules.get("tempfile"), "tempdir", None),
        "a trace or profile function": repr([sys.gettrace(), sys.getprofile()]),
        "urllib's opener": repr(urllib.request._opener),
        "how modules are imported": repr([sys.meta_path, sys.path_hooks]),
    }}
def debuglevel(module):
    return 0 if module is None else module.HTTPConnection.debuglevel
def mimetypes_of(module):
    return sorted(module.types_map) if module is not None and module.inited else []
def contexts():
    kind = getattr(sys.modules.get("ssl"), "SSLContext", None)
    return 0 if kind is None else sum(isinstance(one, kind) for one in gc.get_objects())
def umask():
    os.umask(now := os.umask(0))
    return now
def callables():
    found = {{}}
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType):
            found |= {{(name, key): value for key, value in list(vars(module).items()) if callable(value)}}
        if name.partition(".")[0] == "limner":
            kinds = [value for value in list(vars(module).values()) if isinstance(value, type)]
            found |= {{(f"{{name}}.{{kind.__name__}}", key): value for kind in kinds for key, value in vars(kind).items()}}
    return found
def replaced(functions):
    now = dict(callables())
    gone = [key for key in functions if key not in now and hasattr(sys.modules.get(key[0]), key[1])]
    return [".".join(key) for key, value in functions.items() if key in gone or now.get(key, value) is not value]
os.umask(0o027)
before, modules = world(), set(sys.modules)
printed = sys.stdout = io.StringIO()
before["sys.stdout"] = repr(sys.stdout) + repr(sys.stderr)
sys.addaudithook(hook)
functions, dumps, write = callables(), json.dumps, sys.__stdout__.write
time.sleep = slept = lambda seconds: asked.append("time.sleep " + repr(seconds))
started = time.process_time()
import {name}
seconds = time.process_time() - started
did, wrote, was_read, looked = list(asked), list(writing), list(read), sorted(set(variables))
assert time.sleep is slept, "time.sleep is another function now"
after, patched = world(), [one for one in replaced(functions) if one not in {expected!r}]
hook = getattr(sys.modules[{name!r}], "limner_models", None)
if callable(hook):
    hook()
by_hook = world()
sys.stdout = sys.__stdout__
new = set(sys.modules) - modules
write(dumps({{
    "heavy": sorted({{one for one in {heavy!r} if one in new}}),
    "asked": did[:3], "wrote": wrote[:3], "read": was_read[:3], "variables": looked[:3],
    "seconds": seconds, "many": len(new), "printed": printed.getvalue()[:80],
    "hook": [what for what in after if after[what] != by_hook[what]] + asked[len(did):][:3] + writing[len(wrote):][:3],
    "changed": [what for what in before if before[what] != after[what]] + patched[:5],
}}))
"""
_PATCHED = ("time.sleep", "typing._collect_parameters", "typing._check_generic")
"""By this check itself, and by typing_extensions."""
_KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "VIRTUAL_ENV", "LANG", "LC_ALL")
"""The variables with which the other process begins: the plugin, imported here already, may have set others."""
_SLOW_SECONDS = 1.5  # of the processor, for an import that costs hundredths of a second
_MANY = 250


@check
def test_interface_of_the_import(conformance: Conformance) -> None:
    """Importing the plugin's module loads nothing heavy, does no I/O, prints nothing and changes no global state."""
    name = _module_name(conformance)
    events = {*NETWORK, *PROCESSES, "socket.bind", "time.sleep"}
    own = name.partition(".")[0]
    code = _IMPORT.format(path=sys.path, events=events, name=name, heavy=HEAVY, expected=_PATCHED, own=own)
    env = {key: value for key, value in os.environ.items() if key in _KEPT or key.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False, env=env
    )
    expect(done.returncode == 0, f"importing {name} in a process of its own failed:\n{done.stderr}")
    told = json.loads(done.stdout.splitlines()[-1])
    expect(not told["heavy"], f"importing {name} loads {', '.join(told['heavy'])}; import it where it is used")
    expect(not told["asked"], f"importing {name} does I/O or waits: {'; '.join(told['asked'])}")
    expect(not told["wrote"], f"importing {name} writes files: {', '.join(told['wrote'])}")
    expect(not told["read"], f"importing {name} reads {', '.join(told['read'])}; read it when it is needed")
    expect(not told["changed"], f"importing {name} changes global state: {', '.join(told['changed'])}")
    variables = ", ".join(told["variables"])
    expect(not variables, f"importing {name} reads the variable {variables}; read it when the settings are made, or in send")
    expect(not told["hook"], f"limner_models does more than return models: {', '.join(told['hook'])}")
    expect(not told["printed"], f"importing {name} prints {told['printed']!r}")
    expect(not done.stderr, f"importing {name} writes to stderr: {done.stderr[:200]!r}")
    expect(told["seconds"] < _SLOW_SECONDS, f"importing {name} takes {told['seconds']:.1f} s of CPU time")
    expect(told["many"] < _MANY, f"importing {name} loads {told['many']} modules; import heavy modules where they are used")


@check
def test_interface_of_deviations(conformance: Conformance) -> None:
    """Every deviation names a check of the kit and gives its reason."""
    from limner.testing import conformance as kit

    for name, reason in conformance.deviations.items():
        expect(name in kit.__all__, f"deviations names {name!r}, which is not a check of the kit")
        expect(isinstance(reason, str) and reason.strip(), f"the deviation from {name} has no reason")
