"""The way of a task: fit, encode, send, decode; the same in sync and async."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import attrs

from limner.errors import BadResponse, ContentFiltered, LimnerError, Problem, ProviderError, TaskRefused
from limner.fitting import Fitted, fit
from limner.images import Image, Mask, expand_canvas
from limner.images.compositing import keep_outside
from limner.interface import Decoded, ModelInterface, Request, Response
from limner.isolation import blaming, checked
from limner.results import Origin, Picture, Plan, Result
from limner.tasks import Inpaint, Outpaint, Task

if TYPE_CHECKING:
    from limner.sending import Answers

T = TypeVar("T")
Kept = tuple[Image, Mask]
"""The canvas whose pixels are preserved, and the mask of what is not."""


def run(model: ModelInterface, task: Task) -> Result:
    """Run a task: what stands behind all plugins' ``limner_run``."""
    from limner.sending import send  # with threads and logging, which a plan does not need

    fitted = _fit(model, task)
    _warn(fitted.warnings)
    kept = _kept(fitted)
    answers = send(model, _encode(model, fitted))
    return _decode(model, fitted, kept, answers)


def plan(model: ModelInterface, task: Task) -> Plan:
    """Fit and encode a task; nothing is sent."""
    fitted = _fit(model, task)
    requests = tuple(_encode(model, fitted))
    with blaming(type(model), "cost_of"):
        cost = model.cost_of(fitted.task)
    return Plan(model.id, fitted.task, requests, fitted.account, fitted.calls, fitted.warnings, cost)


# ---------------------------------------------------------------------------------------------- fit and encode


def _fit(model: ModelInterface, task: Task) -> Fitted:
    settings = model.settings
    limits = model.limits_of(type(task))
    fitted = fit(task, limits, settings.fit, max_n=settings.max_n, strip_metadata=settings.strip_metadata, model=model.id)
    problems = _collected(model, "check", Problem, partial(model.check, fitted.task))
    if problems:
        raise TaskRefused(problems, model.id)
    notices = _collected(model, "notices", str, model.notices)
    notices += _collected(model, "warnings", str, partial(model.warnings, fitted.task))
    with blaming(type(model), "remarks"):
        remarks = dict(model.remarks(fitted.task))
    return fitted.annotated(notices, remarks)


def _kept(fitted: Fitted) -> Kept | None:
    """Decode what is preserved, before anything is paid for; ``None`` where nothing is.

    Raises:
        TaskRefused: the picture is damaged, or its canvas too large.
    """
    original = fitted.original
    if not isinstance(original, Inpaint | Outpaint) or not fitted.task.preserve:  # type: ignore[attr-defined]
        return None
    if fitted.border is not None:
        return expand_canvas(original.image, fitted.border)
    original.image.pil()
    return original.image, original.mask if isinstance(original.mask, Mask) else Mask.from_alpha(original.image)


def _encode(model: ModelInterface, fitted: Fitted) -> Sequence[Request]:
    return _collected(model, "encode", Request, lambda: [model.encode(call) for call in fitted.calls])


# ---------------------------------------------------------------------------------------------- decode


def _decode(model: ModelInterface, fitted: Fitted, kept: Kept | None, answers: Answers) -> Result:
    """Turn all answers into a result, log it, and raise what is wrong with it."""
    decoded: list[Decoded] = []
    stretched: dict[str, None] = {}
    failure: LimnerError | None = None
    for call, outcome in zip(fitted.calls, answers.outcomes, strict=True):
        try:
            raw = _decode_one(model, call, outcome)
            stretched |= dict.fromkeys(_stretched(fitted, raw))
            decoded.append(_finished(model, fitted, kept, raw))
        except LimnerError as error:
            failure = failure or error
    with contextlib.suppress(Warning):  # where warnings are errors: the pictures are paid for
        _warn(stretched)
    result = Result(
        model=model.id,
        task=fitted.task,
        pictures=tuple(picture for answer in decoded for picture in answer.pictures),
        account=fitted.account,
        request_ids=tuple(answer.request_id for answer in answers.responses if answer.request_id is not None),
        seconds=answers.seconds,
        warnings=(*fitted.warnings, *stretched),
        usage=_total([answer.usage for answer in decoded]),
        metadata=tuple(answer.metadata for answer in decoded),
    )
    failure = failure or _failure(model, result)
    _log(model, answers, result, failure)
    if failure is not None:
        failure.may_be_billed = answers.may_be_billed
        _raise(failure, model, result)
    return result


def _decode_one(model: ModelInterface, call: Task, outcome: Response | LimnerError) -> Decoded:
    """Decode one call's answer into exactly as many pictures as it asked for; missing ones come last."""
    n = getattr(call, "n", None) or 1
    try:
        if isinstance(outcome, LimnerError):
            raise outcome
        decoded = _decoded(model, call, outcome)
    except ContentFiltered as error:  # the whole request was refused
        if model.settings.on_filtered == "raise":
            raise
        decoded = Decoded([Picture(outcome="filtered", reason=error.message)] * n)
    if len(decoded.pictures) > n:
        raise BadResponse(f"{len(decoded.pictures)} pictures came, {n} were asked for")
    missing = Picture(outcome="failed", reason="the provider returned fewer pictures than asked for")
    seed = getattr(call, "seed", None)
    pictures = [
        attrs.evolve(picture, index=index, of=n, seed=seed if picture.seed is None else picture.seed)
        for index, picture in enumerate([*decoded.pictures, *[missing] * (n - len(decoded.pictures))])
    ]
    return attrs.evolve(decoded, pictures=pictures)


def _decoded(model: ModelInterface, call: Task, answer: Response) -> Decoded:
    try:
        with blaming(type(model), "decode"):
            found = model.decode(call, answer)
            decoded = found if isinstance(found, Decoded) else Decoded(found)
            pictures = [checked(picture, Picture) for picture in decoded.pictures]
    except ProviderError as error:
        error.request_ids = error.request_ids or ((answer.request_id,) if answer.request_id is not None else ())
        raise
    except TaskRefused as error:  # limner's own words for a picture that cannot be read; here it is the provider's
        raise BadResponse(f"the picture is damaged: {error}") from error
    return Decoded(pictures, {**answer.usage, **decoded.usage}, {**answer.metadata, **decoded.metadata})


def _finished(model: ModelInterface, fitted: Fitted, kept: Kept | None, decoded: Decoded) -> Decoded:
    """Bring pictures back to the original's size and say how they were made."""
    origin = Origin(model.model_id, model.id, model.settings.fit, fitted)
    try:
        pictures = [
            attrs.evolve(picture, image=_restored(fitted, kept, picture), origin=origin) for picture in decoded.pictures
        ]
    except TaskRefused as error:
        raise BadResponse(f"the picture is damaged: {error}") from error
    return attrs.evolve(decoded, pictures=pictures)


def _stretched(fitted: Fitted, decoded: Decoded) -> Iterator[str]:
    """Warn about pictures of an edit that have to be stretched to fit, since their shape is not that of what was sent."""
    sent = fitted.sent_size
    if sent is None or (fitted.restored_size is None and not fitted.task.preserve):  # type: ignore[attr-defined]
        return
    for picture in decoded:
        if picture.image is not None and picture.outcome == "ok":
            width, height = picture.image.size
            if abs(width * sent[1] - height * sent[0]) > max(width, height, *sent):  # more than a pixel's rounding
                returned, wanted = f"{width}x{height}", f"{sent[0]}x{sent[1]}"
                yield f"the provider returned {returned} pixels for {wanted}; the picture was stretched to fit"


def _total(usages: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Add up what all calls used."""
    total: dict[str, float] = {}
    for usage in usages:
        for name, value in usage.items():
            total[name] = total.get(name, 0) + value
    return total


def _restored(fitted: Fitted, kept: Kept | None, picture: Picture) -> Any:
    """Bring a picture back to the original's size, with the original's pixels wherever the mask keeps them."""
    image = picture.image
    if image is None or picture.outcome != "ok":
        return image
    if kept is not None:
        return keep_outside(*kept, image, None if fitted.region is None else fitted.region.box)
    size = fitted.restored_size
    return image if size is None else image.resized(size)


# ---------------------------------------------------------------------------------------------- errors and log


def _failure(model: ModelInterface, result: Result) -> ProviderError | None:
    """The error of a run whose calls all succeeded, but not all of whose pictures."""
    failed = [picture for picture in result.pictures if picture.outcome == "failed"]
    filtered = [picture for picture in result.pictures if picture.outcome == "filtered"]
    n = len(result.pictures)
    if filtered and model.settings.on_filtered == "raise":
        what = f"the content filter held back {len(filtered)} of {n} pictures{_reasons(filtered)}"
        what += f", and {len(failed)} failed{_reasons(failed)}" if failed else ""
        return ContentFiltered(f"{what}; on_filtered='return' returns the others")
    if failed:
        return BadResponse(f"{len(failed)} of {n} pictures failed{_reasons(failed)}")
    return None


def _reasons(pictures: Sequence[Picture]) -> str:
    """The provider's reasons, each once."""
    reasons = "; ".join(dict.fromkeys(picture.reason for picture in pictures if picture.reason))
    return f": {reasons}" if reasons else ""


def _raise(error: LimnerError, model: ModelInterface, result: Result) -> NoReturn:
    if isinstance(error, ProviderError):
        error.model = error.model or model.model_id
        error.request_ids = error.request_ids or result.request_ids
    error.result = result
    raise error


def _log(model: ModelInterface, answers: Answers, result: Result, failure: LimnerError | None) -> None:
    """Write one record for each run; never a prompt, a picture or a secret."""
    received = answers.responses
    import logging

    fields = {
        "provider": model.provider or None,
        "model": model.model_id,
        "region": next((answer.region for answer in received if answer.region is not None), None),
        "request_ids": result.request_ids,
        "milliseconds": round(answers.seconds * 1000),
        "bytes_sent": answers.bytes_sent,
        "bytes_received": sum(len(answer.body) for answer in received),
        "attempts": sum(answer.attempts for answer in received),
        "outcome": type(failure).__name__ if failure is not None else "ok",
    }
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    logging.getLogger("limner").info("%s %s", result.task.kind, text, extra={"limner": fields})


def _warn(notices: Iterable[str]) -> None:
    for notice in notices:
        _warn_once(notice)


@functools.lru_cache(maxsize=1024)
def _warn_once(notice: str) -> None:
    warnings.warn(notice, stacklevel=2)


# ---------------------------------------------------------------------------------------------- a plugin's code


def _collected(model: ModelInterface, step: str, kind: type[T], produce: Callable[[], Iterable[T]]) -> tuple[T, ...]:
    """Call a plugin's code, and check that everything it returns is of a kind."""
    with blaming(type(model), step):
        return tuple([checked(value, kind) for value in produce()])
