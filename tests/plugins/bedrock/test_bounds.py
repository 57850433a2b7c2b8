"""An answer has so many seconds and so many bytes, whoever is at the other end and whatever it sends."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time

import limner
import pytest
from limner_bedrock import transport
from limner_bedrock.connections import CallAborted, _Budget
from limner_bedrock.deadlines import one_deadline

AT_ONCE = 5.0
"""Seconds within which a call that is over at 0.5 seconds has ended, on a slow machine too."""

HEAD = "HTTP/1.1 {} OK\r\nContent-Type: {}\r\n{}\r\n\r\n"
JSON, EVENTS = "application/json", "application/vnd.amazon.eventstream"


def head(status=200, kind=JSON, length="Content-Length: 1000000000"):
    return HEAD.format(status, kind, length).encode()


@contextlib.contextmanager
def hostile(first, then, pause=0.0, seconds=20.0, context=None):
    """A server that sends ``first``, then again and again ``then``; its URL, and a list of how much it could send."""
    sent = []

    def answer(plain):
        with context.wrap_socket(plain, server_side=True) if context else plain as connection:
            connection.recv(65536)
            connection.sendall(first)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                sent.append(connection.send(then))
                time.sleep(pause)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with contextlib.suppress(OSError), connection:
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http{'s' if context else ''}://127.0.0.1:{listening.getsockname()[1]}", sent
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def unknown_event(stub):
    return stub._event("somethingElse", b"x" * 3000)


ROADS = {
    "head": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x", False),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", False),
    "body": (head(), b" ", False),
    "body until closed": (head(length="Connection: close"), b" ", False),
    "chunked body": (head(length="Transfer-Encoding: chunked"), b"1\r\n \r\n", False),
    "length of a chunk": (head(length="Transfer-Encoding: chunked"), b"0", False),
    "error": (head(503), b" ", False),
    "chunked error": (head(400, length="Transfer-Encoding: chunked"), b"1\r\n \r\n", False),
    "redirect": (head(302), b" ", False),
    "stream": (head(kind=EVENTS), b"\0", True),
    "error of a stream": (head(500), b" ", True),
}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.usefixtures("quick")
def test_a_byte_now_and_then_does_not_keep_a_call_alive(send, road):
    first, then, stream = ROADS[road]
    with hostile(first, then, pause=0.05) as (url, _):
        started = time.monotonic()
        with pytest.raises(limner.ProviderTimeout, match=r"within 0\.5 seconds; raise timeout; .* may have been billed"):
            send(endpoint_url=url, timeout=0.5, stream=stream)
        assert time.monotonic() - started < AT_ONCE


def test_unknown_events_do_not_keep_a_call_alive(stub, send):
    with hostile(head(kind=EVENTS), unknown_event(stub), pause=0.05) as (url, _):
        started = time.monotonic()
        with pytest.raises(limner.ProviderTimeout):
            send(endpoint_url=url, timeout=0.5, stream=True)
        assert time.monotonic() - started < AT_ONCE


def test_a_server_that_does_not_read_does_not_keep_a_call_alive(send):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        started = time.monotonic()
        with pytest.raises(limner.ProviderTimeout):
            send(b" " * 20_000_000, endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=0.5)
        assert time.monotonic() - started < AT_ONCE


def test_sending_has_the_time_of_the_call_not_that_of_the_connection(send):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                time.sleep(0.6)  # longer than it may take to connect
                left = 20_000_000
                while left > 0:
                    left -= len(connection.recv(1 << 20))
                connection.sendall(head(length="Content-Length: 2") + b"{}")

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert send(b" " * 20_000_000, endpoint_url=url, connect_timeout=0.2, timeout=60).body == b"{}"


ENDLESS = {
    "body": (head(length="Connection: close"), b" ", False),
    "chunked body": (head(length="Transfer-Encoding: chunked"), b"3E8\r\n" + b" " * 1000 + b"\r\n", False),
    "trailer": (head(length="Transfer-Encoding: chunked") + b"0\r\n", b"x: " + b"y" * 1000 + b"\r\n", False),
    "error": (head(503), b" ", False),
    "chunked error": (head(400, length="Transfer-Encoding: chunked"), b"1\r\n \r\n", False),
    "redirect": (head(302), b" ", False),
    "error of a stream": (head(500), b" ", True),
}


@pytest.mark.parametrize("road", ENDLESS)
@pytest.mark.usefixtures("quick")
def test_an_answer_without_end_is_given_up(send, road):
    first, then, stream = ENDLESS[road]
    with hostile(first, then * (1_000_000 // len(then))) as (url, sent):
        with pytest.raises(limner.BadResponse, match=r"the response exceeds [0-9,]+ bytes"):
            send(endpoint_url=url, stream=stream)
        most = 1_000_000 if "error" in road or road == "redirect" else 2 * transport.MAX_BODY_BYTES
        assert sum(sent) < most + 20_000_000  # what the system's own buffers hold


def test_unknown_events_without_end_are_given_up(stub, send):
    with (
        hostile(head(kind=EVENTS), unknown_event(stub) * 200) as (url, _),
        pytest.raises(limner.BadResponse, match="the response exceeds 50,000,000 bytes"),
    ):
        send(endpoint_url=url, stream=True)


def test_a_long_error_is_read_to_its_end(stub, send):
    stub.otherwise = stub.error(400, "ValidationException", "x " * 400_000)
    with pytest.raises(limner.RequestRejected):
        send()


def test_the_bounds_are_those_of_each_call(stub, send):
    """Connections are used again: what one call has used is not missed by the next."""
    stub.otherwise = stub.send(body=b" " * 20_000_000)
    for _ in range(4):
        assert len(send(timeout=30).body) == 20_000_000
    stub.answers.append(stub.error(400, "ValidationException", "no"))
    with pytest.raises(limner.RequestRejected):
        send(timeout=30)
    assert len(send(timeout=30).body) == 20_000_000


def test_a_connection_is_used_again_after_its_first_call_is_out_of_time(stub, send):
    send(timeout=3)
    time.sleep(3.1)
    assert send(timeout=3).body == b"{}"


@pytest.mark.parametrize("stream", [False, True])
def test_giving_up_ends_a_call_that_waits_for_its_answer(stub, send, waits, stream):
    stub.otherwise = stub.hang()

    def give_up():
        stub.wait_for(lambda: stub.requests)
        limner.cancellation().set()

    threading.Thread(target=give_up).start()
    started = time.monotonic()
    with pytest.raises(limner.ProviderError, match="cancelled before the response arrived") as caught:
        send(stream=stream)
    assert type(caught.value) is limner.ProviderError
    assert time.monotonic() - started < AT_ONCE
    assert len(stub.requests) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A new certificate of 127.0.0.1, that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate")
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=limner -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *new.split(), "-keyout", file, "-out", file], check=True, capture_output=True)
    return file


class TestTLS:
    """The same over TLS, whose sockets are of another class."""

    @pytest.fixture
    def context(self, certificate, monkeypatch):
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    def test_a_whole_call(self, send, context):
        body = json.dumps({"image": "x" * 3_000_000}).encode()
        with hostile(head(length=f"Content-Length: {len(body)}") + body, b"", pause=1, context=context) as (url, _):
            assert send(endpoint_url=url).body == body

    @pytest.mark.parametrize("status", [200, 500])
    def test_a_byte_now_and_then_does_not_keep_a_call_alive(self, send, context, status):
        with hostile(head(status), b" ", pause=0.05, context=context) as (url, _):
            started = time.monotonic()
            with pytest.raises(limner.ProviderTimeout):
                send(endpoint_url=url, timeout=0.8)
            assert time.monotonic() - started < AT_ONCE

    def test_an_answer_that_pauses_for_longer_than_limner_looks(self, send, context):
        with hostile(head(length="Content-Length: 2"), b" ", pause=0.7, context=context) as (url, _):
            assert send(endpoint_url=url).body == b"  "

    def test_an_error_without_end_is_given_up(self, send, context):
        with (
            hostile(head(400), b" " * 100_000, context=context) as (url, _),
            pytest.raises(limner.BadResponse, match="exceeds 1,000,000 bytes"),
        ):
            send(endpoint_url=url)

    def test_a_server_that_does_not_read(self, send, context):
        with (
            hostile(b"", b"", pause=0.1, seconds=10, context=context) as (url, _),
            pytest.raises(limner.ProviderTimeout),
        ):
            send(b" " * 20_000_000, endpoint_url=url, timeout=0.8)

    def test_a_handshake_that_never_comes(self, send):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            started = time.monotonic()
            with pytest.raises(limner.ProviderTimeout):
                send(endpoint_url=f"https://127.0.0.1:{listening.getsockname()[1]}", timeout=0.3)
            assert time.monotonic() - started < AT_ONCE


def test_calls_within_one_deadline_share_it():
    with one_deadline(0):
        with pytest.raises(CallAborted) as aborted:
            _Budget(60).seconds()
        assert isinstance(aborted.value.error, limner.ProviderTimeout)
    assert _Budget(60).seconds() > 0
