"""GeminiSettings: how to reach Gemini's models, by the Gemini API or by Vertex AI."""

from __future__ import annotations

import re
from typing import Any

import attrs
from limner_http import HttpSettings

APIS = ("gemini", "vertex")


def _check_api(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and value not in APIS:
        raise ValueError(f"{attribute.name} must be one of {', '.join(APIS)}")


def _check_project(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9.:-]{0,62}", value)):
        raise ValueError(f"{attribute.name} must be the id of a Google Cloud project, such as my-project-123")


def _check_location(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not (isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,39}", value)):
        raise ValueError(f"{attribute.name} must be like global or europe-west4")


def _check_token(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and re.fullmatch(r"[!-~]+", value)):
        raise ValueError(f"{attribute.name} must be printable ASCII text without spaces")


@attrs.frozen(kw_only=True)
class GeminiSettings(HttpSettings):
    """How to reach Gemini's models, besides what every HTTP provider has.

    Args:
        api: ``gemini``, or ``vertex`` for Vertex AI. Default: ``vertex`` where there is a ``project``, else ``gemini``.
            Vertex AI without a project takes an API key (express mode).
        project: the id of a Google Cloud project, for Vertex AI with an access token.
        location: of Vertex AI with a project.
        access_token: an OAuth access token for Vertex AI with a project, such as ``gcloud auth print-access-token`` prints;
            it lives for about an hour. Default: GOOGLE_OAUTH_ACCESS_TOKEN of the environment.
    """

    api: str | None = attrs.field(default=None, validator=_check_api)
    project: str | None = attrs.field(default=None, validator=_check_project)
    location: str = attrs.field(default="global", validator=_check_location)
    access_token: str | None = attrs.field(default=None, repr=False, validator=_check_token)
