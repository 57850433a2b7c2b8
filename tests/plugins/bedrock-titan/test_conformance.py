"""Titan and Nova Canvas pass limner's conformance kit; the provider is the emulator's schemas and painter."""

from __future__ import annotations

import base64
import json

import limner
import pytest
from limner import Model, Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator import nova, titan
from limner_bedrock_emulator.painters import Invert
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_titan.plugin import NovaCanvas, TitanV1, TitanV2

SIDE = 320  # the least that Nova Canvas takes
PICTURE = picture((SIDE, SIDE))
GOOD = base64.b64encode(PICTURE.data).decode()
TITANS = (
    "Content in {which} of the generated image(s) has been blocked and has been filtered from the response. "
    "Our system automatically blocked because the generated image(s) may conflict our AUP or AWS Responsible AI Policy."
)
NOVAS = "{which} of the generated images have been blocked by our content filters."


def answer(request: Request) -> Response:
    """Answer as the emulator does."""
    paint = nova.answer if request.model_id == NovaCanvas.id else titan.answer
    return Response(json.dumps(paint(json.loads(request.body), Invert(), None)).encode())


def problems(request: Request) -> list[str]:
    body = json.loads(request.body)
    sizes = nova.size_problems(body) if request.model_id == NovaCanvas.id else []
    return validate(request.model_id, body) + sizes


def recorded(model: type[Model]) -> list[Recorded]:
    """Answers as the guide prints them, and the refusals that clients have seen."""
    two = limner.Generate(prompt="a fox", seed=10, n=2)
    tasks = [
        limner.Generate(prompt="a fox", seed=10),
        limner.Vary(image=PICTURE, prompt="a fox", seed=10),
        limner.Inpaint(image=PICTURE, prompt="a fox", mask=mask((SIDE, SIDE), (8, 8, 20, 20)), seed=10),
        limner.Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), seed=10),
        limner.RemoveBackground(image=PICTURE),
    ]
    good = json.dumps({"images": [GOOD]}).encode()
    blocked, words = (NOVAS, ("Some", "All")) if model is NovaCanvas else (TITANS, ("some", "the all"))
    some = json.dumps({"images": [GOOD], "error": blocked.format(which=words[0])}).encode()
    none = json.dumps({"error": blocked.format(which=words[1])}).encode()
    return [
        *(Recorded(task=task, body=good) for task in tasks if type(task) in model.limits),
        Recorded(task=two, body=some, outcomes=("ok", "filtered"), name="some blocked"),
        Recorded(task=two, body=none, outcomes=("filtered", "filtered"), name="all blocked"),
        Recorded(task=two, body=b"{}", error=limner.BadResponse, name="nothing"),
    ]


@pytest.fixture(scope="module", params=[TitanV1, TitanV2, NovaCanvas], ids=["v1", "v2", "nova"])
def conformance(request: pytest.FixtureRequest) -> Conformance:
    model = request.param
    return Conformance(
        model=model(),
        body_problems=problems,
        answer=answer,
        reference_painter=answer,
        recorded=recorded(model),
    )
