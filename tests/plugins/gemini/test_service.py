"""Whole runs over the wire: tasks, Vertex AI, every documented error, waits, and secrets."""

from __future__ import annotations

import asyncio
import logging
import threading
import time

import limner
import pytest
from aiohttp import web
from limner.testing.pictures import picture
from limner_fakes import gemini as fake
from limner_gemini.plugin import NanoBanana21
from limner_gemini.settings import GeminiSettings

PNG = picture((16, 16)).data
KEY, TOKEN = "AIza-canary-0123456789abcdef", "ya29.canary-0123456789abcdef"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)


def gemini(url, **settings):
    return NanoBanana21(GeminiSettings(**{"base_url": f"{url}/v1beta", "api_key": KEY, "timeout": 30.0, **settings}))


def paths(service):
    return [request.path for request in service.requests]


def heads(service):
    return [request.headers for request in service.requests]


def says(status, body, headers=None):
    async def respond(_request, _record):
        return web.json_response(body, status=status, headers=headers)

    return respond


def test_pictures_come_back_with_usage_and_the_answers_id(service):
    result = gemini(service.service.address).generate("a fox", n=2, size=(1600, 900))
    assert [found.size for found in result.pictures] == [(2731, 1536)] * 2
    assert result.usage == {
        "input_tokens": 18,
        "output_tokens": 2580,
        "thoughts_tokens": 60,
        "total_tokens": 2658,
        "output_image_tokens": 2580,
    }
    assert result.request_ids == ("resp-42", "resp-42")
    assert result.metadata[0] == {
        "modelVersion": "gemini-nano-banana-2.1",
        "responseId": "resp-42",
        "finishReason": "STOP",
    }
    assert len(service.requests) == 2
    assert paths(service) == ["/v1beta/models/gemini-nano-banana-2.1:generateContent"] * 2
    assert {head["x-goog-api-key"] for head in heads(service)} == {KEY}
    assert all("authorization" not in head for head in heads(service))


def test_vertex_answers_in_the_format_that_is_asked_for(service):
    made = GeminiSettings(api="vertex", base_url=f"{service.service.address}/v1beta1", api_key=KEY, timeout=30.0)
    options = {"mimeType": "image/jpeg", "compressionQuality": 80, "HARM_CATEGORY_IMAGE_HATE": "BLOCK_ONLY_HIGH"}
    result = NanoBanana21(made).generate("a fox", size=(1, 1), options=options)
    assert result.image.media_type == "image/jpeg"


def test_a_picture_is_varied_by_words(service):
    before, other = picture((32, 16)), picture((24, 24), media_type="image/jpeg")
    after = gemini(service.service.address).vary([other, before], "make it night").image.pil().convert("RGB")
    level = before.pil().convert("RGB").getpixel((3, 3))
    assert after.size == (32, 16)
    assert after.getpixel((3, 3)) == tuple(255 - one for one in level)


def test_vertex_with_a_project_takes_an_access_token(service, monkeypatch):
    vertex = {
        "base_url": f"{service.service.address}/v1beta1",
        "api_key": None,
        "project": "my-project",
        "location": "europe-west4",
    }
    gemini(service.service.address, **vertex, access_token=TOKEN).generate("a fox")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN)
    gemini(service.service.address, **vertex).generate("a fox")
    path = "/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-nano-banana-2.1"
    assert paths(service) == [f"{path}:generateContent"] * 2
    assert [head["authorization"] for head in heads(service)] == [f"Bearer {TOKEN}"] * 2
    assert all("x-goog-api-key" not in head for head in heads(service))


def test_vertex_without_a_project_takes_an_api_key(service):
    gemini(service.service.address, base_url=f"{service.service.address}/v1beta1", api="vertex").generate("a fox")
    assert paths(service) == ["/v1beta1/publishers/google/models/gemini-nano-banana-2.1:generateContent"]
    assert heads(service)[0]["x-goog-api-key"] == KEY


def test_a_missing_key_is_said_before_anything_is_sent():
    with pytest.raises(limner.AuthenticationFailed, match="GEMINI_API_KEY or GOOGLE_API_KEY"):
        NanoBanana21().generate("a fox")
    with pytest.raises(limner.AuthenticationFailed, match="GOOGLE_OAUTH_ACCESS_TOKEN"):
        NanoBanana21(GeminiSettings(project="my-project", api_key=KEY)).generate("a fox")


def test_keys_of_the_environment(service, monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    gemini(service.service.address, api_key=None).generate("a fox")
    assert heads(service)[0]["x-goog-api-key"] == KEY


# ---------------------------------------------------------------------------------------------- errors

RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.02s"}


def quota(identifier, value="10"):
    kind = "type.googleapis.com/google.rpc.QuotaFailure"
    return {"@type": kind, "violations": [{"quotaId": identifier, "quotaValue": value}]}


PER_DAY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
NONE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "0")
ERRORS = {
    "wrong": (400, "INVALID_ARGUMENT", "bad ratio", None, limner.RequestRejected, "bad ratio"),
    "key": (
        400,
        "INVALID_ARGUMENT",
        f"API key not valid: {KEY}",
        [{"reason": "API_KEY_INVALID"}],
        limner.AuthenticationFailed,
        "check api_key",
    ),
    "token": (401, "UNAUTHENTICATED", "expired", None, limner.AuthenticationFailed, "valid for about an hour"),
    "country": (400, "FAILED_PRECONDITION", "no free tier", None, limner.AccessDenied, "enable billing"),
    "right": (403, "PERMISSION_DENIED", "no", None, limner.AccessDenied, "permissions of this key"),
    "model": (404, "NOT_FOUND", "gone", None, limner.RequestRejected, "unknown, retired"),
    "day": (429, "RESOURCE_EXHAUSTED", "quota", [PER_DAY, RETRY], limner.RateLimited, "daily quota"),
    "none": (429, "RESOURCE_EXHAUSTED", "quota", [NONE, RETRY], limner.RateLimited, "require billing"),
    "none by text": (429, "RESOURCE_EXHAUSTED", "exceeded, limit: 0", [RETRY], limner.RateLimited, "require billing"),
    "internal": (500, "INTERNAL", "oops", None, limner.ProviderUnavailable, "oops"),
    "overloaded": (503, "UNAVAILABLE", "overloaded", None, limner.ProviderUnavailable, "overloaded"),
    "late": (504, "DEADLINE_EXCEEDED", "late", None, limner.ProviderTimeout, "late"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_every_documented_error_is_an_error_with_advice_and_sent_once(serving, case, caplog):
    code, status, message, details, kind, words = ERRORS[case]
    caplog.set_level(logging.DEBUG)
    running = serving(says(code, fake.error(code, status, message, details)))
    with pytest.raises(kind, match=words) as met:
        gemini(running.url).generate("a secret prompt")
    assert len(running.requests) == 1
    assert KEY not in str(met.value) + caplog.text
    assert "a secret prompt" not in caplog.text
    assert all(KEY not in path for path in running.paths)


@pytest.mark.parametrize(("code", "status"), [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")])
def test_what_the_answer_asks_to_wait_is_waited_for(serving, code, status):
    async def respond(_request, record):
        if len(record.requests) == 1:
            details = [quota("GenerateRequestsPerMinutePerProjectPerModel"), {**RETRY, "retryDelay": "0.3s"}]
            return web.json_response(fake.error(code, status, "slower", details), status=code)
        return web.json_response(fake.good(PNG))

    running = serving(respond)
    before = time.monotonic()
    assert gemini(running.url).generate("a fox").image.data == PNG
    assert len(running.requests) == 2
    assert time.monotonic() - before >= 0.3


def test_a_wait_beyond_the_deadline_is_not_begun_but_told(serving):
    details = [{**RETRY, "retryDelay": "90s"}]
    running = serving(says(429, fake.error(429, "RESOURCE_EXHAUSTED", "slower", details)))
    with pytest.raises(limner.RateLimited) as met:
        gemini(running.url).generate("a fox")
    assert met.value.retry_after == 90
    assert len(running.requests) == 1


HOSTILE_DELAYS = ["-5s", "1e9s", "nan", 7, None, "5", "999999999999999s", ["1s"]]


@pytest.mark.parametrize("delay", HOSTILE_DELAYS)
def test_a_delay_that_is_none_is_not_believed(serving, delay):
    running = serving(says(429, fake.error(429, "RESOURCE_EXHAUSTED", "slower", [{**RETRY, "retryDelay": delay}, 7])))
    with pytest.raises(limner.RateLimited) as met:
        gemini(running.url, max_attempts=1).generate("a fox")
    assert met.value.retry_after is None


BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "resp-7"}


def test_a_refusal_is_an_error_or_an_outcome(serving):
    running = serving(says(200, BLOCKED))
    with pytest.raises(limner.ContentFiltered, match="PROHIBITED_CONTENT") as met:
        gemini(running.url).generate("a fox")
    assert met.value.request_ids == ("resp-7",)
    result = gemini(running.url).run(limner.Generate(prompt="a"), on_filtered="return")
    assert [one.outcome for one in result.pictures] == ["filtered"]


def test_of_several_pictures_a_refusal_takes_only_its_own(serving):
    async def respond(_request, record):
        return web.json_response(BLOCKED if len(record.requests) == 2 else fake.good(PNG))

    result = gemini(serving(respond).url, max_in_flight=1).run(limner.Generate(prompt="a", n=3), on_filtered="return")
    assert sorted(one.outcome for one in result.pictures) == ["filtered", "ok", "ok"]


# ---------------------------------------------------------------------------------------------- time, hostile answers


async def _never(_request, _record):
    await asyncio.sleep(60)


def test_a_call_ends_at_its_deadline(serving):
    running = serving(_never)
    before = time.monotonic()
    with pytest.raises(limner.ProviderTimeout, match="may have been billed"):
        gemini(running.url, timeout=0.5).generate("a fox")
    assert time.monotonic() - before < 20


def test_a_cancelled_call_ends(serving):
    running = serving(_never)

    async def give_up():
        job = asyncio.create_task(gemini(running.url).agenerate("a fox"))
        while not running.requests:
            await asyncio.sleep(0.02)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    before = time.monotonic()
    asyncio.run(give_up())
    assert time.monotonic() - before < 20
    assert threading.active_count() < 50


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"candidates": [', b"\xff\xfe"])
def test_what_is_no_answer_is_a_bad_response(serving, body):
    async def respond(_request, _record):
        return web.Response(body=body, content_type="application/json")

    with pytest.raises(limner.BadResponse):
        gemini(serving(respond).url).generate("a fox")


@pytest.mark.parametrize("body", [b"<html><b>502</b> Bad Gateway</html>", b"[]", b'{"error": {"details": {"a": [1]}}}'])
def test_an_error_that_is_no_json_of_googles_is_understood(serving, body):
    async def respond(_request, _record):
        return web.Response(body=body, status=502)

    with pytest.raises(limner.ProviderUnavailable):
        gemini(serving(respond).url).generate("a fox")


def test_secrets_are_in_no_repr():
    made = GeminiSettings(project="my-project", access_token=TOKEN, api_key=KEY)
    assert TOKEN not in repr(made)
    assert KEY not in repr(made)


def test_an_access_token_is_in_no_error(serving):
    running = serving(says(403, fake.error(403, "PERMISSION_DENIED", f"token {TOKEN} may not")))
    with pytest.raises(limner.AccessDenied) as met:
        gemini(running.url, api_key=None, project="my-project", access_token=TOKEN).generate("a fox")
    assert TOKEN not in str(met.value)


def test_the_doctor_asks_for_the_model_and_bills_nothing(serving):
    running = serving(says(200, {"name": "models/gemini-nano-banana-2.1"}))
    found = {finding.subject: finding for finding in gemini(running.url).diagnose(live=True)}
    assert (found["credentials"].fine, found["endpoint"].fine) == (True, True)
    assert running.paths == ["/v1beta/models/gemini-nano-banana-2.1"]
    assert running.requests == []
    vertex = gemini(running.url, api_key=None, project="my-project", access_token=TOKEN)
    assert next(iter(vertex.diagnose())).detail == "from the setting access_token"
