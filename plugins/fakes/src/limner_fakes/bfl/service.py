"""Black Forest Labs' API on loopback: submit a task, poll it, download its picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from PIL import Image

from limner_fakes.bfl.contract import EXPAND, FLUX_3, OUTPAINT, PNG_BY_DEFAULT, SCHEMAS, pictures_of, problems
from limner_fakes.faults import BROKEN, NOT_A_PICTURE, Fault
from limner_fakes.painters import Invert, Painter
from limner_fakes.pictures import Size, decoded, written
from limner_fakes.service import KEY, Answer, ReceivedRequest, Service

PENDING = (
    {"status": "Pending", "progress": None},
    {"status": "Reasoning", "progress": None},
    {"status": "Generating", "progress": 0.5},
)
"""The statuses of the first polls of a task."""

DEFAULT_SIZE = (1024, 1024)
STRENGTH = 0.7
"""The strength of an edit by prompt; the service has no such parameter."""

_WHY = {"Moderation Reasons": ["Violence"]}


def refusal(wrong: Sequence[str]) -> dict[str, Any]:
    """Return the body of an HTTP 422 response."""
    return {"detail": [{"loc": ["body"], "msg": one, "type": "value_error"} for one in wrong]}


def ready(url: str, seed: int | None = None, prompt: str | None = "a fox") -> dict[str, Any]:
    """Return the final response to a poll."""
    result = {"sample": url, "prompt": prompt, "seed": seed, "start_time": 1.0, "end_time": 3.5, "duration": 2.5}
    return {"id": "task-1", "status": "Ready", "result": result, "progress": 1.0, "details": None, "preview": None}


def paint(path: str, content: dict[str, Any], painter: Painter | None = None) -> bytes:
    """Paint the picture for a valid request."""
    kind = content.get("output_format", "png" if path in PNG_BY_DEFAULT else "jpeg")
    return written(_painted(path, content, painter or Invert()), kind.upper())


def _painted(path: str, content: dict[str, Any], painter: Painter) -> Image.Image:
    prompt, seed = content.get("prompt", ""), content.get("seed", 0)
    size = (content["width"], content["height"]) if "width" in content else _of_ratio(content)
    pictures = pictures_of(content)
    if not pictures:
        return painter.paint(prompt, size or DEFAULT_SIZE, seed)
    source = pictures[0][1].convert("RGB")
    if path == OUTPAINT:
        place = _offset(content, source.size)
        return _widened(source, (content["width"], content["height"]), place, prompt, painter)
    if path == EXPAND:
        left, top, right, bottom = (content.get(side, 0) for side in ("left", "top", "right", "bottom"))
        whole = (left + source.width + right, top + source.height + bottom)
        return _widened(source, whole, (left, top), prompt, painter)
    if "mask" in content:
        opening = decoded(content["mask"]).convert("L")
        return Image.composite(painter.repaint(source, opening, prompt, seed), source, opening)
    painted = painter.vary(source, prompt, STRENGTH, seed)
    return painted.resize(size or source.size, Image.Resampling.NEAREST)


def _of_ratio(content: dict[str, Any]) -> Size | None:
    """Return a size of about one megapixel with an aspect ratio; the exact pixels are not documented."""
    if content.get("aspect_ratio", "auto") == "auto":
        return None
    width, height = map(int, content["aspect_ratio"].split(":"))
    scale = math.sqrt(DEFAULT_SIZE[0] * DEFAULT_SIZE[1] / (width * height))
    return round(width * scale / 16) * 16, round(height * scale / 16) * 16


def _offset(content: dict[str, Any], source: Size) -> Size:
    """Return the position of the picture on the canvas; centred by default."""
    left, top = content.get("reference_offset_x"), content.get("reference_offset_y")
    return (
        (content["width"] - source[0]) // 2 if left is None else left,
        (content["height"] - source[1]) // 2 if top is None else top,
    )


def _widened(source: Image.Image, size: Size, place: Size, prompt: str, painter: Painter) -> Image.Image:
    canvas, opening = Image.new("RGB", size), Image.new("L", size, 255)
    canvas.paste(source, place)
    opening.paste(0, (*place, place[0] + source.width, place[1] + source.height))
    return Image.composite(painter.repaint(canvas, opening, prompt, 0), canvas, opening)


@attrs.define
class Job:
    """A submitted task: its picture, the statuses of polls before it is done, and its final response."""

    picture: bytes
    seed: int | None
    prompt: str | None
    fault: str
    waiting: list[dict[str, Any]]


class BflService(Service):
    """The fake server."""

    name = "bfl"
    base_path = "/v1"
    model = "flux"
    refusals: ClassVar = {
        "throttle": Answer(429, {"detail": "Too many active tasks"}, {"Retry-After": "1"}),
        "quota": Answer(402, {"detail": "Insufficient credits"}),
        "wrong-key": Answer(403, {"detail": "Not authenticated"}),
        "access-denied": Answer(403, {"detail": "no access to this model"}),
        "internal-error": Answer(500, {"detail": "Internal Server Error"}),
        "unavailable": Answer(503, {"detail": "Service Unavailable"}),
    }
    broken: ClassVar = {
        **{name: words for name, words in BROKEN.items() if name != "bad-base64"},
        "input-filtered": "the task ends as Request Moderated",
        "filtered": "the task ends as Content Moderated",
        "failed": "the task ends as Error",
        "lost": "the task is not found when it is asked for",
        "never-ready": "the task stays Pending for ever",
    }

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.jobs: dict[str, Job] = {}

    def settings(self) -> dict[str, str]:
        """Include a key."""
        return {**super().settings(), "api_key": KEY}

    def environment(self) -> dict[str, str]:
        """Return the environment variables that limner's models read."""
        return {"BFL_BASE_URL": self.base_url, "BFL_API_KEY": KEY}

    def makes_pictures(self, request: ReceivedRequest) -> bool:
        return request.method == "POST" and request.path.removeprefix("/v1/") in SCHEMAS

    def answer(self, request: ReceivedRequest, fault: Fault | None) -> Answer:
        if request.method == "GET" and request.path.startswith("/delivery/"):
            return self.delivered(request.path.rpartition("/")[2])
        if not request.headers.get("x-key"):
            return self.refusals["wrong-key"]
        if request.method == "GET" and request.path == "/v1/credits":
            return Answer(body={"credits": 12.5})
        if request.method == "GET" and request.path == "/v1/get_result":
            return self.polled(request.query.get("id", ""))
        if request.method == "POST":
            return self.submitted(request.path.removeprefix("/v1/"), request.body, fault)
        return Answer(404, {"detail": "Not Found"})

    def submitted(self, path: str, content: Any, fault: Fault | None = None) -> Answer:
        """Accept a task and paint it immediately."""
        if path not in SCHEMAS:
            return Answer(404, {"detail": "Not Found"})
        wrong = problems(path, content)
        if wrong:
            return Answer(422, refusal(wrong))
        name = f"task-{len(self.jobs) + 1}"
        seed = None if path in {FLUX_3, OUTPAINT} else content.get("seed", 7)
        picture, met = paint(path, content, self.painter), "" if fault is None else fault.name
        self.jobs[name] = Job(picture, seed, content.get("prompt"), met, list(PENDING))
        said = {"id": name, "polling_url": f"{self.base_url}/get_result?id={name}"}
        return Answer(body={**said, "cost": 3.0, "input_mp": 0.0, "output_mp": 1.0})

    def polled(self, name: str) -> Answer:
        """Return the state of a task."""
        job = self.jobs.get(name)
        if job is None or job.fault == "lost":
            return Answer(404, {"id": name, "status": "Task not found", "result": None, "details": None})
        return Answer(body={"result": None, "details": None, **self._state(job, name), "id": name})

    def _state(self, job: Job, name: str) -> dict[str, Any]:
        if job.fault == "never-ready":
            return dict(PENDING[0])
        if job.waiting:
            return job.waiting.pop(0)
        match job.fault:
            case "input-filtered":
                return {"status": "Request Moderated", "details": _WHY}
            case "filtered":
                return {"status": "Content Moderated", "details": _WHY}
            case "failed":
                return {"status": "Error", "details": {"error": "The task failed."}}
        return ready(f"{self.address}/delivery/{name}", job.seed, job.prompt)

    def delivered(self, name: str) -> Answer:
        """Return a picture; no key is required."""
        if name not in self.jobs:
            return Answer(404, b"", content_type="text/plain")
        job = self.jobs[name]
        data = NOT_A_PICTURE if job.fault == "not-a-picture" else job.picture
        kind = "image/png" if job.picture.startswith(b"\x89PNG") else "image/jpeg"
        return Answer(body=data, content_type=kind)
