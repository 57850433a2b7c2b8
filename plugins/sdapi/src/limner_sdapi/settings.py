"""SdapiSettings: how to reach a server that speaks ``/sdapi/v1``."""

from __future__ import annotations

import re
from typing import Any

import attrs
from limner_http import HttpSettings

_DEFAULTS = {"max_in_flight": 1, "timeout": 1800.0}
"""A server paints one picture at a time, the others wait within their calls; loading a checkpoint comes on top."""


def _with_defaults(_: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    return [field.evolve(default=_DEFAULTS.get(field.name, field.default)) for field in fields]


def _check_user(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[^:\x00-\x1f]+", value)):
        raise ValueError(f"{attribute.name} must be text without colons and control characters")


def _check_password(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[^\x00-\x1f]+", value)):
        raise ValueError(f"{attribute.name} must be text without control characters")


@attrs.frozen(kw_only=True, field_transformer=_with_defaults)
class SdapiSettings(HttpSettings):
    """How to reach a server that speaks ``/sdapi/v1``, besides what every HTTP provider has.

    ``max_in_flight`` is 1 and ``timeout`` 1800 seconds unless said; ``base_url`` is that of A1111 on this machine.

    Args:
        user: for HTTP Basic authentication, such as A1111's ``--api-auth``. With ``password``. Default: both from
            the environment variable SDAPI_AUTH, written as ``user:password``, or from ``limner keys set sdapi``.
        password: see ``user``.
        preview: whether unfinished pictures are asked for as progress; making them costs the server some time.
    """

    user: str | None = attrs.field(default=None, validator=_check_user)
    password: str | None = attrs.field(default=None, repr=False, validator=_check_password)
    preview: bool = attrs.field(default=False, converter=attrs.converters.to_bool)
