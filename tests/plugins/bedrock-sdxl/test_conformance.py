"""SDXL passes limner's conformance kit; the provider is the emulator's schemas and painter, made from AWS's documents."""

from __future__ import annotations

import base64
import json

import limner
import pytest
from limner import Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator import sdxl
from limner_bedrock_emulator.painters import Invert
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_sdxl.plugin import Sdxl

PICTURE = picture((64, 64))


def answer(request: Request) -> Response:
    return Response(json.dumps(sdxl.answer(json.loads(request.body), Invert(), None)).encode())


def problems(request: Request) -> list[str]:
    return validate(Sdxl.id, json.loads(request.body))


def artifact(reason: str) -> bytes:
    """An answer as the guide prints it."""
    made = {"seed": 10, "base64": base64.b64encode(PICTURE.data).decode(), "finishReason": reason}
    return json.dumps({"result": "success", "artifacts": [made]}).encode()


TASKS = [
    limner.Generate(prompt="a fox", seed=10),
    limner.Vary(image=PICTURE, prompt="a fox", seed=10),
    limner.Inpaint(image=PICTURE, prompt="a fox", mask=mask((64, 64), (8, 8, 20, 20)), seed=10),
    limner.Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), seed=10),
]
ERROR = b'{"result": "error", "error": {"id": "1", "name": "invalid_prompts", "message": "Invalid prompts"}}'
REFUSALS = [
    Recorded(task=TASKS[0], body=artifact("CONTENT_FILTERED"), outcomes=("filtered",), name="filtered"),
    Recorded(task=TASKS[0], body=artifact("ERROR"), outcomes=("failed",), name="error"),
    Recorded(task=TASKS[0], body=ERROR, error=limner.ContentFiltered, name="invalid_prompts"),
    Recorded(task=TASKS[0], body=b"{}", error=limner.BadResponse, name="nothing"),
]


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    return Conformance(
        model=Sdxl(),
        body_problems=problems,
        answer=answer,
        reference_painter=answer,
        recorded=[*(Recorded(task=task, body=artifact("SUCCESS")) for task in TASKS), *REFUSALS],
    )
