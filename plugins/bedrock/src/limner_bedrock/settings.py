"""BedrockSettings: how to reach Amazon Bedrock."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from typing import Any

import attrs
import limner
from attrs.validators import ge, gt, in_, optional

from limner_bedrock.addresses import address, parts_of

TRACES = ("ENABLED", "DISABLED", "ENABLED_FULL")
SERVICE_TIERS = ("priority", "default", "flex", "reserved")
LATENCIES = ("standard", "optimized")
_SOURCE = "Amazon Bedrock API Reference, InvokeModel"

_GUARDRAIL_ID = r"[a-z0-9]+|arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+"
_GUARDRAIL_VERSION = r"[1-9][0-9]{0,7}|DRAFT"
_METADATA = r"[a-zA-Z0-9\s:_@$#=/+,\-.]"


def _text(pattern: str, example: str) -> Any:
    """Validate an optional string by a regular expression that must match all of it."""

    def check(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise ValueError(f"{attribute.name} must be like {example} [{_SOURCE}]")

    return check


def _seconds(value: float | str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError("must be a number of seconds") from None


def _integer(value: int | str) -> int:
    try:
        return int(value) if isinstance(value, str) else operator.index(value)
    except (TypeError, ValueError):
        raise ValueError("must be an integer") from None


def _check_url(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if value is None:
        return
    try:
        parts_of(value)
    except ValueError as error:
        raise ValueError(f"{attribute.name} {error}") from None


def _shown_url(value: object) -> str:
    return repr(None if value is None else address(value))


def _check_session(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not callable(getattr(value, "client", None)):
        raise TypeError(f"{attribute.name} must be a boto3.Session")


def _to_metadata(value: object) -> object:
    """Convert a mapping, or a string with a JSON object."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ValueError('request_metadata must be a JSON object like {"team": "press"}') from None
    return limner.Options(value) if isinstance(value, Mapping) else value


def _compact_json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), separators=(",", ":"))


def _check_metadata(_instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is None:
        return
    if not isinstance(value, Mapping) or not 1 <= len(value) <= 16:
        raise ValueError(f"{attribute.name} must have 1 to 16 keys with string values [{_SOURCE}]")
    for key, content in value.items():
        if not (
            re.fullmatch(_METADATA + "{1,256}", key)
            and isinstance(content, str)
            and re.fullmatch(_METADATA + "{0,256}", content)
        ):
            raise ValueError(
                f"{attribute.name} takes strings of up to 256 letters, digits, spaces and :_@$#=/+,-. [{_SOURCE}]"
            )


@attrs.frozen(kw_only=True)
class BedrockSettings(limner.Settings):
    """How to reach Amazon Bedrock, in addition to the settings of every provider.

    ``timeout`` is the deadline of one attempt: connecting, sending and reading the response.

    Settings that are ``None`` come from the AWS configuration: environment variables, shared files, the machine's role.

    Args:
        region: the AWS region, such as ``us-west-2``.
        profile: a profile in the shared AWS files.
        endpoint_url: a custom endpoint, such as an emulator's; a user and password in it are neither sent nor shown.
        session: a ``boto3.Session``, which provides credentials and region; ``profile`` is then ignored.
        connect_timeout: seconds to wait for a connection to each address of the endpoint, within ``timeout``.
        max_attempts: the maximum number of attempts per call, including the first; only errors after which nothing can
            have been generated are retried.
        stream: call InvokeModelWithResponseStream.
        guardrail_id: the id or ARN of a guardrail; goes with ``guardrail_version``.
        guardrail_version: a version number, or ``DRAFT``.
        trace: the guardrail's trace: ``ENABLED``, ``DISABLED`` or ``ENABLED_FULL``.
        service_tier: ``priority``, ``default``, ``flex`` or ``reserved``.
        performance_latency: ``standard`` or ``optimized``.
        request_metadata: up to 16 key-value pairs for the invocation log; on the command line, a JSON object.
    """

    region: str | None = attrs.field(default=None, validator=_text("[a-z0-9-]{1,20}", "us-west-2"))
    profile: str | None = attrs.field(default=None, validator=_text(".+", "default"))
    endpoint_url: str | None = attrs.field(default=None, repr=_shown_url, validator=_check_url)
    session: Any = attrs.field(default=None, repr=False, validator=_check_session)
    connect_timeout: float = attrs.field(default=10.0, converter=_seconds, validator=gt(0))
    max_attempts: int = attrs.field(default=4, converter=_integer, validator=ge(1))
    stream: bool = attrs.field(default=False, converter=attrs.converters.to_bool)
    guardrail_id: str | None = attrs.field(default=None, validator=_text(_GUARDRAIL_ID, "gr1abc23def4"))
    guardrail_version: str | None = attrs.field(default=None, validator=_text(_GUARDRAIL_VERSION, "1 or DRAFT"))
    trace: str | None = attrs.field(default=None, validator=optional(in_(TRACES)))
    service_tier: str | None = attrs.field(default=None, validator=optional(in_(SERVICE_TIERS)))
    performance_latency: str | None = attrs.field(default=None, validator=optional(in_(LATENCIES)))
    request_metadata: Mapping[str, str] | None = attrs.field(default=None, converter=_to_metadata, validator=_check_metadata)

    def parameters(self) -> dict[str, str]:
        """Return the optional parameters of InvokeModel that are set, by InvokeModel's names."""
        parameters = {
            "guardrailIdentifier": self.guardrail_id,
            "guardrailVersion": self.guardrail_version,
            "trace": self.trace,
            "serviceTier": self.service_tier,
            "performanceConfigLatency": self.performance_latency,
            "requestMetadata": None if self.request_metadata is None else _compact_json(self.request_metadata),
        }
        return {name: value for name, value in parameters.items() if value is not None}
