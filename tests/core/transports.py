"""Transports that say what they were sent, fail or wait."""

from __future__ import annotations

import json

import pytest
from limner import Request, Response

from .fakes import answer

WAIT = 30  # seconds after which a test that hangs fails; none waits for it


class Transport:
    """Remembers what it was sent; answers by a function of the seed."""

    def __init__(self, respond=answer) -> None:
        self.sent: list[Request] = []
        self.respond = respond

    def __call__(self, request: Request) -> Response:
        self.sent.append(request)
        return self.respond(request)


def seed_of(request: Request) -> int:
    return json.loads(request.body)["seed"]


def failing_at(*seeds: int, error: Exception):
    def respond(request: Request) -> Response:
        if seed_of(request) in seeds:
            raise error
        return answer(request)

    return respond


def caught(run, model, task, kind, **more):
    with pytest.raises(kind) as error:
        run(model, task, **more)
    assert "\n" not in str(error.value)
    return error.value
