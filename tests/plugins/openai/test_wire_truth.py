"""The real ``openai`` client makes the same calls against a recording server: its bodies are ours, part by part."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import limner
import pytest
from aiohttp import web
from limner import Generate, Inpaint, Vary
from limner.testing.pictures import mask, picture
from limner_fakes import openai as fake
from limner_openai.mapping import alpha_mask
from limner_openai.plugin import Compatible, GptImage2, GptImage25Flare
from limner_openai.settings import OpenAISettings

from ...clients import CannotInstall, interpreter

SIZE = (1024, 640)
PICTURE, OTHER, MASK = picture(SIZE), picture((32, 32), media_type="image/jpeg"), mask(SIZE, (8, 8, 300, 200))

SCRIPT = """
import base64, json, sys
from openai import OpenAI

order = json.load(sys.stdin)

def told(value):
    if isinstance(value, dict) and "$file" in value:
        return (value["$file"], base64.b64decode(value["data"]), value["type"])
    return [told(one) for one in value] if isinstance(value, list) else value

client = OpenAI(base_url=order["url"], api_key="sk-test", max_retries=0)
call = getattr(client.images, order["call"])
found = call(**{name: told(value) for name, value in order["arguments"].items()})
if order["arguments"].get("stream"):
    list(found)
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Path:
    """An environment of its own with the real client; the processes of a run share it."""
    shared = tmp_path_factory.getbasetemp()
    try:
        return interpreter("openai", (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "clients")
    except CannotInstall as error:
        pytest.skip(str(error))


def file(name: str, image: limner.Image) -> dict[str, str]:
    return {"$file": name, "data": base64.b64encode(image.data).decode(), "type": image.media_type}


MASK_FILE = {"$file": "mask.png", "data": base64.b64encode(alpha_mask(MASK)).decode(), "type": "image/png"}
EDIT: dict[str, Any] = {"model": "gpt-image-2", "prompt": "a red door"}

CALLS = {
    "generate": (
        GptImage2(),
        Generate(prompt="a füchsin", n=2, size=(1536, 1024), options={"quality": "low", "background": "opaque"}),
        "generate",
        {
            "model": "gpt-image-2",
            "prompt": "a füchsin",
            "n": 2,
            "size": "1536x1024",
            "quality": "low",
            "background": "opaque",
        },
    ),
    "output": (
        GptImage25Flare(),
        Generate(
            prompt="a fox", options={"output_format": "webp", "output_compression": 0, "moderation": "low", "quality": "max"}
        ),
        "generate",
        {
            "model": "gpt-image-2.5-flare",
            "prompt": "a fox",
            "n": 1,
            "size": "1024x1024",
            "output_format": "webp",
            "output_compression": 0,
            "moderation": "low",
            "quality": "max",
        },
    ),
    "stream": (
        GptImage2(OpenAISettings(partial_images=2)),
        Generate(prompt="a fox"),
        "generate",
        {
            "model": "gpt-image-2",
            "prompt": "a fox",
            "n": 1,
            "size": "1024x1024",
            "stream": True,
            "partial_images": 2,
        },
    ),
    "edit": (
        GptImage2(),
        Vary(image=PICTURE, prompt="a red door", options={"quality": "high"}),
        "edit",
        {**EDIT, "image": file("image.png", PICTURE), "n": 1, "size": "auto", "quality": "high"},
    ),
    "edit of several": (
        GptImage2(),
        Vary(image=[PICTURE, OTHER], prompt="a red door", n=3, size=(1024, 1024)),
        "edit",
        {**EDIT, "image": [file("image.png", PICTURE), file("image.jpeg", OTHER)], "n": 3, "size": "1024x1024"},
    ),
    "inpaint": (
        GptImage2(),
        Inpaint(image=PICTURE, prompt="a red door", mask=MASK),
        "edit",
        {**EDIT, "image": file("image.png", PICTURE), "mask": MASK_FILE, "n": 1, "size": "1024x640"},
    ),
    "streamed edit": (
        GptImage2(OpenAISettings(partial_images=1)),
        Vary(image=PICTURE, prompt="a red door"),
        "edit",
        {**EDIT, "image": file("image.png", PICTURE), "n": 1, "size": "auto", "stream": True, "partial_images": 1},
    ),
    "further fields": (
        Compatible(OpenAISettings(dialect="vllm-omni", base_url="http://127.0.0.1:9/v1"), model_id="Qwen/Qwen-Image"),
        Generate(prompt="a fox", seed=7, steps=20, size=(512, 512)),
        "generate",
        {
            "model": "Qwen/Qwen-Image",
            "prompt": "a fox",
            "n": 1,
            "size": "512x512",
            "response_format": "b64_json",
            "extra_body": {"seed": 7, "num_inference_steps": 20},
        },
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_the_real_client_sends_the_same(serving, client, case):
    model, task, call, arguments = CALLS[case]

    async def respond(_request, _record):
        if "stream" in arguments:
            return web.Response(text="data: [DONE]\n\n", content_type="text/event-stream")
        return web.json_response({"created": 1, "data": []})

    running = serving(respond)
    order = json.dumps({"url": running.url, "call": call, "arguments": arguments})
    subprocess.run([str(client), "-c", SCRIPT], input=order, text=True, check=True, timeout=120)
    (request,) = model.plan(task).requests
    (theirs,), ours = running.requests, fake.read(request.content_type, request.body)
    assert running.paths == [f"/v1/{request.path}"]
    assert theirs.fields == ours.fields
    assert sorted(map(repr, theirs.files)) == sorted(map(repr, ours.files))
