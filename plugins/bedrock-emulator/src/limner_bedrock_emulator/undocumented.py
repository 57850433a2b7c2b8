"""Undocumented keys that public programs send; accepted with ``allow_undocumented``, each with a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from limner_bedrock_emulator.model_ids import SDXL

if TYPE_CHECKING:
    from collections.abc import Mapping


class Undocumented(NamedTuple):
    """A key that public programs send.

    Attributes:
        sender: the programs that send it.
        beside: the key is accepted only in a body that also has this key.
    """

    sender: str
    beside: str | None = None


KNOWN: Mapping[str, Mapping[str, Undocumented]] = {
    SDXL: {
        "start_schedule": Undocumented("notebooks of the Amazon Bedrock workshop, and griptape"),
        "width": Undocumented("griptape, beside init_image", beside="init_image"),
        "height": Undocumented("griptape, beside init_image", beside="init_image"),
    }
}
"""The keys by contract. They are removed before the body is checked, so they have no effect."""


def found(contract: str, body: Mapping[str, Any]) -> dict[str, Undocumented]:
    """Return the known undocumented keys of a body."""
    known = KNOWN.get(contract, {})
    return {key: known[key] for key in body if key in known and (known[key].beside is None or known[key].beside in body)}
