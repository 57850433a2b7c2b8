"""What ``limner doctor`` finds out: credentials, region, endpoint, and AWS's own word on the model. Nothing is billed."""

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
from limner_bedrock.errors import API_KEY_OVER_HTTP
from limner_bedrock.identifiers import model_named_by, region_named_by
from limner_bedrock.settings import BedrockSettings
from limner_bedrock.translating import translate

if TYPE_CHECKING:
    from limner_bedrock.model import BedrockModel

_API_KEY = "AWS_BEARER_TOKEN_BEDROCK"

_ANSWER_SECONDS = 30.0
"""To wait for an answer that holds no picture, at most."""

_URL = re.compile(r"https?://[^\s\"'<>()]+")

Listed = Mapping[str, Mapping[str, Any]]
"""AWS's list of models: each id with its ``modelLifecycle``."""


def diagnose(model: BedrockModel, *, live: bool) -> Iterator[Finding]:
    """Look at the way to Bedrock, and with ``live`` at what AWS says of the model.

    An own endpoint is asked for a connection in any case, AWS's with ``live``; that question carries no credentials.
    """
    environment = frozenset(item for item in os.environ.items() if item[0].startswith("AWS_"))
    minute = int(time.monotonic() // 60)
    seen = _look(model.settings, region_named_by(model.model_id), live, environment, minute)
    yield from seen.findings
    if seen.listed is not None and "." in model.id:  # a name without a point is not AWS's: it stands for several ids
        yield _standing(model, seen.listed)


@attrs.frozen
class _Seen:
    """What was found about one way to Bedrock.

    Attributes:
        findings: in words.
        listed: AWS's list of models; ``None`` where it was not asked, or gave none.
    """

    findings: tuple[Finding, ...]
    listed: Listed | None


@functools.lru_cache(4)
def _look(settings: BedrockSettings, arn_region: str | None, live: bool, _environment: object, _minute: int) -> _Seen:
    """Look at a way that models share: once a minute, since it may take seconds to find that nothing is there."""
    way = _Way(settings, arn_region)
    listed = None
    try:
        way.look(live=live)
        listed = way.list_models() if live else None
    except _Wrong as wrong:
        way.findings.append(wrong.finding)
    return _Seen(tuple(way.findings), listed)


class _Wrong(Exception):
    """Something is wrong, and leaves nothing more to look at."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


@contextmanager
def _looking_at(subject: str) -> Iterator[None]:
    """Make a finding of an error of AWS or botocore."""
    try:
        yield
    except Exception as error:
        known = error if isinstance(error, LimnerError) else translate(error, model="")
        if known is None:
            raise
        raise _Wrong(Finding(subject, False, _in_words(known))) from None


def _in_words(error: LimnerError) -> str:
    """An error's own words, an URL in it brought down to its address."""
    match error:
        case ProviderError():
            words = error.message
        case TaskRefused():
            words = "; ".join(problem.limit for problem in error.problems)
        case _:
            words = str(error)
    return _URL.sub(lambda url: address(url[0]), words)


class _Way:
    """One way to Bedrock, looked at step by step."""

    def __init__(self, settings: BedrockSettings, arn_region: str | None) -> None:
        self.settings = settings
        self.arn_region = arn_region
        self.findings: list[Finding] = []
        self.region = ""
        self.is_own = False

    def look(self, *, live: bool) -> None:
        """Find credentials, region and endpoint, and ask the endpoint for a connection."""
        with _looking_at("credentials"):
            self.session = session_for(self.settings.session, self.settings.profile)
            self.findings.append(_credentials(self.session))
        with _looking_at("region"):
            client = client_for(self.settings, self.arn_region)
            self.region = client.meta.region_name
            self.findings.append(Finding("region", True, f"{self.region}, by {self._namer_of_region()}"))
        with _looking_at("endpoint"):
            self.is_own = self._is_own(client)
            where = f"{address(client.meta.endpoint_url)}, {'your own' if self.is_own else 'that of AWS'}"
            if os.environ.get(_API_KEY) and client.meta.endpoint_url.startswith("http:"):
                raise _Wrong(Finding("endpoint", False, f"{where}; {API_KEY_OVER_HTTP.what}; {API_KEY_OVER_HTTP.advice}"))
            if self.is_own or live:
                self._ask_for_connection()
                self.findings.append(Finding("endpoint", True, f"{where}; it answers"))
            else:
                self.findings.append(Finding("endpoint", None, f"{where}; not asked, --live does"))

    def list_models(self) -> Listed | None:
        """Ask the control plane; with an own endpoint for models only one that is the user's own too."""
        with _looking_at("list of models"):
            control = self._client("bedrock")
            if self.is_own and not self._is_own(control):
                why = "not asked, since calls do not go to AWS; AWS_ENDPOINT_URL_BEDROCK can name a list of your own"
                self.findings.append(Finding("list of models", None, why))
                return None
            try:
                answer = control.list_foundation_models()
            except Exception as error:
                if not isinstance(translate(error, model=""), AccessDenied):
                    raise
                why = "bedrock:ListFoundationModels is not allowed to this identity; calls do not need it"
                self.findings.append(Finding("list of models", None, why))
                return None
            found = {summary["modelId"]: summary.get("modelLifecycle", {}) for summary in answer["modelSummaries"]}
            self.findings.append(Finding("list of models", True, f"{address(control.meta.endpoint_url)} lists {len(found)}"))
            return found

    def _namer_of_region(self) -> str:
        if self.settings.region is not None:
            return "the setting"
        return "the model's ARN" if self.arn_region is not None else "the AWS configuration"

    def _is_own(self, client: Any) -> bool:
        """Tell whether a client's endpoint is other than AWS's own."""
        name = client.meta.service_model.service_name
        own: str = client.meta.endpoint_url
        plain: str = self._client(name, ignore_configured_endpoint_urls=True, endpoint_url=None).meta.endpoint_url
        return own != plain

    def _ask_for_connection(self) -> None:
        """Ask what is never billed, unsigned: whatever the answer, there is somebody who gives one."""
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
        return Finding("credentials", True, f"a Bedrock API key, by {_API_KEY}")
    if not hasattr(session, "get_credentials"):
        return Finding("credentials", None, "those of the session that was given")
    found = session.get_credentials()
    if found is None:
        return Finding("credentials", False, "there are none; set a profile, the AWS_ variables or a role")
    return Finding("credentials", True, f"found, by {found.method}")


# ---------------------------------------------------------------------------------------------- AWS's word on the model


def _standing(model: BedrockModel, listed: Listed) -> Finding:
    """Compare what AWS says of the model with its ``lifecycle``."""
    names = [model_named_by(name) for name in (model.model_id, model.id, *model.ids)]
    said = next((listed[name] for name in names if name is not None and name in listed), None)
    if said is None:
        if model.lifecycle.state() == "retired":
            return Finding("listed", None, "not in this region, as limner's data have it: the model is past its end of life")
        return Finding("listed", False, "not in this region; check the region, and that AWS still offers the model")
    words = f"{said.get('status', 'without a status')}{_dated(said)}"
    differences = list(_differences(model, said))
    if differences:
        return Finding("listed", None, f"{words}; AWS's word holds, limner's data say {', '.join(differences)}")
    return Finding("listed", True, f"{words}; as limner's data have it")


def _day(said: Mapping[str, Any], member: str) -> datetime.date | None:
    time_said = said.get(member)
    return time_said.astimezone(datetime.UTC).date() if isinstance(time_said, datetime.datetime) else None


def _dated(said: Mapping[str, Any]) -> str:
    days = {"legacy since": _day(said, "legacyTime"), "end of life": _day(said, "endOfLifeTime")}
    return "".join(f", {name} {day}" for name, day in days.items() if day is not None)


def _differences(model: BedrockModel, said: Mapping[str, Any]) -> Iterator[str]:
    """What limner's data say otherwise; a date that AWS does not give is no difference."""
    life = model.lifecycle
    if said.get("status", "").lower() != life.state():
        yield life.state()
    for name, day, member in (
        ("legacy since", life.legacy_since, "legacyTime"),
        ("end of life", life.end_of_life, "endOfLifeTime"),
    ):
        if _day(said, member) not in {None, day}:
            yield f"{name} {day or 'unknown'}"
