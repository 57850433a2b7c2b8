"""How the kit calls a model: small requests, sent to a server of its own that answers as the provider does."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

import attrs

from limner import LimnerError, Model, Request, Response, Task
from limner.errors import shorten
from limner.testing import bodies
from limner.testing.kit import Conformance, ContractBroken, Recorded, expect, skip
from limner.testing.loopback import ID_HEADERS, REQUEST_ID, Call, Reply, provider
from limner.testing.probes import starts

_ID_NAME = re.compile(r"(^|-)(id|ids|requestid|request|trace|traceid|correlation|ray)(-|$)", re.IGNORECASE)

AT_ONCE = {"retry-after": "0"}
"""So that a plugin that may try again does not wait."""


PATIENCE = 15.0
"""Seconds in which a call of this machine must end."""


def some_requests(conformance: Conformance) -> Iterator[tuple[Task, Request]]:
    """A small request of each kind, with its task."""
    for kind in conformance.tasks:
        for start in starts(conformance.model, kind):
            yield start, conformance.model.plan(start).requests[0]


def first_request(conformance: Conformance) -> tuple[Task, Request]:
    """The first of them."""
    return next(some_requests(conformance))


def model_at(conformance: Conformance, url: str) -> Model:
    """The model, calling a URL; a call that hangs ends soon."""
    if conformance.endpoint is None:
        skip("endpoint", "a function that makes the model call a URL in place of the provider's")
    model = conformance.endpoint(url)
    expect(isinstance(model, Model), f"Conformance(endpoint=...) returned {model!r} instead of the model")
    return model.with_settings(timeout=PATIENCE) if model.settings.timeout > PATIENCE else model


def sent(model: Model, request: Request) -> Response | LimnerError:
    """Send a request; its answer, or the error of limner's tree that it raised."""
    try:
        response: Any = model.send(request)
    except LimnerError as error:
        return error
    except Exception as error:
        raise ContractBroken(f"send raised {error!r}, must be a ProviderError with this as its cause") from error
    fine = isinstance(response, Response) and isinstance(response.body, bytes)
    expect(fine, f"send returned {shorten(response)} instead of Response(bytes)")
    return response  # type: ignore[no-any-return]


def good(conformance: Conformance, call: Call, request: Request) -> Reply:
    """What the provider answers when all goes well; anything, where nobody says."""
    if conformance.service is not None:
        reply = conformance.service(call)
        others = {name: value for name, value in reply.headers.items() if not is_id(name)}
        return attrs.evolve(reply, headers=ids_of(conformance) | others)
    if conformance.answer is None:
        return Reply()
    with contextlib.suppress(Exception):
        return Reply(conformance.answer(attrs.evolve(request, body=call.body)).body, headers=ids_of(conformance))
    with contextlib.suppress(Exception):
        return Reply(conformance.answer(request).body, headers=ids_of(conformance))
    return Reply(headers=ids_of(conformance))


def same_body(call: Call, request: Request) -> bool:
    """Tell whether a call has the body of a request, however its JSON is written."""
    if call.body == request.body:
        return True
    one, other = bodies.parsed(call.body), bodies.parsed(request.body)
    return isinstance(one, dict | list) and bodies.plain(one) == bodies.plain(other)


def reply_of(recorded: Recorded) -> Reply:
    """The stored answer."""
    return Reply(recorded.body, recorded.status, recorded.headers)


def received(conformance: Conformance, recorded: Recorded, task: Task | None = None) -> Response | LimnerError:
    """What decode gets of a stored response, or the error that send raises: send meets the headers and several calls."""
    if recorded.service is None and (not recorded.headers or conformance.endpoint is None):
        return Response(recorded.body)
    with provider(recorded.service or reply_of(recorded)) as there:
        model = model_at(conformance, there.url).with_settings(timeout=PATIENCE)
        return sent(model, conformance.model.plan(task or recorded.task).requests[0])


def is_id(header: str) -> bool:
    """Tell whether a header is named like the id of a request."""
    return header.lower() in ID_HEADERS or _ID_NAME.search(header) is not None


def ids_of(conformance: Conformance) -> dict[str, str]:
    """The headers by which the provider tells a request's id, as its stored answers have them."""
    names = [name for recorded in conformance.recorded for name in recorded.headers if is_id(name)]
    return dict.fromkeys([*ID_HEADERS, *names], REQUEST_ID)


_HEADER = re.compile(r"""["']([A-Za-z]+(?:-[A-Za-z0-9]+)+)["']""")
_OF_HTTP = re.compile("content-|retry-after|set-cookie|transfer-|www-", re.IGNORECASE)


def headers_read(conformance: Conformance) -> list[str]:
    """The headers of responses that the plugin may read: those of its stored answers, and those that its source names."""
    names = {name for recorded in conformance.recorded for name in recorded.headers}
    names.update(_HEADER.findall(source_of(conformance)))
    return sorted(name for name in names if not _OF_HTTP.match(name))


def variables_named(conformance: Conformance, setting: str) -> list[str]:
    """The variables of the environment that the plugin's source seems to name for a setting."""
    found = _VARIABLE.findall(source_of(conformance))
    return sorted({name for name in found if name.endswith(f"_{setting.upper()}")})


_VARIABLE = re.compile(r"""["']([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)["']""")


def source_of(conformance: Conformance) -> str:
    """The source of the plugin."""
    sources = []
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] == conformance.package:
            with contextlib.suppress(OSError, TypeError):
                sources.append(inspect.getsource(module))
    return "\n".join(sources)


def told(met: Response | LimnerError) -> str:
    """Say what send gave."""
    return f"{type(met).__name__}: {met}" if isinstance(met, LimnerError) else f"an answer, {met!r}"
