"""Simulated failures (faults): their names, how they are requested, and how often they apply.

A fault is written ``name``, ``name*2`` (the first two requests only) or, if it counts pictures, ``name:K``.
It is requested by the server's own list, by a request's header ``x-limner-fault``, or by ``[[fault:name]]`` in any
text of the body. When its count is used up, the next requested fault applies; after the last, requests succeed.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import attrs

HEADER = "x-limner-fault"

BROKEN = {
    "hang": "no answer until the client goes",
    "reset": "the connection is reset in the middle of the answer",
    "truncated-json": "the answer's JSON ends in the middle",
    "bad-base64": "the pictures are no base64",
    "not-a-picture": "the pictures are something else",
    "missing-keys": "the answer is an empty object",
}
"""Faults of the connection or the response that every server supports, with descriptions."""

NOT_A_PICTURE = b"This is not a picture."


@attrs.frozen
class Fault:
    """One requested fault.

    Attributes:
        name: the name of the fault.
        argument: the number of pictures that it affects, ``None`` for all.
        times: the number of requests that it affects, ``None`` for all.
    """

    name: str
    argument: int | None = None
    times: int | None = None

    @classmethod
    def parse(cls, text: str, known: Collection[str], counting: Collection[str] = ()) -> Fault:
        """Read ``name``, ``name:K``, ``name*N`` or ``name:K*N``.

        Args:
            text: the requested fault.
            known: all fault names.
            counting: the names of faults that count pictures.

        Raises:
            ValueError: the fault is unknown or malformed.
        """
        form = re.fullmatch(r"([a-z0-9-]+)(?::([1-9]\d*))?(?:\*([1-9]\d*))?", text.strip())
        if form is None or form[1] not in known or (form[2] is not None and form[1] not in counting):
            *forms, last = ["NAME", "NAME*COUNT", *(f"{name}:K" for name in counting)]
            names = ", ".join(sorted(known))
            raise ValueError(f"{text!r} is no fault; it is {', '.join(forms)} or {last}, where NAME is one of {names}")
        argument, times = (None if number is None else int(number) for number in form.groups()[1:])
        return cls(form[1], argument, times)


class Faults:
    """The server's own faults, and how often each fault was applied.

    Args:
        texts: the server's own faults, in order.
        known: all fault names.
        counting: the names of faults that count pictures, as ``name:K``.

    Raises:
        ValueError: a fault is unknown or malformed.
    """

    def __init__(self, texts: Iterable[str], known: Collection[str], counting: Collection[str] = ()) -> None:
        self._own, self._known, self._counting = list(texts), known, counting
        for text in self._own:
            Fault.parse(text, known, counting)
        self._met: Counter[tuple[str, str]] = Counter()

    def next(self, headers: Iterable[str], body: object) -> Fault | None:
        """Return the fault for the next request: from its header, its texts, or the server's own list.

        Raises:
            ValueError: the header or a text requests an unknown fault.
        """
        asked = [("header", text) for text in headers]
        asked += [("text", text) for text in _markers(body)]
        asked += [(f"own {at}", text) for at, text in enumerate(self._own)]
        for key in asked:
            fault = Fault.parse(key[1], self._known, self._counting)
            if fault.times is None or self._met[key] < fault.times:
                self._met[key] += 1
                return fault
        return None


def spoil(picture: str, fault: Fault | None) -> str:
    """Return the base64 of a picture, corrupted if the fault requests it."""
    match fault.name if fault is not None else None:
        case "bad-base64":
            return "*" + picture[1:-1]
        case "not-a-picture":
            return base64.b64encode(NOT_A_PICTURE).decode()
    return picture


def _markers(body: object) -> Iterator[str]:
    """Find ``[[fault:...]]`` in the texts of a body, in order and at any depth."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield from re.findall(r"\[\[fault:([^\[\]]{,100})\]\]", value)
        elif isinstance(value, dict | list):
            waiting.extend(reversed(list(value.values() if isinstance(value, dict) else value)))
