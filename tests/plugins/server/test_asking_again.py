"""Clients that give up and ask again: what was made is paid for once."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import limner_bedrock_emulator
import pytest

from . import studio
from .studio import CALLS, GATE, WAIT, Client


@pytest.fixture
def client(serving) -> Client:
    """A server that remembers nothing."""
    return Client(serving(names={"gpt-image-1": "studio"}))


def until(condition) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def dropped(client: Client, document: dict, calls=CALLS) -> None:
    """Ask, and hang up as soon as the model has been called."""
    before = len(calls)
    body = json.dumps(document).encode()
    key = f"Authorization: Bearer {client.key}\r\n" if client.key else ""
    host = urlsplit(client.url).netloc
    head = f"POST /v1/images/generations HTTP/1.1\r\nHost: {host}\r\n{key}Content-Type: application/json\r\n"
    with socket.create_connection((urlsplit(client.url).hostname, urlsplit(client.url).port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        until(lambda: len(calls) > before)


ASKED = {"model": "studio", "prompt": "wait"}


def ask(client: Client, **headers: str) -> studio.Answer:
    return client.post("/v1/images/generations", ASKED, **headers)


def test_the_first_result_while_it_is_still_made(client: Client):
    dropped(client, ASKED)
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(ask, client)
        time.sleep(0.2)
        GATE.set()
        assert answer.result().json["limner"]["request_ids"] == ["req-1"]
    assert len(CALLS) == 1


def test_the_first_result_once_it_is_made(client: Client):
    dropped(client, ASKED)
    GATE.set()
    until(
        lambda: 'limner_server_pictures_total{model="studio.painter-1",outcome="ok"}' in client.get("/metrics").body.decode()
    )
    assert ask(client).json["limner"]["request_ids"] == ["req-1"]
    assert ask(client).json["limner"]["request_ids"] == ["req-2"], "it had been delivered: this is a new wish"


def test_the_order_of_the_fields_does_not_matter(client: Client):
    dropped(client, ASKED)
    GATE.set()
    assert client.post("/v1/images/generations", dict(reversed(ASKED.items()))).json["limner"]["request_ids"] == ["req-1"]


@pytest.mark.parametrize("other", [{"seed": 1}, {"model": "gpt-image-1"}, {"prompt": "wait "}])
def test_another_body_is_another_wish(client: Client, other):
    dropped(client, ASKED)
    GATE.set()
    assert client.post("/v1/images/generations", ASKED | other).json["limner"]["request_ids"] == ["req-2"]


def test_another_key_gets_nothing(serving):
    url = serving(keys=("one", "other"))
    one, other = Client(url, "one"), Client(url, "other")
    dropped(one, ASKED)
    GATE.set()
    assert ask(other).json["limner"]["request_ids"] == ["req-2"]
    assert ask(one).json["limner"]["request_ids"] == ["req-1"]


def test_two_clients_who_wait_get_two_results(client: Client):
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(ask, client) for _ in range(2)]
        until(lambda: len(CALLS) == 2)
        GATE.set()
        assert {answer.result().json["limner"]["request_ids"][0] for answer in answers} <= {"req-1", "req-2"}


def test_a_repetition_joins_even_where_the_first_has_not_hung_up(client: Client):
    """OpenAI's clients say that they repeat; a proxy may hold the first connection open."""
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(ask, client)
        until(lambda: len(CALLS) == 1)
        second = threads.submit(ask, client, x_stainless_retry_count="1")
        time.sleep(0.2)
        GATE.set()
        assert first.result().pictures == second.result().pictures
    assert len(CALLS) == 1


def test_an_error_is_told_once_where_it_may_have_been_billed(client: Client):
    dropped(client, ASKED | {"prompt": "wait timeout"})
    GATE.set()
    again = lambda: client.post("/v1/images/generations", ASKED | {"prompt": "wait timeout"})  # noqa: E731
    assert again().status == 504
    assert len(CALLS) == 1
    assert again().status == 504
    assert len(CALLS) == 2


def test_an_error_that_cost_nothing_is_not_kept(client: Client):
    dropped(client, ASKED | {"prompt": "wait limited"})
    GATE.set()
    until(lambda: "limner_server_runs 0.0" in client.get("/metrics").body.decode())
    assert client.post("/v1/images/generations", ASKED | {"prompt": "wait limited"}).status == 429
    assert len(CALLS) == 2


def test_a_stream_that_was_cut(client: Client):
    asked = ASKED | {"stream": True}
    dropped(client, asked)
    GATE.set()
    answer = client.post("/v1/images/generations", asked)
    assert b"image_generation.completed" in answer.body
    assert len(CALLS) == 1


def test_results_are_kept_for_a_time_and_within_bounds(client: Client, monkeypatch):
    dropped(client, ASKED)
    monkeypatch.setattr("limner_server.runs.KEPT_BYTES", 10)
    GATE.set()
    until(lambda: "limner_server_runs 0.0" in client.get("/metrics").body.decode())
    assert ask(client).json["limner"]["request_ids"] == ["req-2"], "it weighed too much"
    monkeypatch.undo()
    GATE.clear()
    dropped(client, ASKED)
    monkeypatch.setattr("limner_server.runs.KEPT_SECONDS", 0.0)
    GATE.set()
    until(lambda: "limner_server_runs 0.0" in client.get("/metrics").body.decode())
    assert ask(client).json["limner"]["request_ids"] == ["req-4"], "it was too old"


def test_so_many_runs_and_no_more(client: Client, monkeypatch):
    monkeypatch.setattr("limner_server.runs.MOST_RUNS", 1)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(ask, client)
        until(lambda: len(CALLS) == 1)
        answer = client.generate()
        assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (503, "busy", "5")
        GATE.set()
        assert first.result().status == 200


class Slow:
    """A painter that paints once it may."""

    def __init__(self, painter) -> None:
        self._painter, self.may = painter, threading.Event()

    def __getattr__(self, name: str):
        return getattr(self._painter, name)

    def paint(self, *arguments):
        assert self.may.wait(WAIT)
        return self._painter.paint(*arguments)


@pytest.mark.filterwarnings("ignore:.*(legacy|end of life)")
def test_a_dropped_connection_is_billed_once(client: Client, monkeypatch):
    """With a real transport: one request reaches Bedrock's stand-in."""
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with limner_bedrock_emulator.serve() as emulator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        painter = emulator.service.painter = Slow(emulator.service.painter)
        asked = {"model": "nova", "prompt": "a fox", "size": "512x512"}
        for _ in range(3):
            body = json.dumps(asked).encode()
            host = urlsplit(client.url)
            with socket.create_connection((host.hostname, host.port)) as connection:
                head = f"POST /v1/images/generations HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                until(lambda: emulator.requests)
                time.sleep(0.1)
        painter.may.set()
        answer = client.post("/v1/images/generations", asked)
        assert answer.pictures[0].size == (512, 512)
        assert len(emulator.requests) == 1
