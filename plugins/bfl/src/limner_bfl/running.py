"""A task on the service's side: submitted, asked for until it is done, and its picture downloaded at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import limner
from limner_http import Answer, Call, Pending, download, dump_json, parse_json, poll

from limner_bfl import wire
from limner_bfl.services import FAILED, HOSTS, MODERATED

if TYPE_CHECKING:
    from collections.abc import Iterator

_TASK_FAILED = (422, 503)
"""A task that failed may be told with these; the status in the body is what holds."""


def run(call: Call, request: limner.Request) -> limner.Response:
    """Run a task.

    Returns:
        What the service says of it at the end, with its cost and with the picture in base64.

    Raises:
        ProviderError: of the class that fits.
    """
    answer = call.post(request)
    task = wire.submitted(parse_json(answer.body))
    with _submitted(task):
        last = poll(call, task.polling_url, lambda one: _pending(call, one), hosts=HOSTS, answers=_TASK_FAILED)
        content: dict[str, Any] = {**task.costs, **parse_json(last.body)}
        content.pop("preview", None)
        if wire.status(content) == "Ready":
            content["picture"] = download(call, wire.sample(content)).body
    request_id = answer.request_id or task.id
    return answer.response(body=dump_json(content), content_type="application/json", request_id=request_id)


@contextmanager
def _submitted(task: wire.Submitted) -> Iterator[None]:
    """Say of errors that come after the task was accepted which task it is and what that means: there is no cancel."""
    try:
        yield
    except limner.ProviderError as error:
        error.request_ids = tuple(dict.fromkeys([*error.request_ids, *filter(None, [task.id])]))
        if "billed" not in error.message:
            error.message += "; the task had been submitted, and may have been billed"
        raise


def _pending(call: Call, answer: Answer) -> Pending | None:
    """Tell what a task is at; a status that is not known is waited out, until the deadline."""
    content = _content(answer)
    status = wire.status(content)
    if status == "Ready" or status in MODERATED:
        return None
    if status in FAILED or (status is None and answer.status != 503):
        if answer.status < 300 and status is None:
            raise limner.BadResponse("the response does not have the task's status; the call may have been billed")
        with call.failing():
            call.refuse(answer, answer.body)
    return Pending("" if status is None else status[:100].lower(), wire.progress(content), 1.0)


def _content(answer: Answer) -> dict[str, Any]:
    """A gateway's error need not be JSON."""
    try:
        return parse_json(answer.body)
    except limner.BadResponse:
        if answer.status < 300:
            raise
        return {}
