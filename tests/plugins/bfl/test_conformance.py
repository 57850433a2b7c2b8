"""The models of Black Forest Labs pass limner's conformance kit; the provider is the fake's strict reading."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import limner
import pytest
from limner import Inpaint, Model, Outpaint, Request, Response, Vary
from limner.testing import Call, Conformance, Recorded, Reply
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bfl.plugin import limner_models
from limner_fakes import bfl as fake
from limner_http import HttpSettings

SIZE = (256, 320)
PICTURE = picture(SIZE)
OTHER = picture((320, 320))
MASK = mask(SIZE, (8, 8, 20, 20))
GOOD = base64.b64encode(picture((16, 16)).data).decode()


def answer(request: Request) -> Response:
    """What send returns: the last answer to a poll, with the picture that was downloaded."""
    wrong = fake.problems(request.path, json.loads(request.body))
    assert wrong == [], wrong
    made = base64.b64encode(fake.paint(request.path, json.loads(request.body))).decode()
    return Response(json.dumps({**fake.ready("https://x.example/1.png"), "picture": made}).encode())


def problems(request: Request) -> list[str]:
    return fake.problems(request.path, json.loads(request.body))


def data(image: limner.Image) -> str:
    return base64.b64encode(image.data).decode()


def with_all(model: type[Model], base: dict[str, Any], task: type[limner.Task]) -> list[tuple[limner.Task, Any]]:
    """A task that says every parameter and option of a model, with the body that the documents show for it."""
    limits = model.limits[task]
    names = {"seed": "seed", "steps": "steps", "guidance_scale": "guidance", "prompt": "prompt"}
    values = {"seed": 7, "steps": 20, "guidance_scale": 4.5, "prompt": "a fox"}
    said = {name: value for name, value in values.items() if name in limits.parameters}
    options = {
        "safety_tolerance": 1,
        "output_format": "jpeg",
        "disable_pup": True,
        "prompt_upsampling": False,
        "resolution": "2k",
        "grounding": False,
        "version": "2026-10-01",
        "dilate_pixels": 0,
        "raw": True,
    }
    options = {name: value for name, value in options.items() if name in limits.options}
    body: dict[str, Any] = {names[name]: value for name, value in said.items()} | options
    if "size" in limits.parameters:
        wide = model.family in {"flux-3", "kontext"}
        said["size"] = (1600, 900) if wide else (1024, 768)
        body |= {"aspect_ratio": "16:9"} if wide else {"width": 1024, "height": 768}
    if task is Vary:
        said["image"] = [PICTURE, OTHER] if limits.parameters["image"].max_items > 1 else [PICTURE]
        sent = [data(image) for image in said["image"]]
        body |= (
            {"images": sent} if model.family == "flux-3" else dict(zip(("input_image", "input_image_2"), sent, strict=False))
        )
    return [(task(**base, **said, options=options), body)]


def examples(model: type[Model]) -> list[tuple[limner.Task, Any]]:
    found = []
    for kind in model.limits:
        if kind is Inpaint:
            shown = with_all(model, {"image": PICTURE, "mask": MASK}, kind)
        elif kind is Outpaint and model.family == "expand":
            shown = with_all(model, {"image": PICTURE, "expand": (64, 32, 17, 0)}, kind)
            shown = [(task, body | {"left": 64, "top": 32, "right": 17, "bottom": 0}) for task, body in shown]
        elif kind is Outpaint:
            shown = with_all(model, {"image": PICTURE, "expand": (64, 32, 16, 0)}, kind)
            where = {"width": 336, "height": 352, "reference_offset_x": 64, "reference_offset_y": 32}
            shown = [(task, body | where) for task, body in shown]
        else:
            shown = with_all(model, {}, kind)
        found += shown
    return found


def recorded(model: type[Model]) -> list[Recorded]:
    """Answers as the reference prints them, with the picture that send adds; refusals; errors of HTTP."""
    tasks = [task for task, _ in examples(model)]
    task = tasks[0]
    good = json.dumps({"cost": 3.0, **fake.ready("https://x.example/1.png"), "picture": GOOD}).encode()
    moderated = {"id": "1", "status": "Content Moderated", "result": None, "details": {"Moderation Reasons": ["Violence"]}}
    asked = {**moderated, "status": "Request Moderated", "details": None}
    head = {"x-request-id": "req-1"}

    def failing(status: int, body: Any, error: Any) -> Recorded:
        return Recorded(
            task=task, status=status, headers=head, body=json.dumps(body).encode(), error=error, name=f"{status} {body}"
        )

    return [
        *(Recorded(task=one, body=good) for one in tasks),
        Recorded(task=task, body=json.dumps(moderated).encode(), outcomes=("filtered",), name="result moderated"),
        Recorded(task=task, body=json.dumps(asked).encode(), outcomes=("filtered",), name="request moderated"),
        Recorded(task=task, body=b"{}", error=limner.BadResponse, name="nothing"),
        failing(400, {"detail": "malformed"}, limner.RequestRejected),
        failing(401, {"detail": "no such key"}, limner.AuthenticationFailed),
        failing(402, {"detail": "Insufficient credits"}, limner.AccessDenied),
        failing(403, {"detail": "Not authenticated"}, limner.AuthenticationFailed),
        failing(403, {"detail": "no access to it"}, limner.AccessDenied),
        failing(422, fake.refusal(["too large"]), limner.RequestRejected),
        failing(429, {"detail": "Too many tasks"}, limner.RateLimited),
        failing(500, {"error": "server", "message": "it broke", "details": None}, limner.ProviderUnavailable),
        failing(503, {"detail": "under load"}, limner.ProviderUnavailable),
    ]


class Tasks:
    """The service on the other side: the first poll of a task is too early, the second says how the task ended."""

    def __init__(self, ending: dict[str, Any] | None = None) -> None:
        self.ending = ending
        self.made: dict[str, bytes] = {}
        self.polled: set[str] = set()

    def __call__(self, call: Call) -> Reply:
        path, _, task = call.path.strip("/").partition("?id=")
        match call.method, path.split("/"):
            case "POST", [model] if model in fake.SCHEMAS:
                return self.submitted(call, model)
            case "GET", ["get_result"] if task in self.made:
                return self.state(call, task)
            case "GET", ["delivery", task] if task in self.made:
                return Reply(self.made[task], headers={"content-type": "image/jpeg"})
        return Reply(b'{"detail": "Not Found"}', 404)

    def submitted(self, call: Call, model: str) -> Reply:
        content = json.loads(call.body)
        if wrong := fake.problems(model, content):
            return Reply(json.dumps(fake.refusal(wrong)).encode(), 422)
        task = f"task-{zlib.crc32(call.body)}"
        self.made[task] = fake.paint(model, content)
        self.polled.discard(task)
        said = {"id": task, "polling_url": f"{call.base_url}/get_result?id={task}", "cost": 3.0, "output_mp": 1.5}
        return Reply(json.dumps(said).encode())

    def state(self, call: Call, task: str) -> Reply:
        if task not in self.polled:
            self.polled.add(task)
            return Reply(json.dumps({"id": task, "status": "Pending", "result": None}).encode())
        done = self.ending or fake.ready(f"{call.base_url}/delivery/{task}")
        return Reply(json.dumps({**done, "id": task}).encode())


def tasks_that_ended(task: limner.Task) -> list[Recorded]:
    """Tasks whose end ``send`` meets while it polls; the service does not charge for moderated ones."""
    why = {"error": "the worker ran out of memory"}
    billed = {"credits": 3.0, "output_megapixels": 1.5}
    moderated = {"status": "Content Moderated", "result": None, "details": {"Moderation Reasons": ["Violence"]}}
    return [
        Recorded(task=task, service=Tasks(), usage=billed, name="a task that is ready"),
        Recorded(task=task, service=Tasks(moderated), outcomes=("filtered",), usage={}, name="not charged"),
        Recorded(task=task, service=Tasks({"status": "Error", "details": why}), error=limner.ProviderUnavailable),
        Recorded(task=task, service=Tasks({"status": "Task not found"}), error=limner.ProviderUnavailable),
    ]


OWN_RANGES = "where no document states a range, limner ends it"
OWN = {"test_limits_reach_the_ends_of_the_schema": OWN_RANGES}
AUTO = {"test_limits_reach_the_ends_of_the_schema": "auto is what leaving size out means"}
DEVIATIONS = {"flux-2-flex": OWN, "flux-3-image": AUTO, "flux-pro-1.0-fill": OWN, "flux-tools/erase-v1": OWN}
DEVIATIONS |= {"flux-tools/outpainting-v1": OWN, "flux-pro-1.0-expand": OWN}
DEVIATIONS |= {"flux-kontext-pro": OWN, "flux-pro-1.1-ultra": OWN, "flux-dev": OWN}
"""The models that are checked, one of each way to speak, with what they do otherwise than the kit asks."""


@pytest.fixture(scope="module", params=DEVIATIONS)
def conformance(request: pytest.FixtureRequest) -> Conformance:
    model = next(one for one in limner_models() if one.id == request.param)

    def endpoint(url: str) -> Model:
        return model(HttpSettings(base_url=url, api_key="key-of-the-tests", timeout=10.0, max_attempts=2))

    over_http = model.id == "flux-2-flex"  # one transport for all
    stored = recorded(model)
    return Conformance(
        model=model(),
        body_schema=lambda kind: fake.SCHEMAS[model.id],
        body_problems=problems,
        examples=examples(model),
        answer=answer,
        reference_painter=answer,
        endpoint=endpoint if over_http else None,
        service=Tasks() if over_http else None,
        recorded=[*stored, *tasks_that_ended(stored[0].task)] if over_http else stored,
        deviations=DEVIATIONS[model.id],
        module="limner_bfl.plugin",
    )
