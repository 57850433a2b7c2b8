"""What the service says of a task, read with care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

import attrs
from limner import BadResponse

USD_PER_CREDIT = 0.01

_BILLED = "the call may have been billed"
_COSTS = {"cost": "credits", "input_mp": "input_megapixels", "output_mp": "output_megapixels"}
_SAID = ("seed", "duration", "prompt")


@attrs.frozen
class Submitted:
    """A task that was accepted.

    Attributes:
        id: the service's id of it; nothing where it gives none.
        polling_url: where to ask for it.
        costs: what the service says of its cost, by the service's names.
    """

    id: str | None
    polling_url: str
    costs: dict[str, float]


def submitted(content: Mapping[str, Any]) -> Submitted:
    """Read the answer to a request.

    Raises:
        BadResponse: it does not say where to ask for the task.
    """
    url = content.get("polling_url")
    if not isinstance(url, str) or not url:
        raise BadResponse(f"the answer has no polling_url; {_BILLED}")
    return Submitted(_id(content.get("id")), url, costs(content))


def _id(said: object) -> str | None:
    fine = isinstance(said, str) and 0 < len(said) <= 200 and said.isascii() and said.isprintable()
    return said if isinstance(said, str) and fine else None


def costs(content: Mapping[str, Any]) -> dict[str, float]:
    """Read what a task costs."""
    return {name: content[name] for name in _COSTS if _is_amount(content.get(name))}


def status(content: Mapping[str, Any]) -> str | None:
    """Read how a task is doing."""
    found = content.get("status")
    return found if isinstance(found, str) and found else None


def progress(content: Mapping[str, Any]) -> float | None:
    """Read how far a task is, from 0 to 1."""
    found = content.get("progress")
    return min(float(found), 1.0) if _is_amount(found) else None


def sample(content: Mapping[str, Any]) -> str:
    """Read where the picture of a task that is done can be had.

    Raises:
        BadResponse: the answer does not say.
    """
    result = content.get("result")
    url = result.get("sample") if isinstance(result, dict) else None
    if not isinstance(url, str) or not url:
        raise BadResponse(f"the task is done, but its result has no picture; {_BILLED}")
    return url


def usage(content: Mapping[str, Any]) -> dict[str, float]:
    """Read what a task used."""
    return {_COSTS[name]: value for name, value in costs(content).items()}


def metadata(content: Mapping[str, Any]) -> dict[str, Any]:
    """Read what else the service says: cost in US dollars, seed, duration in seconds, and the prompt that was painted."""
    result = content.get("result")
    said = result if isinstance(result, dict) else {}
    found = {name: said[name] for name in _SAID if isinstance(said.get(name), str | int | float)}
    cost = costs(content).get("cost")
    return found if cost is None else {"cost_usd": round(cost * USD_PER_CREDIT, 6), **found}


def _is_amount(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
