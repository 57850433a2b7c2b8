"""Every model and service passes limner's conformance kit, held against the emulator's schemas and painted by it."""

from __future__ import annotations

import base64
import json

import limner
import pytest
from limner import Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import picture
from limner_bedrock_emulator import schemas, stability
from limner_bedrock_emulator.model_ids import contract_of
from limner_bedrock_emulator.painters import Invert
from limner_bedrock_stability.models import MODELS

CURRENT = [model for model in MODELS if model.is_current()]


def answer(request: Request) -> Response:
    """Answer as the emulator does; some services take no seed, and their answers name one all the same."""
    body = {"seed": 7, **json.loads(request.body)}
    return Response(json.dumps(stability.answer(contract_of(request.model_id), body, Invert(), None)).encode())


def problems(request: Request) -> list[str]:
    return schemas.validate(request.model_id, json.loads(request.body))


def recorded(model) -> list[Recorded]:
    """Answers as the guide prints them."""
    if model.service != "core":
        return []
    task = limner.Generate(prompt="a fox", seed=10)
    reasons = ("Filter reason: prompt", "Filter reason: output image", "Filter reason: input image")
    good = {"seeds": [2130420379], "finish_reasons": [None], "images": [base64.b64encode(picture().data).decode()]}
    return [
        Recorded(task=task, body=json.dumps(good).encode()),
        *(
            Recorded(task=task, body=json.dumps({"finish_reasons": [text]}).encode(), outcomes=("filtered",))
            for text in reasons
        ),
        Recorded(task=task, body=b'{"finish_reasons": ["Inference error"]}', outcomes=("failed",)),
        Recorded(task=task, body=b"{}", error=limner.BadResponse),
    ]


CROPPED = "a mask on the final canvas becomes the rectangle that it keeps, which is another picture, and the four sides"


@pytest.fixture(scope="module", params=CURRENT, ids=lambda model: model.service)
def conformance(request) -> Conformance:
    edits = any(task.kind in {"inpaint", "outpaint"} for task in request.param.limits)
    return Conformance(
        model=request.param(),
        body_problems=problems,
        answer=answer,
        reference_painter=answer if edits else None,
        recorded=recorded(request.param),
        deviations={"test_jpeg_travels_byte_for_byte": CROPPED} if request.param.service == "outpaint" else {},
        module="limner_bedrock_stability.plugin",
    )
