"""Discovery: every plugin loaded by itself, timed, and what is wrong with it kept, so that a broken one breaks alone."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from limner import hookspecs, running
from limner.configuration import configuration
from limner.errors import LimnerError, PluginError, UnknownModel, did_you_mean
from limner.hookspecs import hookimpl
from limner.interface import CONTRACT, Lifecycle, ModelInterface
from limner.isolation import breaking_alone, description
from limner.limits import TaskLimits
from limner.results import Result
from limner.settings import Settings
from limner.tasks import Task

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

    import click

GROUP = "limner"

_NAME = re.compile(r"[A-Za-z0-9][\w.:/-]*")

_MOST_LISTED = 10
"""Models that a message lists by name."""

SLOW_SECONDS = 0.2
"""A plugin that takes longer to load is named as slow."""

FIRST_PARTY = {
    "sketch": "limner-sketch",
    "sdxl-local": "limner-sdapi",
    "sdapi": "limner-sdapi",
    "sdxl": "limner-bedrock-sdxl",
    "stable-diffusion-xl": "limner-bedrock-sdxl",
    "titan": "limner-bedrock-titan",
    "stability": "limner-bedrock-stability",
    "openai": "limner-openai",
    "gpt-image": "limner-openai",
    "gemini": "limner-gemini",
    "nano-banana": "limner-gemini",
    "flux": "limner-bfl",
}
"""Parts of model names and the distributions that bring the models, for messages; the first that fits counts."""


def _to_install(name: str) -> list[str]:
    """Name the first-party distribution that brings a model of such a name, if there is one."""
    import difflib

    for word, package in FIRST_PARTY.items():
        if word in name.lower():
            return [f"install {package}"]
    return [f"did you mean {word}? Install {FIRST_PARTY[word]}" for word in difflib.get_close_matches(name, FIRST_PARTY, 1)]


@attrs.define
class Plugin:
    """One plugin and what became of it.

    Attributes:
        name: of its entry point.
        dist: the installed distribution; none where it was registered in memory.
        seconds: that loading it took.
        models: the model classes it offers.
        commands: the commands it adds, once it was asked to.
        broken: what is wrong with it; empty where nothing is.
        remarks: what is odd about it, though it works.
    """

    name: str
    dist: Distribution | None = None
    seconds: float = 0.0
    models: tuple[type[ModelInterface], ...] = ()
    commands: tuple[str, ...] = ()
    broken: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def distribution(self) -> str:
        """The installed distribution and its version; its metadata is not read before somebody asks."""
        return f"{self.dist.name} {self.dist.version}" if self.dist is not None else ""


class _Core:
    """The model itself, behind all plugins."""

    @staticmethod
    @hookimpl(trylast=True)
    def limner_run(model: ModelInterface, task: Task) -> Result:
        return running.run(model, task)


CORE = _Core()


class Registry:
    """The plugins of this process."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("limner")
        self.manager.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []

    def load(self, entry_points: Iterable[EntryPoint]) -> None:
        """Load entry points, one by one."""
        for entry_point in sorted(entry_points, key=lambda entry_point: entry_point.name):
            self._take(Plugin(entry_point.name, entry_point.dist), entry_point.load)

    def register(self, module: ModuleType | type | object, name: str) -> Plugin:
        """Register a plugin that is already in memory."""
        return self._take(Plugin(name), lambda: module)

    def unregister(self, name: str) -> None:
        """Forget a plugin."""
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)
        self.plugins = [plugin for plugin in self.plugins if plugin.name != name]

    def _take(self, plugin: Plugin, load: Any) -> Plugin:
        self.plugins.append(plugin)
        printed = io.StringIO()
        started = time.perf_counter()
        registered = False
        try:
            with contextlib.redirect_stdout(printed):
                module = load()
                name = self._unused(plugin.name)
                registered = True  # halfway, even where pluggy finds a signature wrong
                self.manager.register(module, name)
                self._check_hooks(module)
                if self._implements("limner_models", module):
                    plugin.models = _checked_models(self._call("limner_models", module), plugin.name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            plugin.broken = description(error)
            if registered:
                self.manager.unregister(name=plugin.name)
        plugin.seconds = time.perf_counter() - started
        if plugin.seconds > SLOW_SECONDS:
            plugin.remarks += (f"slow: took {plugin.seconds:.2f} s to load",)
        if printed.getvalue():
            plugin.remarks += (f"printed {len(printed.getvalue())} characters while loading",)
        return plugin

    def _check_hooks(self, module: Any) -> None:
        """Report by name which hook is misspelt or not marked: pluggy itself ignores them."""
        specs = [name for name in vars(hookspecs) if name.startswith("limner_")]
        functions = [name for name in dir(module) if name.startswith("limner_") and callable(getattr(module, name))]
        for name in functions:
            if not hasattr(getattr(module, name), "limner_impl"):
                raise PluginError(f"{name} is not marked with @hookimpl")
        callers = self.manager.get_hookcallers(module) or []
        for caller in callers:
            if not caller.has_spec():
                raise PluginError(
                    "; ".join(filter(None, (f"there is no hook {caller.name}", did_you_mean(caller.name, specs))))
                )
        if not callers:
            raise PluginError(f"it implements none of the hooks {', '.join(sorted(specs))}")

    def _implements(self, hook: str, module: Any) -> bool:
        return any(impl.plugin is module for impl in getattr(self.manager.hook, hook).get_hookimpls())

    def _call(self, hook: str, module: Any, **arguments: Any) -> Any:
        """Call one plugin's implementation of a hook."""
        others = [plugin for _, plugin in self.manager.list_name_plugin() if plugin is not module]
        answers = self.manager.subset_hook_caller(hook, others)(**arguments)
        return answers[0] if answers else None

    def _unused(self, name: str) -> str:
        if self.manager.has_plugin(name):
            raise PluginError(f"two plugins are named {name!r}; rename one entry point, or uninstall one")
        return name

    def models(self) -> Iterator[tuple[type[ModelInterface], Plugin]]:
        """Every model class that is offered, with its plugin."""
        for plugin in self.plugins:
            for model in plugin.models:
                yield model, plugin

    def clashes(self) -> dict[str, list[str]]:
        """Names that more than one model claims, and the plugins that do."""
        claims: dict[str, list[str]] = {}
        for model, plugin in self.models():
            for name in {model.id, *model.aliases}:
                claims.setdefault(name, []).append(plugin.name)
        return {name: claimants for name, claimants in claims.items() if len(claimants) > 1}

    def find(self, name: str) -> type[ModelInterface]:
        """Find a model class by the user's own alias, an alias, its id or a longer id such as an ARN.

        Raises:
            UnknownModel: there is none; the message has the nearest names and what to install.
            PluginError: several models claim the name.
            TaskRefused: the configuration file, which has the user's own aliases, is wrong.
        """
        own, name = name, configuration().meant(name)
        named = [(model, plugin) for model, plugin in self.models() if name in (model.id, *model.aliases)]
        found = named or [(model, plugin) for model, plugin in self.models() if _matches(model, plugin, name)]
        if len(found) > 1:
            who = " and ".join(f"{plugin.name} ({plugin.distribution or 'in memory'})" for _, plugin in found)
            raise PluginError(f"{name!r} is claimed by {who}; use a full id, or uninstall one of them")
        if not found:
            hint = f"; {own!r} is your own alias for it, see 'limner aliases'" if own != name else ""
            raise UnknownModel(self._unknown(name) + hint)
        return found[0][0]

    def _unknown(self, name: str) -> str:
        names = {known for model, _ in self.models() for known in (model.id, *model.aliases)}
        meant = did_you_mean(name, sorted(names | set(configuration().aliases)), 3)
        parts = [f"no installed plugin offers a model {name!r}"]
        parts += [meant] if meant else []
        short = sorted(short_name(model) for model, _ in self.models())
        if not meant:
            parts.append(listed(short, "installed: ") if short else "no model is installed")
        if not meant:
            parts += _to_install(name)
        parts += [f"plugin {plugin.name} is broken: {plugin.broken}" for plugin in self.plugins if plugin.broken]
        if name.startswith("arn:"):
            parts.append("an ARN that does not name its model goes with an alias: get_model(ALIAS, model_id=ARN)")
        return "; ".join(parts)

    def add_commands(self, cli: click.Group) -> None:
        """Let every plugin add its commands; one that fails is marked as broken."""
        for plugin in self.plugins:
            module = self.manager.get_plugin(plugin.name)
            if plugin.broken or not self._implements("limner_commands", module):
                continue
            before = set(cli.commands)
            with breaking_alone(plugin, "limner_commands"), contextlib.redirect_stdout(io.StringIO()):
                self._call("limner_commands", module, cli=cli)
            plugin.commands = tuple(name for name in cli.commands if name not in before)

    def run(self, model: ModelInterface, task: Task) -> Result:
        """Run a task through every plugin's ``limner_run``."""
        try:
            result = self.manager.hook.limner_run(model=model, task=task)
        except (LimnerError, Warning, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise PluginError(f"{self._culprit(error)} failed in limner_run: {error!r}") from error
        if not isinstance(result, Result):
            runners = [impl.plugin_name for impl in self.manager.hook.limner_run.get_hookimpls() if impl.plugin is not CORE]
            raise PluginError(f"limner_run of {' or '.join(runners)} returned {type(result).__name__}, not a Result")
        return result

    def _culprit(self, error: BaseException) -> str:
        """Name the plugin in whose code an error was raised."""
        modules = {self._module_name(plugin.name): plugin.name for plugin in self.plugins}
        traceback, found = error.__traceback__, ""
        while traceback is not None:
            module = traceback.tb_frame.f_globals.get("__name__", "")
            package = module.partition(".")[0]
            found = modules.get(module) or next((n for m, n in modules.items() if m.startswith(f"{package}.")), found)
            traceback = traceback.tb_next
        return f"plugin {found}" if found else "limner itself"

    def _module_name(self, name: str) -> str:
        module = self.manager.get_plugin(name)
        return str(getattr(module, "__name__" if inspect.ismodule(module) else "__module__", ""))


_loading = threading.RLock()  # two threads that load at once would take each other's output for a plugin's
if hasattr(os, "register_at_fork"):  # nobody can go on in a child with what another thread has loaded by half
    os.register_at_fork(before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release)


def registry() -> Registry:
    """The registry of this process; the first call loads every installed plugin."""
    with _loading:
        return _loaded()


@functools.cache
def _loaded() -> Registry:
    from importlib.metadata import entry_points

    installed = Registry()
    installed.manager.register(CORE, "limner")
    installed.load(entry_points(group=GROUP))
    if configuration().logs:
        from limner.logs import Recorder

        installed.manager.register(Recorder(), "limner logs")
    return installed


def listed(names: Iterable[str], label: str) -> str:
    """List the names of models for a message; where there are many, say how to list them."""
    found = list(names)
    if len(found) > _MOST_LISTED:
        return f"{len(found)} models are installed; 'limner models' lists them"
    return f"{label}{', '.join(found)}"


def short_name(model: type[ModelInterface]) -> str:
    """A model's first alias, or its id where it has none."""
    return model.aliases[0] if model.aliases else model.id


def _matches(model: type[ModelInterface], plugin: Plugin, name: str) -> bool:
    with breaking_alone(plugin, f"{model.__name__}.matches"):
        return bool(model.matches(name))
    return False


def _are_limits(limits: object) -> bool:
    return isinstance(limits, Mapping) and all(
        isinstance(task, type) and issubclass(task, Task) and isinstance(table, TaskLimits) for task, table in limits.items()
    )


def _checked_models(offered: Any, plugin: str) -> tuple[type[ModelInterface], ...]:
    if not isinstance(offered, list | tuple):
        raise PluginError(f"limner_models returned {type(offered).__name__}, not a list of Model classes")
    for model in offered:
        if not (isinstance(model, type) and issubclass(model, ModelInterface)):
            raise PluginError(f"limner_models returned {model!r}, which is not a Model class")
        if (wrong := _wrong_model(model)) is not None:
            raise PluginError(f"{model.__name__} {wrong}")
        model.plugin = plugin
    return tuple(offered)


def _wrong_model(model: type[ModelInterface]) -> str | None:
    """Say what is wrong with a model class."""
    if inspect.isabstract(model):
        return f"does not implement {', '.join(sorted(model.__abstractmethods__))}"
    if model.contract != CONTRACT:
        return f"is made for contract {model.contract}; this limner has {CONTRACT}"
    if not isinstance(getattr(model, "id", None), str) or not getattr(model, "limits", None):
        return "has no id or no limits"
    if not _are_limits(model.limits):
        return "has limits that are not TaskLimits by task"
    return _wrong_attribute(model)


def _wrong_prices(model: type[ModelInterface]) -> str | None:
    from limner.prices import wrong_prices

    return wrong_prices(model)


def _wrong_attribute(model: type[ModelInterface]) -> str | None:
    if not isinstance(model.aliases, list | tuple):
        return f"has aliases that are not a list of names: {model.aliases!r}"
    if not isinstance(model.lifecycle, Lifecycle):
        return f"has a lifecycle that is no Lifecycle: {model.lifecycle!r}"
    if model.prices != {} and (wrong_price := _wrong_prices(model)) is not None:
        return wrong_price
    if not (isinstance(model.Settings, type) and issubclass(model.Settings, Settings)):
        return f"has Settings that are no subclass of limner.Settings: {model.Settings!r}"
    wrong = [name for name in (model.id, *model.aliases) if not isinstance(name, str) or not _NAME.fullmatch(name)]
    return f"has the name {wrong[0]!r}; use letters, digits and . : / _ -" if wrong else None
