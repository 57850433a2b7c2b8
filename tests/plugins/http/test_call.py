"""What goes over the wire, streams, pools, forks, and what importing costs."""

import os
import subprocess
import sys
import threading
from typing import ClassVar

import limner
import limner_http
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner_http import Event, HttpModel, HttpSettings, Service
from limner_http.sse import events

from .conftest import KEY, REQUEST, Said


def test_a_request_goes_out_as_it_is(model, serving):
    server = serving(Said(body={"ok": 1}, headers={"X-Request-Id": "req-1"}))
    response = model(f"{server.url}/v1/").send(REQUEST)
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/v1/pictures", REQUEST.body)
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["user-agent"].startswith("limner/")
    assert response == limner.Response(b'{"ok": 1}', "req-1", 1, content_type="application/json")


def test_a_path_from_the_root_leaves_the_base_path(model, serving):
    server = serving(Said(body={}))
    model(f"{server.url}/v1").call().get("/sdapi/v1/options")
    assert server.seen[0].path == "/sdapi/v1/options"


def test_connections_are_kept(model, serving):
    ports = set()
    server = serving(Said(body={}))
    original = server._server.RequestHandlerClass.handle_any

    def remember(handler):
        ports.add(handler.client_address[1])
        original(handler)

    server._server.RequestHandlerClass.do_POST = remember
    tested = model(server.url)
    for _ in range(5):
        tested.send(REQUEST)
    assert len(ports) == 1


def test_many_threads_share_a_pool(model, serving):
    server = serving(Said(body={}))
    tested = model(server.url)
    threads = [threading.Thread(target=tested.send, args=(REQUEST,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.seen) == 16


def test_a_proxy_is_used(model, serving):
    proxy = serving(Said(body={}))
    model("http://api.example.com/v1", proxy=proxy.url.replace("//", "//me:pw@")).send(REQUEST)
    assert proxy.seen[0].path == "http://api.example.com/v1/pictures"
    assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")


def test_the_environments_proxy_is_used_but_not_for_loopback(model, serving, monkeypatch):
    proxy, server = serving(Said(body={})), serving(Said(body={}))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    model("http://api.example.com/v1").send(REQUEST)
    model(server.url).send(REQUEST)
    assert (len(proxy.seen), len(server.seen)) == (1, 1)


def test_a_redirect_is_not_followed(model, serving):
    other = serving(Said(body={}))
    server = serving(Said(307, headers={"Location": other.url}))
    with pytest.raises(limner.BadResponse, match="redirect, which is not followed"):
        model(server.url).send(REQUEST)
    assert not other.seen


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(model, serving):
    server = serving(Said(body={}))
    tested = model(server.url)
    tested.send(REQUEST)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if tested.send(REQUEST).body == b"{}" else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert tested.send(REQUEST).body == b"{}"
    assert len(server.seen) == 3


STREAM = b': hello\n\nevent: part\ndata: {"a":\ndata: 1}\nid: 3\n\ndata: [DONE]\n\ndata: cut off'


def test_events_come_one_by_one(model, serving):
    server = serving(Said(body=STREAM, content_type="text/event-stream", headers={"x-request-id": "r"}))
    with model(server.url).call().stream("POST", "pictures", body=b"{}", content_type="application/json") as stream:
        assert stream.answer.content_type == "text/event-stream"
        assert stream.answer.request_id == "r"
        assert list(stream.events()) == [Event("part", b'{"a":\n1}'), Event("message", b"[DONE]")]


def test_an_error_in_place_of_a_stream_is_raised(model, serving):
    server = serving(Said(400, {"error": {"code": "blocked", "message": "no"}}))
    with pytest.raises(limner.ContentFiltered), model(server.url).call().stream("POST", "pictures", body=b"{}"):
        pass


LINE = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=10)


@given(st.lists(st.lists(LINE, min_size=1, max_size=3), max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_events_do_not_depend_on_how_the_stream_is_cut(contents, end, data):
    text = "".join("".join(f"data: {line}{end}" for line in lines) + end for lines in contents).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [event.data for event in events(chunks)] == ["\n".join(lines).encode() for lines in contents]


HEAVY = (
    "limner_http.call",
    "asyncio",
    "certifi",
    "email.utils",
    "h11",
    "httpcore",
    "orjson",
    "PIL",
    "ssl",
    "tenacity",
    "urllib.request",
)


def test_importing_costs_next_to_nothing():
    code = f"from limner_http import Failure, HttpModel, Service; import sys; print(sorted({{*{HEAVY}}} & {{*sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert all(getattr(limner_http, name) is not None for name in limner_http.__all__)
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        _ = limner_http.paint


class Elsewhere(HttpModel):
    id = "example.elsewhere"
    service = Service(
        name="Example",
        base_url="https://api.example.com/v1",
        url_variable="EXAMPLE_BASE_URL",
        url_suffix="/v1",
        key_variables=("EXAMPLE_API_KEY",),
    )
    limits: ClassVar = {}


@pytest.fixture
def _no_key(monkeypatch):
    for name in ("EXAMPLE_API_KEY", "EXAMPLE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_key")
def test_the_environment_names_another_address_and_the_setting_goes_before_it(monkeypatch):
    with pytest.raises(limner.AuthenticationFailed):
        Elsewhere().call()
    monkeypatch.setenv("EXAMPLE_BASE_URL", "http://127.0.0.1:9/")
    assert Elsewhere().call().base_url == "http://127.0.0.1:9/v1/"
    assert Elsewhere(HttpSettings(base_url="http://127.0.0.1:8/x")).call().base_url == "http://127.0.0.1:8/x/"
    monkeypatch.setenv("EXAMPLE_BASE_URL", " ")
    assert Elsewhere(HttpSettings(api_key="k")).call().base_url == "https://api.example.com/v1/"


@pytest.mark.usefixtures("_no_key")
@pytest.mark.parametrize(
    "url", ["ftp://x", "localhost:80", "https://user:canary@x", "https://x/?key=canary", "https://x/#canary"]
)
def test_an_address_of_the_environment_that_is_none_is_refused_and_not_shown(monkeypatch, url):
    monkeypatch.setenv("EXAMPLE_BASE_URL", url)
    with pytest.raises(limner.TaskRefused, match="environment variable EXAMPLE_BASE_URL: must be a URL") as met:
        Elsewhere(HttpSettings(api_key="k")).call().get("models")
    assert "canary" not in str(met.value)
    findings = list(Elsewhere(HttpSettings(api_key="k")).diagnose())
    assert any("EXAMPLE_BASE_URL must be a URL" in found.detail and found.fine is False for found in findings)
    assert "canary" not in str(findings)
