"""A call has so many seconds and so many bytes, whoever is at the other end and whatever it sends."""

import socket
import threading
import time

import attrs
import limner
import pytest
from limner_http import Call

from .conftest import AT_ONCE, REQUEST, SERVICE, hostile


def head(status=200, kind="application/json", length="Content-Length: 1000000000"):
    return f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\n{length}\r\n\r\n".encode()


ROADS = {
    "head": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (head(), b" "),
    "body until closed": (head(length="Connection: close"), b" "),
    "chunked body": (head(length="Transfer-Encoding: chunked"), b"1\r\n \r\n"),
    "length of a chunk": (head(length="Transfer-Encoding: chunked"), b"0"),
    "error": (head(503), b" "),
    "chunked error": (head(400, length="Transfer-Encoding: chunked"), b"1\r\n \r\n"),
    "redirect": (head(302), b" "),
}


def streamed(model):
    with model.call().stream("POST", "pictures", body=b"{}") as stream:
        return list(stream.events())


WAYS = {"whole": lambda model: model.send(REQUEST), "stream": streamed}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("road", ROADS)
def test_a_byte_now_and_then_does_not_keep_a_call_alive(model, road, way):
    with hostile(*ROADS[road], pause=0.05) as (url, _):
        started = time.monotonic()
        with pytest.raises(limner.ProviderTimeout, match=r"within 0\.5 seconds; raise timeout; .* may have been billed"):
            WAYS[way](model(url, timeout=0.5))
        assert time.monotonic() - started < AT_ONCE


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("road", ROADS)
def test_an_endless_answer_is_cut_off(model, road, way):
    first, then = ROADS[road]
    with hostile(first, then * 65536) as (url, sent):
        tested = model(url, timeout=60)
        tested.service = attrs.evolve(SERVICE, max_bytes=1_000_000)
        with pytest.raises(limner.ProviderError):
            WAYS[way](tested)
        assert sum(sent) < 40_000_000


def test_the_deadline_is_for_all_attempts_and_polls(model, serving):
    from .conftest import Said

    server = serving(Said(429, {"error": "slow down"}, {"Retry-After": "0"}))
    started = time.monotonic()
    with pytest.raises((limner.ProviderTimeout, limner.RateLimited)):
        model(server.url, timeout=0.8, max_attempts=1000).send(REQUEST)
    assert time.monotonic() - started < AT_ONCE


def test_a_server_that_does_not_read_does_not_hold_a_call(model):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(limner.ProviderTimeout):
            model(url, timeout=0.5).send(attrs.evolve(REQUEST, body=b"x" * 30_000_000))
        assert time.monotonic() - started < AT_ONCE


def test_giving_up_ends_a_call_that_waits(model):
    from limner_http.deadlines import Deadline

    cancelled = threading.Event()
    with hostile(head(), b" ", pause=0.05) as (url, _):
        call = Call(SERVICE, model(url).settings, deadline=Deadline(60, cancelled))
        threading.Timer(0.2, cancelled.set).start()
        started = time.monotonic()
        with pytest.raises(limner.ProviderError, match=r"cancelled before the response arrived; .* billed"):
            call.post(REQUEST)
        assert time.monotonic() - started < AT_ONCE


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/9.9 banana\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"HTTP/1.1 200 OK\r\n: nothing\r\n\r\n",
    ],
)
def test_a_broken_answer_is_one_error_and_is_not_repeated(model, broken):
    with hostile(broken, b"") as (url, _):
        call = model(url, timeout=5).call()
        with pytest.raises(limner.ProviderError, match="billed") as error:
            call.post(REQUEST)
        assert type(error.value) in {limner.BadResponse, limner.ProviderUnavailable}
        assert call.attempts == 1


def test_a_compressed_answer_is_refused(model, serving):
    from .conftest import Said

    server = serving(Said(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(limner.BadResponse, match="compressed"):
        model(server.url).send(REQUEST)
    assert server.seen[0].headers["accept-encoding"] == "identity"
