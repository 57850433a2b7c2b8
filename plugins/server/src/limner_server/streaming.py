"""Responses as server-sent events: unfinished pictures while the model works, then the finished ones."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web
from limner import Image, LimnerError, Progress

from limner_server.answers import Made, converted, encoded, tokens
from limner_server.errors import refusal_of

if TYPE_CHECKING:
    from limner_server.asking import Wanted
    from limner_server.runs import Run

QUIET_SECONDS = 10.0
"""Seconds without an event after which a comment is sent, so that proxies keep the connection open."""


async def stream(request: web.Request, run: Run[Made], wanted: Wanted, kind: str) -> web.StreamResponse:
    """Respond with events; errors before the first event are ordinary error responses.

    Args:
        request: the request.
        run: the run, which may already have ended.
        wanted: the requested format of the response.
        kind: the events' ``type`` before the dot: ``image_generation`` or ``image_edit``.
    """
    events = _Events(request)
    waiting: asyncio.Queue[Image | None] = asyncio.Queue()
    run.when_ended(lambda: waiting.put_nowait(None))

    def hear(progress: Progress) -> None:
        if progress.preview is not None and waiting.qsize() < wanted.partial_images:
            waiting.put_nowait(progress.preview)

    with run.heard_by(hear):
        shown = 0
        while run.under_way or not waiting.empty():
            try:
                preview = await asyncio.wait_for(waiting.get(), QUIET_SECONDS)
            except TimeoutError:
                await events.send_comment()
                continue
            if preview is None:
                break
            if shown < wanted.partial_images:
                await events.send(await asyncio.to_thread(_partial, preview, wanted, kind, shown))
                shown += 1
    try:
        made = await run.result()
    except LimnerError as error:
        if not events.begun:
            raise
        await events.send({"type": "error", **refusal_of(error).document()})
        return await events.end()
    for data, _ in made.pictures:
        await events.send(_completed(made, data, kind))
    response = await events.end()
    run.delivered = True
    return response


class _Events:
    """The response, whose headers are sent with the first event."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        self._response = web.StreamResponse(headers=headers)

    @property
    def begun(self) -> bool:
        """Whether the headers have been sent."""
        return self._response.prepared

    async def send(self, document: dict[str, Any]) -> None:
        """Send an event."""
        await self._write(b"event: %s\ndata: %s\n\n" % (document["type"].encode(), orjson.dumps(document)))

    async def send_comment(self) -> None:
        """Send a comment, which clients ignore."""
        await self._write(b": working\n\n")

    async def end(self) -> web.StreamResponse:
        """End the response."""
        if not self.begun:
            await self._response.prepare(self._request)
        await self._response.write_eof()
        return self._response

    async def _write(self, data: bytes) -> None:
        if not self.begun:
            await self._response.prepare(self._request)
        await self._response.write(data)


def _partial(preview: Image, wanted: Wanted, kind: str, index: int) -> dict[str, Any]:
    picture = converted(preview, wanted)
    shared = {"output_format": picture.media_type.removeprefix("image/")}
    return {
        **_event(f"{kind}.partial_image", picture.data, int(time.time()), shared),
        "partial_image_index": index,
    }


def _completed(made: Made, data: bytes, kind: str) -> dict[str, Any]:
    event = _event(f"{kind}.completed", data, made.created, dict(made.shared))
    return {**event, "usage": made.usage or tokens(0, 0), "limner": made.limner}


def _event(name: str, data: bytes, created: int, shared: dict[str, str]) -> dict[str, Any]:
    """Return the fields of all events; the specification requires each of them."""
    unknown = {"size": "auto", "quality": "auto", "background": "auto", "output_format": "png"}
    return {"type": name, "b64_json": encoded(data), "created_at": created, **unknown, **shared}
