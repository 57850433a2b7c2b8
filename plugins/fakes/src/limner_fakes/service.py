"""The base of all fake servers: access checks, recorded requests, faults, and responses."""

from __future__ import annotations

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import attrs
from aiohttp import web

from limner_fakes.faults import BROKEN, HEADER, Fault, Faults
from limner_fakes.forms import Uploaded, read_form
from limner_fakes.hosts import is_local
from limner_fakes.painters import PAINTERS, Painter
from limner_fakes.serving import reset

LARGEST_BODY = 200_000_000
KEY = "test"
"""The key in :attr:`Service.environment`; any other key is accepted too."""

_log = logging.getLogger(__name__)


@attrs.frozen
class ReceivedRequest:
    """A received request.

    Attributes:
        method: the HTTP method.
        path: the decoded path, without the query.
        query: the query parameters by name.
        headers: the headers by lower-case name.
        body: the parsed JSON, the fields of a form, or ``None``.
        files: the files of a form.
        raw: the bytes of the body.
    """

    method: str
    path: str
    query: Mapping[str, str] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: Any = None
    files: tuple[Uploaded, ...] = ()
    raw: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen
class Answer:
    """A response: a JSON value, or bytes of another content type."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    content_type: str = "application/json"

    @property
    def data(self) -> bytes:
        """Return the bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Service(ABC):
    """A fake server. A subclass responds to requests and declares the faults that it supports.

    Args:
        painter: the name of the painter.
        faults: the faults to simulate.
        observe: a function called with every request.
    """

    name: ClassVar[str]
    base_path: ClassVar[str] = ""
    """The path of the base URL in limner's setting ``base_url``."""
    model: str
    """The limner model for the example command."""
    refusals: ClassVar[Mapping[str, Answer]] = {}
    """Faults that return an error of the service."""
    broken: ClassVar[Mapping[str, str]] = BROKEN
    """Faults of the connection or the response, with descriptions."""
    painters: ClassVar[Mapping[str, Callable[[], Painter]]] = PAINTERS

    def __init__(
        self,
        painter: str = "invert",
        faults: Iterable[str] = (),
        observe: Callable[[ReceivedRequest], None] = lambda _: None,
    ) -> None:
        self.paint_with(painter)
        self.fail_with(*faults)
        self._observe = observe
        self.address = ""

    # ------------------------------------------------------------------ for subclasses

    @abstractmethod
    def makes_pictures(self, request: ReceivedRequest) -> bool:
        """Return whether a request generates pictures, so that faults apply to it."""

    @abstractmethod
    def answer(self, request: ReceivedRequest, fault: Fault | None) -> Answer:
        """Respond to a request; called in a thread."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the environment variables that point limner, and other programs that read them, to this server."""

    async def work(self, request: ReceivedRequest, fault: Fault | None) -> None:  # noqa: ARG002
        """Delay the response; with the fault ``hang``, forever."""
        if fault is not None and fault.name == "hang":
            await asyncio.Event().wait()  # ends by cancellation when the client disconnects or the server stops

    # ------------------------------------------------------------------ for all services

    @property
    def base_url(self) -> str:
        """Return the base URL, for limner's setting ``base_url``."""
        return self.address + self.base_path

    def settings(self) -> dict[str, str]:
        """Return the settings that point limner to this server."""
        return {"base_url": self.base_url}

    def paint_with(self, painter: str) -> None:
        """Use another painter."""
        self.painter = self.painters[painter]()

    def fail_with(self, *faults: str) -> None:
        """Set the faults, replacing earlier ones.

        Raises:
            ValueError: this service does not support a fault.
        """
        self._faults = Faults(faults, [*self.refusals, *self.broken])

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not is_local(hosts[0]):  # a web page in a browser may have sent it (DNS rebinding)
            return _sent(Answer(421, {"detail": f"limner-fakes answers no request to host {', '.join(hosts)!r}"}))
        try:
            received = await _received(request)
        except ValueError as error:
            return _sent(Answer(400, {"detail": f"limner-fakes: {error}"}))
        self._observe(received)
        try:
            return await self._answered(request, received)
        except Exception:
            _log.exception("The fake server failed")
            return _sent(Answer(500, {"detail": "limner-fakes: the fake server failed; see its log"}))

    async def _answered(self, request: web.Request, received: ReceivedRequest) -> web.StreamResponse:
        fault = None
        if self.makes_pictures(received):
            try:
                fault = self._faults.next(request.headers.getall(HEADER, []), received.body)
            except ValueError as error:
                return _sent(Answer(400, {"detail": f"limner-fakes: {error}"}))
        if fault is not None and fault.name in self.refusals:
            return _sent(self.refusals[fault.name])
        await self.work(received, fault)
        answer = await asyncio.to_thread(self.answer, received, fault)
        match fault.name if fault is not None and answer.status == 200 else "":
            case "missing-keys":
                return _sent(Answer(body={}))
            case "truncated-json":
                return _sent(attrs.evolve(answer, body=answer.data[: len(answer.data) // 2]))
            case "reset":
                return await reset(request, answer.data, {**answer.headers, "Content-Type": answer.content_type})
        return _sent(answer)


def _sent(answer: Answer) -> web.Response:
    return web.Response(
        body=answer.data, status=answer.status, headers=dict(answer.headers), content_type=answer.content_type
    )


async def _received(request: web.Request) -> ReceivedRequest:
    """Read a request.

    Raises:
        ValueError: the body does not match its content type.
    """
    raw = await request.read()
    body, files = read_body(request.headers.get("Content-Type", ""), raw)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return ReceivedRequest(request.method, request.path, dict(request.query), headers, body, files, raw)


def read_body(content_type: str, raw: bytes) -> tuple[Any, tuple[Uploaded, ...]]:
    """Read a form or JSON; any other body is ``None``.

    Raises:
        ValueError: a form is malformed.
    """
    if content_type.startswith("multipart/form-data"):
        form = read_form(content_type, raw)
        return form.fields, form.files
    try:
        return json.loads(raw), ()
    except (ValueError, RecursionError):
        return None, ()
