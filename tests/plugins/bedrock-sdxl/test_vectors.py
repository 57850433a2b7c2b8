"""What public programs and AWS's own pages send, asked for in limner's words: the same keys come out, or a refusal."""

import json
from pathlib import Path

import pytest
from limner import TaskRefused, WeightedText
from limner.tasks import TASKS
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_sdxl.plugin import Sdxl

VECTORS = [json.loads(line) for line in (Path(__file__).parent / "vectors.jsonl").read_text().splitlines()]
ACCEPTED = [vector for vector in VECTORS if "refused" not in vector]
REFUSED = [vector for vector in VECTORS if "refused" in vector]

KEYS = {"size": {"width", "height"}, "guidance_scale": {"cfg_scale"}, "steps": {"steps"}, "seed": {"seed"}, "n": {"samples"}}


def task_of(vector):
    arguments = dict(vector["arguments"])
    if isinstance(arguments["prompt"], list):
        arguments["prompt"] = [WeightedText(text, 1.0 if weight is None else weight) for text, weight in arguments["prompt"]]
    pictures = {"image": picture(), "mask": mask((16, 16), (2, 3, 9, 12))}
    return TASKS[vector["task"]](**arguments | {name: pictures[name] for name in pictures if name in arguments})


def without_pictures(body):
    return {key: "<b64>" if key in {"init_image", "mask_image"} else value for key, value in body.items()}


def source_of(vector):
    return vector["source"].split(":")[0]


@pytest.mark.parametrize("vector", ACCEPTED, ids=source_of)
def test_the_same_body_comes_out_and_only_accounted_defaults_beside(vector):
    plan = Sdxl().plan(task_of(vector))
    (request,) = plan.requests
    body = json.loads(request.body)
    defaults = {key for entry in plan.account if entry.outcome == "defaulted" for key in KEYS.get(entry.parameter, ())}
    assert {key: value for key, value in without_pictures(body).items() if key not in defaults} == vector["body"]
    assert validate(plan.model, body) == []


@pytest.mark.parametrize("vector", REFUSED, ids=source_of)
def test_what_no_document_allows_is_refused_for_the_stated_reason(vector):
    with pytest.raises(TaskRefused) as refusal:
        Sdxl().plan(task_of(vector))
    assert {problem.parameter for problem in refusal.value.problems} == set(vector["refused"])
