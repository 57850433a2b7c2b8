"""The calls of OpenAI's Images API: generations, edits and variations."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
from aiohttp import web
from limner import ContentFiltered, Model, ProviderError, Result

from limner_server import asking
from limner_server.answers import Made, made
from limner_server.asking import Asked, Wanted
from limner_server.bodies import Body, read_json, read_pictures
from limner_server.errors import wrong
from limner_server.files import url_of
from limner_server.guards import key_of, note
from limner_server.metrics import METRICS
from limner_server.runs import Report, Run, Runs
from limner_server.settings import SETTINGS
from limner_server.streaming import stream

RUNS = web.AppKey("RUNS", Runs[Made])


@attrs.frozen
class _Call:
    """One of the endpoints.

    Attributes:
        read: reads the body.
        ask: creates the task; decodes pictures if the body has any.
        events: the prefix of its event types; empty if it does not stream.
    """

    read: Callable[[web.Request], Awaitable[Body]]
    ask: Callable[[Body, Model, str], Asked]
    events: str


_GENERATION = _Call(read_json, asking.generation, "image_generation")
_EDIT = _Call(read_pictures, asking.edit, "image_edit")
_VARIATION = _Call(read_pictures, asking.variation, "")


async def generations(request: web.Request) -> web.StreamResponse:
    """Handle ``POST /v1/images/generations``."""
    return await _answer(request, _GENERATION)


async def edits(request: web.Request) -> web.StreamResponse:
    """Handle ``POST /v1/images/edits``."""
    return await _answer(request, _EDIT)


async def variations(request: web.Request) -> web.StreamResponse:
    """Handle ``POST /v1/images/variations``."""
    return await _answer(request, _VARIATION)


async def _answer(request: web.Request, call: _Call) -> web.StreamResponse:
    fit = request.query.get("fit", "nearest")
    if fit not in {"nearest", "strict"}:
        raise wrong("must be nearest or strict", "fit")
    body = await call.read(request)
    wanted = Wanted.of(body)
    if wanted.stream and not call.events:
        raise wrong("variations are not streamed", "stream")
    model = _model(request, body, wanted, fit)
    asked = await asyncio.to_thread(call.ask, body, model, fit) if body.files else call.ask(body, model, fit)
    note(request, model=model.id, task=asked.task.kind, n=getattr(asked.task, "n", None) or 1)
    run = _Runner(request, model, asked, wanted)
    repeated = request.headers.get("x-stainless-retry-count", "0") != "0"
    joined = request.app[RUNS].joined(_digest(request, body, fit), run.name, run.start, repeated=repeated)
    async with joined as (joined_run, earlier):
        if earlier:
            note(request, replayed="yes")
            request.app[METRICS].replayed.inc()
        if wanted.stream:
            return await stream(request, joined_run, wanted, call.events)
        return await _deliver(request, joined_run, wanted)


def _model(request: web.Request, body: Body, wanted: Wanted, fit: str) -> Model:
    settings = request.app[SETTINGS]
    name = asking.model_name(body)
    model = asking.find_model(name, settings.names, fit=fit, on_filtered="return", max_n=settings.max_n)
    streams = any(field.name == "partial_images" for field in attrs.fields(model.Settings))
    if wanted.stream and wanted.partial_images and streams:
        model = model.with_settings(partial_images=wanted.partial_images)
    return model


def _digest(request: web.Request, body: Body, fit: str) -> str:
    """Return the digest of request and key, so that another key never receives the result."""
    parts = (key_of(request.headers), request.path, fit, request.content_type, body.digest)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


async def _deliver(request: web.Request, run: Run[Made], wanted: Wanted) -> web.StreamResponse:
    """Send the response; only then is the result marked as delivered."""
    made = await run.result()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if wanted.url:
        body = made.with_urls(lambda data, media_type: url_of(request, data, media_type))
        response.content_length, pieces = len(body), iter([body])
    else:
        response.content_length, pieces = made.with_base64()
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    run.delivered = True
    return response


class _Runner:
    """Runs a task, and extracts the parts of its result that responses need."""

    def __init__(self, request: web.Request, model: Model, asked: Asked, wanted: Wanted) -> None:
        self._metrics = request.app[METRICS]
        self._model, self._asked, self._wanted = model, asked, wanted
        self.name = f"{model.id} {asked.task.kind}"

    async def start(self, report: Report) -> Made:
        """Run the task."""
        how: dict[str, Any] = {"on_progress": report} if self._wanted.stream else {}
        failure = None
        with self._metrics.under_way.track_inprogress():
            try:
                result = await self._model.arun(self._asked.task, **how)
            except ProviderError as error:
                if error.result is None or not error.pictures:
                    raise
                result, failure = error.result, error  # pictures received despite the error are paid for
        for picture in result.pictures:
            self._metrics.pictures.labels(self._model.id, picture.outcome).inc()
        if all(picture.image is None for picture in result.images):
            raise _filtered(result)
        if self._wanted.output_format is None and self._wanted.output_compression is None:
            return made(result, self._asked, self._wanted, failure)
        return await asyncio.to_thread(made, result, self._asked, self._wanted, failure)


def _filtered(result: Result) -> ContentFiltered:
    """Return the error of a run without any picture."""
    reasons = "; ".join(dict.fromkeys(picture.reason for picture in result.pictures if picture.reason))
    message = f"the content filter withheld every picture{f': {reasons}' if reasons else ''}"
    error = ContentFiltered(message, model=result.model, request_ids=result.request_ids)
    error.result = result
    return error
