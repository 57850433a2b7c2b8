"""The page's API: models, pictures, plans and runs. A run streams JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
from typing import TYPE_CHECKING, Any

import attrs
import limner
from aiohttp import web

from limner_server.bodies import read_bytes
from limner_server.errors import wrong
from limner_server.playground import answers
from limner_server.playground.pictures import PICTURES, Pictures
from limner_server.playground.reading import LARGEST_JSON, Order, read_order
from limner_server.settings import LARGEST_BODY, SETTINGS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

log = logging.getLogger("limner.server")

API = "/playground/api"
MOST_PLANS = 4
"""The maximum number of concurrent plans."""
WAITING = 1.0
"""Seconds between two keep-alive lines."""

_PLANS = web.AppKey("PLANS", asyncio.Semaphore)
_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_to_json = functools.partial(json.dumps, ensure_ascii=False)


def add_routes(app: web.Application) -> None:
    """Add the routes of the API."""
    app[PICTURES] = Pictures()
    app[_PLANS] = asyncio.Semaphore(MOST_PLANS)
    app.router.add_get(f"{API}/models", models)
    app.router.add_get(f"{API}/model", model)
    app.router.add_post(f"{API}/pictures", upload)
    app.router.add_get(f"{API}/pictures/{{sha256}}", upright)
    app.router.add_post(f"{API}/plan", plan)
    app.router.add_post(f"{API}/run", run)


def _answer(document: Any) -> web.Response:
    return web.json_response(document, headers=_NO_STORE, dumps=_to_json)


# ---------------------------------------------------------------------------------------------- models


async def models(request: web.Request) -> web.Response:
    """List the installed models and the default model."""
    found = await asyncio.to_thread(_summaries)
    default = None
    with contextlib.suppress(limner.LimnerError):
        default = limner.get_model().id
    return _answer({"models": found, "default": default, "max_n": request.app[SETTINGS].max_n, "limner": limner.__version__})


async def model(request: web.Request) -> web.Response:
    """Describe one model."""
    name = request.query.get("name", "")
    try:
        return _answer(await asyncio.to_thread(limner.describe, name))
    except limner.UnknownModel as error:
        raise wrong(str(error), "name", code="model_not_found", status=404) from error
    except limner.LimnerError as error:
        raise wrong(str(error), "name") from error


def _summaries() -> list[dict[str, Any]]:
    return [_summary(model) for model in limner.models()]


def _summary(model: type[limner.Model]) -> dict[str, Any]:
    try:
        described = limner.describe(model.id)
    except limner.LimnerError as error:  # a broken plugin does not affect the others
        return {"id": model.id, "aliases": [], "plugin": model.plugin, "error": str(error)}
    names = ("id", "aliases", "plugin", "provider", "offline", "lifecycle")
    return {**{name: described[name] for name in names}, "tasks": list(described["tasks"]), "error": None}  # type: ignore[literal-required]


# ---------------------------------------------------------------------------------------------- pictures


async def upload(request: web.Request) -> web.Response:
    """Store a picture, whose file is the request's body."""
    if not (request.content_type.startswith("image/") or request.content_type == "application/octet-stream"):
        raise wrong("the body must be a picture: send it as image/* or application/octet-stream", status=415)
    data = await read_bytes(request, LARGEST_BODY)
    try:
        image = await asyncio.to_thread(limner.Image, data)
    except limner.TaskRefused as refusal:
        raise wrong(refusal.problems[0].limit, "image") from refusal
    return _answer(
        {
            "sha256": request.app[PICTURES].add(image),
            "size": list(image.size),
            "media_type": image.media_type,
            "has_alpha": image.has_alpha,
            "bytes": len(data),
        }
    )


async def upright(request: web.Request) -> web.Response:
    """Return a stored picture as an upright PNG, for a browser that cannot show its format."""
    image = request.app[PICTURES].get(request.match_info["sha256"])
    if image is None:
        raise wrong("a picture is no longer stored: upload it again", code="picture_missing", status=404)
    try:
        png, _ = await asyncio.to_thread(image.to_png)
    except limner.TaskRefused as refusal:
        raise wrong(refusal.problems[0].limit, "image") from refusal
    return web.Response(body=png.data, content_type="image/png", headers=_NO_STORE)


# ---------------------------------------------------------------------------------------------- plans


async def plan(request: web.Request) -> web.Response:
    """Plan a task for each model, without sending anything."""
    order = await _order(request)
    async with request.app[_PLANS]:
        plans = await asyncio.to_thread(_plans, order, request.app[SETTINGS].max_n)
    return _answer({"plans": plans})


async def _order(request: web.Request) -> Order:
    if request.content_type != "application/json":
        raise wrong("the request must be application/json", status=415)
    body = await read_bytes(request, LARGEST_JSON)
    return await asyncio.to_thread(read_order, body, request.app[PICTURES])


def _plans(order: Order, max_n: int) -> list[answers.Document]:
    return [_plan(order, name, max_n) for name in order.models]


def _plan(order: Order, name: str, max_n: int) -> answers.Document:
    try:
        task = order.task_for(name)
        model = limner.get_model(name, max_n=max_n)
        try:
            made = model.plan(task, fit=order.fit)
        except limner.TaskRefused as refusal:
            if name not in order.seeds or not any(problem.parameter == "seed" for problem in refusal.problems):
                raise
            task = attrs.evolve(order, seeds={}).task_for(name)  # more pictures reduce the range of the seed
            made = model.plan(task, fit=order.fit)
        return answers.plan_document(model, task, made, order)
    except limner.LimnerError as error:
        return answers.refused_plan(name, error)


# ---------------------------------------------------------------------------------------------- runs


async def run(request: web.Request) -> web.StreamResponse:
    """Run a task with one model, and stream a JSON line for each step, each picture, and the end.

    If the browser disconnects, the run is cancelled, and requests that have not been sent are not sent.
    """
    order = await _order(request)
    if len(order.models) != 1:
        raise wrong("a run is for one model", "models")
    (name,) = order.models
    response = web.StreamResponse(headers={**_NO_STORE, "Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    async with contextlib.aclosing(_events(order, name, request.app[SETTINGS].max_n)) as events:
        async for event in events:
            await response.write(_to_json(event).encode() + b"\n")
    await response.write_eof()
    return response


async def _events(order: Order, name: str, max_n: int) -> AsyncGenerator[answers.Document, None]:
    try:
        task = order.task_for(name)
        model = limner.get_model(name, max_n=max_n, on_filtered="return")
        queue: asyncio.Queue[limner.Progress] = asyncio.Queue()
        job = asyncio.ensure_future(model.arun(task, fit=order.fit, on_progress=_into(queue)))
        try:
            async for progress in _progress(job, queue):
                yield {"event": "progress", **({} if progress is None else answers.progress_document(progress))}
        finally:
            job.cancel()
        result = await job
    except limner.LimnerError as error:
        for picture in () if error.result is None else error.result.pictures:
            yield {"event": "picture", **await asyncio.to_thread(answers.picture_document, picture)}
        yield {"event": "error", **answers.error_document(error)}
        return
    except Exception:
        log.exception("a run of the playground failed")
        yield {"event": "error", "kind": "ServerError", "message": "the server failed; see its log", "problems": []}
        return
    for picture in result.pictures:
        yield {"event": "picture", **await asyncio.to_thread(answers.picture_document, picture)}
    yield {"event": "result", **answers.result_document(result)}


def _into(queue: asyncio.Queue[limner.Progress]) -> Callable[[limner.Progress], None]:
    """Return a callback that puts progress from limner's threads into a queue."""
    loop = asyncio.get_running_loop()

    def put(progress: limner.Progress) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, progress)

    return put


async def _progress(
    job: asyncio.Future[limner.Result], queue: asyncio.Queue[limner.Progress]
) -> AsyncGenerator[limner.Progress | None, None]:
    """Yield the progress of a job until it ends; ``None`` as a keep-alive."""
    while not job.done():
        waiting = asyncio.ensure_future(queue.get())
        both: set[asyncio.Future[Any]] = {job, waiting}
        try:
            await asyncio.wait(both, timeout=WAITING, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                yield waiting.result()
            elif not job.done():
                yield None
        finally:
            waiting.cancel()
