"""The models of OpenAI, and servers by dialect, pass limner's conformance kit; the provider is the fake's strict reading."""

from __future__ import annotations

import base64
import json

import limner
import pytest
from limner import Generate, Inpaint, Model, Outpaint, RemoveBackground, Request, Response, Vary
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_openai.plugin import Compatible, GptImage2, GptImage15, GptImage26Flare
from limner_openai.settings import OpenAISettings

from . import fake

SIZE = (1024, 640)  # the fewest pixels that gpt-image-2 makes
PICTURE = picture(SIZE)
GOOD = base64.b64encode(picture((16, 16)).data).decode()


def provider(dialect: str):
    def answer(request: Request) -> Response:
        status, said = fake.answer(request.path, request.content_type, request.body, dialect)
        assert status == 200, said
        return Response(json.dumps(said).encode())

    return answer


def problems(dialect: str):
    return lambda request: fake.problems(request.path, request.content_type, request.body, dialect)


def recorded(model: Model) -> list[Recorded]:
    """Answers as the reference prints them; xAI's refusal inside a good answer, and a picture that did not come."""
    tasks = [
        Generate(prompt="a fox"),
        Vary(image=PICTURE, prompt="a fox"),
        Inpaint(image=PICTURE, prompt="a fox", mask=mask(SIZE, (8, 8, 20, 20))),
        Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0)),
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


MODELS = {
    "gpt-image-2": lambda: GptImage2(),
    "gpt-image-2.6-flare": lambda: GptImage26Flare(),
    "gpt-image-1.5": lambda: GptImage15(),
    **{name: (lambda name=name: server(name)) for name in fake.SERVERS if name != "openai"},
}


@pytest.fixture(scope="module", params=MODELS)
def conformance(request: pytest.FixtureRequest) -> Conformance:
    model = MODELS[request.param]()
    dialect = request.param if request.param in fake.SERVERS else "openai"
    return Conformance(
        model=model,
        body_problems=problems(dialect),
        answer=provider(dialect),
        reference_painter=provider(dialect),
        recorded=recorded(model),
        module="limner_openai.plugin",
    )
