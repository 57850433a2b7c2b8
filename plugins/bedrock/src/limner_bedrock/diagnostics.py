"""The checks of ``limner doctor``: credentials, region, endpoint, and the model's status at AWS. Nothing is billed."""

from __future__ import annotations

import datetime
import functools
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from limner import AccessDenied, Finding, LimnerError, ProviderError, TaskRefused

from limner_bedrock.addresses import address
from limner_bedrock.clients import client_for, make_client, session_for
from limner_bedrock.error_translation import translate
from limner_bedrock.errors import API_KEY_OVER_HTTP
from limner_bedrock.identifiers import model_named_by, region_named_by
from limner_bedrock.settings import BedrockSettings

if TYPE_CHECKING:
    from limner_bedrock.model import BedrockModel

_API_KEY = "AWS_BEARER_TOKEN_BEDROCK"

_ANSWER_SECONDS = 30.0
"""The maximum timeout for responses without images."""

_URL = re.compile(r"https?://[^\s\"'<>()]+")

Listed = Mapping[str, Mapping[str, Any]]
"""AWS's list of models: the ``modelLifecycle`` of each id."""


def diagnose(model: BedrockModel, *, live: bool) -> Iterator[Finding]:
    """Check the connection to Bedrock, and with ``live`` the model's status at AWS.

    A custom endpoint is always contacted, AWS's only with ``live``; that request carries no credentials.
    """
    environment = frozenset(item for item in os.environ.items() if item[0].startswith("AWS_"))
    minute = int(time.monotonic() // 60)
    checked = _check(model.settings, region_named_by(model.model_id), live, environment, minute)
    yield from checked.findings
    if checked.listed is not None and "." in model.id:  # an id without a dot is limner's, for several models
        yield _status(model, checked.listed)


@attrs.frozen
class _Checked:
    """The results for one connection.

    Attributes:
        findings: the findings.
        listed: AWS's list of models; ``None`` if it was not requested or not returned.
    """

    findings: tuple[Finding, ...]
    listed: Listed | None


@functools.lru_cache(4)
def _check(settings: BedrockSettings, arn_region: str | None, live: bool, _environment: object, _minute: int) -> _Checked:
    """Check a connection that models share, at most once a minute, because an unreachable endpoint takes seconds."""
    connection = _Connection(settings, arn_region)
    listed = None
    try:
        connection.check(live=live)
        listed = connection.list_models() if live else None
    except _CheckFailed as failed:
        connection.findings.append(failed.finding)
    return _Checked(tuple(connection.findings), listed)


class _CheckFailed(Exception):
    """A check failed, so that later checks make no sense."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


@contextmanager
def _checking(subject: str) -> Iterator[None]:
    """Report an error of AWS or botocore as a finding."""
    try:
        yield
    except Exception as error:
        known = error if isinstance(error, LimnerError) else translate(error, model="")
        if known is None:
            raise
        raise _CheckFailed(Finding(subject, False, _message(known))) from None


def _message(error: LimnerError) -> str:
    """Return an error's message with URLs reduced to scheme, host and port."""
    match error:
        case ProviderError():
            message = error.message
        case TaskRefused():
            message = "; ".join(problem.limit for problem in error.problems)
        case _:
            message = str(error)
    return _URL.sub(lambda url: address(url[0]), message)


class _Connection:
    """A connection to Bedrock, checked step by step."""

    def __init__(self, settings: BedrockSettings, arn_region: str | None) -> None:
        self.settings = settings
        self.arn_region = arn_region
        self.findings: list[Finding] = []
        self.region = ""
        self.is_custom = False

    def check(self, *, live: bool) -> None:
        """Check credentials and region, and whether the endpoint answers."""
        with _checking("credentials"):
            self.session = session_for(self.settings.session, self.settings.profile)
            self.findings.append(_credentials(self.session))
        with _checking("region"):
            client = client_for(self.settings, self.arn_region)
            self.region = client.meta.region_name
            self.findings.append(Finding("region", True, f"{self.region}, from {self._region_source()}"))
        with _checking("endpoint"):
            self.is_custom = self._is_custom(client)
            where = f"{address(client.meta.endpoint_url)}, {'custom' if self.is_custom else 'of AWS'}"
            if os.environ.get(_API_KEY) and client.meta.endpoint_url.startswith("http:"):
                raise _CheckFailed(
                    Finding("endpoint", False, f"{where}; {API_KEY_OVER_HTTP.what}; {API_KEY_OVER_HTTP.advice}")
                )
            if self.is_custom or live:
                self._contact_endpoint()
                self.findings.append(Finding("endpoint", True, f"{where}; it answers"))
            else:
                self.findings.append(Finding("endpoint", None, f"{where}; not contacted without --live"))

    def list_models(self) -> Listed | None:
        """Request the list from the control plane; with a custom endpoint, only from a custom control plane."""
        with _checking("list of models"):
            control = self._client("bedrock")
            if self.is_custom and not self._is_custom(control):
                why = (
                    "not requested, because calls do not go to AWS; AWS_ENDPOINT_URL_BEDROCK can set a custom control plane"
                )
                self.findings.append(Finding("list of models", None, why))
                return None
            try:
                answer = control.list_foundation_models()
            except Exception as error:
                if not isinstance(translate(error, model=""), AccessDenied):
                    raise
                why = "this identity lacks bedrock:ListFoundationModels, which calls do not need"
                self.findings.append(Finding("list of models", None, why))
                return None
            found = {summary["modelId"]: summary.get("modelLifecycle", {}) for summary in answer["modelSummaries"]}
            self.findings.append(Finding("list of models", True, f"{address(control.meta.endpoint_url)} lists {len(found)}"))
            return found

    def _region_source(self) -> str:
        if self.settings.region is not None:
            return "the setting"
        return "the model's ARN" if self.arn_region is not None else "the AWS configuration"

    def _is_custom(self, client: Any) -> bool:
        """Return whether a client's endpoint is not AWS's."""
        name = client.meta.service_model.service_name
        own: str = client.meta.endpoint_url
        plain: str = self._client(name, ignore_configured_endpoint_urls=True, endpoint_url=None).meta.endpoint_url
        return own != plain

    def _contact_endpoint(self) -> None:
        """Send an unsigned request that is never billed; any response shows that the endpoint answers."""
        from botocore import UNSIGNED
        from botocore.exceptions import ClientError
        from botocore.parsers import ResponseParserError

        client = self._client("bedrock-runtime", endpoint_url=self.settings.endpoint_url, signature_version=UNSIGNED)
        try:
            client.list_async_invokes()
        except (ClientError, ResponseParserError):
            return

    def _client(self, service: str, *, endpoint_url: str | None = None, **config: Any) -> Any:
        return make_client(
            self.session,
            service,
            self.region,
            endpoint_url,
            connect_timeout=self.settings.connect_timeout,
            read_timeout=min(self.settings.timeout, _ANSWER_SECONDS),
            retries={"total_max_attempts": 1},
            **config,
        )


def _credentials(session: Any) -> Finding:
    if os.environ.get(_API_KEY):
        return Finding("credentials", True, f"a Bedrock API key, from {_API_KEY}")
    if not hasattr(session, "get_credentials"):
        return Finding("credentials", None, "from the session setting")
    found = session.get_credentials()
    if found is None:
        return Finding("credentials", False, "not found; set a profile, the AWS_ variables or a role")
    return Finding("credentials", True, f"found, from {found.method}")


# ---------------------------------------------------------------------------------------------- the model's status at AWS


def _status(model: BedrockModel, listed: Listed) -> Finding:
    """Compare the model's status at AWS with its ``lifecycle``."""
    names = [model_named_by(name) for name in (model.model_id, model.id, *model.ids)]
    summary = next((listed[name] for name in names if name is not None and name in listed), None)
    if summary is None:
        if model.lifecycle.state() == "retired":
            return Finding("listed", None, "not in this region, as expected: the model is past its end of life")
        return Finding("listed", False, "not in this region; check the region, and that AWS still offers the model")
    status = f"{summary.get('status', 'no status')}{_dated(summary)}"
    differences = list(_differences(model, summary))
    if differences:
        return Finding("listed", None, f"{status}; AWS is authoritative, limner's data say {', '.join(differences)}")
    return Finding("listed", True, f"{status}; as in limner's data")


def _day(summary: Mapping[str, Any], member: str) -> datetime.date | None:
    time = summary.get(member)
    return time.astimezone(datetime.UTC).date() if isinstance(time, datetime.datetime) else None


def _dated(summary: Mapping[str, Any]) -> str:
    days = {"legacy since": _day(summary, "legacyTime"), "end of life": _day(summary, "endOfLifeTime")}
    return "".join(f", {name} {day}" for name, day in days.items() if day is not None)


def _differences(model: BedrockModel, summary: Mapping[str, Any]) -> Iterator[str]:
    """Return what differs in limner's data; a date that AWS does not give is not a difference."""
    life = model.lifecycle
    if summary.get("status", "").lower() != life.state():
        yield life.state()
    for name, day, member in (
        ("legacy since", life.legacy_since, "legacyTime"),
        ("end of life", life.end_of_life, "endOfLifeTime"),
    ):
        if _day(summary, member) not in {None, day}:
            yield f"{name} {day or 'unknown'}"
