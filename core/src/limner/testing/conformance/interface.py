"""Names, signatures and declared data, apart from behaviour: what is wrong here is said once, before all else."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import attrs
import pytest

from limner import Lifecycle, Model, Settings, Task, TaskRefused, limits
from limner.limits import Constraint, TaskLimits
from limner.model import CONTRACT
from limner.tasks import TASKS
from limner.testing.kit import Conformance, ContractBroken, check, expect
from limner.testing.probes import OF_LIMNER, WAYS, constraints, starts

HEAVY = (
    *("aiohttp", "boto3", "botocore", "cv2", "google", "grpc", "httpx", "numpy", "openai", "pandas", "PIL"),
    *("pydantic", "requests", "scipy", "tensorflow", "torch", "transformers", "urllib3"),
)
_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]*")
_METHODS = {"encode": 1, "send": 1, "decode": 2, "check": 1, "matches": 1, "notices": 0, "diagnose": 0}
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
    expect(isinstance(model, Model), f"Conformance(model=...) is {model!r}, no instance of a limner.Model")
    kind = type(model)
    expect(kind.contract == CONTRACT, f"contract is {kind.contract}; this limner has {CONTRACT}")
    try:
        made = kind(model.settings, model_id="arn:another")
    except TypeError as error:
        raise ContractBroken(f"{kind.__name__}(settings, model_id=...) does not work: {error}") from error
    expect(made.settings is model.settings, "the settings that the model is made with are not its settings")
    expect(made.model_id == "arn:another", f"made with model_id='arn:another', model_id is {made.model_id!r}")


@check
def test_interface_of_the_methods(conformance: Conformance) -> None:
    """The methods take what limner.Model says: encode(task), send(request), decode(task, response), ..."""
    for name, count in _METHODS.items():
        method = getattr(conformance.model, name)
        expect(not inspect.iscoroutinefunction(method), f"{name} is async; limner runs it in threads of its own")
        try:
            inspect.signature(method).bind(*[None] * count)
        except TypeError as error:
            raise ContractBroken(f"{name}{inspect.signature(method)} does not take {count} arguments: {error}") from error


@check
def test_interface_of_names(conformance: Conformance) -> None:
    """Id and aliases are letters, digits and . : / _ -, each said once, and the model matches its own id alone."""
    kind = type(conformance.model)
    names = [kind.id, *kind.aliases]
    expect(not isinstance(kind.aliases, str), f"aliases is the text {kind.aliases!r}, must be a tuple of texts")
    for name in names:
        fine = isinstance(name, str) and _NAME.fullmatch(name)
        expect(fine, f"{name!r} is no name; use letters, digits and . : / _ -")
    expect(len(set(names)) == len(names), f"a name is said twice: {names}")
    expect(kind.matches(kind.id), f"matches({kind.id!r}), its own id, is false")
    for other in ("", "another.model-1", "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc"):
        expect(not kind.matches(other), f"matches({other!r}) is true, though that does not name the model")


@check
def test_interface_of_limits(conformance: Conformance) -> None:
    """The limits are data: for each task a TaskLimits of Constraints, by the names of the task's own fields."""
    declared = conformance.model.limits
    expect(declared, "limits is empty: the model does nothing")
    for task, table in declared.items():
        expect(task in TASKS.values(), f"limits has {task!r}, which is no task of limner")
        expect(isinstance(table, TaskLimits), f"limits[{task.__name__}] is {type(table).__name__}, not TaskLimits")
        for name, limit in constraints(table).items():
            expect(isinstance(limit, Constraint), f"{task.kind}, {name}: {limit!r} is no Constraint")
            _expect_schema(f"{task.kind}, {name}", limit)
        _expect_parameters(task, table)
        expect(starts(conformance.model, task), f"{task.kind}: no task can be made of its limits")


def _expect_parameters(task: type[Task], table: TaskLimits) -> None:
    fields = {field.name: field for field in attrs.fields(task)}
    for name, limit in table.parameters.items():
        expect(name in fields and name not in {"options", *OF_LIMNER}, f"{task.kind} has no parameter {name!r} to limit")
        kind = _KINDS.get(name, Constraint)
        expect(isinstance(limit, kind), f"{task.kind}, {name}: is {type(limit).__name__}, must be limits.{kind.__name__}")
    needed = [name for name, field in fields.items() if field.default is attrs.NOTHING and name not in table.parameters]
    expect(not needed, f"{task.kind} always has {', '.join(needed)}, but its limits do not")
    ways = WAYS.get(task)
    expect(ways is None or set(ways) & set(table.parameters), f"{task.kind} needs one of {ways} in its limits")


def _expect_schema(where: str, limit: Constraint) -> None:
    from jsonschema import Draft202012Validator, SchemaError

    expect(limit.describe().strip(), f"{where}: describe() says nothing")
    try:
        Draft202012Validator.check_schema(limit.schema())
    except SchemaError as error:
        raise ContractBroken(f"{where}: schema() is no JSON Schema: {error.message}") from error
    least, most = getattr(limit, "min_value", None), getattr(limit, "max_value", None)
    expect(least is None or most is None or least <= most, f"{where}: from {least} to {most} there is nothing")


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
    """A limit's default keeps the limit."""
    for task, table in conformance.model.limits.items():
        for name, limit in constraints(table).items():
            wrong = None if limit.default is None else limit.wrong(limit.default)
            expect(wrong is None, f"{task.kind}, {name}: the default {limit.default!r} {wrong}")
            useless = limit.required and limit.default is not None
            expect(not useless, f"{task.kind}, {name}: is required, so its default {limit.default!r} is never used")


@check
def test_interface_of_settings_and_lifecycle(conformance: Conformance) -> None:
    """Settings is an attrs class whose every field has a default; the lifecycle is dates with their source."""
    kind = type(conformance.model)
    expect(issubclass(kind.Settings, Settings), f"Settings is {kind.Settings!r}, no subclass of limner.Settings")
    for field in attrs.fields(kind.Settings):
        expect(field.default is not attrs.NOTHING, f"the setting {field.name} has no default")
    expect(kind.Settings.of({"timeout": "20"}).timeout == 20.0, "a setting given as text is not converted")
    life = kind.lifecycle
    expect(isinstance(life, Lifecycle), f"lifecycle is {life!r}, no limner.Lifecycle")
    dated = life.legacy_since is not None or life.end_of_life is not None
    expect(life.source or not dated, "lifecycle has dates, but no source that sets them")
    ordered = life.legacy_since is None or life.end_of_life is None or life.legacy_since <= life.end_of_life
    expect(ordered, f"lifecycle: legacy since {life.legacy_since}, but ended {life.end_of_life}")


@check
def test_interface_of_the_smallest_tasks(conformance: Conformance) -> None:
    """The smallest task of each kind that the limits allow is planned: check() gives Problems, encode a Request."""
    for kind in conformance.tasks:
        for task in starts(conformance.model, kind):
            try:
                conformance.model.plan(task)
            except TaskRefused as refusal:
                raise ContractBroken(f"the smallest task is refused: {refusal}", task) from refusal


def _module_name(conformance: Conformance) -> str:
    name = conformance.module or type(conformance.model).__module__
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    return name if found is not None else pytest.skip(f"give Conformance(module=...): {name} cannot be imported by name")


@check
def test_interface_of_the_hook(conformance: Conformance) -> None:
    """The hook limner_models of the plugin's module is marked, takes nothing, and offers the model's class."""
    module: ModuleType | Any = importlib.import_module(_module_name(conformance))
    hook = getattr(module, "limner_models", None)
    if hook is None:
        pytest.skip(f"give Conformance(module=...): {module.__name__} has no hook limner_models")
    expect(hasattr(hook, "limner_impl"), "limner_models is not marked with @hookimpl")
    offered = hook()
    expect(isinstance(offered, list | tuple), f"limner_models returned {type(offered).__name__}, not a list")
    expect(type(conformance.model) in offered, f"limner_models offers {offered}, not {type(conformance.model).__name__}")


@check
def test_interface_of_the_import(conformance: Conformance) -> None:
    """Importing the plugin's module, which discovery does, loads nothing heavy: no SDK, no Pillow, no NumPy."""
    name = _module_name(conformance)
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; import limner.model; before = set(sys.modules); import {name}; "
        f"print(*sorted(({set(HEAVY)!r} & set(sys.modules)) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    expect(done.returncode == 0, f"importing {name} in a process of its own failed:\n{done.stderr}")
    expect(not done.stdout.strip(), f"importing {name} loads {done.stdout.strip()}; import it where it is used")


@check
def test_interface_of_deviations(conformance: Conformance) -> None:
    """Every deviation names a check of the kit and gives its reason."""
    from limner.testing import conformance as kit

    for name, reason in conformance.deviations.items():
        expect(name in kit.__all__, f"deviations names {name!r}, which is no check of the kit")
        expect(isinstance(reason, str) and reason.strip(), f"the deviation from {name} gives no reason")
