"""Submit, poll, cancel."""

import json
import threading
import time

import limner
import pytest
from limner_http import Answer, Call, Pending, poll
from limner_http.deadlines import Deadline

from .conftest import AT_ONCE, KEY, SERVICE, Said


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr("limner_http.polling.FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr("limner_http.retries._BACKOFF_SECONDS", 0.01)


def read(answer):
    content = json.loads(answer.body)
    if content["status"] == "failed":
        raise limner.ContentFiltered("moderated")
    return None if content["status"] == "done" else Pending(content["status"], content.get("progress"), 1.0)


def status(text, **more):
    return Said(body={"status": text, **more})


def test_a_job_is_asked_for_until_it_is_done(model, serving):
    server = serving([status("queued, place 3"), status("running", progress=0.5), status("done")])
    answer = poll(model(server.url).call(), "jobs/7", read)
    assert json.loads(answer.body) == {"status": "done"}
    assert [seen.path for seen in server.seen] == ["/jobs/7"] * 3
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_progress_is_reported(serving):
    from .conftest import Example

    server = serving([status("queued, place 3"), status("running", progress=0.5), status("done")])

    class Polling(Example):
        def send(self, request):
            return poll(self.call(), "jobs/7", read).response()

        def decode(self, task, response):
            return [limner.Picture(outcome="filtered", reason="test")]

    seen = []
    Polling(Polling.Settings(base_url=server.url)).run(
        limner.Generate(prompt="a fox"), on_progress=seen.append, on_filtered="return"
    )
    assert [(one.message, one.step, one.of) for one in seen if one.message] == [
        ("queued, place 3", None, 1.0),
        ("running", 0.5, 1.0),
    ]


def test_a_question_that_fails_is_asked_again(model, serving):
    server = serving([Said(502), status("running"), Said(500), status("done")])
    poll(model(server.url).call(), "jobs/7", read)
    assert len(server.seen) == 4


def cancel(call):
    call.request("POST", "jobs/7/cancel", repeatable=True)


def cancelled_paths(server):
    return [seen.path for seen in server.seen if seen.path.endswith("cancel")]


def test_a_caller_who_gives_up_cancels_the_job(model, serving):
    server = serving(lambda seen, _: Said(body={}) if seen.path.endswith("cancel") else status("running"))
    event = threading.Event()
    call = Call(SERVICE, model(server.url).settings, deadline=Deadline(60, event))
    threading.Timer(0.2, event.set).start()
    started = time.monotonic()
    with pytest.raises(limner.ProviderError, match="cancelled"):
        poll(call, "jobs/7", read, cancel=cancel)
    assert time.monotonic() - started < AT_ONCE
    assert cancelled_paths(server) == ["/jobs/7/cancel"]


def test_a_deadline_cancels_the_job(model, serving):
    server = serving(lambda seen, _: Said(body={}) if seen.path.endswith("cancel") else status("running"))
    with pytest.raises(limner.ProviderTimeout, match="may have been billed"):
        poll(model(server.url, timeout=0.5).call(), "jobs/7", read, cancel=cancel)
    assert cancelled_paths(server) == ["/jobs/7/cancel"]


def test_a_cancel_request_that_fails_hides_nothing(model, serving):
    server = serving(lambda seen, _: Said(500) if seen.path.endswith("cancel") else status("running"))
    with pytest.raises(limner.ProviderTimeout):
        poll(model(server.url, timeout=0.3).call(), "jobs/7", read, cancel=cancel)
    assert cancelled_paths(server)


def test_a_job_that_failed_is_not_cancelled(model, serving):
    server = serving([status("running"), status("failed")])
    with pytest.raises(limner.ContentFiltered):
        poll(model(server.url).call(), "jobs/7", read, cancel=cancel)
    assert cancelled_paths(server) == []


def test_the_key_is_taken_out_of_what_read_raises(model, serving):
    server = serving([status("failed", reason=f"the key {KEY} has no credits left")])

    def failed(answer):
        raise limner.ProviderUnavailable(json.loads(answer.body)["reason"])

    with pytest.raises(limner.ProviderUnavailable, match=r"the key \[hidden\] has no credits left"):
        poll(model(server.url).call(), "jobs/7", failed)


@pytest.mark.parametrize("said", [None, False, True])
def test_what_read_raises_may_be_billed_unless_it_says_otherwise(model, serving, said):
    server = serving([status("failed")])

    def failed(answer):
        error = limner.RequestRejected("the job failed")
        if said is not None:
            error.may_be_billed = said
        raise error

    with pytest.raises(limner.RequestRejected) as caught:
        poll(model(server.url).call(), "jobs/7", failed)
    assert caught.value.may_be_billed is (said is not False)


BASE = "https://api.bfl.ai/v1"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/jobs/7",
        "https://bfl.ai.evil.example/jobs/7",
        "https://evilbfl.ai/jobs/7",
        "http://eu.bfl.ai/jobs/7",
        "https://eu.bfl.ai:8443/jobs/7",
        "https://user@eu.bfl.ai/jobs/7",
        "http://api.bfl.ai/jobs/7",
        "https://eu.bfl.ai\\@evil.example/",
        "https://evil.example#.bfl.ai",
        "http://[",
    ],
)
def test_the_key_goes_to_no_other_host(model, url):
    with pytest.raises(limner.BadResponse, match=r"does not belong to Example|is not a URL"):
        poll(model(BASE).call(), url, read, hosts=["*.bfl.ai"])


def test_a_regional_host_is_asked(model, monkeypatch):
    asked = []
    monkeypatch.setattr(Call, "get", lambda _self, url, **_: asked.append(url) or Answer(200, {}, b""))
    poll(model(BASE).call(), "https://eu1.bfl.ai/jobs/7", lambda _: None, hosts=["*.bfl.ai"])
    assert asked == ["https://eu1.bfl.ai/jobs/7"]


def test_a_redirect_is_followed_on_the_same_server_and_nowhere_else(model, serving):
    server = serving([Said(status=307, body=b"", headers={"location": "/jobs/8"}), status("done")])
    poll(model(server.url).call(), "jobs/7", read)
    assert [seen.path for seen in server.seen] == ["/jobs/7", "/jobs/8"]
    astray = serving([Said(status=307, body=b"", headers={"location": "https://example.com/"})])
    with pytest.raises(limner.BadResponse, match="does not belong"):
        poll(model(astray.url).call(), "jobs/7", read, hosts=["*.bfl.ai"])


def test_an_error_can_be_an_answer(model, serving):
    server = serving([Said(status=422, body={"status": "done"})])
    assert poll(model(server.url).call(), "jobs/7", read, answers=[422]).status == 422


def test_a_cancel_request_takes_no_longer_than_the_timeout(model):
    assert model("http://127.0.0.1:9", timeout=0.5).call().aside().deadline.remaining() <= 0.5
    assert 4 < model("http://127.0.0.1:9", timeout=60).call().aside().deadline.remaining() <= 5
