"""The HTTP around the models: signature, identifiers, limits, shapes, both call forms."""

import asyncio
import json
import re
import shutil
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from urllib.parse import quote

import boto3
import limner_bedrock_emulator
import pytest
from aiohttp import web
from botocore.config import Config
from botocore.exceptions import ClientError
from limner_bedrock_emulator.eventstream import PART
from limner_bedrock_emulator.faults import Faults
from limner_bedrock_emulator.model_ids import contract_of
from limner_bedrock_emulator.refusals import RequestRefused
from limner_bedrock_emulator.service import Service
from limner_fakes.painters import Invert
from limner_fakes.serving import SERVER
from PIL import Image

SDXL, V2 = "stability.stable-diffusion-xl-v1", "amazon.titan-image-generator-v2:0"
BODY = {"text_prompts": [{"text": "a fox"}]}
SIGNED = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=ab"


@pytest.fixture
def post(emulator):
    """POST bytes without an SDK; give status, headers, parsed body."""

    def post(path=f"/model/{SDXL}/invoke", data=b"{}", authorization=SIGNED, method="POST", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers |= {} if authorization is None else {"Authorization": authorization}
        request = urllib.request.Request(emulator.url + path, data, headers, method=method)
        try:
            response = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return response.status, response.headers, json.loads(response.read())

    return post


def test_a_request_without_signature_is_refused(post):
    status, headers, body = post(authorization=None, Content_Type="application/json")
    assert (status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
    assert body == {"message": "Missing Authentication Token"}


@pytest.mark.parametrize(
    ("authorization", "missing"),
    [
        (SIGNED.replace("Signature=ab", ""), ["Signature"]),
        (SIGNED.replace("SignedHeaders=host, ", ""), ["SignedHeaders"]),
        (SIGNED.replace("=a/20260101/us-east-1/bedrock/aws4_request", "="), ["Credential"]),
        ("AWS4-HMAC-SHA256", ["Credential", "SignedHeaders", "Signature"]),
        ("Basic secret", ["Credential", "SignedHeaders", "Signature"]),
    ],
)
def test_an_incomplete_signature_is_refused(post, authorization, missing):
    status, headers, body = post(authorization=authorization, Content_Type="application/json")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "IncompleteSignature")
    assert re.findall(r"'(\w+)'", body["message"]) == missing
    assert "secret" not in body["message"]


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "bearer"])
def test_an_empty_api_key_is_refused(post, authorization):
    status, headers, body = post(authorization=authorization, Content_Type="application/json")
    assert (status, headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert body == {"message": "Authentication failed: Please make sure your API Key is valid."}


def test_an_api_key_is_taken_as_a_signature_is(post):
    assert post(data=json.dumps(BODY).encode(), authorization="Bearer an-api-key", Content_Type="application/json")[0] == 200


@pytest.fixture
def encrypted(tmp_path):
    """Serve over TLS; give the address, the certificate and the received requests."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    received = []
    runner = web.AppRunner(Service(Invert(), Faults(), {}, received.append).application(), **SERVER)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start():
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return runner.addresses[0][1]

    port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    yield f"https://127.0.0.1:{port}", certificate, received
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_boto3_with_an_api_key(encrypted, monkeypatch):
    """boto3 sends the key over TLS alone."""
    url, certificate, received = encrypted
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "an-api-key")
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=url, verify=str(certificate))
    assert client.invoke_model(modelId=SDXL, body=json.dumps(BODY))["body"].read()
    assert received[0].headers["authorization"] == "Bearer an-api-key"
    client.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3:80", "localhost:8765", "LocalHost", "[::1]:8765"])
def test_a_host_of_this_machine_is_answered(post, host):
    assert post(data=json.dumps(BODY).encode(), Host=host, Content_Type="application/json")[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]", "0.0.0.0",
     "127.0.0.1@evil.example", "evil.example@127.0.0.1", "127.0.0.1/x", "127.0.0.1:x", "[::1", "a,localhost", "x"],
)  # fmt: skip
@pytest.mark.parametrize("authorization", [SIGNED, None])
def test_another_host_is_refused_before_anything_else(post, emulator, host, authorization):
    status, headers, body = post(data=json.dumps(BODY).encode(), authorization=authorization, Host=host)
    assert (status, headers["x-amzn-ErrorType"]) == (421, "MisdirectedRequestException")
    assert (
        body["message"] == f"limner-bedrock-emulator answers no request to host {host!r}; use {emulator.url} or localhost."
    )
    assert emulator.requests == []


def test_every_answer_has_a_request_id_of_its_own(post):
    answers = [
        post(data=json.dumps(BODY).encode(), Content_Type="application/json"),
        post(Content_Type="application/json"),
        post(authorization=None),
        post("/nothing"),
    ]
    assert [status for status, _, _ in answers] == [200, 400, 403, 404]
    assert len({headers["x-amzn-RequestId"] for _, headers, _ in answers}) == 4


def test_the_content_type_is_json(post):
    data = json.dumps(BODY).encode()
    assert post(data=data, Content_Type="application/json; charset=utf-8")[0] == 200
    status, headers, _ = post(data=data, Content_Type="text/plain")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationException")


def test_no_content_type_passes_as_botocore_sends_none(client, emulator):
    client.invoke_model(modelId=SDXL, body=json.dumps(BODY))["body"].read()
    assert "content-type" not in emulator.requests[0].headers


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"seed": NaN}', b'{"seed": Infinity}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_malformed(post, data):
    status, headers, body = post(data=data, Content_Type="application/json")
    assert (status, headers["x-amzn-ErrorType"]) == (400, "ValidationException")
    assert body["message"] == "Malformed input request, please reformat your input and try again."


def test_deep_nesting_is_no_failure(post):
    deep = json.dumps(BODY)[:-1] + ', "extras": {"x": ' + "[" * 500 + "]" * 500 + "}}"
    assert post(data=deep.encode(), Content_Type="application/json")[0] == 200


@pytest.mark.parametrize("over", [1, 2, 1_000_000])
def test_the_body_has_a_limit(client, over):
    padding = " " * (25_000_000 - len(json.dumps(BODY)))
    assert client.invoke_model(modelId=SDXL, body=json.dumps(BODY) + padding)["body"].read()
    with pytest.raises(ClientError, match=r"'body' failed to satisfy constraint: .* 25000000") as refused:
        client.invoke_model(modelId=SDXL, body=json.dumps(BODY) + padding + " " * over)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), (f"/model/{SDXL}/converse", "POST"), (f"/model/{SDXL}/invoke", "PUT")]
)
def test_other_operations_are_unknown(post, path, method):
    status, headers, _ = post(path, None if method == "GET" else b"{}", method=method)
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


ARN = "arn:aws:bedrock:us-east-1:{}:{}/{}"


@pytest.mark.parametrize(
    ("identifier", "contract"),
    [
        (SDXL, "sdxl"),
        (f"{SDXL}:0", "sdxl"),
        ("amazon.titan-image-generator-v1", "titan-v1"),
        ("amazon.titan-image-generator-v1:0", "titan-v1"),
        (V2, "titan-v2"),
        (ARN.format("", "foundation-model", V2), "titan-v2"),
        (ARN.format("", "foundation-model", SDXL).replace("aws:", "aws-us-gov:", 1), "sdxl"),
        (f"us.{V2}", "titan-v2"),
        (f"us-gov.{V2}", "titan-v2"),
        (ARN.format("123456789012", "inference-profile", f"us.{SDXL}:0"), "sdxl"),
    ],
)
def test_every_name_of_a_model(client, identifier, contract):
    assert contract_of(identifier) == contract
    titan = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}
    body = BODY if contract == "sdxl" else titan
    assert client.invoke_model(modelId=identifier, body=json.dumps(body))["body"].read()


@pytest.mark.parametrize("escaped", [quote(V2, safe=""), V2])
def test_the_colon_may_be_escaped(post, emulator, escaped):
    data = json.dumps({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}}).encode()
    assert post(f"/model/{escaped}/invoke", data, Content_Type="application/json")[0] == 200
    assert emulator.requests[0].model_id == V2


@pytest.mark.parametrize(
    ("identifier", "code", "text"),
    [
        ("nonsense", "ValidationException", "The provided model identifier is invalid"),
        ("amazon.nova-reel-v1:0", "ResourceNotFoundException", "Could not resolve the foundation model"),
        ("amazon.titan-image-generator-v2", "ResourceNotFoundException", "Could not resolve the foundation model"),
        (ARN.format("1", "provisioned-model", "p2"), "ResourceNotFoundException", "Could not resolve the foundation model"),
        ("stability.stable-diffusion-xl-v0", "ResourceNotFoundException", "reached the end of its life"),
        ("x" * 2049, "ValidationException", "'modelId' failed to satisfy constraint: .* 2048"),
    ],
)
def test_other_models_are_refused(client, identifier, code, text):
    with pytest.raises(ClientError, match=text) as refused:
        client.invoke_model(modelId=identifier, body=json.dumps(BODY))
    assert refused.value.response["Error"]["Code"] == code


def test_an_opaque_arn_can_be_mapped(client):
    arn = ARN.format("1", "provisioned-model", "p1")  # mapped by the fixture
    titan = {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {}}
    with pytest.raises(ClientError, match=r"#/backgroundRemovalParams: required key \[image\] not found"):
        client.invoke_model(modelId=arn, body=json.dumps(titan))


def test_only_served_models_can_be_mapped_to():
    mapped = limner_bedrock_emulator.serve(served={"arn:x": "amazon.nova-reel-v1:0"})
    with pytest.raises(ValueError, match=r"cannot serve as 'amazon\.nova-reel-v1:0'"), mapped:
        pass
    with pytest.raises(RequestRefused):
        contract_of("arn:x")


def test_a_stream_carries_the_same_answer_in_parts(invoke, stream, encoded):
    picture = Image.effect_noise((1024, 1024), 90).convert("RGB")
    body = {"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": [encoded(picture)]}}
    parts = stream(V2, body)
    assert len(parts) > 1
    assert [len(part) for part in parts[:-1]] == [PART] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= PART
    assert PART == 1_000_000
    assert json.loads(b"".join(parts)) == invoke(V2, body)


def test_a_stream_refuses_a_bad_body_before_it_begins(stream):
    with pytest.raises(ClientError, match=r"#/steps: 9 is not greater or equal to 10") as refused:
        stream(SDXL, BODY | {"steps": 9})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_stream_says_what_it_carries(client):
    response = client.invoke_model_with_response_stream(modelId=SDXL, body=json.dumps(BODY))
    assert response["contentType"] == "application/json"
    response["body"].close()


def test_the_environment_alone_leads_boto3_here(emulator, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("bedrock-runtime", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))
    assert client.invoke_model(modelId=SDXL, body=json.dumps(BODY))["body"].read()
    assert len(emulator.requests) == 1
    client.close()
