"""Every code, status and text that AWS sends, and all that botocore raises, is the error it should be."""

import base64
import inspect
import itertools
import os
import string

import boto3
import botocore.eventstream
import botocore.exceptions
import limner
import pytest
import urllib3.exceptions
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from limner_bedrock.error_translation import translate
from limner_bedrock.errors import ANSWERS, row_of

# The oracle: what each code means where the text says nothing more; whether it is worth another attempt.
BY_CODE = {
    "AccessDeniedException": (limner.AccessDenied, False),
    "AccessDenied": (limner.AccessDenied, False),
    "NotAuthorized": (limner.AccessDenied, False),
    "OptInRequired": (limner.AccessDenied, False),
    "FTUFormNotFilled": (limner.AccessDenied, False),
    "ResourceNotFoundException": (limner.RequestRejected, False),
    "ValidationException": (limner.RequestRejected, False),
    "ValidationError": (limner.RequestRejected, False),
    "InvalidAction": (limner.RequestRejected, False),
    "ServiceQuotaExceededException": (limner.RateLimited, False),
    "ThrottlingException": (limner.RateLimited, True),
    "ModelNotReadyException": (limner.ProviderUnavailable, True),
    "ModelTimeoutException": (limner.ProviderTimeout, False),
    "ModelErrorException": (limner.ProviderUnavailable, False),
    "ModelStreamErrorException": (limner.ProviderUnavailable, False),
    "InternalServerException": (limner.ProviderUnavailable, True),
    "InternalFailure": (limner.ProviderUnavailable, True),
    "ServiceUnavailableException": (limner.ProviderUnavailable, True),
    "overloaded_error": (limner.ProviderUnavailable, True),
    "UnrecognizedClientException": (limner.AuthenticationFailed, False),
    "InvalidClientTokenId": (limner.AuthenticationFailed, False),
    "ExpiredTokenException": (limner.AuthenticationFailed, False),
    "ExpiredToken": (limner.AuthenticationFailed, False),
    "InvalidSignatureException": (limner.AuthenticationFailed, False),
    "SignatureDoesNotMatch": (limner.AuthenticationFailed, False),
    "IncompleteSignature": (limner.AuthenticationFailed, False),
    "MissingAuthenticationTokenException": (limner.AuthenticationFailed, False),
    "RequestExpired": (limner.AuthenticationFailed, False),
}
BY_STATUS = {
    0: (limner.BadResponse, False),
    200: (limner.BadResponse, False),
    302: (limner.BadResponse, False),
    400: (limner.RequestRejected, False),
    401: (limner.AuthenticationFailed, False),
    403: (limner.AccessDenied, False),
    404: (limner.RequestRejected, False),
    408: (limner.ProviderTimeout, False),
    413: (limner.RequestRejected, False),
    424: (limner.RequestRejected, False),
    429: (limner.RateLimited, True),
    500: (limner.ProviderUnavailable, True),
    502: (limner.ProviderUnavailable, False),
    503: (limner.ProviderUnavailable, True),
    504: (limner.ProviderTimeout, False),
    529: (limner.ProviderUnavailable, True),
    599: (limner.ProviderUnavailable, False),
}
UNKNOWN_CODES = ["", "UnknownError", "403", "SomeNewException"]

FILTERED = [
    (
        "This request has been blocked by our content filters. Our filters automatically flagged this prompt because it may"
        " conflict our AUP or AWS Responsible AI Policy. Please adjust your text prompt to submit a new request."
    ),
    "This request has been blocked by our content filters. Please adjust your input image to submit a new request.",
]
GONE = [
    "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
    (
        "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the"
        " last 15 days. Please upgrade to an active model on Amazon Bedrock"
    ),
    "The model you requested has been deprecated.",
]
SCHEMA = [
    "Malformed input request: #/textToImageParams/text: expected maxLength: 512, actual: 536, please reformat your input",
    "Malformed input request: #: extraneous key [x] is not permitted, please reformat your input and try again.",
    "Malformed input request: 2 schema violations found, please reformat your input and try again.",
]
UNKNOWN_ID = [
    "The provided model identifier is invalid.",
    "Could not resolve the foundation model from the provided model identifier.",
]
MARKETPLACE = [
    "Model access is denied: the IAM user or service role is not authorized to perform the required AWS Marketplace actions"
]
TOKEN = ["The security token included in the request is expired", "Authentication failed: make sure your API Key is valid"]
FORM = ["Model use case details have not been submitted for this account."]
PLAIN = [
    "",
    "Rate exceeded",
    (
        "User: arn:aws:iam::123456789012:user/legacy-app is not authorized to perform: bedrock:InvokeModel on resource:"
        " arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-image-generator-v1"
    ),
    "`temperature` is deprecated for this model.",
]
THREE = {"ResourceNotFoundException", "ValidationException", "AccessDeniedException"}
TEXTS = (
    [(text, limner.ContentFiltered, None) for text in FILTERED]
    + [(text, limner.ModelRetired, THREE) for text in GONE]
    + [(text, limner.RequestRejected, {"ValidationException"}) for text in SCHEMA]
    + [(text, limner.RequestRejected, {"ValidationException", "ResourceNotFoundException"}) for text in UNKNOWN_ID]
    + [(text, limner.AccessDenied, {"AccessDeniedException"}) for text in MARKETPLACE]
    + [(text, limner.AuthenticationFailed, {"AccessDeniedException"}) for text in TOKEN]
    + [(text, limner.AccessDenied, THREE) for text in FORM]
    + [(text, None, set()) for text in PLAIN]
)


def answer(code, status, text, **more):
    metadata = {"HTTPStatusCode": status, "RequestId": "request-1", "HTTPHeaders": {}}
    return ClientError({"Error": {"Code": code, "Message": text}, "ResponseMetadata": metadata} | more, "InvokeModel")


@pytest.mark.parametrize("code", [*BY_CODE, *UNKNOWN_CODES])
def test_every_code_status_and_text(code):
    for status, (text, by_text, codes) in itertools.product(BY_STATUS, TEXTS):
        expected, retry = BY_CODE.get(code) or BY_STATUS[status]
        if by_text is not None and (codes is None or code in codes):
            expected, retry = by_text, False
        error = answer(code, status, text)
        found = translate(error, model="m")
        assert type(found) is expected, (code, status, text)
        assert row_of(error).retry == retry, (code, status, text)
        assert found.model == "m"
        assert found.request_ids == ("request-1",)
        assert code in str(found)
        assert text[:60].rstrip(" .") in str(found)


def test_a_schema_error_that_speaks_of_a_legacy_model_is_still_one():
    text = "Malformed input request: #: extraneous key [legacy model] is not permitted"
    assert type(translate(answer("ValidationException", 400, text), model="m")) is limner.RequestRejected


@pytest.mark.parametrize("code", BY_CODE)
@pytest.mark.parametrize("spelled", ["{}:http://internal.amazon.com/coral/com.amazon.bedrock/", "com.amazon#{}"])
def test_a_code_with_a_namespace(code, spelled):
    assert row_of(answer(spelled.format(code), 400, "")) is row_of(answer(code, 400, ""))


def shapes():
    model = boto3.Session().client("bedrock-runtime", "us-west-2").meta.service_model
    operations = [model.operation_model(name) for name in ("InvokeModel", "InvokeModelWithResponseStream")]
    stream = operations[1].output_shape.members["body"]
    events = {name for name in stream.members if stream.members[name].metadata.get("exception")}
    return {shape.name for operation in operations for shape in operation.error_shapes} | events


def test_every_exception_of_the_two_operations_has_a_row():
    known = {name for row in ANSWERS for name in row.names}
    found = shapes()
    assert len(found) >= 17
    for name in found:
        assert name[0].upper() + name[1:] in known
        assert row_of(answer(name, 0, "")) is not None
        assert type(translate(answer(name, 0, ""), model="m")) is BY_CODE[name[0].upper() + name[1:]][0]


def made(kind):
    """An exception of botocore with every field of its message filled in."""
    fields = {name: "x" for _, name, _, _ in string.Formatter().parse(kind.fmt) if name}
    return kind(**fields, last_response={}) if kind.__name__ == "WaiterError" else kind(**fields)


OWN = [
    kind
    for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass)
    if issubclass(kind, botocore.exceptions.BotoCoreError)
]
EXPECTED = {
    "NoCredentialsError": limner.AuthenticationFailed,
    "PartialCredentialsError": limner.AuthenticationFailed,
    "CredentialRetrievalError": limner.AuthenticationFailed,
    "ProfileNotFound": limner.AuthenticationFailed,
    "ConfigParseError": limner.AuthenticationFailed,
    "TokenRetrievalError": limner.AuthenticationFailed,
    "SSOTokenLoadError": limner.AuthenticationFailed,
    "UnauthorizedSSOTokenError": limner.AuthenticationFailed,
    "LoginRefreshRequired": limner.AuthenticationFailed,
    "InfiniteLoopConfigError": limner.AuthenticationFailed,
    "NoRegionError": limner.TaskRefused,
    "InvalidRegionError": limner.TaskRefused,
    "UnknownEndpointError": limner.TaskRefused,
    "EndpointResolutionError": limner.TaskRefused,
    "InvalidEndpointConfigurationError": limner.TaskRefused,
    "ParamValidationError": limner.TaskRefused,
    "EndpointConnectionError": limner.ProviderUnavailable,
    "ConnectTimeoutError": limner.ProviderUnavailable,
    "ProxyConnectionError": limner.ProviderUnavailable,
    "SSLError": limner.ProviderUnavailable,
    "ConnectionClosedError": limner.ProviderUnavailable,
    "ResponseStreamingError": limner.ProviderUnavailable,
    "IncompleteReadError": limner.ProviderUnavailable,
    "HTTPClientError": limner.ProviderUnavailable,
    "ReadTimeoutError": limner.ProviderTimeout,
}


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_nothing_of_botocore_escapes(kind):
    found = translate(made(kind), model="m", attempts=2)
    assert isinstance(found, limner.LimnerError)
    assert type(found) is EXPECTED.get(kind.__name__, type(found))
    assert kind.__name__ in str(found)
    assert "2 attempts" in str(found)
    assert row_of(made(kind)).retry == (kind.__name__ in {"EndpointConnectionError", "ConnectTimeoutError"})


def test_the_expected_ones_exist():
    assert set(EXPECTED) <= {kind.__name__ for kind in OWN}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (urllib3.exceptions.ProtocolError("x"), limner.ProviderUnavailable),
        (urllib3.exceptions.IncompleteRead(1, 2), limner.ProviderUnavailable),
        (urllib3.exceptions.ReadTimeoutError(None, "u", "x"), limner.ProviderTimeout),
        (botocore.eventstream.ChecksumMismatch(1, 2), limner.BadResponse),
        (botocore.eventstream.InvalidPayloadLength(1), limner.BadResponse),
    ],
)
def test_nor_of_what_is_below_it(error, expected):
    assert type(translate(error, model="m")) is expected


@pytest.mark.parametrize("error", [TypeError("a bug"), KeyError("x"), AssertionError(), ZeroDivisionError()])
def test_a_bug_stays_a_bug(error):
    assert translate(error, model="m") is None


def test_the_models_own_status_is_named():
    found = translate(answer("ModelErrorException", 424, "failed", originalStatusCode=507), model="m")
    assert "the model's own status 507" in str(found)


@given(st.text(max_size=2000), st.sampled_from([*BY_CODE, ""]), st.sampled_from(list(BY_STATUS)))
def test_a_message_is_one_line_of_sensible_length(text, code, status):
    message = str(translate(answer(code, status, text), model="m", attempts=4))
    assert message.isprintable()
    assert len(message) < 600


@given(st.binary(min_size=30, max_size=200))
def test_no_secret_and_no_picture_in_a_message(secret):
    coded = base64.b64encode(secret).decode()
    text = (
        "The request signature we calculated does not match. The Canonical String should have been 'POST"
        f"\nauthorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101, Signature={secret.hex()}"
        f"\nx-amz-security-token:{coded}' body {coded}{coded}"
    )
    message = str(translate(answer("SignatureDoesNotMatch", 403, text), model="m"))
    assert "AKIAIOSFODNN7EXAMPLE" not in message
    assert secret.hex() not in message
    assert coded not in message
    assert "does not match" in message


def test_an_arn_is_no_secret():
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl"
    assert arn in str(translate(answer("ResourceNotFoundException", 404, f"{arn} is not found"), model="m"))


def test_a_request_that_botocore_refuses_is_not_quoted(send):
    prompt = "a fox " + os.urandom(8).hex()
    with pytest.raises(limner.TaskRefused, match="wrong body") as caught:
        send([prompt])
    assert prompt not in str(caught.value)


def test_the_password_of_an_endpoint_is_hidden():
    error = botocore.exceptions.EndpointConnectionError(endpoint_url="http://user:pa55word@127.0.0.1:9/model")
    shown = str(translate(error, model="m"))
    assert "pa55word" not in shown
    assert "127.0.0.1" in shown


def test_an_api_key_over_http_names_the_variable(send, monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "hush")
    with pytest.raises(limner.TaskRefused, match=r"unset AWS_BEARER_TOKEN_BEDROCK .*https") as caught:
        send()
    assert [problem.parameter for problem in caught.value.problems] == ["AWS_BEARER_TOKEN_BEDROCK"]
    assert "give a URL" not in str(caught.value)


@pytest.mark.parametrize(("header", "seconds"), [({"Retry_After": "7.5"}, 7.5), ({}, None)])
def test_a_rate_limit_carries_the_providers_delay(stub, send, header, seconds):
    stub.otherwise = stub.error(429, "ThrottlingException", **header)
    with pytest.raises(limner.RateLimited) as error:
        send(max_attempts=1)
    assert error.value.retry_after == seconds
