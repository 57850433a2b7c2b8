"""Where Gemini's image models are called, and what errors mean."""

from __future__ import annotations

import re
from typing import Any

import attrs
from limner import AccessDenied, AuthenticationFailed, RateLimited, RequestRejected
from limner_http import Failure, Said, Service, said_by_default

DAY_QUOTA, NO_QUOTA = "DAY_QUOTA", "NO_QUOTA"
"""limner's own codes: of a quota that comes back tomorrow, and of one that is zero."""

FAILURES = (
    Failure(
        AuthenticationFailed,
        "the key is not accepted",
        "check api_key, or the environment variable that holds the key",
        codes="API_KEY_INVALID API_KEY_EXPIRED",
    ),
    Failure(
        AuthenticationFailed,
        "the key or access token is not accepted",
        "check api_key; an access token is valid for about an hour, create a new one",
        codes="UNAUTHENTICATED",
    ),
    Failure(
        AccessDenied,
        "the service is not available to this account",
        "there is no free tier in this country: enable billing",
        codes="FAILED_PRECONDITION",
    ),
    Failure(
        RateLimited,
        "the account has no quota for this model",
        "image models require billing; waiting does not help",
        codes=NO_QUOTA,
    ),
    Failure(
        RateLimited,
        "the daily quota is used up",
        "wait until it is renewed, or increase it",
        codes=DAY_QUOTA,
    ),
    Failure(
        RequestRejected,
        "the model is unknown, retired, or not in this version of the API",
        "check the model's id and base_url",
        codes="NOT_FOUND",
    ),
)

_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s", re.ASCII)


def said(content: Any) -> Said:
    """Read an error: its status, and of its details the reason, which quota it is, and how long to wait."""
    found = said_by_default(content)
    error = content.get("error") if isinstance(content, dict) else None
    listed = error.get("details") if isinstance(error, dict) else None
    details = [detail for detail in listed if isinstance(detail, dict)] if isinstance(listed, list) else []
    reasons = [detail["reason"] for detail in details if isinstance(detail.get("reason"), str)]
    codes = (*found.codes, *reasons, *_quotas(found.text, details))
    return Said(codes, found.text, next(filter(None, map(_delay, details)), None))


def _quotas(text: str, details: list[dict[str, Any]]) -> list[str]:
    """Say of a quota whether waiting for seconds is of no use."""
    violations = [one for detail in details if isinstance(detail.get("violations"), list) for one in detail["violations"]]
    found = [one for one in violations if isinstance(one, dict)]
    none = any(str(one.get("quotaValue")) == "0" for one in found) or re.search(r"\blimit: 0\b", text) is not None
    daily = any("perday" in str(one.get("quotaId")).lower() for one in found)
    daily = daily or re.search(r"\bper day\b|\bdaily\b", text, re.IGNORECASE) is not None
    return [NO_QUOTA] * none + [DAY_QUOTA] * daily


def _delay(detail: dict[str, Any]) -> float | None:
    asked = detail.get("retryDelay")
    match = _DELAY.fullmatch(asked) if isinstance(asked, str) else None
    return float(match[1]) if match else None


GEMINI = Service(
    name="the Gemini API",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    url_variable="GOOGLE_GEMINI_BASE_URL",
    url_suffix="/v1beta",
    key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    key_name="gemini",
    key_header="x-goog-api-key",
    key_format="{}",
    failures=FAILURES,
    said=said,
    models="models?pageSize=1000",  # the most of a page; ai.google.dev/api/models
)
VERTEX = attrs.evolve(
    GEMINI,
    name="Vertex AI",
    url_variable="GOOGLE_VERTEX_BASE_URL",
    url_suffix="/v1beta1",
    key_variables=("GOOGLE_API_KEY",),
    key_name="vertex",
    models="",  # no list of the models that a project can call is documented
)


def vertex(location: str, *, express: bool) -> Service:
    """Describe Vertex AI: at a location, with an API key (express mode) or an access token."""
    host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
    service = attrs.evolve(VERTEX, base_url=f"https://{host}/v1beta1")
    if express:
        return service
    return attrs.evolve(
        service,
        key_variables=("GOOGLE_OAUTH_ACCESS_TOKEN",),
        key_name="",  # it lives for an hour
        key_header="Authorization",
        key_format="Bearer {}",
        key_setting="access_token",
    )
