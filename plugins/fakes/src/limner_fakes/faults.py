"""Faults on demand: what can go wrong, how it is asked for, and how often it still happens.

A fault is written ``name``, ``name*2`` (the first two requests only) or, where it counts pictures, ``name:K``.
It is asked for by the server's own list, by a request's header ``x-limner-fault``, or by ``[[fault:name]]`` in any
text of the body. Where counts run out the next fault asked for has its turn, then the request is answered as usual.
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
"""Faults of the connection or of the answer itself that every server can have, each in words."""

NOT_A_PICTURE = b"This is not a picture."


@attrs.frozen
class Fault:
    """One fault as asked for.

    Attributes:
        name: of the fault.
        argument: how many pictures it meets, ``None`` for all.
        times: requests that it meets, ``None`` for every one.
    """

    name: str
    argument: int | None = None
    times: int | None = None

    @classmethod
    def parse(cls, text: str, known: Collection[str], counting: Collection[str] = ()) -> Fault:
        """Read ``name``, ``name:K``, ``name*N`` or ``name:K*N``.

        Args:
            text: as it was asked for.
            known: the names that there are.
            counting: those that count pictures.

        Raises:
            ValueError: no such fault, or not of that form.
        """
        form = re.fullmatch(r"([a-z0-9-]+)(?::([1-9]\d*))?(?:\*([1-9]\d*))?", text.strip())
        if form is None or form[1] not in known or (form[2] is not None and form[1] not in counting):
            *forms, last = ["NAME", "NAME*COUNT", *(f"{name}:K" for name in counting)]
            names = ", ".join(sorted(known))
            raise ValueError(f"{text!r} is no fault; it is {', '.join(forms)} or {last}, where NAME is one of {names}")
        argument, times = (None if number is None else int(number) for number in form.groups()[1:])
        return cls(form[1], argument, times)


class Faults:
    """The server's own faults, and how often each fault was met.

    Args:
        texts: the server's own faults, in their order.
        known: the names that there are.
        counting: those that count pictures, as ``name:K``.

    Raises:
        ValueError: one of them is no fault.
    """

    def __init__(self, texts: Iterable[str], known: Collection[str], counting: Collection[str] = ()) -> None:
        self._own, self._known, self._counting = list(texts), known, counting
        for text in self._own:
            Fault.parse(text, known, counting)
        self._met: Counter[tuple[str, str]] = Counter()

    def next(self, headers: Iterable[str], body: object) -> Fault | None:
        """Return the fault that the next request meets: by its header, by its texts, or the server's own.

        Raises:
            ValueError: the header or a text asks for an unknown fault.
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
    """Return the base64 of a picture, spoilt where the fault says so."""
    match fault.name if fault is not None else None:
        case "bad-base64":
            return "*" + picture[1:-1]
        case "not-a-picture":
            return base64.b64encode(NOT_A_PICTURE).decode()
    return picture


def _markers(body: object) -> Iterator[str]:
    """Find ``[[fault:...]]`` in the texts of a body, in their order, however deep it nests."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield from re.findall(r"\[\[fault:([^\[\]]{,100})\]\]", value)
        elif isinstance(value, dict | list):
            waiting.extend(reversed(list(value.values() if isinstance(value, dict) else value)))
