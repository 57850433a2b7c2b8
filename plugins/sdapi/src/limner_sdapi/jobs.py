"""A job on the server: names checked before it, progress while it runs, an interrupt where it is given up."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import limner
from limner_http import Call, dump_json, parse_json, picture_from_base64

from limner_sdapi.names import LISTS, is_listed, names_of
from limner_sdapi.services import SdapiCall
from limner_sdapi.settings import SdapiSettings

PROGRESS_SECONDS = 1.0
"""Between two questions for progress."""

_TASK_PROGRESS = "internal/progress"


def listed(call: Call, path: str) -> list[Any] | None:
    """Ask the server for a list; ``None`` where it has none."""
    import orjson

    with contextlib.suppress(limner.ProviderError, orjson.JSONDecodeError):
        found = orjson.loads(call.request("GET", f"sdapi/v1/{path}").body)
        return found if isinstance(found, list) and names_of(found) else None
    return None


def check_names(call: Call, body: dict[str, Any]) -> None:
    """See that the server has the sampler, scheduler, checkpoint and upscalers of a body, which it would replace in silence.

    Raises:
        RequestRejected: it has not.
        ProviderError: the caller gave up, or time is up.
    """
    wanted = {
        "sampler": body.get("sampler_name"),
        "scheduler": body.get("scheduler"),
        "checkpoint": body.get("override_settings", {}).get("sd_model_checkpoint"),
        "upscaler": body.get("upscaler_1"),
        "hr_upscaler": body.get("hr_upscaler"),
    }
    for option, name in wanted.items():
        if name is None:
            continue
        found = listed(call, LISTS[option])
        if option == "hr_upscaler" and found is not None:
            found = [*found, *(listed(call, LISTS["upscaler"]) or [])]
        call.deadline.seconds()
        if found is not None and not is_listed(name, found):
            there = ", ".join(names_of(found)[:30])
            raise limner.RequestRejected(f"the server has no {option} {name!r}; it has {there}", model=call.model_id)


@contextlib.contextmanager
def watched(call: SdapiCall, settings: SdapiSettings, task_id: str | None) -> Iterator[None]:
    """Report the progress of a job while it runs, and interrupt it where it is given up."""
    if task_id is None:
        yield
        return
    beside = SdapiCall(
        attrs.evolve(settings, max_in_flight=settings.max_in_flight + 1), call.model_id, deadline=call.deadline
    )
    done = threading.Event()
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(_follow, beside, task_id, done, settings.preview), daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        if call.deadline.cancelled.is_set() or call.deadline.remaining() <= 0:
            with contextlib.suppress(Exception):
                _interrupt(beside, task_id)
        raise
    finally:
        done.set()
        thread.join(2.0)


def _follow(call: Call, task_id: str, done: threading.Event, preview: bool) -> None:
    """Ask for a job's progress until it is done, or the server turns out to know no progress by job."""
    while not done.wait(PROGRESS_SECONDS):
        try:
            said = _ask(call, task_id, preview=preview)
        except limner.LimnerError:
            return
        if not done.is_set():
            _report(said)


def _ask(call: Call, task_id: str, *, preview: bool) -> dict[str, Any]:
    body = dump_json({"id_task": task_id, "live_preview": preview})
    return parse_json(call.request("POST", _TASK_PROGRESS, body=body, content_type="application/json").body)


def _report(said: dict[str, Any]) -> None:
    if said.get("queued") is True and not said.get("active"):
        limner.progress(message=str(said.get("textinfo") or "queued")[:100])
    step = said.get("progress")
    if said.get("active") is not True or isinstance(step, bool) or not isinstance(step, int | float):
        return
    preview = None
    with contextlib.suppress(limner.BadResponse):
        preview = picture_from_base64(said.get("live_preview"))
    limner.progress(step, 1, preview=preview, message=str(said.get("textinfo") or "painting")[:100])


def _interrupt(call: SdapiCall, task_id: str) -> None:
    """Interrupt a job, but nobody else's: the server interrupts whatever it is at."""
    if _ask(call.aside(), task_id, preview=False).get("active") is True:
        call.aside().request("POST", "sdapi/v1/interrupt")


def was_interrupted(call: SdapiCall) -> bool:
    """Tell whether the server's last job was interrupted: the answer to it does not. A job that runs by now is another's."""
    with contextlib.suppress(limner.ProviderError):
        state = parse_json(call.aside().request("GET", "sdapi/v1/progress?skip_current_image=true").body).get("state")
        if isinstance(state, dict) and not state.get("job_count"):
            return any(state.get(name) is True for name in ("interrupted", "skipped"))
    return False
