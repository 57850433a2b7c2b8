"""Who may call, and what is answered to requests that are not as they should be."""

from __future__ import annotations

import contextlib
import gc
import gzip
import json
import logging
import random
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner.testing.pictures import picture
from limner_server.hosts import is_answered, is_loopback
from limner_server.serving import serve

from .studio import CALLS, WAIT, Client, form

GENERATIONS = "/v1/images/generations"
EDITS = "/v1/images/edits"


@pytest.mark.parametrize(
    ("header", "listening_on", "allowed", "answered"),
    [
        ("127.0.0.1:8787", "127.0.0.1", (), True),
        ("localhost", "127.0.0.1", (), True),
        ("LOCALHOST:1", "127.0.0.1", (), True),
        ("[::1]:8787", "127.0.0.1", (), True),
        ("127.9.9.9", "127.0.0.1", (), True),
        ("evil.example", "127.0.0.1", (), False),
        ("localhost.evil.example", "127.0.0.1", (), False),
        ("127.0.0.1.evil.example", "127.0.0.1", (), False),
        ("192.168.1.5:8787", "127.0.0.1", (), False),
        ("192.168.1.5:8787", "0.0.0.0", (), True),
        ("evil.example", "0.0.0.0", (), False),
        ("Host.Docker.Internal:8787", "0.0.0.0", ("host.docker.internal",), True),
        ("", "127.0.0.1", (), False),
        ("user@127.0.0.1", "127.0.0.1", (), False),
        ("127.0.0.1/x", "127.0.0.1", (), False),
        ("127.0.0.1:99999", "127.0.0.1", (), False),
        ("[::1", "127.0.0.1", (), False),
    ],
)
def test_host_headers(header, listening_on, allowed, answered):
    assert is_answered(header, listening_on, allowed) is answered


@pytest.mark.parametrize(("host", "loopback"), [("localhost", True), ("::1", True), ("0.0.0.0", False), ("::", False)])
def test_hosts_to_listen_on(host, loopback):
    assert is_loopback(host) is loopback


def test_a_foreign_host_is_refused_before_anything_else(client: Client):
    for path in ("/v1/models", "/metrics", "/nothing"):
        answer = client.get(path, Host="evil.example")
        assert (answer.status, answer.error["code"]) == (403, "wrong_host")


def test_a_web_page_may_not_post(client: Client):
    """A form needs no preflight, and no page of another origin may spend money."""
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        body, content_type = form(("model", "studio"), ("image", picture()))
        answer = client.call("POST", EDITS, body, content_type=content_type, Origin=origin)
        assert (answer.status, answer.error["code"]) == (403, "wrong_origin")
    assert not CALLS
    assert client.get("/v1/models", Origin=client.url).status == 200, "its own pages may"


def test_cors_only_where_told(client: Client, serving):
    open_to = Client(serving(origins=("https://app.example",), keys=("secret",)), "secret")
    page = {"Origin": "https://app.example"}
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization"}
    preflight = Client(open_to.url).call("OPTIONS", GENERATIONS, **page, **asked)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "https://app.example")
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    assert open_to.get("/v1/models", **page).headers["access-control-allow-origin"] == "https://app.example"
    assert Client(open_to.url).get("/v1/models", **page).headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in open_to.get("/v1/models").headers
    assert client.call("OPTIONS", GENERATIONS, **page, **asked).status == 403


def test_keys(serving):
    url = serving(keys=("one", "zwei-ü"))
    for path in ("/v1/models", "/metrics", "/nothing", GENERATIONS):
        answer = Client(url).get(path)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
        assert answer.headers["www-authenticate"] == "Bearer"
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": "Basic one"}, {"Authorization": "one"}):
        assert Client(url).get("/v1/models", **headers).status == 401
    assert Client(url, "one").get("/v1/models").status == 200
    assert Client(url).get("/v1/models", api_key="one").status == 200, "as Azure's clients send it"
    urls = Client(url, "one").generate(response_format="url").json["data"]
    assert Client(url).get(urlsplit(urls[0]["url"]).path).status == 200, "its name is the key"


def test_the_log_has_one_line_for_each_request_and_no_words_of_the_client(client: Client, caplog):
    caplog.set_level(logging.INFO, logger="limner.server")
    client.generate(prompt="the heir of Dunmore")
    client.get("/v1/secret%0Aforged?key=mistletoe")
    client.post(GENERATIONS, {"model": "Dunmore"})
    answer = client.get("/v1/models")
    lines = [record.getMessage() for record in caplog.records if record.name == "limner.server"]
    assert f" id={answer.headers['x-request-id']}" in lines.pop()
    assert len(lines) == 3
    assert lines[0].startswith(f"POST {GENERATIONS} status=200 milliseconds=")
    assert lines[0].endswith("model=studio.painter-1 task=generate n=1")
    assert lines[1].startswith("GET (none) status=404")
    assert "Dunmore" not in "".join(lines)
    assert "mistletoe" not in "".join(lines)


def test_metrics(serving):
    client = Client(serving())
    client.generate(n=2)
    client.get("/nothing")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    assert 'limner_server_pictures_total{model="studio.painter-1",outcome="ok"} 2.0' in lines
    assert f'limner_server_requests_total{{method="POST",route="{GENERATIONS}",status="200"}} 1.0' in lines
    assert 'limner_server_requests_total{method="GET",route="(none)",status="404"} 1.0' in lines


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/chat/completions", 404),
        ("POST", "/v1/images/../../etc/passwd", 404),
        ("GET", GENERATIONS, 405),
        ("PUT", GENERATIONS, 405),
        ("DELETE", "/v1/models/studio", 405),
        ("OPTIONS", GENERATIONS, 405),
        ("BREW", "/v1/models", 400),
        ("PATCH", "/v1/models", 405),
        ("GET", "/v1/images/files/..%2f..%2fetc%2fpasswd", 404),
    ],
)
def test_routes_and_methods(client: Client, method, path, status):
    answer = client.call(method, path)
    assert answer.status == status
    assert answer.error["type"] == "invalid_request_error"
    assert ("allow" in answer.headers) == (status == 405)


def test_head(client: Client):
    answer = client.call("HEAD", "/v1/models")
    assert (answer.status, answer.body) == (200, b"")


JSON = {"content_type": "application/json"}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        (GENERATIONS, b'{"prompt": "a fox"}', {"content_type": "text/plain"}, 415),
        (GENERATIONS, b"prompt=a+fox", {"content_type": "application/x-www-form-urlencoded"}, 415),
        (GENERATIONS, b'{"prompt": "a fox"}', {}, 415),
        (GENERATIONS, gzip.compress(b'{"prompt": "a fox"}', mtime=0), {**JSON, "Content_Encoding": "gzip"}, 415),
        (GENERATIONS, b"", JSON, 400),
        (GENERATIONS, b"{", JSON, 400),
        (GENERATIONS, b"[]", JSON, 400),
        (GENERATIONS, b'"a fox"', JSON, 400),
        (GENERATIONS, b"\xff\xfe", JSON, 400),
        (GENERATIONS, b'{"prompt": "\\ud800"}', JSON, 400),
        (GENERATIONS, b'{"prompt": NaN}', JSON, 400),
        (GENERATIONS, b"[" * 500_000, JSON, 400),
        (GENERATIONS, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON, 400),
        (GENERATIONS, b" " * (2**20 + 1), JSON, 413),
        (EDITS, b'{"prompt": "a fox"}', JSON, 400),
        (EDITS, b"", {"content_type": "multipart/form-data"}, 400),
        (EDITS, b"", {"content_type": "multipart/form-data; boundary=x"}, 400),
        (EDITS, b"--x--\r\n", {"content_type": "multipart/form-data; boundary=x"}, 400),
        (EDITS, b"--x\r\n\r\nhello\r\n--x--\r\n", {"content_type": "multipart/form-data; boundary=x"}, 400),
        (
            EDITS,
            b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc',
            {"content_type": "multipart/form-data; boundary=x"},
            400,
        ),
        (EDITS, b"--x\r\n" + b"A: b\r\n" * 5000, {"content_type": "multipart/form-data; boundary=x"}, 400),
        (
            EDITS,
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--",
            {"content_type": "multipart/form-data; boundary=x"},
            400,
        ),
    ],
)
def test_bodies_that_cannot_be_read(client: Client, path, body, headers, status):
    answer = client.call("POST", path, body, **headers)
    assert (answer.status, answer.error["type"]) == (status, "invalid_request_error")
    assert not CALLS


def test_bounds_of_forms(client: Client):
    many = [(f"field{number}", "x") for number in range(101)]
    assert client.edit(*many).error["code"] == "invalid_form"
    assert client.edit(*[("image[]", picture())] * 18).error["param"] == "image"
    assert client.edit(("user", "x" * (2**18 + 1))).status == 413
    bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00" + b"\0" * 4
    body, content_type = form(("image", "@"), ("model", "studio"))
    answer = client.call("POST", EDITS, body.replace(b"@", bomb), content_type=content_type)
    assert (answer.status, answer.error["param"]) == (400, "image")


def test_no_connection_outlives_the_server():
    with contextlib.ExitStack() as clients:
        with serve() as url:
            host = urlsplit(url)
            for _ in range(10):
                clients.enter_context(socket.create_connection((host.hostname, host.port), timeout=WAIT))
        gc.collect()  # a connection that is left open warns, which fails the test


def raw(client: Client, data: bytes, *, finish: bool = True) -> bytes:
    """Send bytes, and return everything that comes back."""
    host = urlsplit(client.url)
    with socket.create_connection((host.hostname, host.port), timeout=WAIT) as connection:
        connection.sendall(data)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        found = b""
        while chunk := connection.recv(65536):
            found += chunk
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 20 + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nbad header\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_http(client: Client, data):
    head, _, body = raw(client, data, finish=False).partition(b"\r\n\r\n")
    assert head.split()[1] in {b"400", b"404", b"431", b"414"}
    assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}
    assert client.get("/v1/models").status == 200


def request(client: Client, body: bytes, *headers: str, path: str = GENERATIONS) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {urlsplit(client.url).netloc}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_chunked_bodies(client: Client):
    body = b'{"model": "studio", "prompt": "a fox"}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:])) + b"0\r\n\r\n"
    answer = raw(client, request(client, chunks, "Transfer-Encoding: chunked", "Connection: close"), finish=False)
    assert answer.startswith(b"HTTP/1.1 200")
    huge = b"%x\r\n%s\r\n" % (2**21, b" " * 2**21) + b"0\r\n\r\n"
    assert (
        b" 413 " in raw(client, request(client, huge, "Transfer-Encoding: chunked", "Connection: close"), finish=False)[:20]
    )


def test_pipelined_requests(client: Client):
    body = b'{"model": "studio", "prompt": "a fox"}'
    one = request(client, body, f"Content-Length: {len(body)}")
    last = request(client, body, f"Content-Length: {len(body)}", "Connection: close")
    assert raw(client, one * 3 + last, finish=False).count(b"HTTP/1.1 200") == 4


def test_a_body_that_is_slow(client: Client, monkeypatch):
    monkeypatch.setattr("limner_server.bodies.SLOWEST_BODY", 0.2)
    answer = raw(client, request(client, b"{", "Content-Length: 100"), finish=False)
    assert b" 408 " in answer[:20]
    assert b"request_timeout" in answer


def test_a_body_that_ends_early(client: Client):
    raw(client, request(client, b'{"model"', "Content-Length: 100"))
    assert client.get("/v1/models").status == 200
    assert not CALLS


TEXTS = st.text(max_size=30) | st.sampled_from(
    ["auto", "1024x1024", "true", "../../etc/passwd", "http://127.0.0.1/x", "\0", ""]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
FIELDS = """
    model prompt n size quality background style response_format stream partial_images output_format output_compression user
    seed steps negative_prompt guidance_scale image images mask tile tiles look options preserve mask_prompt
"""
NAMES = st.sampled_from(FIELDS.split()) | st.text(max_size=20)
FEWER = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def check(answer) -> None:
    """An error in OpenAI's form, or an answer; never a failure of the server."""
    if answer.status != 200:
        assert 400 <= answer.status < 500
        assert answer.error["message"]


@FEWER
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.sampled_from([GENERATIONS, EDITS]))
def test_any_json(client: Client, document, path):
    check(client.post(path, {"model": "studio", "prompt": "a fox"} | document))


@FEWER
@given(st.lists(st.tuples(NAMES, TEXTS), max_size=5), st.booleans())
def test_any_form(client: Client, fields, with_picture):
    plain = [(name.replace('"', "").replace("\r", "").replace("\n", ""), text) for name, text in fields]
    plain = [(name.encode("utf-8", "replace").decode(), text) for name, text in plain]
    check(client.edit(*plain, *([("image", picture())] if with_picture else [])))


@FEWER
@given(st.randoms(use_true_random=False))
def test_any_damage_to_a_form(client: Client, chance: random.Random):
    body, content_type = form(("model", "studio"), ("image", picture()), ("prompt", "a door"))
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.randint(0, 30)] = chance.randbytes(chance.randint(0, 9))
    check(client.call("POST", EDITS, bytes(damaged), content_type=content_type))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes(client: Client, data):
    found = raw(client, data)
    if found:
        assert found.split()[1].startswith(b"4")


def test_the_server_lives(client: Client):
    """After all of the above."""
    assert client.generate().status == 200
