"""How one attempt failed: what decides whether there is another."""

from __future__ import annotations

import attrs
import limner


@attrs.define
class Failed(Exception):
    """One attempt failed.

    Attributes:
        error: how, in limner's tree.
        unmade: whether the request was surely not carried out.
        passing: whether it may go better the next time, which matters for requests that are safe to repeat.
        wait: seconds that the provider asks to wait; ``None`` where it does not.
    """

    error: limner.ProviderError
    unmade: bool = False
    passing: bool = False
    wait: float | None = None
