"""What ``limner doctor`` finds out: the login, the address, and with ``live`` what the server has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
import limner

from limner_sdapi.jobs import listed
from limner_sdapi.names import LISTS, names_of
from limner_sdapi.services import LOGIN, SdapiCall, login_of

if TYPE_CHECKING:
    from limner_sdapi.plugin import Sdapi
    from limner_sdapi.settings import SdapiSettings

_SECONDS = 20.0
_SHOWN = 12


def _credentials(settings: SdapiSettings) -> str:
    if login_of(settings) is None:
        return "an api_key is sent" if settings.api_key else "no password; none is sent"
    found = None if settings.user is not None or settings.password is not None else LOGIN.find()
    where = "from the settings" if found is None else found.source
    return f"user and password {where} are sent"


def diagnose(model: Sdapi, *, live: bool) -> Iterator[limner.Finding]:
    """Look at the way to the server; nothing is painted."""
    settings = attrs.evolve(model.settings, timeout=min(_SECONDS, model.settings.timeout))
    yield limner.Finding("credentials", None, _credentials(settings))
    call = SdapiCall(settings, model.model_id)
    parts = urlsplit(call.base_url)
    where = f"{parts.scheme}://{parts.netloc}"
    if not live:
        yield limner.Finding("endpoint", None, f"{where}, not asked")
        return
    try:
        call.request("GET", "sdapi/v1/sd-models")
    except limner.ProviderError as error:
        yield limner.Finding("endpoint", False, f"{where}: {error.message}")
        return
    yield limner.Finding("endpoint", True, f"{where} answers")
    for option, path in LISTS.items():
        names = names_of(listed(call, path))
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield limner.Finding(f"{option}s", None, (", ".join(names[:_SHOWN]) + more) if names else "the server lists none")
