"""Where OpenAI's Images API is spoken, and what its errors mean."""

from __future__ import annotations

from typing import Any

import attrs
from limner import AccessDenied, ContentFiltered, ModelRetired, RateLimited, RequestRejected
from limner_http import Failure, Said, Service, said_by_default

FAILURES = (
    Failure(
        ContentFiltered,
        "the content filter refused the request",
        "change the prompt or the picture",
        codes="moderation_blocked content_policy_violation contentFilter content_filter content_safety_violation",
    ),
    Failure(
        RateLimited,
        "the account's credit is used up",
        "add credit, or raise the budget; waiting does not help",
        codes="insufficient_quota billing_hard_limit_reached",
    ),
    Failure(
        ModelRetired,
        "the model is retired",
        "use the model that replaces it",
        statuses=[400, 404, 410],
        text=r"\bmodel\b.*\b(deprecated|retired|shut down|no longer)\b",
    ),
    Failure(
        RequestRejected,
        "the model is unknown, retired, or not available to this account",
        "check the model's id",
        codes="model_not_found DeploymentNotFound",
    ),
    Failure(
        AccessDenied,
        "the organization is not verified",
        "verify it in the organization's settings at platform.openai.com, and wait up to 15 minutes",
        statuses=[403],
        text="must be verified",
    ),
)


def said(content: Any) -> Said:
    """Read an error; of a refusal by the filter also at which stage, and which categories."""
    found = said_by_default(content)
    error = content.get("error") if isinstance(content, dict) else None
    details = error.get("moderation_details") if isinstance(error, dict) else None
    if not isinstance(details, dict):
        return found
    stage, categories = details.get("moderation_stage"), details.get("categories")
    parts = [f"stage: {stage}"] if isinstance(stage, str) else []
    if isinstance(categories, list) and categories:
        parts.append(f"categories: {', '.join(str(category) for category in categories[:10])}")
    return attrs.evolve(found, text=" ".join(filter(None, [found.text, f"[{'; '.join(parts)}]" if parts else ""])))


OPENAI = Service(
    name="OpenAI",
    base_url="https://api.openai.com/v1",
    url_variable="OPENAI_BASE_URL",
    key_variables=("OPENAI_API_KEY",),
    key_name="openai",
    failures=FAILURES,
    said=said,
    probe="models",
    models="models",
)
AZURE = Service(
    name="Azure",
    key_variables=("AZURE_OPENAI_API_KEY",),
    key_name="azure",
    key_header="api-key",
    key_format="{}",
    request_id_headers=("apim-request-id", "x-request-id", "x-ms-request-id"),
    failures=FAILURES,
    said=said,
)


def server(name: str, *key_variables: str, base_url: str = "") -> Service:
    """Describe another server that speaks the API; those of one's own need no key."""
    return Service(
        name=name,
        base_url=base_url,
        key_variables=key_variables,
        key_name=name.lower() if key_variables else "",
        key_needed=bool(base_url) and not base_url.startswith("http:"),
        failures=FAILURES,
        said=said,
        probe="models",
        models="models",
    )
