"""The way of a task: fit, encode, send, decode, the same in sync and async."""

from __future__ import annotations

import functools
import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import attrs

from limner import compositing, workers
from limner.contracts import Plan, Request, Response
from limner.errors import BadResponse, ContentFiltered, LimnerError, PluginError, Problem, ProviderError, TaskRefused
from limner.fitting import Fitted, fit
from limner.hookspecs import hookimpl
from limner.images import Image, Mask
from limner.plugins import blaming, checked, registry
from limner.results import Origin, Picture, Result
from limner.tasks import Inpaint, Outpaint, Task

if TYPE_CHECKING:
    from limner.model import Model

Kept = tuple[Image, Mask]

log = logging.getLogger("limner")


def cancellation() -> threading.Event:
    """The event that is set once the run's caller has given up: what waits in ``send`` to try again waits on it."""
    return workers.current_cancellation()


def plan(model: Model, task: Task) -> tuple[Plan, Fitted]:
    """Fit and encode a task."""
    settings = model.settings
    limits = model.limits_of(type(task))
    fitted = fit(task, limits, settings.fit, max_n=settings.max_n, strip_metadata=settings.strip_metadata, model=model.id)
    with blaming(type(model), "check"):
        problems = tuple(checked(problem, Problem) for problem in model.check(fitted.task))
    if problems:
        raise TaskRefused(problems, model.id)
    calls = split(fitted.task, model.per_call(type(task)))
    with blaming(type(model), "encode"):
        requests = tuple(checked(model.encode(call), Request) for call in calls)
    with blaming(type(model), "notices"):
        notices = tuple(checked(notice, str) for notice in model.notices())
    with blaming(type(model), "warnings"):
        notices += tuple(checked(warning, str) for warning in model.warnings(fitted.task))
    return Plan(model.id, fitted.task, requests, fitted.account, calls, notices), fitted


def split(task: Task, per_call: int) -> tuple[Task, ...]:
    """Split a task into calls of at most ``per_call`` pictures; each seed is the first plus the pictures before it."""
    n, seed = getattr(task, "n", None), getattr(task, "seed", None)
    if n is None or n <= per_call:
        return (task,)
    starts = range(0, n, per_call)
    shares: list[dict[str, Any]] = [{"n": min(per_call, n - done)} for done in starts]
    if seed is not None:
        shares = [share | {"seed": seed + done} for share, done in zip(shares, starts, strict=True)]
    return tuple(attrs.evolve(task, **share) for share in shares)


def run(model: Model, task: Task) -> Result:
    """Run a task through every plugin's ``limner_run``."""
    try:
        result = registry().manager.hook.limner_run(model=model, task=task)
    except (LimnerError, Warning, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginError(f"{registry().culprit(error)} failed in limner_run: {error!r}") from error
    if not isinstance(result, Result):
        who = " or ".join(registry().runners())
        raise PluginError(f"limner_run of {who} returned {type(result).__name__}, not a Result")
    return result


async def arun(model: Model, task: Task) -> Result:
    """Run a task in a worker thread; cancelling stops what is unsent, and frees the worker's place at once."""
    import asyncio  # as slow to import as the whole of limner's own way

    cancelled = workers.Cancellation()
    places = workers.slots("run", model.id, model.settings.max_in_flight)
    try:
        return await asyncio.wrap_future(places.start(workers.bound(partial(run, model, task), cancelled), cancelled))
    except asyncio.CancelledError:
        cancelled.set()
        raise


class _Core:
    """The model itself, behind all plugins."""

    @staticmethod
    @hookimpl(trylast=True)
    def limner_run(model: Model, task: Task) -> Result:
        return _run(model, task)


CORE = _Core()


def _run(model: Model, task: Task) -> Result:
    planned, fitted = plan(model, task)
    for notice in planned.warnings:
        _warn_once(notice)
    kept = _kept(fitted.asked)  # whole, and no larger than can be laid back: seen before it costs
    started = time.perf_counter()
    answers = _send_all(model, planned.requests)
    seconds = time.perf_counter() - started
    bytes_sent = sum(len(request.body) for request in planned.requests)
    planned = attrs.evolve(planned, requests=())  # as large as the pictures that come now, and done with
    pictures: list[Picture] = []
    errors: list[LimnerError] = []
    for call, answer in zip(planned.calls, answers, strict=True):
        try:
            pictures += _pictures(model, fitted, kept, call, answer)
        except LimnerError as error:
            errors.append(error)
    received = [answer for answer in answers if isinstance(answer, Response)]
    ids = tuple(answer.request_id for answer in received if answer.request_id is not None)
    result = Result(
        model=model.id,
        task=planned.task,
        pictures=tuple(pictures),
        account=planned.account,
        request_ids=ids,
        seconds=seconds,
        warnings=planned.warnings,
    )
    failure = errors[0] if errors else _failure(model, result)
    _log(model, bytes_sent, received, result, failure)
    if failure is not None:
        _raise(failure, model, result)
    return result


# ---------------------------------------------------------------------------------------------- send


def _send_all(model: Model, requests: Sequence[Request]) -> list[Response | LimnerError]:
    """Send requests side by side; the answers and errors are in the order of the requests."""
    slots = workers.slots("send", model.id, model.settings.max_in_flight)
    cancelled = workers.current_cancellation()
    if len(requests) == 1:
        with slots.held(cancelled):
            return [_answer(partial(_send, model, requests[0], cancelled))]
    try:
        answers = [
            slots.start(workers.bound(partial(_send, model, request, cancelled), cancelled), cancelled)
            for request in requests
        ]
        return [_answer(answer.result) for answer in answers]
    except BaseException:  # a KeyboardInterrupt, while others are still out
        cancelled.set()
        raise


def _send(model: Model, request: Request, cancelled: threading.Event) -> Response:
    if cancelled.is_set():
        raise CancelledError
    with blaming(type(model), "send"):
        return checked(model.send(request), Response)


def _answer(get: Callable[[], Response]) -> Response | LimnerError:
    try:
        return get()
    except CancelledError:
        return ProviderError("cancelled before it was sent")
    except LimnerError as error:
        return error


# ---------------------------------------------------------------------------------------------- decode


def _pictures(model: Model, fitted: Fitted, kept: Kept | None, call: Task, answer: Response | LimnerError) -> list[Picture]:
    """Turn one call's answer into finished pictures."""
    if isinstance(answer, LimnerError):
        raise answer
    try:
        return list(_finished(model, fitted, kept, _decode(model, call, answer)))
    except TaskRefused as error:  # its own words: a picture in the answer cannot be read
        raise BadResponse(f"the picture is damaged: {error}") from error


def _decode(model: Model, call: Task, answer: Response) -> list[Picture]:
    """Decode one call's answer into exactly as many pictures as it asked for; missing ones stand last."""
    try:
        with blaming(type(model), "decode"):
            pictures = [checked(picture, Picture) for picture in model.decode(call, answer)]
    except ProviderError as error:
        error.request_ids = error.request_ids or ((answer.request_id,) if answer.request_id is not None else ())
        raise
    wanted = getattr(call, "n", None) or 1
    if len(pictures) > wanted:
        raise BadResponse(f"{len(pictures)} pictures came, {wanted} were asked for")
    missing = Picture(outcome="failed", reason="the provider gave fewer pictures than asked for")
    seed = getattr(call, "seed", None)
    return [
        attrs.evolve(picture, index=index, seed=seed if picture.seed is None else picture.seed)
        for index, picture in enumerate(pictures + [missing] * (wanted - len(pictures)))
    ]


def _finished(model: Model, fitted: Fitted, kept: Kept | None, pictures: list[Picture]) -> Iterator[Picture]:
    """Bring pictures back to the input's size, lay what is kept back over them, and say how they were made."""
    origin = Origin(model.model_id, model.id, model.settings.fit, fitted.asked)
    for picture in pictures:
        image = picture.image
        if image is not None and picture.outcome == "ok":
            image = _restored(fitted, kept, image)
        yield attrs.evolve(picture, image=image, origin=origin)


def _restored(fitted: Fitted, kept: Kept | None, image: Image) -> Image:
    if kept is not None:
        return compositing.keep_outside(*kept, image)
    return image if fitted.restore in {None, image.size} else image.resized(fitted.restore or image.size)


def _kept(task: Task) -> Kept | None:
    """The canvas that is laid back and what is opened on it; ``None`` where nothing is laid back.

    Raises:
        TaskRefused: the picture is damaged, or its canvas too large.
    """
    if not isinstance(task, Inpaint | Outpaint) or not task.preserve:
        return None
    if isinstance(task, Outpaint) and task.expand is not None:
        return compositing.expand_canvas(task.image, task.expand)
    mask = task.mask if isinstance(task.mask, Mask) else Mask.from_alpha(task.image)
    task.image.pil()
    return task.image, mask


# ---------------------------------------------------------------------------------------------- end


def _failure(model: Model, result: Result) -> ProviderError | None:
    """The error of a run whose calls all went well, but not all of whose pictures."""
    failed = [picture for picture in result.pictures if picture.outcome == "failed"]
    filtered = [picture for picture in result.pictures if picture.outcome == "filtered"]
    all_of = len(result.pictures)
    if failed:
        return BadResponse(f"{len(failed)} of {all_of} pictures failed{_reasons(failed)}")
    if filtered and model.settings.on_filtered == "raise":
        said = f"the content filter held back {len(filtered)} of {all_of} pictures{_reasons(filtered)}"
        return ContentFiltered(f"{said}; on_filtered='return' gives what came")
    return None


def _reasons(pictures: Sequence[Picture]) -> str:
    """The provider's words, each once."""
    reasons = "; ".join(dict.fromkeys(picture.reason for picture in pictures if picture.reason))
    return f": {reasons}" if reasons else ""


def _raise(error: LimnerError, model: Model, result: Result) -> NoReturn:
    if isinstance(error, ProviderError):
        error.model = error.model or model.model_id
        error.request_ids = error.request_ids or result.request_ids
    error.result = result
    raise error


def _log(model: Model, bytes_sent: int, received: list[Response], result: Result, failure: LimnerError | None) -> None:
    """One record for each run; never a prompt, a picture or a secret."""
    fields = {
        "model": model.model_id,
        "region": next((answer.region for answer in received if answer.region is not None), None),
        "request_ids": result.request_ids,
        "milliseconds": round(result.seconds * 1000),
        "bytes_sent": bytes_sent,
        "bytes_received": sum(len(answer.body) for answer in received),
        "attempts": sum(answer.attempts for answer in received),
        "outcome": type(failure).__name__ if failure is not None else "ok",
    }
    words = " ".join(f"{name}={value}" for name, value in fields.items())
    log.info("%s %s", result.task.kind, words, extra={"limner": fields})


@functools.cache
def _warn_once(notice: str) -> None:
    warnings.warn(notice, stacklevel=2)
