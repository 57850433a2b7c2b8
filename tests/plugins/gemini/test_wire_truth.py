"""The real ``google-genai`` client makes the same calls against a recording server: its bodies are ours, key by key."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import limner
import pytest
from aiohttp import web
from limner import Generate, Vary
from limner.testing.pictures import picture
from limner_fakes import gemini as fake
from limner_gemini.plugin import NanoBanana21, NanoBananaPro
from limner_gemini.settings import GeminiSettings

from ...clients import CannotInstall, interpreter

KEY, TOKEN = "AIza-canary-0123456789abcdef", "ya29.canary-0123456789abcdef"
PICTURE, OTHER = picture((32, 16)), picture((24, 24), media_type="image/jpeg")

SCRIPT = """
import base64, json, sys
from google import genai
from google.genai import types
from google.auth.credentials import Credentials

order = json.load(sys.stdin)

class Token(Credentials):
    def __init__(self, token):
        super().__init__()
        self.token = token
    def refresh(self, request):
        pass
    @property
    def expired(self):
        return False
    @property
    def valid(self):
        return True

def part(said):
    if isinstance(said, str):
        return types.Part.from_text(text=said)
    return types.Part.from_bytes(data=base64.b64decode(said["data"]), mime_type=said["type"])

client = order["client"]
if "token" in client:
    client["credentials"] = Token(client.pop("token"))
client["http_options"] = types.HttpOptions(base_url=order["url"], api_version=order["version"])
parts = [part(said) for said in order["parts"]]
made = genai.Client(**client)
made.models.generate_content(
    model=order["model"], contents=[types.Content(role="user", parts=parts)],
    config=types.GenerateContentConfig(**order["config"]))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Path:
    """An environment of its own with the real client; the processes of a run share it."""
    shared = tmp_path_factory.getbasetemp()
    try:
        return interpreter("google-genai", (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "clients")
    except CannotInstall as error:
        pytest.skip(str(error))


def file(image: limner.Image) -> dict[str, str]:
    return {"data": base64.b64encode(image.data).decode(), "type": image.media_type}


def camel(tree: Any) -> Any:
    """Write all keys, and base64, in one way: proto JSON takes both of each, and the client mixes them."""
    if isinstance(tree, dict):
        if "data" in tree:
            tree = {**tree, "data": tree["data"].replace("-", "+").replace("_", "/")}
        return {re.sub("_([a-z])", lambda found: found[1].upper(), name): camel(value) for name, value in tree.items()}
    return [camel(one) for one in tree] if isinstance(tree, list) else tree


GEMINI: dict[str, Any] = {"client": {"api_key": KEY}, "version": "v1beta"}
EXPRESS: dict[str, Any] = {"client": {"vertexai": True, "api_key": KEY}, "version": "v1beta1"}
CLOUD: dict[str, Any] = {
    "client": {"vertexai": True, "project": "my-project", "location": "europe-west4", "token": TOKEN},
    "version": "v1beta1",
}
ONLY: dict[str, Any] = {"response_modalities": ["IMAGE"]}
SHAPED: dict[str, Any] = {**ONLY, "image_config": {"aspect_ratio": "16:9", "image_size": "2K"}}
HARASSMENT = {"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}
BLOCKED = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}

CASES = {
    "generate": (NanoBanana21, {}, Generate(prompt="a füchsin"), {**GEMINI, "parts": ["a füchsin"], "config": ONLY}),
    "size": (NanoBanana21, {}, Generate(prompt="a", size=(2048, 1152)), {**GEMINI, "parts": ["a"], "config": SHAPED}),
    "options": (
        NanoBanana21,
        {},
        Generate(prompt="a", size=(16, 9), options={"imageSize": "2K", "temperature": 0.5, "thinkingLevel": "HIGH"}),
        {**GEMINI, "parts": ["a"], "config": {**SHAPED, "temperature": 0.5, "thinking_config": {"thinking_level": "HIGH"}}},
    ),
    "vary": (
        NanoBananaPro,
        {},
        Vary(image=[PICTURE, OTHER], prompt="at night"),
        {**GEMINI, "parts": ["at night", file(PICTURE), file(OTHER)], "config": ONLY},
    ),
    "vertex express": (
        NanoBanana21,
        {"api": "vertex", "api_key": KEY},
        Vary(image=PICTURE, prompt="at night", size=(2048, 1152)),
        {**EXPRESS, "parts": ["at night", file(PICTURE)], "config": SHAPED},
    ),
    "words and safety": (
        NanoBanana21,
        {},
        Generate(prompt="a", options={"systemInstruction": "In oil.", **HARASSMENT, "topP": 0.5, "topK": 40}),
        {
            **GEMINI,
            "parts": ["a"],
            "config": {**ONLY, "system_instruction": "In oil.", "safety_settings": [BLOCKED], "top_p": 0.5, "top_k": 40},
        },
    ),
    "vertex options": (
        NanoBanana21,
        {"api": "vertex", "api_key": KEY},
        Generate(
            prompt="a",
            options={
                **HARASSMENT,
                "method": "SEVERITY",
                "personGeneration": "ALLOW_ADULT",
                "prominentPeople": "BLOCK_PROMINENT_PEOPLE",
                "mimeType": "image/jpeg",
                "compressionQuality": 80,
            },
        ),
        {
            **EXPRESS,
            "parts": ["a"],
            "config": {
                **ONLY,
                "safety_settings": [{**BLOCKED, "method": "SEVERITY"}],
                "image_config": {
                    "person_generation": "ALLOW_ADULT",
                    "prominent_people": "BLOCK_PROMINENT_PEOPLE",
                    "output_mime_type": "image/jpeg",
                    "output_compression_quality": 80,
                },
            },
        },
    ),
    "vertex project": (
        NanoBanana21,
        {"api_key": None, "project": "my-project", "location": "europe-west4", "access_token": TOKEN},
        Generate(prompt="a fox", size=(2048, 1152)),
        {**CLOUD, "parts": ["a fox"], "config": SHAPED},
    ),
}
KEYS = ("x-goog-api-key", "authorization", "content-type")


@pytest.mark.parametrize("case", CASES)
def test_the_real_client_sends_the_same(serving, client, case):
    model, settings, task, order = CASES[case]

    async def respond(_request, _record):
        return web.json_response(fake.good(PICTURE.data))

    running = serving(respond)
    told = json.dumps({**order, "url": running.url, "model": model.id})
    subprocess.run([str(client), "-c", SCRIPT], input=told, text=True, check=True, timeout=120)
    made = GeminiSettings(**{"base_url": f"{running.url}/{order['version']}", "api_key": KEY, **settings})
    model(made).run(task)
    theirs, ours = running.requests
    assert camel(theirs) == ours
    assert running.paths[0] == running.paths[1]
    their_head, our_head = ({name: head.get(name) for name in KEYS} for head in running.heads)
    assert their_head == our_head
