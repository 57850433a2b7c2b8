"""Whatever the limits of a model allow, its body is as the documents have it; the emulator's schemas are the oracle."""

from __future__ import annotations

import base64
import json

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner import Image, TaskRefused
from limner.testing.strategies import outside, tasks_within
from limner_bedrock_emulator.model_ids import STABILITY, contract_of
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_emulator.stability import RULES, Rule
from limner_bedrock_stability.models import MODELS
from limner_bedrock_stability.routing import Stability

CASES = [(model, task) for model in MODELS for task in model.limits]
PICTURES = ("image", "init_image", "style_image")
FEW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def wrong_with(request):
    """What the schemas, and the emulator's rules for pictures, find wrong."""
    body = json.loads(request.body)
    service = contract_of(request.model_id).removeprefix(STABILITY)
    sizes = [Image(base64.b64decode(body[key])).size for key in PICTURES if key in body]
    rule = RULES.get(service, Rule())
    return [*validate(request.model_id, body), *(wrong for size in sizes for wrong in rule.problems(size))]


@pytest.mark.parametrize(("model", "task"), CASES, ids=lambda case: getattr(case, "kind", case.__name__))
def test_an_allowed_task_makes_a_documented_body(model, task):
    made = model()

    @FEW
    @given(tasks_within(made, task))
    def holds(drawn):
        for request in made.plan(drawn).requests:
            assert wrong_with(request) == []

    holds()


@pytest.mark.parametrize("task", Stability.limits, ids=lambda task: task.kind)
def test_what_the_router_allows_makes_a_documented_body(task):
    router = Stability()

    @FEW
    @given(tasks_within(router, task))
    def holds(drawn):
        for request in router.plan(drawn).requests:
            assert wrong_with(request) == []

    holds()


@pytest.mark.parametrize(("model", "task"), CASES, ids=lambda case: getattr(case, "kind", case.__name__))
def test_an_option_outside_its_limit_is_refused(model, task):
    made = model()
    options = {name: limit for name, limit in model.limits[task].options.items() if not outside(limit).is_empty}

    @FEW
    @given(tasks_within(made, task), st.data())
    def holds(drawn, data):
        name = data.draw(st.sampled_from(sorted(options)))
        wrong = data.draw(outside(options[name]))
        with pytest.raises(TaskRefused) as refused:
            made.plan(attrs.evolve(drawn, options={**drawn.options, name: wrong}))
        assert f"options.{name}" in {problem.parameter for problem in refused.value.problems}

    holds()
