"""The table that maps AWS's error responses and botocore's exceptions to limner's errors.

Sources: Amazon Bedrock API Reference, InvokeModel, "Errors"; Amazon Bedrock User Guide, "Troubleshooting Amazon Bedrock
API Error Codes"; Amazon Nova User Guide, "Error handling". Several codes share one HTTP status and one code has several
meanings, so that code and message select a row; the status is used only if the code is unknown.
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
    """How one kind of failure is reported.

    Attributes:
        names: AWS's error codes, or names of exception classes; empty if the message alone selects the row.
        error: the class of limner's error.
        what: what happened.
        advice: what to do.
        retry: whether to retry, because nothing can have been generated.
        text: a case-insensitive regular expression that AWS's message must match.
        parameter: the wrong parameter, for TaskRefused.
    """

    names: frozenset[str] = attrs.field(converter=_words)
    error: type[LimnerError]
    what: str
    advice: str
    retry: bool = attrs.field(default=False, kw_only=True)
    text: str = attrs.field(default="", kw_only=True)
    parameter: str = attrs.field(default="", kw_only=True)

    def matches(self, code: str, text: str) -> bool:
        """Return whether the row applies to an error."""
        return (not self.names or code in self.names) and re.search(self.text, text, re.IGNORECASE) is not None


_TRY_LATER = "retry later"
_MAYBE_BILLED = "retry; the call may have been billed"
_CHECK_NETWORK = "check the network, region and endpoint_url"
_CHECK_CREDENTIALS = "check access key, session token and profile, or sign in again"
_CHECK_MODEL = "check the model id, and whether the model is offered in this region"

ANSWERS = (
    # Selected by the message.
    Row(
        "ValidationException",
        RequestRejected,
        "the request body is invalid for the model",
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
        "the provider's first-use form has not been submitted",
        "submit it on the model's page in the Bedrock console",
        text="use case details",
    ),
    Row(
        "AccessDeniedException",
        AccessDenied,
        "the AWS Marketplace subscription is not complete",
        "complete it, and retry after 15 minutes",
        text="marketplace",
    ),
    Row(
        "AccessDeniedException",
        AuthenticationFailed,
        "AWS rejected the credentials",
        _CHECK_CREDENTIALS,
        text=r"api key|(security|bearer|session) token|token\b.*\b(expired|invalid)|authentication failed",
    ),
    Row(
        "ValidationException ResourceNotFoundException",
        RequestRejected,
        "AWS does not know the model",
        _CHECK_MODEL,
        text="model identifier is invalid|could not resolve the foundation model",
    ),
    # Selected by the code.
    Row(
        "FTUFormNotFilled",
        AccessDenied,
        "the provider's first-use form has not been submitted",
        "submit it in the Bedrock console",
    ),
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
        "AWS rejected the credentials",
        _CHECK_CREDENTIALS,
    ),
    Row(
        "RequestExpired RequestTimeTooSkewed",
        AuthenticationFailed,
        "AWS rejected the request as expired",
        "correct this machine's clock",
    ),
    Row("ResourceNotFoundException", RequestRejected, "AWS did not find the model", _CHECK_MODEL),
    Row(
        "ValidationException ValidationError",
        RequestRejected,
        "AWS rejected the request as invalid",
        "correct what the message names",
    ),
    Row("InvalidAction", RequestRejected, "the endpoint does not know InvokeModel", "check region and endpoint_url"),
    Row(
        "ServiceQuotaExceededException",
        RateLimited,
        "an account quota is exceeded",
        "request an increase in Service Quotas",
    ),
    Row(
        "ThrottlingException Throttling TooManyRequestsException",
        RateLimited,
        "AWS is throttling requests",
        "wait, or lower max_in_flight",
        retry=True,
    ),
    Row("ModelNotReadyException", ProviderUnavailable, "the model is not ready", _TRY_LATER, retry=True),
    Row(
        "ModelTimeoutException",
        ProviderTimeout,
        "the model timed out",
        "request less; AWS does not document whether the call is billed",
    ),
    Row("ModelErrorException ModelStreamErrorException", ProviderUnavailable, "the model failed", _TRY_LATER),
    Row("InternalServerException InternalFailure", ProviderUnavailable, "AWS had an internal error", _TRY_LATER, retry=True),
    Row("ServiceUnavailableException", ProviderUnavailable, "Bedrock is not available", _TRY_LATER, retry=True),
    Row("overloaded_error", ProviderUnavailable, "Bedrock is overloaded", _TRY_LATER, retry=True),
)
"""AWS's error responses by code and message; the first matching row applies."""

STATUSES = {
    401: Row("", AuthenticationFailed, "AWS rejected the credentials", _CHECK_CREDENTIALS),
    403: Row("", AccessDenied, "access is denied", "check what this identity may do"),
    404: Row("", RequestRejected, "AWS did not find the resource", _CHECK_MODEL),
    408: Row("", ProviderTimeout, "the request timed out", _TRY_LATER),
    429: Row("", RateLimited, "too many requests", "wait, or lower max_in_flight", retry=True),
    500: Row("", ProviderUnavailable, "AWS had an internal error", _TRY_LATER, retry=True),
    503: Row("", ProviderUnavailable, "Bedrock is not available", _TRY_LATER, retry=True),
    504: Row("", ProviderTimeout, "a gateway timed out", _MAYBE_BILLED),
    529: Row("", ProviderUnavailable, "Bedrock is overloaded", _TRY_LATER, retry=True),
}
"""AWS's error responses with an unknown code, by HTTP status."""

_OTHER_4XX = Row("", RequestRejected, "the request was refused", "correct what the message names")
_OTHER_5XX = Row("", ProviderUnavailable, "the provider had an internal error", _TRY_LATER)
_NO_ERROR_STATUS = Row("", BadResponse, "the response is an undocumented error", _TRY_LATER)

LOCAL = (
    Row(
        "NoCredentialsError NoAuthTokenError",
        AuthenticationFailed,
        "there are no AWS credentials",
        "set a profile, the AWS_ variables or a role",
    ),
    Row("PartialCredentialsError", AuthenticationFailed, "the AWS credentials are incomplete", "set the missing ones"),
    Row("ProfileNotFound", AuthenticationFailed, "the AWS profile does not exist", "check profile and AWS_PROFILE"),
    Row(
        "SSOError LoginError TokenRetrievalError",
        AuthenticationFailed,
        "the AWS sign-in session has expired",
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
        "the AWS region does not exist",
        "set region to one such as us-west-2",
        parameter="setting region",
    ),
    Row(
        "InvalidEndpointConfigurationError",
        TaskRefused,
        "the endpoint is invalid",
        "set endpoint_url to a URL such as http://127.0.0.1:8080",
        parameter="setting endpoint_url",
    ),
    Row(
        "ParamValidationError ValidationError",
        TaskRefused,
        "botocore rejected the arguments",
        "correct them",
        parameter="call",
    ),
    Row(
        "EndpointConnectionError ConnectTimeoutError",
        ProviderUnavailable,
        "Bedrock cannot be reached",
        _CHECK_NETWORK,
        retry=True,
    ),
    Row("ProxyConnectionError", ProviderUnavailable, "the proxy cannot be reached", "check HTTPS_PROXY and NO_PROXY"),
    Row("SSLError", ProviderUnavailable, "TLS failed", "check endpoint_url, the clock and AWS_CA_BUNDLE"),
    Row("ReadTimeoutError", ProviderTimeout, "the response timed out", "raise timeout; the call may have been billed"),
    Row("ConnectionClosedError", ProviderUnavailable, "the connection was closed before a response", _MAYBE_BILLED),
    Row(
        "ResponseStreamingError IncompleteReadError ProtocolError",
        ProviderUnavailable,
        "the connection was closed in the middle of the response",
        _MAYBE_BILLED,
    ),
    Row("ConnectionError HTTPClientError HTTPError", ProviderUnavailable, "the connection failed", _CHECK_NETWORK),
    Row("ParserError ResponseParserError", BadResponse, "the response is malformed", _MAYBE_BILLED),
    Row("BotoCoreError", ProviderError, "botocore failed", "see its message"),
)
"""Exceptions of botocore and urllib3 by the name of the class, or of its nearest base class in the table."""

API_KEY_OVER_HTTP = Row(
    "InvalidEndpointConfigurationError",
    TaskRefused,
    "botocore sends an API key only over HTTPS, and this endpoint uses HTTP",
    "unset AWS_BEARER_TOKEN_BEDROCK and use access keys, or set endpoint_url to an https:// URL",
    text="bearer authorization requires an https endpoint",
    parameter="AWS_BEARER_TOKEN_BEDROCK",
)
"""botocore raises the same exception class for a wrong endpoint; the message distinguishes them."""

_LOCAL_BY_NAME = {name: row for row in LOCAL for name in row.names}


def row_of(error: BaseException) -> Row | None:
    """Return the row of an error; ``None`` if it comes neither from AWS nor from botocore."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return _row_of_answer(*parse_error(response))
    if API_KEY_OVER_HTTP.matches(type(error).__name__, str(error)):
        return API_KEY_OVER_HTTP
    return next((_LOCAL_BY_NAME[base.__name__] for base in type(error).__mro__ if base.__name__ in _LOCAL_BY_NAME), None)


def _row_of_answer(code: str, text: str, status: int) -> Row:
    row = next((row for row in ANSWERS if row.matches(code, text)), None) or STATUSES.get(status)
    if row is not None:
        return row
    return {4: _OTHER_4XX, 5: _OTHER_5XX}.get(status // 100, _NO_ERROR_STATUS)


def parse_error(response: dict[str, Any]) -> tuple[str, str, int]:
    """Return code, message and HTTP status. Stream events have no status, and their codes begin with a lower-case letter."""
    error = response.get("Error") or {}
    code = str(error.get("Code") or "").partition(":")[0].rpartition("#")[2]
    code = code[:1].upper() + code[1:] if code.endswith("Exception") else code
    return code, str(error.get("Message") or ""), response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
