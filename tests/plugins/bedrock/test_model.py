"""Names of a model, the life-cycle notices, and the settings that go together."""

import base64
import json
from typing import ClassVar

import limner
import limner.testing.pictures
import pytest
from limner.plugins import registry
from limner_bedrock import BedrockModel

ID = "example.painter-v1:0"
NAMES = [
    ID,
    "example.painter-v1",
    f"arn:aws:bedrock:us-east-1::foundation-model/{ID}",
    f"arn:aws-cn:bedrock:cn-north-1::foundation-model/{ID}",
    f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{ID}",
    f"us.{ID}",
    f"eu.{ID}",
    f"apac.{ID}",
    f"global.{ID}",
    f"us-gov.{ID}",
    f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{ID}",
]
OPAQUE = [
    "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl",
    "arn:aws:bedrock:us-east-1:123456789012:custom-model/example.painter-v1/abcdefghijkl",
    f"arn:aws:bedrock:us-east-1:123456789012:custom-model/{ID}",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl",
    "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl",
]
OTHERS = [
    f"{ID}:1",
    f"xx.{ID}",
    f"us.eu.{ID}",
    f" {ID}",
    f"{ID}\n",
    "example.painter-v2:0",
    f"arn:aws:bedrock:us-east-1:123456789012:foundation-model/{ID}",
    f"arn:aws:s3:us-east-1::foundation-model/{ID}",
    f"arn:aws:bedrock:us-east-1::inference-profile/us.{ID}",
    "arn:",
    "",
]


@pytest.fixture
def installed(painter):
    """The model is one of those that plugins offer."""
    model = type(painter())

    class Module:
        limner_models = staticmethod(limner.hookimpl(specname="limner_models")(lambda: [model]))

    registry().register(Module, "example")
    yield model
    registry().unregister("example")


@pytest.mark.parametrize("name", NAMES)
def test_names(installed, name):
    model = limner.get_model(name)
    assert type(model) is installed
    assert model.model_id == name


@pytest.mark.parametrize("name", OPAQUE + OTHERS)
def test_other_names(painter, name):
    assert not type(painter()).matches(name)


@pytest.mark.parametrize("arn", OPAQUE)
def test_an_opaque_arn_goes_with_an_alias(installed, arn):
    with pytest.raises(limner.UnknownModel, match=r"goes with an alias: get_model\(ALIAS, model_id=ARN\)"):
        limner.get_model(arn)
    assert limner.get_model("painter", model_id=arn).model_id == arn


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"])
def test_notices_only_where_the_life_cycle_of_aws_holds(painter, monkeypatch, variable):
    at_aws = painter(endpoint_url=None)
    assert "end of its life" in at_aws.notices()[0] or "end of life" in at_aws.notices()[0]
    assert painter().notices() == ()
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert at_aws.notices() == ()


@pytest.mark.parametrize(
    ("settings", "missing"), [({"guardrail_id": "gr1"}, "guardrail_version"), ({"guardrail_version": "1"}, "guardrail_id")]
)
def test_a_guardrail_has_id_and_version(painter, settings, missing):
    with pytest.raises(limner.TaskRefused, match=f"setting {missing}: guardrail_id and guardrail_version go together"):
        painter(**settings)


def test_images_and_bytes_in_a_body_become_base64(painter):
    picture = limner.testing.pictures.picture((4, 4))
    data = base64.b64encode(picture.data).decode()

    class Nested(type(painter())):
        def to_body(self, task):
            return {"images": [picture], "options": {"image": picture}, "raw": picture.data, "prompt": task.prompt}

    body = json.loads(Nested().encode(limner.Generate(prompt="a fox")).body)
    assert body == {"images": [data], "options": {"image": data}, "raw": data, "prompt": "a fox"}


@pytest.mark.parametrize(("call", "missing"), [("encode", "to_body"), ("decode", "to_pictures")])
def test_a_model_without_its_mapping_says_what_is_missing(call, missing):
    class Bare(BedrockModel):
        id = "example.bare-v1:0"
        limits: ClassVar = {}

    arguments = (limner.Generate(prompt="a fox"), limner.Response(b"{}"))
    with pytest.raises(NotImplementedError, match=f"Bare defines neither {missing} nor {call}"):
        getattr(Bare(), call)(*arguments[: 1 if call == "encode" else 2])
