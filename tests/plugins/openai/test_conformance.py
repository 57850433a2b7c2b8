"""The models of OpenAI, and servers by dialect, pass limner's conformance kit; the provider is the fake's strict reading."""

from __future__ import annotations

import base64
import json
from typing import Any

import attrs
import limner
import pytest
from limner import Generate, Inpaint, Model, Outpaint, RemoveBackground, Request, Response, Vary
from limner.limits import Constraint, Expand, Limits, Picture, SizeRule
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_fakes import openai as fake
from limner_openai.plugin import Compatible, GptImage2
from limner_openai.settings import OpenAISettings

SERVERS = {**fake.SERVERS, "openai-small": attrs.evolve(fake.SERVERS["openai"], least_pixels=256)}
"""With OpenAI without its floor of 655,360 pixels, so that many pictures are made in a short time."""

SIZE = (1024, 640)  # the fewest pixels that gpt-image-2 makes
PICTURE = picture(SIZE)
GOOD = base64.b64encode(picture((16, 16)).data).decode()


def provider(dialect: str):
    def answer(request: Request) -> Response:
        status, said = fake.answer(request.path, request.content_type, request.body, SERVERS[dialect])
        assert status == 200, said
        return Response(json.dumps(said).encode())

    return answer


def problems(dialect: str):
    return lambda request: fake.problems(request.path, request.content_type, request.body, SERVERS[dialect])


def recorded(model: Model) -> list[Recorded]:
    """Answers as the reference prints them; xAI's refusal inside a good answer, and a picture that did not come."""
    seed: Any = {"seed": 7} if "seed" in model.limits[Generate].parameters else {}
    tasks = [
        Generate(prompt="a fox", **seed),
        Vary(image=PICTURE, prompt="a fox", **seed),
        Inpaint(image=PICTURE, prompt="a fox", mask=mask(SIZE, (8, 8, 20, 20)), **seed),
        Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), **seed),
        RemoveBackground(image=PICTURE),
    ]
    usage = {"input_tokens": 8, "output_tokens": 196, "total_tokens": 204, "input_tokens_details": {"text_tokens": 8}}
    good = json.dumps({"created": 1790000000, "data": [{"b64_json": GOOD}], "usage": usage, "size": "1024x640"}).encode()
    refused = json.dumps({"data": [{"url": "", "respect_moderation": False}]}).encode()
    return [
        *(Recorded(task=task, body=good) for task in tasks if type(task) in model.limits),
        Recorded(task=tasks[0], body=refused, outcomes=("filtered",), name="refused inside a good answer"),
        Recorded(task=tasks[0], body=b'{"data": [{}]}', outcomes=("failed",), name="no picture in its place"),
        Recorded(task=tasks[0], body=b"{}", error=limner.BadResponse, name="nothing"),
    ]


def server(dialect: str) -> Model:
    settings = OpenAISettings(dialect=dialect, base_url="http://127.0.0.1:9/v1")
    return Compatible(settings, model_id="openai-compatible/a-model")


def small(limits: Limits) -> Limits:
    """Return the limits without OpenAI's floor of 655,360 pixels: with it the checks take minutes."""

    def lowered(limit: Constraint) -> Constraint:
        match limit:
            case SizeRule():
                return attrs.evolve(limit, min_pixels=256)
            case Picture(size=SizeRule() as rule):
                return attrs.evolve(limit, size=attrs.evolve(rule, min_pixels=256))
            case Expand(canvas=SizeRule() as rule):
                return attrs.evolve(limit, canvas=attrs.evolve(rule, min_pixels=256))
        return limit

    return {
        task: attrs.evolve(table, parameters={name: lowered(limit) for name, limit in table.parameters.items()})
        for task, table in limits.items()
    }


class SmallGptImage2(GptImage2):
    """gpt-image-2, but for the fewest pixels; test_requests holds the real limits."""

    aliases = ()  # those are of the model that limner-openai offers
    limits = small(GptImage2.limits)


BY_SETTING = "the class is made for the setting dialect, or for this test; the hook offers the one it comes from"
IN_PROMPT = "it travels as JSON inside the prompt"
OF_SERVERS = {"test_interface_of_names": BY_SETTING, "test_interface_of_the_hook": BY_SETTING}
OWN_RANGES = "where no document states a range, limner ends it"
OF_SERVERS_IN_FIELDS = {**OF_SERVERS, "test_limits_reach_the_ends_of_the_schema": OWN_RANGES}
DEVIATIONS = {
    "openai-small": {"test_interface_of_the_hook": BY_SETTING},
    "vllm-omni": OF_SERVERS_IN_FIELDS,
    "sd-cpp": {
        **OF_SERVERS_IN_FIELDS,
        "test_texts_arrive_whole": IN_PROMPT,
        "test_parameters_do_not_disturb_each_other": IN_PROMPT,
    },
    "localai": OF_SERVERS_IN_FIELDS,
    "together": OF_SERVERS_IN_FIELDS,
    "xai": OF_SERVERS_IN_FIELDS,
}
"""The models that are checked, one of each way to speak, with what they do otherwise than the kit asks."""


@pytest.fixture(scope="module", params=DEVIATIONS)
def conformance(request: pytest.FixtureRequest) -> Conformance:
    dialect = request.param
    model = SmallGptImage2() if dialect == "openai-small" else server(dialect)
    return Conformance(
        model=model,
        body_problems=problems(dialect),
        answer=provider(dialect),
        reference_painter=provider(dialect),
        recorded=recorded(model),
        deviations=DEVIATIONS[request.param],
        module="limner_openai.plugin",
    )
