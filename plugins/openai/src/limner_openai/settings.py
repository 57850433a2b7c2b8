"""OpenAISettings: how to reach OpenAI, Azure or another server that speaks the Images API."""

from __future__ import annotations

import operator
import re
from typing import Any

import attrs
from limner_http import HttpSettings


def _partials(value: int | str) -> int:
    try:
        return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        raise ValueError("must be a whole number from 0 to 3") from None


def _check_partials(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if not 0 <= value <= 3:
        raise ValueError(f"{attribute.name} must be a whole number from 0 to 3")


def _check_dialect(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    from limner_openai.dialects import DIALECTS

    if value not in DIALECTS:
        raise ValueError(f"{attribute.name} must be one of {', '.join(DIALECTS)}")


def _check_version(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[0-9a-z-]{1,40}", value)):
        raise ValueError(f"{attribute.name} must be like 2025-04-01-preview")


@attrs.frozen(kw_only=True)
class OpenAISettings(HttpSettings):
    """How to reach a server that speaks OpenAI's Images API, besides what every HTTP provider has.

    Args:
        dialect: whose way of speaking it the server has: ``openai`` or ``azure`` for OpenAI's models; for
            ``openai-compatible`` any other. Default: ``openai``, or ``generic`` for ``openai-compatible``.
        partial_images: how many unfinished pictures are streamed as progress, 0 to 3; OpenAI bills each. 0 does not stream.
        api_version: of Azure's older addresses, such as ``2025-04-01-preview``, with a ``base_url`` that ends in
            ``/openai``; without it, the ``base_url`` is that of the v1 API and ends in ``/openai/v1``.
    """

    dialect: str | None = attrs.field(default=None, validator=_check_dialect)
    partial_images: int = attrs.field(default=0, converter=_partials, validator=_check_partials)
    api_version: str | None = attrs.field(default=None, validator=_check_version)
