"""Whole runs over the wire: tasks, streams, downloads, Azure, and every documented refusal."""

from __future__ import annotations

import asyncio
import base64
import json
import logging

import limner
import pytest
from aiohttp import web
from limner import Mask
from limner.testing.pictures import picture
from limner_openai.plugin import Compatible, GptImage2
from limner_openai.settings import OpenAISettings

SIZE = (1024, 640)
PNG = picture((16, 16)).data
GOOD = base64.b64encode(PNG).decode()
KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)


def openai(url, **settings):
    return GptImage2(OpenAISettings(**{"base_url": url, "api_key": KEY, "timeout": 30.0, **settings}))


def server(dialect, url, **settings):
    made = OpenAISettings(**{"base_url": url, "dialect": dialect, "timeout": 30.0, **settings})
    return Compatible(made, model_id="openai-compatible/a-model")


def says(status, body, headers=None):
    async def respond(_request, _record):
        return web.json_response(body, status=status, headers=headers)

    return respond


def test_a_picture_comes_back_with_usage_and_request_id(service):
    running = service()
    result = openai(running.url).generate("a fox", n=2, options={"quality": "low"})
    assert [found.size for found in result.pictures] == [(1024, 1024)] * 2
    assert result.usage == {
        "input_tokens": 8,
        "output_tokens": 200,
        "total_tokens": 208,
        "input_text_tokens": 8,
        "input_image_tokens": 0,
    }
    assert result.request_ids == ("req-42",)
    assert result.metadata[0]["quality"] == "low"
    (request,) = running.requests
    assert (request.path, request.headers["authorization"]) == ("/v1/images/generations", f"Bearer {KEY}")


@pytest.mark.filterwarnings("ignore:OpenAI's masks guide")
@pytest.mark.parametrize("dialect", ["openai", "generic", "vllm-omni", "sglang", "sd-cpp"])
def test_an_edit_repaints_what_is_white_and_nothing_else(service, dialect):
    running = service(dialect)
    model = openai(running.url) if dialect == "openai" else server(dialect, running.url)
    before, mask = picture(SIZE), Mask.box((600, 50, 700, 200), size=SIZE)
    after = model.inpaint(before, "a red door", mask=mask, preserve=False).image.pil().convert("RGB")
    plain = before.pil().convert("RGB")
    assert after.getpixel((650, 100)) == tuple(255 - level for level in plain.getpixel((650, 100)))
    assert after.getpixel((500, 100)) == plain.getpixel((500, 100))
    (image,) = [file for file in running.requests[0].files if file.name.startswith("image")]
    assert (image.content_type, image.data) == ("image/png", before.data)


def test_outpaint_keeps_the_picture(service):
    result = openai(service().url).outpaint(picture(SIZE), "a wide beach", expand=(64, 0, 0, 32))
    assert result.image.size == (1088, 672)
    assert (
        result.image.pil().convert("RGB").crop((64, 0, 1088, 640)).tobytes() == picture(SIZE).pil().convert("RGB").tobytes()
    )


def test_the_stand_in_refuses_what_the_service_refuses(service):
    request = openai(service().url).plan(limner.Generate(prompt="a fox")).requests[0]
    import attrs

    spoiled = attrs.evolve(request, body=request.body.replace(b'"n":1', b'"n":1,"seed":7'))
    with pytest.raises(limner.RequestRejected, match="seed"):
        openai(service().url).send(spoiled)


# ---------------------------------------------------------------------------------------------- refusals

BLOCKED = {
    "error": {
        "message": "Your request was rejected by the safety system.",
        "type": "image_generation_user_error",
        "code": "moderation_blocked",
        "moderation_details": {"moderation_stage": "output", "categories": ["violence", "sexual"]},
    }
}


def error(code=None, message="m", kind="invalid_request_error"):
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


REFUSALS = {
    "blocked": (400, BLOCKED, limner.ContentFiltered, r"\[stage: output; categories: violence, sexual\]"),
    "azure blocked": (400, error("contentFilter"), limner.ContentFiltered, "change the prompt"),
    "policy": (400, error("content_policy_violation"), limner.ContentFiltered, "change the prompt"),
    "user error": (400, error(None, "bad size", "image_generation_user_error"), limner.RequestRejected, "bad size"),
    "no model": (404, error("model_not_found"), limner.RequestRejected, "unknown, retired"),
    "retired": (404, error("model_not_found", "The model `x` has been deprecated"), limner.ModelRetired, "retired"),
    "unverified": (
        403,
        error(None, "Your organization must be verified to use the model"),
        limner.AccessDenied,
        "up to 15 minutes",
    ),
    "wrong key": (401, error("invalid_api_key", f"Incorrect API key provided: {KEY}"), limner.AuthenticationFailed, "key"),
    "no credit": (429, error("insufficient_quota", "quota", "insufficient_quota"), limner.RateLimited, "add credit"),
    "server": (500, error(None, "oops", "server_error"), limner.ProviderUnavailable, "oops"),
    "detail": (422, {"detail": [{"loc": ["body", "size"], "msg": "bad"}]}, limner.RequestRejected, "body.size: bad"),
    "sd.cpp": (500, {"error": "server_error", "message": "no memory"}, limner.ProviderUnavailable, "no memory"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_every_documented_refusal_is_an_error_with_advice_and_sent_once(serving, case, caplog):
    status, body, kind, words = REFUSALS[case]
    caplog.set_level(logging.DEBUG)
    running = serving(says(status, body, {"x-request-id": "req-9"}))
    with pytest.raises(kind, match=words) as met:
        openai(running.url).generate("a secret prompt")
    assert len(running.requests) == 1
    assert met.value.request_ids == ("req-9",)
    assert KEY not in str(met.value) + caplog.text
    assert "a secret prompt" not in caplog.text


def test_a_refusal_is_an_outcome_where_it_is_wanted(serving):
    result = openai(serving(says(400, BLOCKED)).url).run(limner.Generate(prompt="a"), on_filtered="return")
    assert result.pictures[0].outcome == "filtered"
    assert "stage: output" in result.pictures[0].reason


def test_a_rate_limit_is_waited_for(serving):
    async def respond(_request, record):
        if len(record.requests) == 1:
            return web.json_response(error("rate_limit_exceeded"), status=429, headers={"retry-after-ms": "5"})
        return web.json_response({"created": 1, "data": [{"b64_json": GOOD}]})

    running = serving(respond)
    assert openai(running.url).generate("a fox").image.data == PNG
    assert len(running.requests) == 2


BAD_ANSWERS = [{}, {"data": None}, {"data": [7]}, {"data": [{"b64_json": "!"}]}, {"data": [{"b64_json": GOOD[:40]}]}, []]


@pytest.mark.parametrize("body", BAD_ANSWERS, ids=str)
def test_a_damaged_answer_is_a_bad_response(serving, body):
    with pytest.raises(limner.BadResponse):
        openai(serving(says(200, body)).url).generate("a fox")


# ---------------------------------------------------------------------------------------------- pictures by URL


@pytest.mark.parametrize("relative", [True, False])
def test_a_picture_behind_a_url_is_downloaded_without_the_key(serving, relative):
    async def respond(request, record):
        if request.method == "GET":
            return web.Response(body=PNG, content_type="image/png")
        address = "/generated-images/1.png" if relative else record.url.replace("/v1", "/generated-images/1.png")
        return web.json_response({"created": 1, "data": [{"url": address}]})

    running = serving(respond)
    assert server("localai", running.url, api_key=KEY).generate("a fox", seed=1).image.data == PNG
    assert running.paths == ["/v1/images/generations", "/generated-images/1.png"]
    assert "authorization" in running.heads[0]
    assert "authorization" not in running.heads[1]


def test_a_data_url_is_a_picture(serving):
    running = serving(says(200, {"data": [{"b64_json": f"data:image/png;base64,{GOOD}"}]}))
    assert server("xai", running.url).generate("a fox").image.data == PNG


# ---------------------------------------------------------------------------------------------- streams


def streaming(*events, kind="text/event-stream"):
    async def respond(request, _record):
        response = web.StreamResponse(headers={"Content-Type": kind, "x-request-id": "req-s"})
        await response.prepare(request)
        for event in events:
            data = event if isinstance(event, str) else json.dumps(event)
            name = "" if isinstance(event, str) else f"event: {event['type']}\n"
            await response.write(f"{name}data: {data}\n\n".encode())
            await asyncio.sleep(0)
        return response

    return respond


def partial(index):
    return {"type": "image_generation.partial_image", "b64_json": GOOD, "partial_image_index": index, "size": "1024x1024"}


DONE = {"type": "image_generation.completed", "b64_json": GOOD, "usage": {"output_tokens": 300}, "quality": "low"}
FAILED = {"type": "error", "error": {"type": "image_generation_user_error", "code": "moderation_blocked", "message": "no"}}


def test_partial_pictures_are_progress(serving):
    running = serving(streaming(partial(0), partial(1), DONE, "[DONE]"))
    seen = []
    result = openai(running.url, partial_images=2).run(limner.Generate(prompt="a fox"), on_progress=seen.append)
    assert running.requests[0].fields | {"stream": True, "partial_images": 2} == running.requests[0].fields
    assert [(one.step, one.of, one.preview.data) for one in seen if one.preview] == [(1, 2, PNG), (2, 2, PNG)]
    assert result.image.data == PNG
    assert result.usage == {"output_tokens": 300}
    assert result.request_ids == ("req-s",)


def test_several_finished_pictures_and_their_usage_are_gathered(serving):
    result = openai(serving(streaming(DONE, DONE)).url, partial_images=1).generate("a fox", n=2)
    assert len(result.images) == 2
    assert result.usage == {"output_tokens": 600}


def test_a_stream_without_an_end_passes_no_partial_picture_off(serving):
    with pytest.raises(limner.BadResponse, match="ended before a picture was complete"):
        openai(serving(streaming(partial(0))).url, partial_images=1).generate("a fox")


def test_an_error_in_a_stream_is_the_error(serving):
    with pytest.raises(limner.ContentFiltered, match="moderation_blocked") as met:
        openai(serving(streaming(partial(0), FAILED)).url, partial_images=1).generate("a fox")
    assert met.value.request_ids == ("req-s",)


def test_a_server_that_does_not_stream_is_understood(serving):
    running = serving(says(200, {"created": 1, "data": [{"b64_json": GOOD}]}))
    assert openai(running.url, partial_images=1).generate("a fox").image.data == PNG


def test_the_stand_in_streams_as_the_service_does(service):
    seen = []
    model = openai(service().url, partial_images=2)
    result = model.run(limner.Generate(prompt="a fox"), on_progress=seen.append)
    assert result.image.size == (1024, 1024)
    assert [(one.step, one.of) for one in seen if one.preview] == [(1, 2), (2, 2)]
    edited = model.vary(picture(SIZE), "a red door")
    assert edited.image.size == SIZE


# ---------------------------------------------------------------------------------------------- Azure


def test_azure_has_its_own_key_and_addresses(service):
    running = service("azure")
    openai(running.url, dialect="azure").generate("a fox")
    older = running.url.replace("/v1", "/openai")
    with pytest.raises(limner.RequestRejected):  # the stand-in has no such address: only the way to it is looked at
        openai(older, dialect="azure", api_version="2025-04-01-preview").generate("a fox")
    first, second = running.requests
    assert (first.path, first.headers["api-key"]) == ("/v1/images/generations", KEY)
    assert "authorization" not in first.headers
    assert second.path == "/openai/deployments/gpt-image-2/images/generations"
    assert second.query == {"api-version": "2025-04-01-preview"}
