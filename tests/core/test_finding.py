"""From a name to a model, from a wish to the models that can do it, settings, and the calls in one line."""

from __future__ import annotations

import asyncio
import datetime
import inspect
import math
import subprocess
import sys
import typing

import attrs
import limner
import pytest
from limner import Generate, Inpaint, Lifecycle, Mask, Model, Outpaint, TaskRefused, UnknownModel, hookimpl, signatures
from limner.catalog import MODEL_VARIABLE, default_model
from limner.plugins import registry
from limner.tasks import TASKS

from .fakes import DRASTIC, OPTIONS, Fake, FakeSettings, fake, png, registered


class Offline(Fake):
    """Needs no network."""

    id = "offline.painter-1"
    aliases = ()
    offline = True


class Long(Fake):
    """Is called by longer ids too."""

    id = "long.painter-1"
    aliases = ("long",)
    limits: typing.ClassVar = {Generate: Fake.limits[Generate]}
    lifecycle = Lifecycle(legacy_since=datetime.date(2020, 1, 1))

    @classmethod
    def matches(cls, model_id):
        return model_id.startswith("arn:") and model_id.endswith("/long.painter-1")


class Plugin:
    """Offers three models."""

    @staticmethod
    @hookimpl
    def limner_models():
        return [Fake, Long]


@pytest.fixture
def plugin():
    with registered(Plugin) as broken:
        assert broken == [""]
        yield


@pytest.fixture
def alone(monkeypatch):
    """A process with the models that a test names, and no others."""
    from limner import catalog
    from limner.plugins import Registry

    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    registry = Registry()
    monkeypatch.setattr(catalog, "registry", lambda: registry)

    def offer(*models):
        class Offering:
            @staticmethod
            @hookimpl
            def limner_models():
                return list(models)

        assert registry.register(Offering, "only").broken == ""

    return offer


def test_by_alias_and_by_id(plugin):
    for name in ("fake", "fake.painter-1"):
        model = limner.get_model(name, region="there-1", timeout="5")
        assert isinstance(model, Fake)
        assert (model.model_id, model.settings.region, model.settings.timeout) == ("fake.painter-1", "there-1", 5.0)
        assert repr(model) == "<Fake fake.painter-1>"


def test_by_a_longer_id(plugin):
    name = "arn:aws:bedrock:us-east-1:1:foundation-model/long.painter-1"
    model = limner.get_model(name)
    assert (type(model), model.model_id, model.id) == (Long, name, "long.painter-1")
    assert model.plan(Generate(prompt="a")).requests[0].model_id == name


def test_an_opaque_arn_goes_with_an_alias(plugin):
    arn = "arn:aws:bedrock:us-east-1:1:provisioned-model/p1"
    with pytest.raises(UnknownModel, match="ALIAS, model_id=ARN"):
        limner.get_model(arn)
    model = limner.get_model("fake", model_id=arn)
    assert (model.model_id, model.with_settings(timeout=3).model_id) == (arn, arn)


def test_an_empty_name_is_a_name(plugin):
    with pytest.raises(UnknownModel, match="''"):
        limner.get_model("")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("openai", "install limner-openai"), ("opnai", "did you mean openai? Install limner-openai"), ("zzz", "")],
)
def test_what_to_install_for_a_model_that_nobody_offers(alone, name, hint):
    with pytest.raises(UnknownModel) as caught:
        limner.get_model(name)
    assert str(caught.value).partition("no model is installed")[2] == (hint and f"; {hint}")


# ---------------------------------------------------------------------------------------------- the default


def test_no_model(alone):
    with pytest.raises(UnknownModel, match="install limner-sketch"):
        default_model()


def test_the_only_model(alone):
    alone(Fake)
    assert default_model() == "fake.painter-1"
    assert isinstance(limner.get_model(), Fake)


def test_the_offline_one_of_several(alone):
    alone(Fake, Offline)
    assert default_model() == "offline.painter-1"


def test_several_and_none_offline(alone):
    alone(Fake, Long)
    with pytest.raises(UnknownModel, match=r"name one of fake, long, or set LIMNER_MODEL"):
        limner.get_model()


def test_the_environment_says(alone, monkeypatch):
    alone(Fake, Offline)
    monkeypatch.setenv(MODEL_VARIABLE, "fake")
    assert isinstance(limner.get_model(), Fake)
    monkeypatch.setenv(MODEL_VARIABLE, "")
    assert isinstance(limner.get_model(), Offline)


# ---------------------------------------------------------------------------------------------- the query


def found(**wish):
    return [model.id for model in limner.models(**wish) if model.plugin == "test-plugin-0"]


def test_models_by_what_they_can_do(plugin):
    both = ["fake.painter-1", "long.painter-1"]
    assert found() == both
    assert found(task=Generate) == found(task="generate") == both
    assert found(task=Inpaint, supports="mask_prompt") == ["fake.painter-1"]
    assert found(task=Generate, supports=["seed", "options.style"]) == found(supports="style") == both
    assert found(task=Generate, supports="mask_prompt") == []
    assert found(size=(96, 64), task=Generate) == found(size=[96, 64], task=Generate) == both
    assert found(size=(97, 64)) == []
    assert found(state="legacy") == ["long.painter-1"]
    assert found(state="active", task="outpaint") == ["fake.painter-1"]
    assert found(task="no such task") == []


# ---------------------------------------------------------------------------------------------- settings


def refused(**settings) -> str:
    with pytest.raises(TaskRefused) as error:
        FakeSettings.of(settings)
    assert len(error.value.problems) == 1
    return str(error.value)


def test_texts_are_converted():
    settings = FakeSettings.of(
        {
            "timeout": "2.5",
            "max_in_flight": "3",
            "max_n": "40",
            "strip_metadata": "yes",
            "fit": "nearest",
            "on_filtered": "return",
        }
    )
    assert (settings.timeout, settings.max_in_flight, settings.max_n) == (2.5, 3, 40)
    assert settings.strip_metadata is True
    assert FakeSettings.of({"strip_metadata": "false"}).strip_metadata is False


def test_unknown_settings_say_the_nearest():
    assert "did you mean timeout?" in refused(timout=5)
    assert "there are fit, on_filtered, timeout" in refused(xyz=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [("timeout", value) for value in (0, -1, "soon", None, math.nan, math.inf, [])]
    + [("max_in_flight", value) for value in (0, "many", None, 2.5, "2.5")]
    + [("max_n", value) for value in (0, -3, "x", 1.9)]
    + [("fit", value) for value in ("loose", None, 1)]
    + [("on_filtered", "ignore"), ("strip_metadata", "perhaps"), ("strip_metadata", None)],
)
def test_wrong_values_of_settings(name, value):
    words = refused(**{name: value})
    assert words.startswith(f"setting {name}=")
    assert "\n" not in words


def test_a_secret_is_not_shown():
    assert "s3cr3t" not in repr(FakeSettings())


def test_other_settings_for_one_run():
    model = fake(fit="nearest", key="other")
    again = model.with_settings(max_n=3)
    assert (again.settings.fit, again.settings.key, again.settings.max_n) == ("nearest", "other", 3)
    assert model.settings.max_n == 20
    with pytest.raises(TaskRefused, match="setting fit="):
        model.run(Generate(prompt="a"), fit="loose")
    assert fake().plan(Generate(prompt="a", steps=1), fit="nearest").task.steps == 10


# ---------------------------------------------------------------------------------------------- the calls


IMAGE = png((32, 32))
CALLS = {
    "generate": ("a fox",),
    "vary": (IMAGE, "a fox"),
    "inpaint": (IMAGE, "a fox"),
    "outpaint": (IMAGE, "a fox"),
    "remove_background": (IMAGE,),
    "upscale": (IMAGE,),
}
NEEDED = {"inpaint": {"mask": Mask.box((0, 0, 9, 9), size=(32, 32))}, "outpaint": {"expand": (8, 0, 8, 0)}}


def test_every_task_has_its_calls():
    assert {kind.replace("-", "_") for kind in TASKS} == set(CALLS)
    for name in CALLS:
        assert callable(getattr(limner, name))
        assert inspect.iscoroutinefunction(getattr(Model, f"a{name}"))
        assert getattr(Model, name).__doc__
        assert getattr(Model, f"a{name}").__doc__


@pytest.mark.parametrize("name", CALLS)
def test_every_way_to_call_does_the_same(plugin, name):
    arguments, needed, model = CALLS[name], NEEDED.get(name, {}), limner.get_model("fake")
    seed = {} if name == "remove_background" else {"seed": 5}
    results = [
        getattr(model, name)(*arguments, **needed, **seed),
        asyncio.run(getattr(model, f"a{name}")(*arguments, **needed, **seed)),
        getattr(limner, name)(*arguments, model="fake", **needed, **seed),
    ]
    kind = TASKS[name.replace("_", "-")]
    assert all(isinstance(result.task, kind) for result in results)
    assert len({limner.to_json(attrs.evolve(result, seconds=0)) for result in results}) == 1


def test_calls_say_how_to_run(plugin):
    result = limner.generate("a", model="fake", steps=1, fit="nearest", on_filtered="return", options={"tile": True})
    assert result.task.steps == 10
    assert result.task.options["tile"] is True


def test_an_unknown_parameter_says_the_nearest_or_where_it_goes(plugin):
    with pytest.raises(TaskRefused) as error:
        limner.generate("a", model="fake", sede=5, style_preset="anime")
    problems = {problem.parameter: problem.limit for problem in error.value.problems}
    assert "did you mean seed?" in problems["sede"]
    assert "options={'style_preset': ...}" in problems["style_preset"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("cfg_scale", "guidance_scale"),
        ("cfgScale", "guidance_scale"),
        ("guidanceScale", "guidance_scale"),
        ("width", "size"),
        ("numberOfImages", "n"),
        ("samples", "n"),
        ("init_image", "image"),
        ("image_strength", "strength"),
        ("num_inference_steps", "steps"),
        ("negativeText", "negative_prompt"),
        ("text", "prompt"),
    ],
)
def test_a_providers_word_leads_to_the_uniform_parameter(plugin, said, meant):
    with pytest.raises(TaskRefused, match=rf"did you mean {meant}\?"):
        limner.vary(png(), "a", model="fake", **{said: 1})
    limits = Fake.limits[limner.Vary].parameters | {"size": Fake.limits[Generate].parameters["size"]}
    model = fake(base=type("Styled", (Fake,), {"limits": {limner.Vary: limner.limits.TaskLimits(limits, OPTIONS)}}))
    with pytest.raises(TaskRefused, match=rf"options\.{said}=1: .* did you mean the parameter {meant}\?"):
        model.vary(png(), "a", options={said: 1})


def test_an_option_is_held_against_the_options_own_names(plugin):
    with pytest.raises(TaskRefused, match=r"did you mean options\.style\?"):
        limner.generate("a", model="fake", options={"styel": "anime"})
    with pytest.raises(TaskRefused, match=r"options\.zoom=1: not supported by the model$"):
        limner.generate("a", model="fake", options={"zoom": 1})


@pytest.mark.parametrize("kind", TASKS.values(), ids=lambda kind: kind.__name__)
def test_the_keyword_arguments_are_the_fields_of_the_task(kind):
    declared = set(getattr(signatures, f"{kind.__name__}Arguments").__annotations__) - {"fit", "on_filtered", "on_progress"}
    signature = inspect.signature(getattr(Model, kind.kind.replace("-", "_")))
    positional = {
        name
        for name, parameter in signature.parameters.items()
        if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
    }
    assert declared | positional == {field.name for field in attrs.fields(kind)}
    assert not declared & positional


def test_one_liners_take_what_the_methods_take():
    for name in CALLS:
        method, function = inspect.signature(getattr(Model, name)), inspect.signature(getattr(limner, name))
        taken = [parameter for parameter in function.parameters if parameter != "model"]
        assert taken == [parameter for parameter in method.parameters if parameter != "self"]
        again = inspect.signature(getattr(Model, f"a{name}"))
        assert list(again.parameters) == list(method.parameters)


def test_a_model_is_made_by_hand_too():
    assert Fake().settings == FakeSettings()
    assert Fake(FakeSettings(region="x"), model_id="arn").model_id == "arn"
    assert Fake.per_call(Generate) == 2
    assert Fake.per_call(limner.RemoveBackground) == 1
    assert Fake.matches("fake.painter-1")
    assert not Fake.matches("arn")
    with pytest.raises(
        TaskRefused,
        match=r"long\.painter-1 refuses the task: task=outpaint.*not supported by the model; supported: generate",
    ):
        Long.limits_of(Outpaint)
    with pytest.raises(TypeError, match="abstract"):
        Model()


def test_a_secret_setting_is_not_shown_when_it_is_wrong():
    def check(_instance, _attribute, value):
        raise ValueError(f"not a key: {value}")

    @attrs.frozen(kw_only=True)
    class Secretive(limner.Settings):
        key: str = attrs.field(default="", repr=False, validator=check)

    with pytest.raises(limner.TaskRefused, match="setting key") as caught:
        Secretive.of({"key": "my-secret-key"})
    assert "my-secret-key" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_threads_that_come_at_once_share_one_registry():
    code = (
        "import threading, sys; from limner import plugins; start = threading.Barrier(16); found = []\n"
        "def ask(): start.wait(); found.append(plugins.registry())\n"
        "threads = [threading.Thread(target=ask) for _ in range(16)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "assert len(found) == 16 and len(set(map(id, found))) == 1; assert sys.stdout is sys.__stdout__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_size_that_follows_the_picture_is_held_against_the_picture():
    from limner.limits import Picture, Pictures, SizeRule, TaskLimits

    class Editor(Fake):
        id = "editor.painter-1"
        aliases = ()
        limits: typing.ClassVar = {
            Inpaint: TaskLimits({"image": Picture(size=SizeRule(64, 1408, source="test"), source="test")}),
            limner.Vary: TaskLimits(
                {"image": Pictures(Picture(size=SizeRule(1, 100, source="test"), source="test"), source="test")}
            ),
        }

    class Editing:
        @staticmethod
        @hookimpl
        def limner_models():
            return [Editor]

    with registered(Editing):
        assert Editor in limner.models(task=Inpaint, size=(1024, 1024))
        assert Editor not in limner.models(task=Inpaint, size=(2048, 1024))
        assert Editor in limner.models(task=limner.Vary, size=(100, 100))
        assert Editor not in limner.models(task=limner.Vary, size=(1024, 1024))


@pytest.mark.parametrize("fault", [ZeroDivisionError("oh"), *DRASTIC], ids=repr)
def test_a_plugin_that_fails_while_models_are_looked_for_breaks_alone(plugin, fault):
    class Odd(limner.limits.TaskLimits):
        def supports(self, name):
            raise fault

    class Broken(Fake):
        id = "broken.painter-1"
        limits: typing.ClassVar = {Generate: Odd({})}

    class OddPlugin:
        limner_models = staticmethod(hookimpl(lambda: [Broken]))

    registry().register(OddPlugin, "odd")
    try:
        assert "fake.painter-1" in {model.id for model in limner.models(supports="steps")}
        assert next(plugin for plugin in registry().plugins if plugin.name == "odd").broken.startswith("Broken.limits: ")
    finally:
        registry().unregister("odd")


@pytest.mark.parametrize("fault", [ZeroDivisionError("oh"), *DRASTIC], ids=repr)
def test_a_model_that_cannot_be_made_is_named(fault):
    class Broken(Fake):
        id = "broken.painter-1"

        def __init__(self, *_, **__):
            raise fault

    class OddPlugin:
        limner_models = staticmethod(hookimpl(lambda: [Broken]))

    with registered(OddPlugin), pytest.raises(limner.PluginError, match=r"broken\.painter-1: .*Broken\.__init__ failed"):
        limner.get_model("broken.painter-1")
