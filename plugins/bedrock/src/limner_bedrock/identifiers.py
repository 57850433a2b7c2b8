"""Model identifiers on Bedrock. Source: Amazon Bedrock API Reference, InvokeModel, modelId."""

from __future__ import annotations

import re

_ARN = re.compile(
    r"arn:aws(?:-[^:]+)?:bedrock:(?P<region>[a-z0-9-]{1,20}):(?P<account>[0-9]{12})?:(?P<kind>[a-z-]+)/(?P<name>.+)"
)
_PROFILE_AREAS = ("us", "us-gov", "eu", "apac", "jp", "au", "global")
"""The prefixes of system-defined inference profiles."""


def model_named_by(identifier: str) -> str | None:
    """Return the bare id that an id, a foundation model ARN or a system-defined inference profile names.

    Return ``None`` for other ARNs, such as a provisioned model's, which do not contain the id.
    """
    if not identifier.startswith("arn:"):
        return _without_area(identifier)
    arn = _ARN.fullmatch(identifier)
    if arn is None:
        return None
    match arn["kind"], arn["account"]:
        case "foundation-model", None:
            return arn["name"]
        case "inference-profile", str():
            return _without_area(arn["name"])
    return None


def region_named_by(identifier: str) -> str | None:
    """Return the region of a Bedrock ARN; ``None`` for another identifier."""
    arn = _ARN.fullmatch(identifier)
    return None if arn is None else arn["region"]


def _without_area(name: str) -> str:
    area, _, rest = name.partition(".")
    return rest if area in _PROFILE_AREAS else name
