"""What ``limner doctor`` finds out: the key, the address, and with ``live`` whether the API answers. Nothing is billed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import limner

from limner_http.addresses import address
from limner_http.call import Call, base_url_of, found_key, key_of
from limner_http.deadlines import Deadline

if TYPE_CHECKING:
    from limner_http.model import HttpModel

_SECONDS = 20.0


def diagnose(model: HttpModel, *, live: bool) -> Iterator[limner.Finding]:
    """Look at the way to the API."""
    service, settings = model.api(), model.settings
    try:
        key = key_of(service, settings)
    except limner.AuthenticationFailed as error:
        yield limner.Finding("credentials", False, error.message)
        return
    found = None if getattr(settings, service.key_setting) is not None else found_key(service)
    where = f"from the setting {service.key_setting}" if found is None else found.source
    yield limner.Finding("credentials", True if key else None, where if key else "no key; none is sent")
    try:
        base_url = base_url_of(service, settings)
    except limner.TaskRefused as error:
        yield limner.Finding(
            "endpoint",
            False,
            "; ".join(f"{problem.parameter.removeprefix('setting ')} {problem.limit}" for problem in error.problems),
        )
        return
    if not live or not service.probe:
        yield limner.Finding("endpoint", None, f"{address(base_url)}, not asked")
        return
    try:
        Call(service, settings, model.model_id, deadline=Deadline(min(_SECONDS, settings.timeout))).get(service.probe)
    except limner.ProviderError as error:
        yield limner.Finding("endpoint", False, f"{address(base_url)}: {error.message}")
    else:
        yield limner.Finding("endpoint", True, f"{address(base_url)} answers")
