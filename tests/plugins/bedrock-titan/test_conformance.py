"""Titan passes limner's conformance kit; the provider is the emulator's schemas and painter, made from AWS's documents."""

from __future__ import annotations

import base64
import json

import limner
import pytest
from limner import Model, Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator import titan
from limner_bedrock_emulator.painters import Invert
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_titan.plugin import TitanV1, TitanV2

PICTURE = picture((64, 64))
GOOD = base64.b64encode(PICTURE.data).decode()
BLOCKED = (
    "Content in {which} of the generated image(s) has been blocked and has been filtered from the response. "
    "Our system automatically blocked because the generated image(s) may conflict our AUP or AWS Responsible AI Policy."
)


def answer(request: Request) -> Response:
    return Response(json.dumps(titan.answer(json.loads(request.body), Invert(), None)).encode())


def recorded(model: type[Model]) -> list[Recorded]:
    """Answers as the guide prints them, and the refusals that clients have seen."""
    two = limner.Generate(prompt="a fox", seed=10, n=2)
    tasks = [
        limner.Generate(prompt="a fox", seed=10),
        limner.Vary(image=PICTURE, prompt="a fox", seed=10),
        limner.Inpaint(image=PICTURE, prompt="a fox", mask=mask((64, 64), (8, 8, 20, 20)), seed=10),
        limner.Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), seed=10),
        limner.RemoveBackground(image=PICTURE),
    ]
    good = json.dumps({"images": [GOOD]}).encode()
    some = json.dumps({"images": [GOOD], "error": BLOCKED.format(which="some")}).encode()
    none = json.dumps({"error": BLOCKED.format(which="the all")}).encode()
    return [
        *(Recorded(task=task, body=good) for task in tasks if type(task) in model.limits),
        Recorded(task=two, body=some, outcomes=("ok", "filtered"), name="some blocked"),
        Recorded(task=two, body=none, outcomes=("filtered", "filtered"), name="all blocked"),
        Recorded(task=two, body=b"{}", error=limner.BadResponse, name="nothing"),
    ]


@pytest.fixture(scope="module", params=[TitanV1, TitanV2], ids=["v1", "v2"])
def conformance(request: pytest.FixtureRequest) -> Conformance:
    model = request.param
    return Conformance(
        model=model(),
        body_problems=lambda sent: validate(model.id, json.loads(sent.body)),
        answer=answer,
        reference_painter=answer,
        recorded=recorded(model),
    )
