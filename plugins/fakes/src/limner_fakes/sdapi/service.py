"""A server of ``/sdapi/v1`` on loopback, like A1111: jobs, their progress, interrupts, and a login."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, ClassVar

from limner_fakes.faults import BROKEN, Fault
from limner_fakes.painters import PAINTERS
from limner_fakes.sdapi.answering import Blending, Said, a1111_error, answer
from limner_fakes.sdapi.contract import LISTS, REMBG_OF_SD_NEXT, SCHEMAS, problems
from limner_fakes.service import Answer, ReceivedRequest, Service

IDLE = {"active": False, "queued": False, "completed": False, "progress": None, "textinfo": None}


def _error(said: Said) -> Answer:
    return Answer(*said)


class SdapiService(Service):
    """The fake server.

    Args:
        login: the required ``user:password``; empty for none.
        **more: the arguments of :class:`Service`.

    Attributes:
        current: the ``force_task_id`` of the running job.
        interrupted: whether the last job was interrupted.
    """

    name = "sdapi"
    model = "sdxl-local"
    painters: ClassVar = {**PAINTERS, "invert": Blending}
    refusals: ClassVar = {
        "out-of-memory": _error(a1111_error(500, "OutOfMemoryError", "CUDA out of memory.")),
        "nan": _error(a1111_error(500, "NansException", "A tensor with all NaNs was produced in Unet.")),
        "internal-error": Answer(500, b"Internal Server Error", content_type="text/plain"),
        "unavailable": Answer(503, {"detail": {"msg": "busy", "type": "service_unavailable"}}),
        "wrong-key": Answer(401, {"detail": "Incorrect username or password"}, {"WWW-Authenticate": "Basic"}),
        "no-api": Answer(404, {"detail": "Not Found"}),
    }
    no_rembg: str = REMBG_OF_SD_NEXT
    """The address of background removal that the server does not have."""
    broken: ClassVar = {**BROKEN, "interrupted": "somebody interrupts the job: 200 with a half-done picture"}

    def __init__(self, login: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.login = login
        self.current = ""
        self.interrupted = False

    def settings(self) -> dict[str, str]:
        """Include the login."""
        user, _, password = self.login.partition(":")
        return {**super().settings(), **({"user": user, "password": password} if self.login else {})}

    def environment(self) -> dict[str, str]:
        """Return the environment variables that limner's model reads."""
        return {"SDAPI_BASE_URL": self.base_url, **({"SDAPI_AUTH": self.login} if self.login else {})}

    def makes_pictures(self, request: ReceivedRequest) -> bool:
        return request.method == "POST" and request.path in SCHEMAS and request.path != self.no_rembg

    async def work(self, request: ReceivedRequest, fault: Fault | None) -> None:
        """Start a job; a hanging job ends when it is interrupted."""
        if not self.makes_pictures(request) or not isinstance(request.body, dict):
            return
        self.current, self.interrupted = request.body.get("force_task_id", ""), False
        while fault is not None and fault.name == "hang" and not self.interrupted:
            await asyncio.sleep(0.01)

    def answer(self, request: ReceivedRequest, fault: Fault | None) -> Answer:
        if request.path == "/internal/progress":  # A1111 does not require the login here
            return Answer(body=self.progress(request.body))
        expected = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if self.login and request.headers.get("authorization") != expected:
            return self.refusals["wrong-key"]
        name = request.path.removeprefix("/sdapi/v1/")
        if request.method == "GET":
            return self.listed(name)
        if name == "interrupt":
            self.interrupted = True
            return Answer(body={})
        if not self.makes_pictures(request):
            return self.refusals["no-api"]
        return self.painted(request.path, request.body, fault)

    def progress(self, asked: Any) -> dict[str, Any]:
        """Return the progress of a job by its id."""
        named = asked.get("id_task") if isinstance(asked, dict) else None
        return {**IDLE, "active": True, "progress": 0.4} if named and named == self.current else IDLE

    def listed(self, name: str) -> Answer:
        """Respond to a request for a list or the server's state."""
        if name in LISTS:
            return Answer(body=LISTS[name])
        if name != "progress":
            return self.refusals["no-api"]
        state = {"interrupted": self.interrupted, "skipped": False, "job_count": 0}
        return Answer(body={"progress": 0, "eta_relative": 0, "state": state, "current_image": None, "textinfo": None})

    def painted(self, path: str, body: Any, fault: Fault | None = None) -> Answer:
        """Run a job."""
        wrong = problems(path, body)
        if wrong:
            return Answer(422, {"detail": [{"loc": ["body"], "msg": one, "type": "value_error"} for one in wrong]})
        self.interrupted |= fault is not None and fault.name == "interrupted"
        said = Answer(*answer(path, body, self.painter, fault, half_done=self.interrupted))
        self.current = ""
        return said
