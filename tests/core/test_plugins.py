"""Plugins in memory: a broken one is named with its cause, and breaks alone."""

from __future__ import annotations

import types

import limner
import pytest
from limner import Generate, Model, PluginError, UnknownModel, hookimpl
from limner.interface import CONTRACT
from limner.limits import PromptText, TaskLimits
from limner.plugins import Plugin, Registry

from .fakes import DRASTIC, LIMITS, Fake


def module(name: str = "some_plugin", **names: object) -> types.ModuleType:
    made = types.ModuleType(name)
    for attribute, value in names.items():
        setattr(made, attribute, value)
    return made


def offering(*models: object, name: str = "some_plugin") -> types.ModuleType:
    @hookimpl
    def limner_models():
        return list(models)

    return module(name, limner_models=limner_models)


def model(id: str = "other.painter-1", **more: object) -> type[Model]:  # noqa: A002 - as on a Model
    return type("Other", (Fake,), {"id": id, "aliases": (), **more})


@pytest.fixture
def registry():
    return Registry()


def broken(registry: Registry, plugin: object) -> str:
    registry.register(offering(model("fine.painter-1")), "fine")
    found = registry.register(plugin, "odd")
    assert found.models == ()
    assert found.broken
    assert "\n" not in found.broken
    assert registry.find("fine.painter-1").id == "fine.painter-1"
    assert not registry.manager.has_plugin("odd")
    return found.broken


def test_a_plugin_offers_models(registry):
    plugin = registry.register(offering(Fake), "fine")
    assert (plugin.broken, plugin.remarks, plugin.models) == ("", (), (Fake,))
    assert registry.find("fake") is registry.find("fake.painter-1") is Fake
    assert Fake.plugin == "fine"
    assert plugin.seconds >= 0
    assert list(registry.models()) == [(Fake, plugin)]


def test_a_plugin_needs_no_models(registry):
    @hookimpl(wrapper=True)
    def limner_run(model, task):
        return (yield)

    plugin = registry.register(module(limner_run=limner_run), "bill")
    assert (plugin.broken, plugin.models) == ("", ())


def test_a_misspelt_hook(registry):
    @hookimpl
    def limner_model():
        return []

    words = broken(registry, module(limner_model=limner_model))
    assert words == "there is no hook limner_model; did you mean limner_models?"


def test_a_hook_unlike_any(registry):
    @hookimpl
    def limner_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx():
        return []

    assert (
        broken(registry, module(limner_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=limner_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx))
        == "there is no hook limner_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    )


def test_a_hook_that_is_not_marked(registry):
    assert broken(registry, module(limner_models=lambda: [Fake])) == "limner_models is not marked with @hookimpl"


def test_no_hook_at_all(registry):
    assert "none of the hooks limner_commands, limner_models, limner_run" in broken(registry, module(models=[Fake]))


def test_a_wrong_signature(registry):
    @hookimpl
    def limner_models(everything):
        return []

    assert "everything" in broken(registry, module(limner_models=limner_models))


class Abstract(Model):
    id = "abstract.painter-1"
    limits = LIMITS

    def encode(self, task):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("offered", "words"),
    [
        (None, "NoneType, not a list"),
        ("models", "str, not a list"),
        ({Fake}, "set, not a list"),
        (Fake, "not a list"),
        ([Fake()], "not a Model class"),
        ([Generate], "not a Model class"),
        ([Abstract], "Abstract does not implement decode, send"),
        ([model(contract=CONTRACT + 1)], f"contract {CONTRACT + 1}; this limner has {CONTRACT}"),
        ([model(limits={})], "no id or no limits"),
        ([model(id=None)], "no id or no limits"),
        ([model(id="a name with spaces")], "'a name with spaces'"),
        ([model(id="ok", aliases=("-x",))], "'-x'"),
        ([model(id="ok", aliases=(5,))], "5"),
        ([model(id="ok", aliases="sketch")], "aliases"),
        ([model(limits={Generate: {"prompt": PromptText(source="")}})], "limits"),
        ([model(limits={"generate": TaskLimits({})})], "limits"),
        ([model(limits=[Generate])], "limits"),
        ([model(lifecycle=None)], "Other has a lifecycle that is no Lifecycle: None"),
        ([model(Settings=dict)], "Other has Settings that are no subclass of limner.Settings"),
        ([Fake, Abstract], "Abstract does not implement"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_things_from_limner_models(registry, offered, words):
    @hookimpl
    def limner_models():
        return offered

    assert words in broken(registry, module(limner_models=limner_models))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("no boto4"), "ImportError: no boto4"),
        (SyntaxError("invalid syntax"), "SyntaxError"),
        (SystemExit(3), "it calls sys.exit(3)"),
        (RuntimeError("two\nlines"), "two"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_errors_of_a_hook(registry, error, words):
    @hookimpl
    def limner_models():
        raise error

    assert words in broken(registry, module(limner_models=limner_models))


def test_an_interrupt_passes(registry):
    @hookimpl
    def limner_models():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry.register(module(limner_models=limner_models), "odd")


def test_what_a_plugin_prints_is_remarked_and_not_shown(registry, capsys):
    @hookimpl
    def limner_models():
        print("hello")
        return []

    assert registry.register(module(limner_models=limner_models), "loud").remarks == ("printed 6 characters while loading",)
    assert capsys.readouterr().out == ""


def test_two_plugins_of_one_name(registry):
    first = registry.register(offering(model("one.painter-1")), "same")
    second = registry.register(offering(model("two.painter-1")), "same")
    assert first.broken == ""
    assert "two plugins are named 'same'" in second.broken
    assert registry.find("one.painter-1") is first.models[0]
    assert registry.manager.has_plugin("same"), "the first one's hooks stay"


def test_two_plugins_that_claim_one_id(registry):
    registry.register(offering(model("same", aliases=("one",))), "first")
    registry.register(offering(model("same", aliases=("two",))), "second")
    registry.register(offering(model("alone")), "third")
    with pytest.raises(PluginError, match=r"'same' is claimed by first \(in memory\) and second \(in memory\)"):
        registry.find("same")
    assert registry.clashes() == {"same": ["first", "second"]}
    assert registry.find("one").aliases == ("one",)
    assert registry.find("alone").id == "alone"


def test_unregistering(registry):
    registry.register(offering(Fake), "fine")
    registry.unregister("fine")
    registry.unregister("never there")
    with pytest.raises(UnknownModel, match="no model is installed"):
        registry.find("fake")


def test_an_unknown_name_says_what_there_is_and_what_to_install(registry):
    registry.register(offering(Fake), "fine")
    registry.register(module(), "odd")
    with pytest.raises(UnknownModel) as error:
        registry.find("fkae")
    words = str(error.value)
    assert "no installed plugin offers a model 'fkae'" in words
    assert "did you mean fake?" in words
    assert "installed:" not in words
    assert "plugin odd is broken: it implements none of the hooks" in words
    with pytest.raises(UnknownModel, match="installed: fake"):
        registry.find("something else")
    for name, package in (("titan", "limner-bedrock-titan"), ("SDXL", "limner-bedrock-sdxl"), ("sketch", "limner-sketch")):
        with pytest.raises(UnknownModel, match=f"install {package}"):
            registry.find(name)


def test_an_opaque_arn(registry):
    registry.register(offering(Fake), "fine")
    with pytest.raises(UnknownModel, match=r"get_model\(ALIAS, model_id=ARN\)"):
        registry.find("arn:aws:bedrock:us-east-1:1:provisioned-model/p1")


@pytest.mark.parametrize("fault", [ZeroDivisionError("oh"), *DRASTIC], ids=repr)
def test_a_plugin_whose_matches_fails_breaks_alone(registry, fault):
    def fail(cls, model_id):
        raise fault

    registry.register(offering(model("odd.painter-1", matches=classmethod(fail))), "odd")
    long = model("long.painter-1", matches=classmethod(lambda cls, model_id: "painter-1" in model_id))
    registry.register(offering(long), "fine")
    assert registry.find("arn:long.painter-1") is long
    with pytest.raises(UnknownModel, match=r"plugin odd is broken: Other\.matches: "):
        registry.find("nothing")


class Commands:
    """What is like a click group."""

    def __init__(self) -> None:
        self.commands: dict[str, object] = {}


def test_commands_are_added_and_a_broken_plugin_does_not_stop_them(registry):
    @hookimpl
    def adds(cli):
        cli.commands["serve"] = object()

    @hookimpl
    def fails(cli):
        raise RuntimeError("oh")

    @hookimpl
    def leaves(cli):
        raise SystemExit(2)

    for name, hook in (("a", fails), ("b", leaves), ("c", adds)):
        registry.register(module(limner_commands=hook), name)
    registry.register(module(), "d")
    registry.register(offering(Fake), "e")
    cli = Commands()
    registry.add_commands(cli)
    assert list(cli.commands) == ["serve"]
    assert [plugin.broken.partition(": ")[2] for plugin in registry.plugins[:3]] == [
        "RuntimeError: oh",
        "it calls sys.exit(2)",
        "",
    ]
    assert registry.plugins[2].commands == ("serve",)


def test_an_interrupt_passes_through_commands(registry):
    @hookimpl
    def interrupted(cli):
        raise KeyboardInterrupt

    registry.register(module(limner_commands=interrupted), "a")
    with pytest.raises(KeyboardInterrupt):
        registry.add_commands(Commands())


def test_the_culprit_is_the_innermost_plugin(registry):
    plugin = module("culprit_plugin.hooks")
    exec(compile("def inner(): 1 / 0", "hooks.py", "exec"), vars(plugin))
    vars(plugin)["limner_models"] = hookimpl(lambda: [Fake])
    registry.register(plugin, "guilty")
    with pytest.raises(ZeroDivisionError) as error:
        plugin.inner()
    assert registry._culprit(error.value) == "plugin guilty"
    with pytest.raises(ZeroDivisionError) as error:
        _ = 1 / 0
    assert registry._culprit(error.value) == "limner itself"


def test_a_plugin_is_what_is_known_of_it():
    assert Plugin("a") == Plugin("a", None, 0.0, (), (), "", ())


def test_the_process_has_one_registry():
    from limner.plugins import registry as process_registry

    assert process_registry() is process_registry()
    assert limner.models() == limner.models()
