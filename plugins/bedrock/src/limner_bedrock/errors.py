"""From what AWS answers and what botocore raises to limner's errors: one table.

Sources: Amazon Bedrock API Reference, InvokeModel, "Errors"; Amazon Bedrock User Guide, "Troubleshooting Amazon Bedrock
API Error Codes"; Amazon Nova User Guide, "Error handling". Several codes share one HTTP status, and one code has several
meanings, so that a row is found by code and text; the status decides only where the code is unknown.
"""

from __future__ import annotations

import re
from typing import Any

import attrs
from limner import (
    AccessDenied,
    AuthenticationFailed,
    BadResponse,
    ContentFiltered,
    LimnerError,
    ModelRetired,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    TaskRefused,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@attrs.frozen
class Row:
    """What one kind of failure means.

    Attributes:
        names: AWS's error codes, or the names of exception classes; empty where the text alone tells.
        error: the class of limner's error.
        what: what happened.
        advice: what to do.
        retry: whether nothing can have been made, so that the call is worth sending again.
        text: what AWS's message must contain for the row to hold, as a regular expression; case does not matter.
        parameter: for TaskRefused, what is wrong.
    """

    names: frozenset[str] = attrs.field(converter=_words)
    error: type[LimnerError]
    what: str
    advice: str
    retry: bool = attrs.field(default=False, kw_only=True)
    text: str = attrs.field(default="", kw_only=True)
    parameter: str = attrs.field(default="", kw_only=True)

    def holds(self, code: str, text: str) -> bool:
        """Tell whether an answer of AWS is of this kind."""
        return (not self.names or code in self.names) and re.search(self.text, text, re.IGNORECASE) is not None


_TRY_LATER = "try again later"
_MAYBE_BILLED = "try again; the call may have been billed"
_BEFORE_SENDING = "check the network, region and endpoint_url"
_WHO = "check access key, session token and profile, or sign in again"
_WHICH = "check the model's id, and that the model is offered in this region"

ANSWERS = (
    # The text decides.
    Row(
        "ValidationException",
        RequestRejected,
        "the request's body is not what the model takes",
        "correct the field that the message names",
        text="^malformed input request",
    ),
    Row(
        "",
        ContentFiltered,
        "the content filter refused the request",
        "change the prompt or the picture",
        text="blocked by our content filters",
    ),
    Row(
        "ResourceNotFoundException ValidationException AccessDeniedException",
        ModelRetired,
        "the model is retired, or closed to this account",
        "use the model that replaces it",
        text=r"end of (its )?life|\bmodel\b[^.]*\b(is|as|been|was)\b[^.]*\b(legacy|deprecated)|\b(legacy|deprecated) model",
    ),
    Row(
        "ResourceNotFoundException AccessDeniedException ValidationException",
        AccessDenied,
        "the provider's form for first use is not filled in",
        "fill it in on the Bedrock console's page of the model",
        text="use case details",
    ),
    Row(
        "AccessDeniedException",
        AccessDenied,
        "the subscription at AWS Marketplace is not finished",
        "finish it, and try again after 15 minutes",
        text="marketplace",
    ),
    Row(
        "AccessDeniedException",
        AuthenticationFailed,
        "AWS does not take the credentials",
        _WHO,
        text=r"api key|(security|bearer|session) token|token\b.*\b(expired|invalid)|authentication failed",
    ),
    Row(
        "ValidationException ResourceNotFoundException",
        RequestRejected,
        "AWS does not know the model",
        _WHICH,
        text="model identifier is invalid|could not resolve the foundation model",
    ),
    # The code decides.
    Row("FTUFormNotFilled", AccessDenied, "the provider's form for first use is not filled in", "fill it in on the console"),
    Row(
        "AccessDeniedException AccessDenied NotAuthorized OptInRequired",
        AccessDenied,
        "access is denied",
        "allow bedrock:InvokeModel to this identity, and request access to the model in this region",
    ),
    Row(
        "UnrecognizedClientException InvalidClientTokenId ExpiredToken ExpiredTokenException InvalidToken InvalidAccessKeyId"
        " InvalidSignatureException SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException AuthFailure"
        " MissingAuthenticationToken MissingAuthenticationTokenException InvalidIdentityToken UnauthorizedException",
        AuthenticationFailed,
        "AWS does not take the credentials",
        _WHO,
    ),
    Row(
        "RequestExpired RequestTimeTooSkewed",
        AuthenticationFailed,
        "AWS finds the request too old",
        "set this machine's clock",
    ),
    Row("ResourceNotFoundException", RequestRejected, "AWS does not find the model", _WHICH),
    Row(
        "ValidationException ValidationError",
        RequestRejected,
        "AWS finds the request wrong",
        "correct what the message names",
    ),
    Row("InvalidAction", RequestRejected, "the endpoint does not know InvokeModel", "check region and endpoint_url"),
    Row(
        "ServiceQuotaExceededException",
        RateLimited,
        "a quota of the account is used up",
        "ask AWS for a higher one at Service Quotas",
    ),
    Row(
        "ThrottlingException Throttling TooManyRequestsException",
        RateLimited,
        "AWS throttles the requests",
        "wait, or lower max_in_flight",
        retry=True,
    ),
    Row("ModelNotReadyException", ProviderUnavailable, "the model is not ready", _TRY_LATER, retry=True),
    Row(
        "ModelTimeoutException",
        ProviderTimeout,
        "the model took too long",
        "ask for less; AWS does not say whether it bills the call",
    ),
    Row("ModelErrorException ModelStreamErrorException", ProviderUnavailable, "the model failed", _TRY_LATER),
    Row("InternalServerException InternalFailure", ProviderUnavailable, "AWS has a fault", _TRY_LATER, retry=True),
    Row("ServiceUnavailableException", ProviderUnavailable, "Bedrock is not available", _TRY_LATER, retry=True),
    Row("overloaded_error", ProviderUnavailable, "Bedrock is overloaded", _TRY_LATER, retry=True),
)
"""Answers of AWS, by code and text; the first row that holds is the one."""

STATUSES = {
    401: Row("", AuthenticationFailed, "AWS does not take the credentials", _WHO),
    403: Row("", AccessDenied, "access is denied", "check what this identity may do"),
    404: Row("", RequestRejected, "AWS does not find what was asked for", _WHICH),
    408: Row("", ProviderTimeout, "the request took too long", _TRY_LATER),
    429: Row("", RateLimited, "too many requests", "wait, or lower max_in_flight", retry=True),
    500: Row("", ProviderUnavailable, "AWS has a fault", _TRY_LATER, retry=True),
    503: Row("", ProviderUnavailable, "Bedrock is not available", _TRY_LATER, retry=True),
    504: Row("", ProviderTimeout, "a gateway waited too long", _MAYBE_BILLED),
    529: Row("", ProviderUnavailable, "Bedrock is overloaded", _TRY_LATER, retry=True),
}
"""Answers of AWS with an unknown code, by HTTP status."""

_OTHER_4XX = Row("", RequestRejected, "the request was refused", "correct what the message names")
_OTHER_5XX = Row("", ProviderUnavailable, "the provider's side has a fault", _TRY_LATER)
_NO_ERROR_STATUS = Row("", BadResponse, "the answer is an error that Bedrock does not document", _TRY_LATER)

LOCAL = (
    Row(
        "NoCredentialsError NoAuthTokenError",
        AuthenticationFailed,
        "there are no AWS credentials",
        "set a profile, the AWS_ variables or a role",
    ),
    Row("PartialCredentialsError", AuthenticationFailed, "the AWS credentials are incomplete", "set what is missing"),
    Row("ProfileNotFound", AuthenticationFailed, "there is no such AWS profile", "check profile and AWS_PROFILE"),
    Row(
        "SSOError LoginError TokenRetrievalError",
        AuthenticationFailed,
        "the sign-on to AWS has ended",
        "run 'aws sso login' or 'aws login'",
    ),
    Row(
        "CredentialRetrievalError MetadataRetrievalError RefreshWithMFAUnsupportedError UnknownCredentialError"
        " UnknownTokenProviderError InvalidConfigError ConfigParseError ConfigNotFound MissingDependencyException",
        AuthenticationFailed,
        "the AWS credentials cannot be read",
        "correct the AWS configuration",
    ),
    Row(
        "NoRegionError",
        TaskRefused,
        "no AWS region is known",
        "set region, or AWS_DEFAULT_REGION, such as us-west-2",
        parameter="setting region",
    ),
    Row(
        "InvalidRegionError UnknownRegionError BaseEndpointResolverError EndpointProviderError InvalidHostLabelError",
        TaskRefused,
        "there is no such AWS region",
        "set region to one such as us-west-2",
        parameter="setting region",
    ),
    Row(
        "InvalidEndpointConfigurationError",
        TaskRefused,
        "the endpoint is wrong",
        "give a URL such as http://127.0.0.1:8080",
        parameter="setting endpoint_url",
    ),
    Row("ParamValidationError ValidationError", TaskRefused, "botocore refuses the call", "correct it", parameter="call"),
    Row(
        "EndpointConnectionError ConnectTimeoutError",
        ProviderUnavailable,
        "Bedrock cannot be reached",
        _BEFORE_SENDING,
        retry=True,
    ),
    Row("ProxyConnectionError", ProviderUnavailable, "the proxy cannot be reached", "check HTTPS_PROXY and NO_PROXY"),
    Row("SSLError", ProviderUnavailable, "TLS failed", "check endpoint_url, the clock and AWS_CA_BUNDLE"),
    Row("ReadTimeoutError", ProviderTimeout, "no answer came in time", "raise timeout; the call may have been billed"),
    Row("ConnectionClosedError", ProviderUnavailable, "the connection was closed before an answer", _MAYBE_BILLED),
    Row(
        "ResponseStreamingError IncompleteReadError ProtocolError",
        ProviderUnavailable,
        "the connection was closed in mid-answer",
        _MAYBE_BILLED,
    ),
    Row("ConnectionError HTTPClientError HTTPError", ProviderUnavailable, "the connection failed", _BEFORE_SENDING),
    Row("ParserError ResponseParserError", BadResponse, "the answer is damaged", _MAYBE_BILLED),
    Row("BotoCoreError", ProviderError, "botocore failed", "see its message"),
)
"""What botocore and urllib3 raise by themselves, by the name of the class or of a base, the nearest first."""

API_KEY_OVER_HTTP = Row(
    "InvalidEndpointConfigurationError",
    TaskRefused,
    "botocore sends an API key over https alone, and this endpoint is one of http",
    "unset AWS_BEARER_TOKEN_BEDROCK and use access keys, or give an endpoint_url of https",
    text="bearer authorization requires an https endpoint",
    parameter="AWS_BEARER_TOKEN_BEDROCK",
)
"""The same error of botocore as a wrong endpoint's, by its text."""

_LOCAL_BY_NAME = {name: row for row in LOCAL for name in row.names}


def row_of(error: BaseException) -> Row | None:
    """Find the row of an error; ``None`` where it comes neither from AWS nor from botocore."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return _row_of_answer(*said(response))
    if API_KEY_OVER_HTTP.holds(type(error).__name__, str(error)):
        return API_KEY_OVER_HTTP
    return next((_LOCAL_BY_NAME[base.__name__] for base in type(error).__mro__ if base.__name__ in _LOCAL_BY_NAME), None)


def _row_of_answer(code: str, text: str, status: int) -> Row:
    row = next((row for row in ANSWERS if row.holds(code, text)), None) or STATUSES.get(status)
    if row is not None:
        return row
    return {4: _OTHER_4XX, 5: _OTHER_5XX}.get(status // 100, _NO_ERROR_STATUS)


def said(response: dict[str, Any]) -> tuple[str, str, int]:
    """Code, text and HTTP status. The events of a stream have no status, and begin their codes in lower case."""
    error = response.get("Error") or {}
    code = str(error.get("Code") or "").partition(":")[0].rpartition("#")[2]
    code = code[:1].upper() + code[1:] if code.endswith("Exception") else code
    return code, str(error.get("Message") or ""), response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
