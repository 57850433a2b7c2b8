"""The real ``openai`` client, sync and async, against the server: what its users see."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from limner.testing.pictures import mask, picture

from .studio import CALLS, GATE, Client

SCRIPT = """
import asyncio, base64, inspect, json, sys
import openai

order = json.load(sys.stdin)

def told(value):
    if isinstance(value, dict) and "$file" in value:
        return ("upload.png", base64.b64decode(value["$file"]), "image/png")
    return [told(one) for one in value] if isinstance(value, list) else value

def plain(found):
    return json.loads(found.model_dump_json()) if hasattr(found, "model_dump_json") else repr(found)

async def awaited(value):
    return await value if inspect.isawaitable(value) else value

async def called(client, name, arguments):
    call = client
    for part in name.split("."):
        call = getattr(call, part)
    found = await awaited(call(**arguments))
    if arguments.get("stream"):
        return [plain(event) async for event in found] if hasattr(found, "__aiter__") else [plain(event) for event in found]
    if name == "models.list":
        return [plain(model) async for model in found] if hasattr(found, "__aiter__") else [plain(model) for model in found]
    return plain(found)

async def main():
    kind = openai.AsyncOpenAI if order["asynchronous"] else openai.OpenAI
    client = kind(base_url=order["url"], api_key="sk-test", **order["settings"])
    outcomes = []
    for name, arguments in order["calls"]:
        try:
            outcomes.append({"found": await called(client, name, {key: told(value) for key, value in arguments.items()})})
        except openai.OpenAIError as error:
            outcomes.append({"error": type(error).__name__, "status": getattr(error, "status_code", None),
                             "code": getattr(error, "code", None), "param": getattr(error, "param", None),
                             "message": str(error)})
    print(json.dumps(outcomes))

asyncio.run(main())
"""


@pytest.fixture(params=["sync", "async"])
def outcomes(request, client: Client, openai_python: Path):
    """Make calls with the real client, and return what became of each."""

    def run(*calls: tuple[str, dict[str, Any]], **settings: Any) -> list[dict[str, Any]]:
        order = {"url": f"{client.url}/v1", "calls": calls, "asynchronous": request.param == "async", "settings": settings}
        ran = subprocess.run(
            [str(openai_python), "-c", SCRIPT],
            input=json.dumps(order),
            text=True,
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


def file(image) -> dict[str, str]:
    return {"$file": base64.b64encode(image.data).decode()}


def cut_out(size: tuple[int, int]):
    pillow = picture(size, "RGBA").pil()
    pillow.putalpha(mask(size, (0, 0, 16, 16)).inverted().pil())
    return type(picture()).read(pillow)


ERRORS = {
    "rejected": ("BadRequestError", 400, "provider_rejected_request"),
    "filtered": ("BadRequestError", 400, "content_policy_violation"),
    "access": ("PermissionDeniedError", 403, "provider_access_denied"),
    "retired": ("NotFoundError", 404, "model_not_found"),
    "timeout": ("InternalServerError", 504, "timeout"),
    "nonsense": ("InternalServerError", 502, "bad_provider_response"),
    "cut": ("InternalServerError", 503, "provider_unavailable"),
    "bug": ("InternalServerError", 500, "plugin_error"),
}
ASKED = {"model": "studio", "prompt": "a fox"}
PICTURE = picture((32, 32))


def test_the_calls(outcomes):
    models, model, one, two, url, edit, masked, variation, plain, streamed = outcomes(
        ("models.list", {}),
        ("models.retrieve", {"model": "studio"}),
        ("images.generate", ASKED | {"extra_body": {"seed": 7}}),
        ("images.generate", ASKED | {"n": 2, "size": "64x64", "quality": "high", "output_format": "jpeg"}),
        ("images.generate", ASKED | {"response_format": "url"}),
        ("images.edit", ASKED | {"image": [file(PICTURE), file(PICTURE)]}),
        ("images.edit", ASKED | {"image": file(PICTURE), "mask": file(cut_out((32, 32))), "n": 2}),
        ("images.create_variation", {"model": "studio", "image": file(PICTURE), "n": 1, "size": "512x512"}),
        ("images.generate", ASKED | {"stream": True}),
        ("images.edit", ASKED | {"image": file(PICTURE), "prompt": "previews", "stream": True, "partial_images": 3}),
    )
    assert "studio.painter-1" in [entry["id"] for entry in models["found"]]
    assert model["found"]["owned_by"] == "studio"
    assert one["found"]["limner"]["seeds"] == [7]
    assert base64.b64decode(one["found"]["data"][0]["b64_json"]).startswith(b"\x89PNG")
    assert [item["b64_json"][:4] for item in two["found"]["data"]] == ["/9j/"] * 2
    assert two["found"]["limner"]["dropped"] == ["options.quality"]
    assert url["found"]["data"][0]["url"].endswith(".png")
    assert [one["found"]["limner"]["task"] for one in (edit, masked, variation)] == ["vary", "inpaint", "vary"]
    assert len(masked["found"]["data"]) == 2
    assert [event["type"] for event in plain["found"]] == ["image_generation.completed"]
    assert [event["type"].partition(".")[2] for event in streamed["found"]] == ["partial_image"] * 3 + ["completed"]


def test_each_class_of_errors_and_no_second_call(outcomes):
    """The client retries twice by itself; it must not where the call may have been billed."""
    found = outcomes(
        *[("images.generate", {"model": "studio", "prompt": word}) for word in ERRORS],
        ("images.generate", {"model": "studio", "prompt": "previews timeout", "stream": True, "partial_images": 1}),
        ("images.generate", {"model": "no-such-model", "prompt": "a fox"}),
        ("images.generate", ASKED | {"n": 0}),
        ("models.retrieve", {"model": "no-such-model"}),
    )
    for (kind, status, code), outcome in zip(ERRORS.values(), found, strict=False):
        assert (outcome["error"], outcome["status"], outcome["code"]) == (kind, status, code)
    stream, unknown, wrong, missing = found[len(ERRORS) :]
    assert (stream["error"], stream["code"]) == ("APIError", "timeout")
    assert (unknown["error"], unknown["code"], unknown["param"]) == ("NotFoundError", "model_not_found", "model")
    assert (wrong["error"], wrong["param"]) == ("BadRequestError", "n")
    assert missing["error"] == "NotFoundError"
    assert len(CALLS) == len(ERRORS) + 1


def test_it_retries_what_cost_nothing(outcomes):
    (found,) = outcomes(("images.generate", {"model": "studio", "prompt": "unavailable"}), max_retries=1)
    assert (found["error"], len(CALLS)) == ("InternalServerError", 2)


def test_a_client_that_times_out_and_retries_pays_once(outcomes):
    """It gives up after a second, twice, and asks a third time; the model takes its time, and is called once."""
    import threading

    threading.Timer(2.5, GATE.set).start()
    (found,) = outcomes(("images.generate", {"model": "studio", "prompt": "wait"}), timeout=1.0, max_retries=5)
    assert found["found"]["limner"]["request_ids"] == ["req-1"]
    assert len(CALLS) == 1
