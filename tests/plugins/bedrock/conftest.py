"""A stand-in for Bedrock on loopback that answers, or fails, as it is told; the boto3 in front of it is the real one."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import os
import socket
import struct
import threading
import time
import zlib
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import limner
import pytest
from limner.limits import Count, PromptText, Seed, TaskLimits
from limner_bedrock import BedrockModel, parse_json, picture_from_base64


class Stub:
    """Answers are taken from ``answers`` in order; when there are none left, from ``otherwise``."""

    def __init__(self):
        self.requests, self.answers, self.otherwise = [], deque(), self.ok()
        self.lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with stub.lock:
                    stub.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                    answer = stub.answers.popleft() if stub.answers else stub.otherwise
                answer(self)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64

            def handle_error(self, *args):  # a client that has gone
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @staticmethod
    def send(status=200, body=b"{}", **headers):
        def answer(handler):
            handler.send_response(status)
            handler.send_header("x-amzn-RequestId", "request-1")
            for name, value in ({"Content-Type": "application/json", "Content-Length": len(body)} | headers).items():
                if value is not None:
                    handler.send_header(name.replace("_", "-"), str(value))
            handler.end_headers()
            handler.wfile.write(body)

        return answer

    def ok(self, **content):
        return self.send(body=json.dumps(content).encode())

    def error(self, status, code="", message="", **headers):
        named = {"x_amzn_ErrorType": code} if code else {}
        return self.send(status, json.dumps({"message": message}).encode(), **named, **headers)

    def events(self, *events, then=b""):
        """An event stream of (event type, content) or (exception type, message)."""
        body = b"".join(self._event(name, content) for name, content in events) + then
        return self.send(body=body, Content_Type="application/vnd.amazon.eventstream")

    @staticmethod
    def _event(name, content):
        kind = "exception" if name.endswith("Exception") else "event"
        content = {"message": content} if kind == "exception" else {"bytes": base64.b64encode(content).decode()}
        payload = json.dumps(content).encode()
        said = {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"}
        return Stub._frame(said, payload)

    @staticmethod
    def _frame(said, payload):
        headers = b""
        for key, value in said.items():
            headers += bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
        message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
        return message + struct.pack(">I", zlib.crc32(message))

    @staticmethod
    def _start(handler, body, headers):
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    @staticmethod
    def _until_the_client_goes(handler):
        handler.close_connection = True
        handler.connection.settimeout(5)
        with contextlib.suppress(OSError):
            handler.connection.recv(1)

    def hang(self):
        """Take the request and say nothing."""
        return self._until_the_client_goes

    def stall(self, body):
        """Begin an answer, and never end it."""

        def answer(handler):
            self._start(handler, body, {"Content-Length": "5000"})
            self._until_the_client_goes(handler)

        return answer

    def cut(self, body=b"", **headers):
        """Close the connection in mid-answer, or before there is any."""

        def answer(handler):
            if headers:
                self._start(handler, body, headers)
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True

        return answer

    @staticmethod
    def wait_for(condition, seconds=60.0):
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until
            time.sleep(0.005)


@pytest.fixture(scope="session")
def running_stub():
    stub = Stub()
    yield stub
    stub.server.shutdown()
    stub.server.server_close()


@pytest.fixture
def stub(running_stub):
    running_stub.requests.clear()
    running_stub.answers.clear()
    running_stub.otherwise = running_stub.ok()
    return running_stub


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch, tmp_path):
    """Nothing of this machine's own AWS configuration; credentials that are no secret."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "LIMNER_MODEL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")


@pytest.fixture
def quick(monkeypatch):
    """No waiting between attempts."""
    monkeypatch.setattr("limner_bedrock.retries._BACKOFF_SECONDS", 0.0)


class Painter(BedrockModel):
    id = "example.painter-v1:0"
    ids = ("example.painter-v1",)
    aliases = ("painter",)
    limits: ClassVar = {
        limner.Generate: TaskLimits(
            {"prompt": PromptText(500, source="s"), "seed": Seed(0, 9, source="s"), "n": Count(1, source="s")}
        )
    }
    lifecycle = limner.Lifecycle(end_of_life=datetime.date(2020, 1, 1))

    def to_body(self, task):
        return {"prompt": task.prompt}

    def to_pictures(self, task, body):
        return [limner.Picture(image=picture_from_base64(parse_json(body).get("image")))]


@pytest.fixture
def painter(stub):
    """A function that makes the model with settings, at the stub."""

    def make(model_id=None, **settings):
        return Painter(Painter.Settings.of({"endpoint_url": stub.url, "region": "us-west-2"} | settings), model_id=model_id)

    return make


@pytest.fixture
def send(painter):
    """A function that sends one body with settings."""

    def send(body=b'{"a":1}', model_id="example.painter-v1:0", **settings):
        return painter(**settings).send(limner.Request(model_id, body))

    return send


@pytest.fixture
def waits(monkeypatch):
    """The seconds waited between attempts; none is waited."""
    asked = []

    class Event(threading.Event):
        def wait(self, timeout=None):
            asked.append(timeout)
            return self.is_set()

    event = Event()
    monkeypatch.setattr(limner, "cancellation", lambda: event)
    return asked
