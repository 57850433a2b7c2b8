"""Every fault on demand, as boto3 sees it, in both call forms; counts; the three ways to ask."""

import base64
import json
import time

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from limner_bedrock_emulator.faults import BROKEN, REFUSALS, Faults
from limner_fakes.faults import Fault
from PIL import Image

SDXL, TITAN = "stability.stable-diffusion-xl-v1", "amazon.titan-image-generator-v2:0"
BODY = {"text_prompts": [{"text": "a fox"}], "seed": 7}
WIDE = {"numberOfImages": 3, "width": 512, "height": 512}
TITAN_BODY = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox"}, "imageGenerationConfig": WIDE}

HTTP = {  # name: status, error code, part of the text
    "throttle": (429, "ThrottlingException", "Too many requests"),
    "internal-error": (500, "InternalServerException", "unexpected error"),
    "unavailable": (503, "ServiceUnavailableException", "temporarily unable"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "model-not-ready": (429, "ModelNotReadyException", "not ready"),
    "model-timeout": (408, "ModelTimeoutException", "timed out"),
    "model-error": (424, "ModelErrorException", "processing the model"),
    "access-denied": (403, "AccessDeniedException", "access to the model"),
    "expired-token": (403, "ExpiredTokenException", "expired"),
    "quota": (400, "ServiceQuotaExceededException", "quota"),
    "input-filtered": (400, "ValidationException", "blocked by our content filters"),
    "end-of-life": (404, "ResourceNotFoundException", "reached the end of its life"),
    "legacy": (404, "ResourceNotFoundException", "marked by provider as Legacy"),
}
EVENTS = {
    "throttle": "throttlingException",
    "internal-error": "internalServerException",
    "unavailable": "serviceUnavailableException",
    "model-timeout": "modelTimeoutException",
    "model-error": "modelStreamErrorException",
    "input-filtered": "validationException",
}


def test_every_fault_is_tested_here():
    assert HTTP.keys() == REFUSALS.keys()
    assert not REFUSALS.keys() & BROKEN.keys()


@pytest.mark.parametrize("name", HTTP)
def test_an_error_of_the_service(emulator, invoke, name):
    emulator.fail_with(name)
    status, code, text = HTTP[name]
    with pytest.raises(ClientError, match=text) as failed:
        invoke(SDXL, BODY)
    response = failed.value.response
    assert response["Error"]["Code"] == code
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["ResponseMetadata"]["RequestId"]
    if name == "overloaded":
        assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    if name == "model-error":
        assert response["originalStatusCode"] == 500
        assert response["resourceName"]


@pytest.mark.parametrize("name", HTTP)
def test_an_error_of_the_service_in_a_stream(emulator, stream, name):
    emulator.fail_with(name)
    with pytest.raises(ClientError, match=HTTP[name][2]) as failed:
        stream(SDXL, BODY)
    assert isinstance(failed.value, EventStreamError) == (name in EVENTS)
    assert failed.value.response["Error"]["Code"] == EVENTS.get(name, HTTP[name][1])


@pytest.mark.parametrize("form", ["invoke", "stream"])
def test_a_fault_with_a_count_passes_by(emulator, request, form):
    call = request.getfixturevalue(form)
    emulator.fail_with("throttle*2", "internal-error*1")
    codes = []
    for _ in range(5):
        try:
            call(SDXL, BODY)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"][:8].lower())
        else:
            codes.append("fine")
    assert codes == ["throttli", "throttli", "internal", "fine", "fine"]
    emulator.clear()
    with pytest.raises(ClientError):
        call(SDXL, BODY)


def test_botocores_own_retries_get_past_a_count(emulator):
    emulator.fail_with("throttle*1")
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 2, "mode": "standard"}),
    )
    response = client.invoke_model(modelId=SDXL, body=json.dumps(BODY))
    assert response["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(emulator.requests) == 2
    response["body"].close()
    client.close()


def test_a_marker_in_a_text_is_counted_by_its_exact_text(invoke):
    def body(marker):
        return {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox", "negativeText": f"x [[fault:{marker}]]"}}

    for _ in range(2):
        with pytest.raises(ClientError, match="Too many requests"):
            invoke(TITAN, body("throttle*2"))
    assert invoke(TITAN, body("throttle*2"))["images"]
    with pytest.raises(ClientError, match="Too many requests"):
        invoke(TITAN, body("throttle*1"))


def test_a_header_asks_for_one_request(client):
    def ask(request, **_):
        request.headers["x-limner-fault"] = "quota*1"

    client.meta.events.register("before-sign.bedrock-runtime.InvokeModel", ask)
    with pytest.raises(ClientError, match="quota"):
        client.invoke_model(modelId=SDXL, body=json.dumps(BODY))
    assert client.invoke_model(modelId=SDXL, body=json.dumps(BODY))["body"].read()


@pytest.mark.parametrize(
    "text", ["", "nothing", "throttle*0", "throttle*", "throttle:2", "filtered:0", "Throttle", "hang*-1"]
)
def test_an_unknown_fault_is_said(emulator, invoke, text):
    with pytest.raises(ValueError, match=r"is no fault; it is NAME, NAME\*COUNT or filtered:K, .* throttle"):
        emulator.fail_with(text)
    with pytest.raises(ClientError, match=r"limner-bedrock-emulator: .* is no fault"):
        invoke(SDXL, {"text_prompts": [{"text": f"[[fault:{text}]]"}]})


def test_the_written_forms():
    assert Faults(["throttle"]).next([], None) == Fault("throttle", None, None)
    assert Faults([" throttle*12 "]).next([], None) == Fault("throttle", None, 12)
    assert Faults(["filtered:2*3"]).next([], None) == Fault("filtered", 2, 3)


def test_hanging_ends_when_the_client_goes(emulator, client, invoke):
    impatient = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2),
    )
    emulator.fail_with("hang*2")
    for call in (impatient.invoke_model, impatient.invoke_model_with_response_stream):
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            call(modelId=SDXL, body=json.dumps(BODY))
    assert invoke(SDXL, BODY)["result"] == "success"
    impatient.close()


def test_a_reset_cuts_the_answer_in_the_middle(emulator, client):
    emulator.fail_with("reset")
    response = client.invoke_model(modelId=SDXL, body=json.dumps(BODY))
    with pytest.raises((botocore.exceptions.ResponseStreamingError, botocore.exceptions.ConnectionClosedError)):
        response["body"].read()
    response = client.invoke_model_with_response_stream(modelId=SDXL, body=json.dumps(BODY))
    with pytest.raises(Exception, match=r"reset|broken|closed"):
        list(response["body"])


def test_truncated_json_is_no_json(emulator, client, stream):
    emulator.fail_with("truncated-json")
    data = client.invoke_model(modelId=SDXL, body=json.dumps(BODY))["body"].read()
    for cut in (data, b"".join(stream(SDXL, BODY))):
        assert cut.startswith(b'{"result": "success"')
        with pytest.raises(ValueError, match="Unterminated string"):
            json.loads(cut)


@pytest.fixture
def images(emulator, invoke):
    """The base64 texts of both providers' answers under a fault."""

    def images(fault):
        emulator.fail_with(fault)
        return [invoke(SDXL, BODY)["artifacts"][0]["base64"], *invoke(TITAN, TITAN_BODY)["images"]]

    return images


def test_bad_base64(images):
    for text in images("bad-base64"):
        with pytest.raises(ValueError, match=r"base64|padd|discontinuous|allowed"):
            base64.b64decode(text, validate=True)


def test_not_a_picture(images):
    assert {base64.b64decode(text, validate=True) for text in images("not-a-picture")} == {b"This is not a picture."}


def test_missing_keys(emulator, invoke):
    emulator.fail_with("missing-keys")
    assert invoke(SDXL, BODY) == invoke(TITAN, TITAN_BODY) == {}


def test_fewer_images(emulator, invoke):
    emulator.fail_with("fewer-images")
    assert invoke(SDXL, BODY) == {"result": "success", "artifacts": []}
    answer = invoke(TITAN, TITAN_BODY)
    assert list(answer) == ["images"]
    assert len(answer["images"]) == 2


def test_sdxl_filtered_still_holds_a_blurred_picture(emulator, invoke, decoded, encoded, same):
    checks = Image.effect_noise((96, 96), 99).convert("RGB")
    body = BODY | {"init_image": encoded(checks)}
    (clear,) = invoke(SDXL, body)["artifacts"]
    emulator.fail_with("filtered")
    answer = invoke(SDXL, body)
    (artifact,) = answer["artifacts"]
    assert (answer["result"], artifact["finishReason"], artifact["seed"]) == ("success", "CONTENT_FILTERED", 7)
    blurred = decoded(artifact["base64"])
    assert blurred.size == checks.size
    assert not same(blurred, decoded(clear["base64"]))


def test_titan_filtered(emulator, invoke):
    every = invoke(TITAN, TITAN_BODY)["images"]
    emulator.fail_with("filtered:1*1", "filtered:2*1", "filtered:3*1", "filtered:9*1", "filtered")
    answers = [invoke(TITAN, TITAN_BODY) for _ in range(5)]
    assert [answer.get("images") for answer in answers] == [every[1:], every[2:], None, None, None]
    assert all("has been filtered from the response" in answer["error"] for answer in answers)
    assert all("AUP or AWS Responsible AI Policy" in answer["error"] for answer in answers)
    assert "Content in the all of the generated image(s) has been blocked" in answers[-1]["error"]


def test_error_results(emulator, invoke):
    emulator.fail_with("error-result")
    answer = invoke(SDXL, BODY)
    assert (answer["result"], answer["artifacts"]) == ("error", [])
    assert answer["error"].keys() == {"id", "name", "message"}
    assert invoke(TITAN, TITAN_BODY).keys() == {"error"}
    emulator.fail_with("error-artifact")
    answer = invoke(SDXL, BODY)
    assert (answer["result"], answer["artifacts"][0]["finishReason"]) == ("success", "ERROR")
    assert invoke(TITAN, TITAN_BODY).keys() == {"error"}


def test_an_answers_fault_shows_in_a_stream_too(emulator, stream):
    emulator.fail_with("filtered")
    answer = json.loads(b"".join(stream(SDXL, BODY)))
    assert answer["artifacts"][0]["finishReason"] == "CONTENT_FILTERED"


def test_stopping_does_not_wait_for_a_hanging_request():
    import threading

    import limner_bedrock_emulator

    started = time.monotonic()
    with limner_bedrock_emulator.serve(faults=["hang"]) as emulator:
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=emulator.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=50),
        )
        errors = []

        def call():
            try:
                client.invoke_model(modelId=SDXL, body=json.dumps(BODY))
            except botocore.exceptions.BotoCoreError as error:
                errors.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        while not emulator.requests:
            time.sleep(0.01)
    caller.join(20)
    assert len(errors) == 1
    assert time.monotonic() - started < 20
    client.close()
