"""Where Black Forest Labs' API is, and what its errors and statuses mean."""

from __future__ import annotations

from typing import Any

import attrs
from limner import AuthenticationFailed, ContentFiltered, ProviderUnavailable, RateLimited
from limner_http import Failure, Said, Service, said_by_default

HOSTS = ("bfl.ai", "*.bfl.ai")
"""Hosts that the key may go to: polling URLs name regional ones."""

MODERATED = frozenset({"Request Moderated", "Content Moderated"})
"""The prompt or a picture was refused, or the result was; neither is charged."""

FAILED = frozenset({"Error", "Task not found"})

FAILURES = (
    Failure(
        ContentFiltered,
        "the content filter refused the request",
        "change the prompt or the picture",
        codes=MODERATED,
    ),
    Failure(ProviderUnavailable, "the task failed", "try again; the call may have been billed", codes="Error"),
    Failure(
        ProviderUnavailable,
        "the service no longer knows the task",
        "try again; the call may have been billed",
        codes=["Task not found"],
    ),
    Failure(
        AuthenticationFailed,
        "the key is not accepted",
        "check api_key, or BFL_API_KEY",
        statuses=[403],
        text="not authenticated",
    ),
    Failure(
        RateLimited,
        "too many tasks are running",
        "wait until one has finished, or lower max_in_flight; an account may run 24 at once",
        statuses=[429],
        retry="always",
    ),
)


def said(content: Any) -> Said:
    """Read an error: that of a request, or that of a task, which has a status."""
    found = said_by_default(content)
    status = content.get("status") if isinstance(content, dict) else None
    if not isinstance(status, str):
        return found
    text = next((content[name] for name in ("error", "message", "detail") if isinstance(content.get(name), str)), "")
    return attrs.evolve(found, codes=(status,), text=text or reasons(content.get("details")))


def reasons(details: Any) -> str:
    """Write what a task's details say, which is of no fixed form. It is not shortened: the key has to be taken out first."""
    return "; ".join(_texts(details))


_LONGEST = 4_000  # characters of one text; what is quoted is much shorter


def _texts(value: Any, depth: int = 4) -> list[str]:
    if isinstance(value, str):
        text = "".join(character if character.isprintable() else " " for character in value[:_LONGEST]).strip()
        return [text] if text else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in list(items)[:10] for text in _texts(item, depth - 1)] if depth else []


BFL = Service(
    name="Black Forest Labs",
    base_url="https://api.bfl.ai/v1",
    url_variable="BFL_BASE_URL",
    key_variables=("BFL_API_KEY",),
    key_name="bfl",
    key_header="x-key",
    key_format="{}",
    failures=FAILURES,
    said=said,
    probe="credits",
)
