"""limner.describe: a model as a document that is enough for a form."""

from __future__ import annotations

import json
from types import MappingProxyType

import jsonschema
import limner
import pytest
from limner.limits import PromptText, TaskLimits, Text

from .fakes import Fake, fake, png, registered


class FakePlugin:
    @staticmethod
    @limner.hookimpl
    def limner_models():
        return [Fake]


@pytest.mark.parametrize("model", limner.models(), ids=lambda model: model.id)
def test_every_installed_model_has_a_document_of_json(model):
    document = limner.describe(model)
    assert json.loads(json.dumps(document)) == document
    assert [*document["tasks"]] == [kind for kind in document["tasks"] if limner.models(task=kind)]
    for task, limits in model.limits.items():
        described = document["tasks"][task.kind]
        assert described["parameters"].keys() - {"preserve"} == limits.parameters.keys()
        assert described["options"].keys() == limits.options.keys()
        for parameter in (*described["parameters"].values(), *described["options"].values()):
            jsonschema.Draft202012Validator.check_schema(parameter["schema"])


@pytest.mark.parametrize("model", limner.models(), ids=lambda model: model.id)
def test_defaults_keep_their_schema(model):
    for limits in limner.describe(model)["tasks"].values():
        for parameter in (*limits["parameters"].values(), *limits["options"].values()):
            if parameter["default"] is not None:
                jsonschema.validate(parameter["default"], parameter["schema"])


def test_a_model_is_named_by_an_alias_an_id_a_class_or_itself():
    with registered(FakePlugin):
        documents = [limner.describe(which) for which in ("fake", "fake.painter-1", Fake, Fake(), fake(key="t0p"))]
    assert all(document == documents[0] for document in documents)
    assert "t0p" not in json.dumps(documents)
    assert documents[0]["settings"]["region"] == "here-1"
    assert documents[0]["settings"]["key"] is None
    with pytest.raises(limner.UnknownModel, match="fake"):
        limner.describe("fake")


def test_what_a_form_must_ask_for_is_said():
    tasks = limner.describe(Fake)["tasks"]
    assert tasks["generate"]["parameters"]["prompt"]["required"]
    assert tasks["vary"]["parameters"]["image"]["required"]
    assert not tasks["vary"]["parameters"]["prompt"]["required"]
    assert tasks["inpaint"]["exactly_one_of"] == ["mask", "mask_prompt"]
    assert tasks["outpaint"]["exactly_one_of"] == ["expand", "mask", "keep_prompt"]
    assert tasks["generate"]["exactly_one_of"] == []
    assert tasks["generate"]["per_call"] == 2
    assert tasks["inpaint"]["parameters"]["preserve"]["schema"] == {"type": "boolean"}
    assert "preserve" not in tasks["generate"]["parameters"]


def test_what_is_required_of_the_task_is_required_even_if_the_limits_do_not_say_so():
    class Careless(Fake):
        limits = MappingProxyType({limner.Generate: TaskLimits({"prompt": PromptText(9, source="s")})})

    assert limner.describe(Careless)["tasks"]["generate"]["parameters"]["prompt"]["required"]


def test_values_that_keep_the_schemas_of_the_document_are_taken():
    """The names and forms of the document are those of a task in JSON."""
    parameters = limner.describe(Fake)["tasks"]["generate"]["parameters"]
    values = {"prompt": "a fox", "size": [96, 64], "seed": 7, "n": 2, "guidance_scale": 2.5, "steps": 20}
    for name, value in values.items():
        jsonschema.validate(value, parameters[name]["schema"])
    task = limner.from_json(json.dumps({"task": "generate", **values, "options": {"style": "anime"}}))
    assert Fake().plan(task).task.size == (96, 64)


def test_sizes_by_ratio_name_their_ratios():
    size = limner.describe("stability")["tasks"]["generate"]["parameters"]["size"]["schema"]
    assert [16, 9] in size["examples"]


def test_a_plugin_that_cannot_be_described_is_named():
    class Broken(Text):
        def describe(self):
            raise SystemExit(3)

    class Model(Fake):
        limits = MappingProxyType({limner.Generate: TaskLimits({"prompt": Broken(source="s")})})

    with pytest.raises(limner.PluginError, match="describe failed"):
        limner.describe(Model)


def test_a_request_is_shown_with_its_pictures_shortened():
    task = limner.Generate(prompt="a fox", size=(64, 64), seed=1, options={"style": "anime"})
    (shown,) = map(limner.preview, Fake().plan(task).requests)
    assert shown["model_id"] == "fake.painter-1"
    assert shown["body"]["prompt"] == "a fox"
    vary = Fake().plan(limner.Vary(image=png((64, 64)), seed=1))
    (shown,) = map(limner.preview, vary.requests)
    assert shown["body"]["image"].endswith("characters)")
