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
    (
        Generate(prompt="a fox", options={"systemInstruction": "in oil"}),
        {"systemInstruction": {"parts": [{"text": "in oil"}]}},
    ),
]


BY_SETTING = "the class is made for the settings; the hook offers the one it comes from"
ONE_OF_EACH_API = "gemini-nano-banana-2.1"
"""The models share a transport."""

CASES = [*((model, "gemini") for model in MODELS), ("gemini-nano-banana-2.1", "vertex")]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def conformance(request: pytest.FixtureRequest) -> Conformance:
    name, api = request.param
    version = "v1beta" if api == "gemini" else "v1beta1"

    def answer(request: Request) -> Response:
        body = json.loads(request.body)
        assert fake.problems(request.path, body) == []
        return Response(json.dumps(fake.answer(f"/{version}/{request.path}", body, {"x-goog-api-key": KEY})[1]).encode())

    def endpoint(url: str) -> limner.Model:
        made = GeminiSettings(api=api, base_url=f"{url}/{version}", api_key=KEY, timeout=20.0, max_attempts=1)
        return MODELS[name](made)

    return Conformance(
        model=MODELS[name](GeminiSettings(api=api)),
        body_schema=lambda kind: fake.schema(name, kind, vertex=api == "vertex"),
        body_problems=problems,
        examples=EXAMPLES,
        answer=answer,
        endpoint=endpoint if name == ONE_OF_EACH_API else None,
        recorded=RECORDED,
        deviations={"test_interface_of_the_hook": BY_SETTING} if api == "vertex" else {},
        module="limner_gemini.plugin",
    )
