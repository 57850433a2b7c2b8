"""InvokeModel over HTTP: what is on the wire, what comes back, what is tried again."""

import base64
import contextlib
import datetime
import io
import json
from email.utils import format_datetime
from types import SimpleNamespace

import limner
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner_bedrock import transport

RETRIED = [
    (429, "ThrottlingException", limner.RateLimited),
    (429, "ModelNotReadyException", limner.ProviderUnavailable),
    (500, "InternalServerException", limner.ProviderUnavailable),
    (503, "ServiceUnavailableException", limner.ProviderUnavailable),
    (529, "", limner.ProviderUnavailable),
]
NOT_RETRIED = [
    (400, "ValidationException", limner.RequestRejected),
    (400, "ServiceQuotaExceededException", limner.RateLimited),
    (403, "AccessDeniedException", limner.AccessDenied),
    (404, "ResourceNotFoundException", limner.RequestRejected),
    (408, "ModelTimeoutException", limner.ProviderTimeout),
    (424, "ModelErrorException", limner.ProviderUnavailable),
    (502, "", limner.ProviderUnavailable),
    (504, "", limner.ProviderTimeout),
]


def picture():
    data = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), "red").save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def test_request_and_response(stub, send):
    stub.otherwise = stub.ok(image="x")
    response = send(b'{"prompt":"a fox"}')
    path, headers, body = stub.requests[0]
    assert path == "/model/example.painter-v1%3A0/invoke"
    assert body == b'{"prompt":"a fox"}'
    assert headers["content-type"] == headers["accept"] == "application/json"
    assert "Credential=AKIDEXAMPLE" in headers["authorization"]
    assert not [name for name in headers if name.startswith("x-amzn-bedrock")]
    assert json.loads(response.body) == {"image": "x"}
    assert (response.request_id, response.attempts, response.region) == ("request-1", 1, "us-west-2")


def test_optional_parameters_are_on_the_wire(stub, send):
    send(
        guardrail_id="gr1abc",
        guardrail_version="DRAFT",
        trace="ENABLED_FULL",
        service_tier="flex",
        performance_latency="optimized",
        request_metadata={"team": "press"},
    )
    _, headers, _ = stub.requests[0]
    assert headers["x-amzn-bedrock-guardrailidentifier"] == "gr1abc"
    assert headers["x-amzn-bedrock-guardrailversion"] == "DRAFT"
    assert headers["x-amzn-bedrock-trace"] == "ENABLED_FULL"
    assert headers["x-amzn-bedrock-service-tier"] == "flex"
    assert headers["x-amzn-bedrock-performanceconfig-latency"] == "optimized"
    assert json.loads(headers["x-amzn-bedrock-request-metadata"]) == {"team": "press"}


def test_an_arn_travels_quoted_and_gives_the_region(stub, painter):
    arn = "arn:aws:bedrock:eu-west-3::foundation-model/example.painter-v1:0"
    response = painter(region=None).send(limner.Request(arn, b"{}"))
    assert response.region == "eu-west-3"
    assert (
        stub.requests[0][0] == "/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A%3Afoundation-model%2Fexample.painter-v1%3A0/invoke"
    )
    assert "/eu-west-3/bedrock/" in stub.requests[0][1]["authorization"]
    assert painter(region="us-east-1").send(limner.Request(arn, b"{}")).region == "us-east-1"


def test_a_whole_run(stub, painter):
    stub.otherwise = stub.ok(image=picture())
    result = painter().generate("a fox", n=2)
    assert [p.size for p in result.pictures] == [(8, 8)] * 2
    assert result.request_ids == ("request-1", "request-1")


@pytest.mark.parametrize(("status", "code", "error"), RETRIED)
@pytest.mark.usefixtures("quick")
def test_what_is_worth_another_attempt_gets_it(stub, send, status, code, error, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")  # botocore must not try again as well
    stub.otherwise = stub.error(status, code, "busy")
    with pytest.raises(error, match=r"busy.* 3 attempts.*request-1") as caught:
        send(max_attempts=3)
    assert type(caught.value) is error
    assert len(stub.requests) == 3
    stub.answers.extend([stub.error(status, code), stub.error(status, code)])
    stub.otherwise = stub.ok()
    assert send().attempts == 3


@pytest.mark.parametrize(("status", "code", "error"), NOT_RETRIED)
def test_what_may_have_been_billed_or_will_not_change_is_sent_once(stub, send, status, code, error):
    stub.otherwise = stub.error(status, code, "no")
    with pytest.raises(error) as caught:
        send()
    assert type(caught.value) is error
    assert len(stub.requests) == 1


def test_waits_double_with_jitter_up_to_a_limit(stub, send, waits):
    stub.otherwise = stub.error(503, "ServiceUnavailableException")
    with pytest.raises(limner.ProviderUnavailable):
        send(max_attempts=8)
    assert len(waits) == 7
    assert all(0 <= wait <= min(20, 2.0 * 2**number) for number, wait in enumerate(waits))
    assert len(set(waits)) == 7


@pytest.mark.parametrize(("end", "wanted"), [(1, [2, 4, 8, 16, 20, 20, 20]), (0, [0] * 7)])
def test_the_two_ends_of_the_jitter(stub, send, waits, monkeypatch, end, wanted):
    monkeypatch.setattr("tenacity.wait.random.uniform", lambda *ends: ends[end])
    stub.otherwise = stub.error(503, "ServiceUnavailableException")
    with pytest.raises(limner.ProviderUnavailable):
        send(max_attempts=8)
    assert waits == wanted


@pytest.mark.parametrize(
    ("said", "least", "most"), [("7", 7, 7), ("3600", 60, 60), ("0", 0, 2), ("soon", 0, 2), ("-5", 0, 2)]
)
def test_retry_after_in_seconds(stub, send, waits, said, least, most):
    stub.answers.append(stub.error(429, "ThrottlingException", Retry_After=said))
    assert send(timeout=4000).attempts == 2
    assert least <= waits[0] <= most


def test_a_pause_longer_than_the_timeout_is_not_waited_for(stub, send, waits):
    stub.otherwise = stub.error(429, "ThrottlingException", Retry_After="30")
    with pytest.raises(limner.RateLimited) as raised:
        send(timeout=29)
    assert raised.value.retry_after == 30
    assert len(stub.requests) == 1
    assert not waits


def test_no_attempt_begins_after_the_timeout(stub, send, monkeypatch):
    monkeypatch.setattr("tenacity.wait.random.uniform", lambda *_: 0.0)
    seconds = iter([0.0, 20.0])  # when the first attempt began, and when it had failed
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    stub.otherwise = stub.error(429, "ThrottlingException")
    with pytest.raises(limner.RateLimited):
        send(timeout=20, max_attempts=8)
    assert len(stub.requests) == 1


def test_all_attempts_share_one_deadline(stub, send, waits, monkeypatch):
    given = []
    monkeypatch.setattr(transport, "one_deadline", lambda seconds: given.append(seconds) or contextlib.nullcontext())
    stub.answers.append(stub.error(429, "ThrottlingException"))
    assert send(timeout=70).attempts == 2
    assert given == [70]


def test_retry_after_as_a_date(stub, send, waits):
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=40)
    stub.answers.append(stub.error(529, Retry_After=format_datetime(until, usegmt=True)))
    send()
    assert 30 <= waits[0] <= 40


def test_a_read_timeout_is_not_tried_again(stub, send, waits):
    stub.otherwise = stub.hang()
    with pytest.raises(limner.ProviderTimeout, match="raise timeout; the call may have been billed"):
        send(timeout=0.5)
    assert not waits
    assert len(stub.requests) <= 1  # none where the machine is so busy that the time is over first


@pytest.mark.parametrize("headers", [{"Content-Length": "1000"}, {"Transfer-Encoding": "chunked"}])
def test_a_connection_closed_in_mid_answer_is_not_tried_again(stub, send, headers):
    stub.otherwise = stub.cut(b"5\r\n{half\r\n", **headers)
    with pytest.raises(limner.ProviderUnavailable, match="closed in the middle of the response"):
        send()
    assert len(stub.requests) == 1


def test_a_connection_closed_before_an_answer_is_not_tried_again(stub, send):
    stub.otherwise = stub.cut()
    with pytest.raises(limner.ProviderUnavailable, match="closed before a response"):
        send()
    assert len(stub.requests) == 1


def test_a_read_that_stalls_in_mid_answer(stub, send, waits):
    stub.otherwise = stub.stall(b"{")
    with pytest.raises(limner.ProviderTimeout):
        send(timeout=0.5)
    assert not waits
    assert len(stub.requests) <= 1


def test_unreachable_endpoint_is_tried_again(send, waits):
    with pytest.raises(limner.ProviderUnavailable, match=r"cannot be reached.*2 attempts.*endpoint_url"):
        send(endpoint_url="http://127.0.0.1:9", max_attempts=2)
    assert len(waits) == 1


def test_a_body_over_the_limit_never_leaves(stub, send):
    with pytest.raises(limner.TaskRefused, match=r"26,000,000 bytes.*at most 25,000,000 bytes"):
        send(b" " * 26_000_000)
    assert not stub.requests


def test_a_body_at_the_limit_travels(stub, send):
    send(b" " * transport.MAX_BODY_BYTES)
    assert len(stub.requests[0][2]) == 25_000_000


@pytest.mark.parametrize("over", [0, 1])
def test_an_answer_is_read_up_to_the_limit(stub, send, over):
    stub.otherwise = stub.send(body=b" " * (25_000_000 + over))
    if not over:
        assert len(send().body) == 25_000_000
        return
    with pytest.raises(limner.BadResponse, match=r"exceeds 25,000,000 bytes.*\(request request-1\)"):
        send()


def test_an_endless_answer_is_given_up(stub, send):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        while True:
            handler.wfile.write(b" " * 1_000_000)

    stub.otherwise = endless
    with pytest.raises(limner.BadResponse, match="exceeds 25,000,000 bytes"):
        send()


def test_stream_is_put_together(stub, send):
    stub.otherwise = stub.events(("chunk", b'{"image":'), ("chunk", b'"x"}'))
    response = send(stream=True, guardrail_id="gr1", guardrail_version="1")
    path, headers, _ = stub.requests[0]
    assert path == "/model/example.painter-v1%3A0/invoke-with-response-stream"
    assert headers["x-amzn-bedrock-accept"] == headers["content-type"] == "application/json"
    assert headers["x-amzn-bedrock-guardrailversion"] == "1"
    assert response.body == b'{"image":"x"}'
    assert response.request_id == "request-1"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("internalServerException", limner.ProviderUnavailable),
        ("modelStreamErrorException", limner.ProviderUnavailable),
        ("validationException", limner.RequestRejected),
        ("throttlingException", limner.RateLimited),
        ("modelTimeoutException", limner.ProviderTimeout),
        ("serviceUnavailableException", limner.ProviderUnavailable),
    ],
)
def test_a_stream_that_reports_an_error(stub, send, name, error):
    stub.otherwise = stub.events(("chunk", b"{"), (name, "it broke"))
    with pytest.raises(error, match=r"it broke.*\(request request-1\)") as caught:
        send(stream=True)
    assert type(caught.value) is error
    assert len(stub.requests) == 1


def test_a_stream_over_the_limit(stub, send):
    stub.otherwise = stub.events(*[("chunk", b" " * 1_000_000)] * 26)
    with pytest.raises(limner.BadResponse, match="exceeds 25,000,000 bytes"):
        send(stream=True)


def test_a_damaged_stream(stub, send):
    stub.otherwise = stub.events(("chunk", b"{}"), then=b"\0" * 64)
    with pytest.raises(limner.BadResponse, match="malformed"):
        send(stream=True)


def test_a_stream_cut_short(stub, send):
    stub.otherwise = stub.cut(b"12345", **{"Content-Length": "1000"})
    with pytest.raises(limner.BadResponse, match="ended without a response"):
        send(stream=True)
    stub.otherwise = stub.cut(b"5\r\n12345\r\n", **{"Transfer-Encoding": "chunked"})
    with pytest.raises(limner.ProviderUnavailable, match="closed in the middle of the response"):
        send(stream=True)
    assert len(stub.requests) == 2


def test_a_stalled_stream(stub, send, waits):
    stub.otherwise = stub.stall(b"")
    with pytest.raises(limner.ProviderTimeout):
        send(stream=True, timeout=0.5)
    assert not waits
    assert len(stub.requests) <= 1


@pytest.mark.parametrize(
    ("said", "read"), [("7", 7), ("007", 7), ("0", 1), (None, 25_000_001), ("9" * 15, 25_000_001), ("26000000", 25_000_001)]
)
def test_how_much_to_read_is_never_more_than_the_limit_and_one(said, read):
    headers = {} if said is None else {"content-length": said}
    assert transport._length({"ResponseMetadata": {"HTTPHeaders": headers}}) == read


@pytest.mark.parametrize("said", ["0x10", "-1", "+2", "", "2, 2", "\u0663", "9" * 5000, "1e3", "two"])
def test_a_length_that_is_none(stub, send, said):
    stub.otherwise = stub.send(**{"Content-Length": said.encode().decode("latin-1")}, Connection="close")
    with pytest.raises(limner.BadResponse, match=r"Content-Length is malformed.*\(request request-1\)"):
        send()
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Mon, 01 Jan 2024 00:00:00 +99999999999999",
        "Mon, 01 Jan 2024 00:00:00 -2460",
        "Mon, 99 Jan 99999 99:99:99 GMT",
        "1e400",
        "9" * 400,
        "nan",
    ],
)
def test_retry_after_that_is_no_time(stub, send, waits, said):
    stub.answers.append(stub.error(429, "ThrottlingException", Retry_After=said))
    assert send().attempts == 2
    assert 0 <= waits[0] <= 60


ODD_ERRORS = [
    b"[1]",
    b"null",
    b"5",
    b"\xff\xfe not UTF-8",
    b'{"message": 5}',
    b'{"message": {"a": 1}}',
    b'{"__type": {}}',
    b'{"__type": 5}',
    b'{"code": []}',
    b'{"message": "\\ud800"}',
    b'{"message": null, "originalStatusCode": "x"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"<html>busy</html>",
    b"",
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", ODD_ERRORS, ids=lambda body: repr(body[:30]))
@pytest.mark.usefixtures("quick")
def test_an_error_with_an_odd_body_is_that_error(stub, send, body, stream):
    stub.answers.append(stub.send(503, body))
    stub.otherwise = stub.send(400, body, x_amzn_ErrorType="ValidationException")
    with pytest.raises(limner.RequestRejected) as caught:
        send(stream=stream)
    assert type(caught.value) is limner.RequestRejected
    assert len(str(caught.value)) < 600
    assert len(stub.requests) == 2


@pytest.mark.parametrize("status", [300, 302, 304, 600, 999])
def test_a_status_that_is_no_answer(stub, send, status):
    stub.otherwise = stub.send(status)
    with pytest.raises(limner.BadResponse, match=f"HTTP {status}"):
        send()


@pytest.mark.parametrize("content", [b"5", b'{"bytes": 5}', b'{"bytes": null}', b'{"bytes": "*"}', b"[]", b"\xff", b"{"])
def test_an_event_that_is_none(stub, send, content):
    event = stub._frame({":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}, content)
    stub.otherwise = stub.send(body=event, Content_Type="application/vnd.amazon.eventstream")
    with pytest.raises(limner.BadResponse):
        send(stream=True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["Content-Length", "Retry-After", "Content-Type", "Transfer-Encoding", "Date", "x-amzn-ErrorType"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f\x85\xa0"), max_size=60),
    st.sampled_from([200, 301, 400, 429, 500]),
    st.booleans(),
)
def test_nothing_leaves_the_tree_whatever_a_header_says(stub, send, name, value, status, stream):
    stub.otherwise = stub.send(status, **{name: value}, Connection="close")
    with contextlib.suppress(limner.LimnerError):
        send(stream=stream, max_attempts=1, timeout=10)


def test_a_bug_is_not_dressed_up(send):
    class Broken:
        def client(self, *args, **kwargs):
            raise TypeError("a bug of the caller's own session")

    with pytest.raises(TypeError, match="a bug of the caller"):
        send(session=Broken())


@pytest.mark.parametrize(
    ("status", "code", "billed"),
    [
        (429, "ThrottlingException", False),
        (500, "InternalServerException", False),
        (400, "ValidationException", False),
        (403, "AccessDeniedException", False),
        (408, "ModelTimeoutException", True),
        (424, "ModelErrorException", True),
        (599, "", True),
    ],
)
def test_an_error_says_whether_the_call_may_be_billed(stub, send, status, code, billed):
    stub.otherwise = stub.error(status, code, "no")
    with pytest.raises(limner.ProviderError) as error:
        send(max_attempts=1)
    assert error.value.may_be_billed is billed


def test_a_cut_answer_may_be_billed_and_a_refused_connection_is_not(stub, send):
    stub.otherwise = stub.cut(b'{"images"')
    with pytest.raises(limner.ProviderError) as error:
        send(max_attempts=1)
    assert error.value.may_be_billed is True
    with pytest.raises(limner.ProviderUnavailable) as error:
        send(max_attempts=1, endpoint_url="http://127.0.0.1:9")
    assert error.value.may_be_billed is False
