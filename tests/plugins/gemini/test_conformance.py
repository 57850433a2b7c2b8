"""Gemini's models pass limner's conformance kit; the provider is the fake's strict reading."""

from __future__ import annotations

import json
from typing import Any

import limner
import pytest
from limner import Generate, Request, Response, Vary
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import picture
from limner_fakes import gemini as fake
from limner_gemini.plugin import limner_models
from limner_gemini.settings import GeminiSettings

PICTURE = picture((32, 16))
MODELS = {model.id: model for model in limner_models()}


def answer(request: Request) -> Response:
    body = json.loads(request.body)
    assert fake.problems(request.path, body) == []
    return Response(json.dumps(fake.answer(f"/v1beta/{request.path}", body, {"x-goog-api-key": KEY})[1]).encode())


def problems(request: Request) -> list[str]:
    return fake.problems(request.path, json.loads(request.body))


def stopped(reason: str, **more: Any) -> bytes:
    """An answer without a picture, as live samples show it: no parts."""
    return json.dumps({"candidates": [{"content": {"role": "model"}, "finishReason": reason, **more}]}).encode()


FOX = Generate(prompt="a fox")
KEY = "AIza-canary-0123456789abcdef"
GOOD = json.dumps(fake.good(PICTURE.data)).encode()
TALKED = {"candidates": [{"content": {"parts": [{"text": "I cannot."}], "role": "model"}, "finishReason": "STOP"}]}
RECORDED = [
    Recorded(task=FOX, body=GOOD),
    Recorded(task=Vary(image=PICTURE, prompt="a fox"), body=GOOD),
    Recorded(task=FOX, body=stopped("IMAGE_SAFETY", finishMessage="no"), outcomes=("filtered",), name="image safety"),
    Recorded(task=FOX, body=b'{"promptFeedback": {"blockReason": "SAFETY"}}', outcomes=("filtered",), name="blocked"),
    Recorded(task=FOX, body=stopped("NO_IMAGE"), outcomes=("failed",), name="no image"),
    Recorded(task=FOX, body=json.dumps(TALKED).encode(), outcomes=("failed",), name="only words"),
    Recorded(task=FOX, body=stopped("PUP_LIMITED_DISABLED"), error=limner.AccessDenied, name="limited"),
    Recorded(task=FOX, body=b"{}", error=limner.BadResponse, name="nothing"),
    Recorded(
        task=FOX,
        body=json.dumps(fake.error(400, "INVALID_ARGUMENT", "bad", [{"reason": "API_KEY_INVALID"}])).encode(),
        status=400,
        error=limner.AuthenticationFailed,
        name="bad key",
    ),
    Recorded(
        task=FOX,
        body=json.dumps(fake.error(403, "PERMISSION_DENIED", "no")).encode(),
        status=403,
        error=limner.AccessDenied,
        name="no right",
    ),
    Recorded(
        task=FOX,
        body=json.dumps(fake.error(404, "NOT_FOUND", "gone")).encode(),
        status=404,
        error=limner.RequestRejected,
        name="no such model",
    ),
]


def config(**content: Any) -> dict[str, Any]:
    return {"generationConfig": {"responseModalities": ["IMAGE"], **content}}


EXAMPLES = [
    (FOX, {"contents": [{"role": "user", "parts": [{"text": "a fox"}]}]}),
    (Generate(prompt="a fox", size=(2048, 2048)), config(imageConfig={"aspectRatio": "1:1"})),
    (Generate(prompt="a fox", options={"temperature": 0.5}), config(temperature=0.5)),
]


def at(model: str):
    """The model at another address, with a key."""
    return lambda url: MODELS[model](GeminiSettings(base_url=f"{url}/v1beta", api_key=KEY, timeout=20.0, max_attempts=1))


@pytest.fixture(scope="module", params=MODELS)
def conformance(request: pytest.FixtureRequest) -> Conformance:
    model = request.param
    return Conformance(
        model=MODELS[model](),
        body_schema=lambda kind: fake.schema(model, kind),
        body_problems=problems,
        examples=EXAMPLES,
        answer=answer,
        endpoint=at(model),
        recorded=RECORDED,
        module="limner_gemini.plugin",
    )
