"""Whole runs over HTTP: submit, poll, download; every documented refusal; where the key goes."""

from __future__ import annotations

import json
import logging
import threading

import limner
import pytest
from limner import Mask
from limner.testing.pictures import picture
from limner_bfl.plugin import limner_models
from limner_fakes import bfl as fake
from limner_http import HttpSettings

SIZE = (320, 256)
KEY = "canary-key-0123456789"
MODELS = {model.id: model for model in limner_models()}


def model(url, name="flux-2-pro", **settings):
    return MODELS[name](HttpSettings(**{"base_url": url, "api_key": KEY, "timeout": 30.0, **settings}))


def status(text, code=200, **more):
    return (code, {"id": "task-1", "status": text, "result": None, "details": None, **more}, {})


def test_a_task_is_submitted_asked_for_and_its_picture_downloaded_without_the_key(serving):
    server = serving()
    seen = []
    result = model(server.url).run(limner.Generate(prompt="a fox", size=(512, 256), seed=7), on_progress=seen.append)
    assert result.image.size == (512, 256)
    assert result.pictures[0].seed == 7
    assert server.paths() == ["POST /v1/flux-2-pro", *["GET /v1/get_result"] * 4, "GET /delivery/task-1"]
    assert server.keys == [KEY] * 5 + [None]
    assert result.usage == {"credits": 3.0, "input_megapixels": 0.0, "output_megapixels": 1.0}
    metadata = result.metadata[0]
    assert (metadata["cost_usd"], metadata["seed"], metadata["duration"]) == (0.03, 7, 2.5)
    assert result.request_ids == ("task-1",)
    assert [(one.message, one.step) for one in seen if one.message] == [
        ("pending", None),
        ("reasoning", None),
        ("generating", 0.5),
    ]


def test_n_pictures_are_n_tasks_with_seeds_that_count_on(serving):
    server = serving()
    result = model(server.url, "flux-2-klein-4b").generate("a fox", n=2, seed=7)
    assert sorted(json.loads(body)["seed"] for _, body in server.bodies) == [7, 8]
    assert result.usage["credits"] == 6.0


@pytest.mark.parametrize("name", ["flux-2-flex", "flux-3-image"])
def test_an_instruction_edits_pictures(serving, name):
    server = serving()
    before = picture((256, 320)).pil().convert("RGB")
    after = model(server.url, name).vary([picture((256, 320)), picture((320, 320))], "make it winter").image.pil()
    assert after.convert("RGB").getpixel((5, 5)) == tuple(255 - level for level in before.getpixel((5, 5)))


@pytest.mark.parametrize(("name", "prompt"), [("flux-pro-1.0-fill", "a red door"), ("flux-tools/erase-v1", None)])
def test_what_is_white_is_repainted_and_nothing_else(serving, name, prompt):
    before = picture(SIZE)
    mask = Mask.box((100, 50, 200, 150), size=SIZE)
    task = limner.Inpaint(image=before, prompt=prompt, mask=mask, preserve=False)
    after = model(serving().url, name).run(task).image.pil().convert("RGB")
    plain = before.pil().convert("RGB")
    assert after.getpixel((150, 100)) == tuple(255 - level for level in plain.getpixel((150, 100)))
    assert after.getpixel((20, 20)) == plain.getpixel((20, 20))


def test_erase_takes_no_prompt(serving):
    server = serving()
    with pytest.raises(limner.TaskRefused, match=r"prompt.*not supported"):
        model(server.url, "flux-tools/erase-v1").inpaint(picture(SIZE), "a dog", mask=Mask.box((9, 9, 30, 30), size=SIZE))
    assert server.asked == []


def test_outpaint_puts_the_picture_in_its_place(serving):
    before = picture(SIZE)
    task = limner.Outpaint(image=before, prompt="a beach", expand=(64, 32, 16, 0), preserve=False)
    after = model(serving().url, "flux-tools/outpainting-v1").run(task).image.pil().convert("RGB")
    assert after.size == (400, 288)
    assert after.crop((64, 32, 384, 288)).tobytes() == before.pil().convert("RGB").tobytes()


def test_expand_puts_the_picture_in_its_place(serving):
    before = picture((256, 320))
    task = limner.Outpaint(image=before, prompt="a beach", expand=(33, 7, 1, 0), preserve=False)
    after = model(serving().url, "flux-pro-1.0-expand").run(task).image.pil().convert("RGB")
    assert after.size == (290, 327)
    assert after.crop((33, 7, 289, 327)).tobytes() == before.pil().convert("RGB").tobytes()


@pytest.mark.parametrize("name", ["flux-kontext-pro", "flux-pro-1.1-ultra", "flux-pro-1.1", "flux-dev"])
def test_flux_1_generates(serving, name):
    server = serving()
    result = model(server.url, name).generate("a fox", seed=7)
    assert result.pictures[0].seed == 7
    assert server.paths()[0] == f"POST /v1/{name}"


@pytest.mark.parametrize("expand", [(8, 0, 8, 0), (0, 24, 0, 8), (8, 0, 0, 0)])
def test_outpaint_refuses_what_comes_back_as_a_solid_canvas(serving, expand):
    with pytest.raises(limner.TaskRefused, match="16"):
        model(serving().url, "flux-tools/outpainting-v1").outpaint(picture(SIZE), expand=expand)


# ---------------------------------------------------------------------------------------------- moderation

REASONS = {"Moderation Reasons": ["Violence", "Gore"]}


@pytest.mark.parametrize("code", [200, 422, 503])
@pytest.mark.parametrize("word", ["Request Moderated", "Content Moderated"])
def test_a_moderated_task_is_filtered_with_its_reasons_and_not_charged(serving, word, code):
    server = serving(polls=[status("Pending"), status(word, code, details=REASONS)])
    result = model(server.url).run(limner.Generate(prompt="a fox"), on_filtered="return")
    assert result.pictures[0].outcome == "filtered"
    assert result.pictures[0].reason == f"{word}: Violence; Gore"
    assert result.usage == {}
    assert "GET /delivery/task-1" not in server.paths()


def test_a_moderated_task_is_an_error_unless_wanted(serving):
    server = serving(polls=[status("Content Moderated", details=REASONS)])
    with pytest.raises(limner.ContentFiltered, match="Violence"):
        model(server.url).generate("a fox")


# ---------------------------------------------------------------------------------------------- failures

TASKS = {
    "error": (status("Error", error="the painter fell over"), limner.ProviderUnavailable, "painter fell over.*billed"),
    "error of 422": (status("Error", 422, details={"error": "bad"}), limner.ProviderUnavailable, "the task failed: bad"),
    "error of 503": (status("Error", 503), limner.ProviderUnavailable, "the task failed.*billed"),
    "not found": (status("Task not found"), limner.ProviderUnavailable, "no longer knows.*billed"),
    "not found 404": (status("Task not found", 404), limner.ProviderUnavailable, "no longer knows.*billed"),
    "422 without a status": ((422, fake.refusal(["no id"]), {}), limner.RequestRejected, "no id.*billed"),
    "no status": ((200, {"id": "task-1"}, {}), limner.BadResponse, "billed"),
    "a list": ((200, [], {}), limner.BadResponse, "billed"),
    "key": ((403, {"detail": "Not authenticated"}, {}), limner.AuthenticationFailed, "billed"),
    "no result": (status("Ready"), limner.BadResponse, "has no picture.*billed"),
    "no sample": (status("Ready", result={"sample": 7}), limner.BadResponse, "has no picture.*billed"),
    "file": (status("Ready", result={"sample": "file:///etc/passwd"}), limner.BadResponse, "not opened.*billed"),
    "private": (status("Ready", result={"sample": "http://10.0.0.1/a"}), limner.BadResponse, "not opened.*billed"),
}


@pytest.mark.parametrize("case", TASKS)
def test_a_task_that_fails_is_an_error_and_is_not_submitted_again(serving, case):
    poll, kind, words = TASKS[case]
    server = serving(polls=[status("Pending"), poll])
    with pytest.raises(kind, match=words) as met:
        model(server.url).generate("a secret prompt")
    assert len(server.bodies) == 1
    assert met.value.request_ids == ("task-1",)


@pytest.mark.parametrize("before", [0, 150, 190, 285])
def test_no_part_of_the_key_is_left_where_a_long_reason_is_shortened(serving, before):
    server = serving(polls=[status("Error", details={"why": "x " * (before // 2) + f"{KEY} " * 40})])
    with pytest.raises(limner.ProviderUnavailable, match="the task failed") as met:
        model(server.url).generate("a fox")
    assert KEY[:8] not in str(met.value)


def test_an_error_of_a_poll_names_the_request_and_the_task(serving):
    server = serving(polls=[(200, {"status": "Error"}, {"x-request-id": "request-7"})])
    with pytest.raises(limner.ProviderUnavailable) as met:
        model(server.url).generate("a fox")
    assert met.value.request_ids == ("request-7", "task-1")


REQUESTS = {
    "malformed": (400, {"detail": "malformed"}, limner.RequestRejected, "malformed"),
    "key": (401, {"detail": f"bad key {KEY}"}, limner.AuthenticationFailed, "key"),
    "key 403": (403, {"detail": "Not authenticated"}, limner.AuthenticationFailed, "BFL_API_KEY"),
    "credit": (402, {"detail": "Insufficient credits"}, limner.AccessDenied, "credit"),
    "access": (403, {"detail": "no access to flux-2-max"}, limner.AccessDenied, "no access"),
    "rejected": (422, fake.refusal(["width: too large"]), limner.RequestRejected, "width: too large"),
    "server": (500, {"error": "server_error", "message": "it broke", "details": {}}, limner.ProviderUnavailable, "it broke"),
    "moderated": (422, {"status": "Request Moderated", "details": REASONS}, limner.ContentFiltered, "Violence"),
    "no url": (200, {"id": "1", "status": "Pending", "webhook_url": "https://x"}, limner.BadResponse, "polling_url"),
}


@pytest.mark.parametrize("case", REQUESTS)
def test_every_documented_refusal_is_an_error_and_is_sent_once(serving, case, caplog):
    code, body, kind, words = REQUESTS[case]
    caplog.set_level(logging.DEBUG)
    server = serving(submit=[(code, body, {"x-request-id": "req-9"})])
    with pytest.raises(kind, match=words) as met:
        model(server.url).generate("a secret prompt")
    assert server.paths() == ["POST /v1/flux-2-pro"]
    assert KEY not in str(met.value) + caplog.text
    assert "a secret prompt" not in caplog.text


def test_too_many_running_tasks_are_waited_for(serving):
    server = serving(submit=[(429, {"detail": "Too many"}, {"retry-after-ms": "5"})])
    assert model(server.url).generate("a fox").image.size == (1024, 1024)
    assert len(server.bodies) == 2


def test_a_poll_under_load_is_repeated(serving):
    server = serving(polls=[(503, {"detail": "load"}, {}), (500, {}, {}), status("Error", error="at last")])
    with pytest.raises(limner.ProviderUnavailable, match="at last"):
        model(server.url).generate("a fox")
    assert len(server.bodies) == 1


# ---------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("word", ["Pending", "Dreaming"])
def test_a_status_that_does_not_end_ends_by_the_deadline(serving, word):
    server = serving(polls=[status(word)])
    with pytest.raises(limner.ProviderTimeout, match="may have been billed"):
        model(server.url, timeout=1.0).generate("a fox")
    assert len(server.bodies) == 1


def test_giving_up_ends_the_polls_and_submits_nothing_again(serving):
    import asyncio

    server = serving(polls=[status("Pending")])
    polled = threading.Event()

    async def main():
        task = limner.Generate(prompt="a fox")
        running = asyncio.ensure_future(model(server.url).arun(task, on_progress=lambda _: polled.set()))
        await asyncio.to_thread(polled.wait, 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert polled.is_set()
    assert [path for path in server.paths() if path.startswith("POST")] == ["POST /v1/flux-2-pro"]


# ---------------------------------------------------------------------------------------------- where the key goes

ELSEWHERE = [
    "https://bfl.ai.example.com/get_result?id=1",
    "https://evilbfl.ai/get_result?id=1",
    "http://api.eu2.bfl.ai/v1/get_result?id=1",
    "https://user@api.bfl.ai/v1/get_result?id=1",
    "https://api.bfl.ai:8443/v1/get_result?id=1",
    "https://api.bfl.ai\\@example.com/",
    "http://10.0.0.1/get_result",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_the_key_does_not_follow_a_polling_url_elsewhere(serving, url):
    server = serving(polling_url=url)
    with pytest.raises(limner.BadResponse, match="billed"):
        model(server.url).generate("a fox")
    assert server.paths() == ["POST /v1/flux-2-pro"]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_nor_a_redirect(serving, url):
    server = serving(polls=[(307, {}, {"location": url})])
    with pytest.raises(limner.BadResponse, match="billed"):
        model(server.url).generate("a fox")
    assert server.paths() == ["POST /v1/flux-2-pro", "GET /v1/get_result"]


def test_a_poll_follows_redirects_to_another_server_on_loopback(serving):
    regional = serving(polls=[status("Error", error="found there")])
    server = serving(polls=[(307, {}, {"location": f"{regional.url}/get_result?id=1"})])
    with pytest.raises(limner.ProviderUnavailable, match="found there"):
        model(server.url).generate("a fox")
    assert regional.keys == [KEY]


def test_redirects_in_a_circle_end(serving):
    server = serving(polls=[(307, {}, {"location": "/v1/get_result?id=1"})])
    with pytest.raises(limner.BadResponse, match=r"redirected over 5 times.*billed"):
        model(server.url).generate("a fox")
    assert len(server.asked) == 7


def test_regional_hosts_of_the_service_may_be_asked():
    from limner_bfl.services import HOSTS
    from limner_http.polling import check_host

    call = model("https://api.bfl.ai/v1").call()
    for host in ("api.eu2.bfl.ai", "api.us.bfl.ai", "bfl.ai"):
        check_host(call, f"https://{host}/v1/get_result?id=1", HOSTS)
    with pytest.raises(limner.BadResponse):
        check_host(call, "http://127.0.0.1/v1/get_result?id=1", HOSTS)


def test_a_failed_download_is_repeated_and_the_task_is_not(serving):
    server = serving(sample=(500, b"no", {}))
    with pytest.raises(limner.ProviderUnavailable, match="billed"):
        model(server.url, max_attempts=2).generate("a fox")
    assert len(server.bodies) == 1
    assert server.paths().count("GET /delivery/task-1") == 2


def test_a_page_in_place_of_a_picture_is_a_bad_response(serving):
    server = serving(sample=(200, b"<html>", {"content-type": "text/html"}))
    with pytest.raises(limner.BadResponse, match="not a picture"):
        model(server.url).generate("a fox")


def test_without_a_key_nothing_is_sent():
    with pytest.raises(limner.AuthenticationFailed, match="BFL_API_KEY"):
        MODELS["flux-2-pro"]().generate("a fox")


def test_doctor_asks_for_the_credits_which_is_free(serving):
    server = serving()
    found = list(model(server.url).diagnose(live=True))
    assert found
    assert server.paths() == ["GET /v1/credits"]
    assert server.keys == [KEY]
    assert not any(KEY in str(one) for one in found)
