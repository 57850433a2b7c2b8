"""A call of a model in a new process: what nothing that ran before can have changed."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from typing import Any

from limner import Model, Request, Task
from limner.testing.watching import NETWORK

_ELSEWHERE = """
import hashlib, json, os, pickle, sys
events = []
sys.path[:] = pickle.load(sys.stdin.buffer)
network = pickle.load(sys.stdin.buffer)
sys.addaudithook(lambda event, args: events.append(event) if event in network else None)
kind, settings, model_id, task, request = pickle.load(sys.stdin.buffer)
from limner import LimnerError
asked = []
class Recording(dict):
    def get(self, name, default=None):
        asked.append(name)
        return super().get(name, default)
    def __getitem__(self, name):
        asked.append(name)
        return super().__getitem__(name)
    def __contains__(self, name):
        asked.append(name)
        return super().__contains__(name)
os.environ = Recording(os.environ)
model = kind(settings, model_id=model_id)
try:
    pictures = [one.image for one in model.decode(task, model.send(request))]
    shown = {"error": "", "pictures": [None if one is None else hashlib.sha256(one.data).hexdigest() for one in pictures]}
except LimnerError as error:
    shown = {"error": type(error).__name__}
print(json.dumps({"shown": shown, "connected": events[:3], "variables": list(dict.fromkeys(asked))}))
"""


def in_another_process(model: Model, task: Task, request: Request) -> dict[str, Any]:
    """What send gives where nothing ran before; empty where the plugin cannot be loaded there by name."""
    call = model.plan(task).calls[0]
    try:
        given = pickle.dumps(sys.path) + pickle.dumps(NETWORK)
        given += pickle.dumps((type(model), model.settings, model.model_id, call, request))
    except (pickle.PicklingError, AttributeError, TypeError):
        return {}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", _ELSEWHERE],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
    )
    with contextlib.suppress(ValueError, IndexError):
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    return {}
