"""What public programs and AWS's own pages send, asked for in limner's words: the same keys come out, or a refusal."""

import json
from pathlib import Path

import pytest
from limner import TaskRefused
from limner.tasks import TASKS
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_titan.plugin import NovaCanvas, TitanV1, TitanV2

VECTORS = [json.loads(line) for line in (Path(__file__).parent / "vectors.jsonl").read_text().splitlines()]
ACCEPTED = [vector for vector in VECTORS if "refused" not in vector]
REFUSED = [vector for vector in VECTORS if "refused" in vector]

MODELS = {model.id: model() for model in (TitanV1, TitanV2, NovaCanvas)}
KEYS = {"size": {"width", "height"}, "guidance_scale": {"cfgScale"}, "seed": {"seed"}, "n": {"numberOfImages"}}
SIZE = (320, 320)  # the least that Nova Canvas takes
PICTURES = {"image", "images", "maskImage", "conditionImage", "referenceImage"}


def task_of(vector):
    def pictured(value):
        match value:
            case "<picture>":
                return picture(SIZE)
            case "<mask>":
                return mask(SIZE, (2, 3, 9, 12))
            case list():
                return list(map(pictured, value))
            case dict():
                return {name: pictured(inner) for name, inner in value.items()}
        return value

    return TASKS[vector["task"]](**pictured(vector["arguments"]))


def without_pictures(params):
    hidden = {
        key: ["<b64>"] * len(value) if key == "images" else "<b64>" for key, value in params.items() if key in PICTURES
    }
    return params | hidden


def source_of(vector):
    return vector["source"].split(":")[0]


@pytest.mark.parametrize("vector", ACCEPTED, ids=source_of)
def test_the_same_body_comes_out_and_only_accounted_defaults_beside(vector):
    plan = MODELS[vector["model"]].plan(task_of(vector))
    (request,) = plan.requests
    body = json.loads(request.body)
    assert validate(plan.model, body) == []
    defaulted = {entry.parameter for entry in plan.account if entry.outcome == "defaulted"}
    extra = {key for parameter in defaulted for key in KEYS.get(parameter, ())}
    wanted = dict(vector["body"])
    config, wanted_config = (document.pop("imageGenerationConfig", {}) for document in (body, wanted))
    assert {key: value for key, value in config.items() if key not in extra} == wanted_config
    assert {key: value if key == "taskType" else without_pictures(value) for key, value in body.items()} == wanted


@pytest.mark.parametrize("vector", REFUSED, ids=source_of)
def test_what_no_document_allows_is_refused_for_the_stated_reason(vector):
    with pytest.raises(TaskRefused) as refusal:
        MODELS[vector["model"]].plan(task_of(vector))
    assert {problem.parameter for problem in refusal.value.problems} == set(vector["refused"])
