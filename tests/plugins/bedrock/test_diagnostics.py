"""What limner doctor says of a Bedrock model, against the emulator and a small stand-in for the control plane."""

import datetime
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import limner
import limner_bedrock_emulator
import pytest
from limner_bedrock import diagnostics

SECRETS = ("AKIDEXAMPLE", "example-secret", "s3cr3t")


class ControlPlane:
    """ListFoundationModels on loopback; everything else is refused as AWS refuses what is not signed."""

    def __init__(self):
        self.models, self.status, self.code, self.asked = [], 200, "", []
        control = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                control.asked.append((self.path, self.headers.get("Authorization")))
                if self.path == "/foundation-models":
                    self.answer(control.status, control.code, {"modelSummaries": control.models})
                else:
                    self.answer(403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"})

            def answer(self, status, code, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("x-amzn-ErrorType", code)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def lists(self, model_id, **lifecycle):
        self.models.append({"modelArn": "arn", "modelId": model_id, "modelLifecycle": lifecycle})


@pytest.fixture
def control(monkeypatch):
    """A control plane of the user's own, for the models and for their list."""
    control = ControlPlane()
    threading.Thread(target=control.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", control.url)
    yield control
    control.server.shutdown()
    control.server.server_close()


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    diagnostics._check.cache_clear()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example-secret")


@pytest.fixture(scope="module")
def session():
    """One for many tests: boto3 reads its data anew for each."""
    return boto3.Session("AKIDEXAMPLE", "example-secret")


@pytest.fixture
def see(painter):
    """A function that gives the findings by subject."""

    def see(model_id=None, live=False, **settings):
        found = painter(model_id, **settings).diagnose(live=live)
        seen = {finding.subject: (finding.fine, finding.detail) for finding in found}
        assert not [secret for secret in SECRETS if secret in repr(seen)]
        return seen

    return see


def test_at_the_emulator(see):
    with limner_bedrock_emulator.serve() as emulator:
        seen = see(endpoint_url=emulator.url)
        assert seen == {
            "credentials": (True, "found, from env"),
            "region": (True, "us-west-2, from the setting"),
            "endpoint": (True, f"{emulator.url}, custom; it answers"),
        }
        listed = see(endpoint_url=emulator.url, live=True)["list of models"]
    assert listed[0] is None
    assert "calls do not go to AWS" in listed[1]
    assert emulator.requests == []


def test_aws_is_not_asked_unless_live(see):
    assert see(endpoint_url=None)["endpoint"] == (
        None,
        "https://bedrock-runtime.us-west-2.amazonaws.com, of AWS; not contacted without --live",
    )


def test_nobody_answers(see):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    fine, detail = see(endpoint_url=f"{url.replace('//', '//me:s3cr3t@')}/s3cr3t?s3cr3t")["endpoint"]
    assert fine is False
    assert f'"{url}"' in detail
    assert "Bedrock cannot be reached" in detail


def test_an_own_endpoint_by_the_environment(see, control):
    assert see(endpoint_url=None)["endpoint"] == (True, f"{control.url}, custom; it answers")
    assert control.asked == [("/async-invoke", None)]


def test_credentials_of_a_profile(see, monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text("[press]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = s3cr3t\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert see(endpoint_url=None, profile="press")["credentials"] == (True, "found, from shared-credentials-file")


def test_credentials_of_an_api_key(see, monkeypatch):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "s3cr3t")
    assert see(endpoint_url=None)["credentials"] == (True, "a Bedrock API key, from AWS_BEARER_TOKEN_BEDROCK")


def test_a_sessions_credentials(see):
    session = boto3.Session("AKIDEXAMPLE", "s3cr3t", region_name="us-east-1")
    seen = see(endpoint_url=None, session=session, region=None)
    assert seen["credentials"] == (True, "found, from explicit")
    assert seen["region"] == (True, "us-east-1, from the AWS configuration")


@pytest.mark.parametrize(
    ("removed", "settings", "subject", "said"),
    [
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), {}, "credentials", "not found; set a profile"),
        (("AWS_SECRET_ACCESS_KEY",), {}, "credentials", "the AWS credentials are incomplete"),
        ((), {"profile": "nobody"}, "credentials", "the AWS profile does not exist"),
        ((), {"region": None}, "region", "set region, or AWS_DEFAULT_REGION"),
    ],
)
def test_what_is_missing(see, monkeypatch, removed, settings, subject, said):
    for name in removed:
        monkeypatch.delenv(name)
    fine, detail = see(**{"endpoint_url": None} | settings)[subject]
    assert fine is False
    assert said in detail


def test_the_region_of_an_arn(see):
    arn = "arn:aws:bedrock:eu-west-1::foundation-model/example.painter-v1:0"
    assert see(arn, endpoint_url=None, region=None)["region"] == (True, "eu-west-1, from the model's ARN")


# ---------------------------------------------------------------------------------------------- the model's status at AWS

HOLDS = "AWS is authoritative, limner's data say"
END = datetime.date(2020, 1, 1)  # of the painter's lifecycle


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, (None, "not in this region, as expected: the model is past its end of life")),
        (
            {"status": "LEGACY", "legacyTime": "2019-06-01T00:00:00Z", "endOfLifeTime": "2020-01-01T00:00:00Z"},
            (
                None,
                f"LEGACY, legacy since 2019-06-01, end of life 2020-01-01; {HOLDS} retired, legacy since unknown",
            ),
        ),
        (
            {"status": "ACTIVE", "endOfLifeTime": "2031-02-03T23:59:59Z"},
            (
                None,
                f"ACTIVE, end of life 2031-02-03; {HOLDS} retired, end of life 2020-01-01",
            ),
        ),
    ],
)
def test_the_list_and_a_retired_model(see, session, control, listed, expected):
    control.lists("another.model-v1:0", status="ACTIVE")
    if listed is not None:
        control.lists("example.painter-v1", **listed)
    seen = see(endpoint_url=None, session=session, live=True)
    assert seen["listed"] == expected
    assert seen["list of models"] == (True, f"{control.url} lists {len(control.models)}")
    assert control.asked[-1][1].startswith("AWS4-HMAC-SHA256 ")


@pytest.mark.parametrize(
    ("lifecycle", "listed", "expected"),
    [
        (limner.Lifecycle(), {"status": "ACTIVE"}, (True, "ACTIVE; as in limner's data")),
        (
            limner.Lifecycle(legacy_since=END),
            {"status": "LEGACY", "legacyTime": "2020-01-01T12:00:00Z"},
            (True, "LEGACY, legacy since 2020-01-01; as in limner's data"),
        ),
        (limner.Lifecycle(), {"status": "LEGACY"}, (None, f"LEGACY; {HOLDS} active")),
        (limner.Lifecycle(), None, (False, "not in this region; check the region, and that AWS still offers the model")),
    ],
)
def test_the_list_and_a_model_that_lives(painter, session, control, monkeypatch, lifecycle, listed, expected):
    if listed is not None:
        control.lists("example.painter-v1:0", **listed)
    model = painter(endpoint_url=None, session=session)
    monkeypatch.setattr(type(model), "lifecycle", lifecycle)
    last = list(model.diagnose(live=True))[-1]
    assert (last.subject, last.fine, last.detail) == ("listed", *expected)


def test_one_list_serves_all_models(painter, session, control):
    for _ in range(2):
        list(painter(endpoint_url=None, session=session).diagnose(live=True))
    assert [path for path, _ in control.asked] == ["/async-invoke", "/foundation-models"]


def test_a_name_of_limners_own_is_not_looked_for(painter, session, control, monkeypatch):
    model = painter(endpoint_url=None, session=session)
    monkeypatch.setattr(type(model), "id", "painter")
    assert [finding.subject for finding in model.diagnose(live=True)][-1] == "list of models"


def test_the_list_is_not_allowed(see, session, control):
    control.status, control.code = 403, "AccessDeniedException"
    fine, detail = see(endpoint_url=None, session=session, live=True)["list of models"]
    assert fine is None
    assert "calls do not need" in detail


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "ExpiredTokenException", "AWS rejected the credentials"),
        (500, "InternalServerException", "AWS had an internal error"),
        (429, "ThrottlingException", "AWS is throttling requests"),
    ],
)
def test_the_list_fails(see, session, control, status, code, said):
    control.status, control.code = status, code
    fine, detail = see(endpoint_url=None, session=session, live=True)["list of models"]
    assert fine is False
    assert said in detail


def test_an_api_key_does_not_go_over_http(see, monkeypatch, stub):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "s3cr3t")
    fine, detail = see(endpoint_url=stub.url)["endpoint"]
    assert fine is False
    assert "unset AWS_BEARER_TOKEN_BEDROCK" in detail
