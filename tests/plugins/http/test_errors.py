"""What a provider answers becomes an error of limner's tree; only what was not made is sent again."""

import datetime
import email.utils
import socket
import time

import attrs
import limner
import limner_http
import pytest
from limner_http import said_by_default

from .conftest import REQUEST, Said

LATER = {"Retry-After": "0"}

STATUSES = [
    (400, limner.RequestRejected),
    (401, limner.AuthenticationFailed),
    (402, limner.AccessDenied),
    (403, limner.AccessDenied),
    (404, limner.RequestRejected),
    (408, limner.ProviderTimeout),
    (413, limner.RequestRejected),
    (422, limner.RequestRejected),
    (429, limner.RateLimited),
    (500, limner.ProviderUnavailable),
    (502, limner.ProviderUnavailable),
    (503, limner.ProviderUnavailable),
    (504, limner.ProviderTimeout),
    (302, limner.BadResponse),
    (418, limner.RequestRejected),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_status_is_an_error_with_advice(model, serving, status, kind):
    server = serving(Said(status, {"error": {"message": "No fox today.", "type": "zoo"}}, {"x-request-id": "req-7"}))
    with pytest.raises(kind, match=rf"No fox today \(zoo, HTTP {status}\)(; \w.*)?") as error:
        model(server.url, max_attempts=1).send(REQUEST)
    assert error.value.request_ids == ("req-7",)
    assert error.value.model == "example.painter"
    assert "\n" not in str(error.value)


def test_the_providers_own_table_comes_first(model, serving):
    server = serving(Said(400, {"error": {"message": "no", "code": "blocked"}}))
    with pytest.raises(limner.ContentFiltered, match=r"refused by the filter: no \(blocked, HTTP 400\); change the prompt"):
        model(server.url).send(REQUEST)


SHAPES = {
    "object": ({"error": {"message": "m", "type": "t", "code": "c"}}, ("c", "t"), "m"),
    "text": ({"error": "m"}, (), "m"),
    "code and message": ({"error": "server_error", "message": "m"}, ("server_error",), "m"),
    "detail": ({"detail": "m"}, (), "m"),
    "fastapi": ({"detail": [{"loc": ["body", "size"], "msg": "m", "type": "x"}]}, (), "body.size: m"),
    "stability": ({"name": "bad_request", "errors": ["a", "b"]}, ("bad_request",), "a; b"),
    "google": ({"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}, ("INVALID_ARGUMENT",), "m"),
    "list": ([{"message": "m"}], (), "m"),
    "nothing": ({}, (), ""),
    "null": (None, (), ""),
    "odd": ({"error": {"message": {"a": 1}, "code": None}}, (), ""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_known_shape_of_an_error_is_read(shape):
    content, codes, text = SHAPES[shape]
    said = said_by_default(content)
    assert (said.codes, said.text) == (codes, text)


@pytest.mark.parametrize(
    "body", [b"<html><title>502</title><body>Bad  gateway</body></html>", b"\xff\xfe", b"", b"[" * 5000]
)
def test_a_gateways_page_is_readable(model, serving, body):
    server = serving(Said(502, body, content_type="text/html"))
    with pytest.raises(limner.ProviderUnavailable) as error:
        model(server.url).send(REQUEST)
    assert "<" not in str(error.value)
    assert len(str(error.value)) < 600


# ---------------------------------------------------------------------------------------------- retries


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("refusal", [Said(429, {"error": "slow"}), Said(503, {"error": "busy"}, LATER)])
def test_what_was_not_made_is_sent_again(model, serving, refusal):
    server = serving([refusal, refusal, Said(body={"ok": True})])
    response = model(server.url).send(REQUEST)
    assert response.attempts == 3
    assert len(server.seen) == 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "refusal",
    [
        Said(500, {"error": "?"}),
        Said(502, b""),
        Said(503, {"error": "busy"}),
        Said(504, b""),
        Said(408, b""),
        Said(400, b""),
        Said(429, {"error": {"code": "no_quota", "message": "pay"}}),
        Said(429, {"error": "no"}, {"x-should-retry": "false"}),
    ],
)
def test_what_may_have_been_made_or_cannot_go_better_is_sent_once(model, serving, refusal):
    server = serving([refusal, Said(body={"ok": True})])
    with pytest.raises(limner.ProviderError):
        model(server.url).send(REQUEST)
    assert len(server.seen) == 1


@pytest.mark.usefixtures("quick")
def test_the_last_refusal_is_raised_with_the_number_of_attempts(model, serving):
    server = serving(Said(429, {"error": "slow"}, {"Retry-After": "0.01"}))
    with pytest.raises(limner.RateLimited, match=r"\(3 attempts\)") as error:
        model(server.url, max_attempts=3).send(REQUEST)
    assert error.value.retry_after == 0.01
    assert len(server.seen) == 3


@pytest.mark.usefixtures("quick")
def test_a_refused_connection_is_tried_again(model):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    call = model(f"http://127.0.0.1:{port}").call()
    with pytest.raises(limner.ProviderUnavailable, match=r"Example cannot be reached: .*; check the network and base_url"):
        call.post(REQUEST)
    assert call.attempts == 4


@pytest.mark.usefixtures("quick")
def test_an_unknown_host_is_said(model):
    with pytest.raises(limner.ProviderUnavailable, match="cannot be resolved"):
        model("http://no-such-host.invalid", max_attempts=2).send(REQUEST)


WAITS = {
    "seconds": lambda: {"Retry-After": "0.3"},
    "milliseconds": lambda: {"retry-after-ms": "300", "Retry-After": "30"},
    "date": lambda: {
        "Retry-After": email.utils.format_datetime(
            datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2), usegmt=True
        )
    },
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("form", WAITS)
def test_retry_after_is_waited_for(model, serving, form):
    at = []

    def answer(_seen, count):
        at.append(time.monotonic())
        return Said(429, b"", WAITS[form]()) if count == 1 else Said(body={})

    model(serving(answer).url).send(REQUEST)
    assert at[1] - at[0] > 0.25
    assert at[1] - at[0] < 10


@pytest.mark.parametrize("said", ["0", "7"])
def test_retry_after_is_waited_for_exactly(model, serving, monkeypatch, said):
    waits = []
    monkeypatch.setattr("limner_http.deadlines.Deadline.sleep", lambda _, seconds: waits.append(seconds))
    model(serving([Said(429, b"", {"Retry-After": said}), Said(body={})]).url).send(REQUEST)
    assert waits == [float(said)]


def test_a_wait_beyond_the_deadline_is_not_begun(model, serving):
    server = serving(Said(429, b"", {"Retry-After": "3600"}))
    started = time.monotonic()
    with pytest.raises(limner.RateLimited) as error:
        model(server.url, timeout=60).send(REQUEST)
    assert error.value.retry_after == 3600
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("odd", ["soon", "-1", "1e9", "9" * 400, "Mon, 99 Foo 2026 00:00:00 GMT", ""])
def test_an_odd_retry_after_is_passed_over(model, serving, odd):
    server = serving(Said(503, b"", {"Retry-After": odd}))
    with pytest.raises(limner.ProviderUnavailable):
        model(server.url).send(REQUEST)
    assert len(server.seen) == 1


@pytest.mark.usefixtures("quick")
def test_a_wait_said_in_the_body_counts_as_retry_after_does_but_a_header_goes_before_it(model, serving, monkeypatch):
    def said(_content):
        return limner_http.Said(text="slower", wait=0.3)

    made = model(None)
    monkeypatch.setattr(type(made), "service", attrs.evolve(type(made).service, said=said))
    at = []

    def answer(_seen, count):
        at.append(time.monotonic())
        return Said(503, {}) if count == 1 else Said(body={})

    model(serving(answer).url).send(REQUEST)
    assert at[1] - at[0] >= 0.3
    server = serving(Said(429, {}, {"Retry-After": "3600"}))
    with pytest.raises(limner.RateLimited) as error:
        model(server.url).send(REQUEST)
    assert error.value.retry_after == 3600


def test_a_key_can_be_another_setting(serving, model, monkeypatch):
    @attrs.frozen(kw_only=True)
    class Settings(limner_http.HttpSettings):
        token: str | None = attrs.field(default=None, repr=False)

    kind = type(model(None))
    monkeypatch.setattr(kind, "service", attrs.evolve(kind.service, key_variables=(), key_setting="token"))
    server = serving(lambda _seen, _count: Said(body={}))
    made = kind(Settings(base_url=server.url, api_key="another", token="canary-token"))
    made.send(REQUEST)
    assert "canary-token" in server.seen[0].headers[made.service.key_header.lower()]
    assert next(iter(made.diagnose())).detail == "from the setting token"
    with pytest.raises(limner.AuthenticationFailed, match="give the setting token"):
        kind(Settings(api_key="another")).send(REQUEST)


@pytest.mark.parametrize(
    ("status", "headers", "billed"),
    [
        (429, {}, False),
        (503, LATER, False),
        (503, {}, True),
        (500, {}, True),
        (504, {}, True),
        (400, {}, False),
        (401, {}, False),
    ],
)
def test_an_error_says_whether_the_call_may_be_billed(model, serving, status, headers, billed):
    server = serving(Said(status, {"error": "no"}, headers))
    with pytest.raises(limner.ProviderError) as error:
        model(server.url, max_attempts=1).send(REQUEST)
    assert error.value.may_be_billed is billed


def test_what_cannot_be_reached_is_not_billed(model):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(limner.ProviderUnavailable) as error:
        model(f"http://127.0.0.1:{port}", max_attempts=1).send(REQUEST)
    assert error.value.may_be_billed is False


def test_once_a_job_is_accepted_every_error_may_be_billed(model, serving):
    server = serving([Said(body={"id": 7}), Said(429, {"error": "slow down"})])
    call = model(server.url, max_attempts=1).call()
    call.post(REQUEST)
    with pytest.raises(limner.RateLimited) as error:
        call.get("jobs/7")
    assert error.value.may_be_billed is True
