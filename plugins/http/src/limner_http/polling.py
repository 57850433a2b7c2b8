"""Submit and poll: waiting for a job on the provider's side."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import attrs
import limner

from limner_http.addresses import is_loopback, origin, parts_of

if TYPE_CHECKING:
    from limner_http.call import Answer, Call

FIRST_WAIT_SECONDS = 0.5
MAX_WAIT_SECONDS = 5.0
_GROWTH = 1.3


@attrs.frozen
class Pending:
    """A job is not done yet.

    Args:
        message: what the provider does at the moment, such as ``queued, place 3``.
        step: how far it is.
        of: the value of ``step`` at the end.
        preview: an unfinished picture.
        wait: seconds until the next question, where the provider says so.
    """

    message: str = ""
    step: float | None = None
    of: float | None = None
    preview: limner.Image | None = attrs.field(default=None, repr=False)
    wait: float | None = None


def poll(
    call: Call,
    url: str,
    read: Callable[[Answer], Pending | None],
    *,
    hosts: Collection[str] = (),
    cancel: Callable[[Call], object] | None = None,
    answers: Collection[int] = (),
) -> Answer:
    """Ask for a job until it is done. Redirects are followed to where the key may go.

    Args:
        call: the call that submitted it; its deadline holds.
        url: what to ask: a path below the base URL, or the URL that the server gave.
        read: tells from an answer what the job is at: ``None`` once it is done. It raises where the job failed; the key is
            taken out of what the error quotes, and ``may_be_billed`` is true unless ``read`` has set it.
        hosts: hosts besides that of the base URL that a URL of the server may name, since the key goes with it; ``*.bfl.ai``
            stands for all below it. Only https is taken there.
        cancel: sends the provider's cancel request through the call that it is given, which has a short deadline of its own.
            It is called when the caller gives up, when time is up, or when the job cannot be asked for any more.
        answers: statuses of errors that are answers, for ``read``.

    Returns:
        The last answer.

    Raises:
        BadResponse: the URL leads elsewhere; nothing was asked.
        ProviderTimeout: the job was not done in time.
        ProviderError: of the class that fits.
    """
    check_host(call, url, hosts)
    pause = FIRST_WAIT_SECONDS
    while True:
        with _cancelling(call, cancel):
            answer = _asked(call, url, hosts, answers)
        with _failing_job(call):
            pending = read(answer)
        if pending is None:
            return answer
        limner.progress(pending.step, pending.of, preview=pending.preview, message=pending.message)
        with _cancelling(call, cancel):
            call.deadline.sleep(pause if pending.wait is None else max(pending.wait, 0.05))
        pause = min(pause * _GROWTH, MAX_WAIT_SECONDS)


def _asked(call: Call, url: str, hosts: Collection[str], answers: Collection[int]) -> Answer:
    """Ask once; each hop is checked before the key goes there."""
    from limner_http.downloads import MAX_REDIRECTS, REDIRECTS

    for _ in range(MAX_REDIRECTS + 1):
        answer = call.get(url, redirects={*REDIRECTS, *answers})
        if answer.status not in REDIRECTS:
            return answer
        try:
            url = urljoin(call.url(url), answer.headers.get("location", ""))
        except ValueError:
            raise limner.BadResponse("the polling URL was redirected to an invalid URL") from None
        check_host(call, url, hosts)
    raise limner.BadResponse(f"the polling URL was redirected over {MAX_REDIRECTS} times")


@contextlib.contextmanager
def _failing_job(call: Call) -> Iterator[None]:
    """Complete the error of a job: it was submitted, and its reason may quote the key."""
    try:
        yield
    except limner.ProviderError as error:
        vars(error).setdefault("may_be_billed", True)
        for secret in call.secrets:
            error.message = error.message.replace(secret, "[hidden]")
        raise


@contextlib.contextmanager
def _cancelling(call: Call, cancel: Callable[[Call], object] | None) -> Iterator[None]:
    """Cancel the job when it is given up; what comes of that is not looked at."""
    try:
        yield
    except BaseException:
        if cancel is not None:
            with contextlib.suppress(Exception):
                cancel(call.aside())
        raise


def check_host(call: Call, url: str, hosts: Iterable[str] = ()) -> None:
    """Check that a URL that the server gave may be asked with the key.

    Raises:
        BadResponse: it leads elsewhere.
    """
    try:
        parts, base = parts_of(call.url(url)), parts_of(call.base_url)
    except ValueError:
        raise limner.BadResponse("the polling URL is not a URL; the call may have been billed") from None
    local = is_loopback(parts.hostname or "") and is_loopback(base.hostname or "")
    if (local and "@" not in parts.netloc) or origin(parts) == origin(base):
        return
    named = any(fnmatchcase(parts.hostname or "", pattern) for pattern in hosts)
    if not named or parts.scheme != "https" or parts.port not in {None, 443} or "@" in parts.netloc:
        where = f"https://{parts.hostname}" if parts.scheme == "https" else f"{parts.scheme}://{parts.hostname}"
        said = f"the polling URL leads to {where[:100]}, which does not belong to {call.service.name}"
        raise limner.BadResponse(f"{said}; it was not requested, to protect the key; the call may have been billed")
