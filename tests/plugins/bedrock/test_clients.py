"""Which client is made when, with whose credentials; and the ways to have none."""

import functools
import gc
import re
import shutil
import threading
import weakref
from pathlib import Path

import boto3
import botocore
import limner
import pytest
from limner_bedrock import BedrockSettings, clients


@pytest.fixture(autouse=True)
def no_clients():
    clients._client.cache_clear()


@pytest.fixture
def client(stub):
    """A function that gives the client for settings."""
    return lambda **settings: clients.client_for(
        BedrockSettings.of({"region": "us-west-2", "endpoint_url": stub.url} | settings), None
    )


def test_it_is_made_once_under_many_threads(client):
    found, start = [], threading.Barrier(16)

    def get():
        start.wait()
        found.append(client())

    threads = [threading.Thread(target=get) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len({id(one) for one in found}) == 1
    assert clients._client.cache_info().misses == 1


def test_many_threads_send_over_one_client(stub, painter):
    model = painter(max_in_flight=16)
    start = threading.Barrier(16)
    answers = []

    def send(number):
        start.wait()
        answers.append(model.send(limner.Request(model.model_id, b"%d" % number)))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 16
    assert {body for _, _, body in stub.requests} == {b"%d" % number for number in range(16)}
    assert clients._client.cache_info().misses == 1


@pytest.mark.parametrize(
    "other",
    [
        {"region": "us-east-1"},
        {"endpoint_url": "http://127.0.0.1:1"},
        {"timeout": 1},
        {"connect_timeout": 1},
        {"max_in_flight": 3},
    ],
)
def test_other_settings_make_another(client, other):
    assert client() is not client(**other)


@pytest.mark.parametrize("other", [{"trace": "ENABLED"}, {"max_n": 3}, {"stream": True}, {"fit": "nearest"}])
def test_settings_that_do_not_matter_do_not(client, other):
    assert client() is client(**other)


def test_another_environment_makes_another(client, monkeypatch):
    first = client()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    assert client() is not first


def test_sessions_are_told_apart_by_identity(client):
    one, two = boto3.Session(), boto3.Session()
    assert client(session=one) is client(session=one)
    assert client(session=one) is not client(session=two)


def test_its_configuration(client):
    config = client(timeout=7, connect_timeout=3, max_in_flight=5).meta.config
    assert (config.read_timeout, config.connect_timeout, config.max_pool_connections) == (7, 3, 5)
    assert config.tcp_keepalive is True
    assert config.retries["total_max_attempts"] == 1


def test_old_clients_are_let_go(client, monkeypatch):
    monkeypatch.setattr(clients, "_client", functools.lru_cache(2)(clients._client.__wrapped__))
    first = weakref.ref(client())
    client(timeout=1)
    client(timeout=2)
    gc.collect()
    assert first() is None


def test_no_more_than_a_few_are_kept():
    assert clients._client.cache_info().maxsize == clients._MAX_CLIENTS
    assert 1 < clients._MAX_CLIENTS <= 64


def test_the_callers_session_is_used(stub, send):
    session = boto3.Session("AKIDSESSION", "example", "token-1", region_name="eu-west-1")
    assert send(session=session, region=None).region == "eu-west-1"
    headers = stub.requests[0][1]
    assert "Credential=AKIDSESSION/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "token-1"


def test_a_profile_is_used(stub, send, monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text("[press]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = example\n")
    (tmp_path / "config").write_text("[profile press]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert send(profile="press", region=None).region == "ap-south-1"
    assert "Credential=AKIDPROFILE/" in stub.requests[0][1]["authorization"]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"])
def test_the_endpoint_of_the_environment(stub, send, monkeypatch, variable):
    monkeypatch.setenv(variable, stub.url)
    send(endpoint_url=None)
    assert len(stub.requests) == 1


def test_no_region(send):
    with pytest.raises(
        limner.TaskRefused, match=r"setting region: no AWS region is known.*set region, or AWS_DEFAULT_REGION"
    ):
        send(region=None)


def test_a_region_that_cannot_be_one(send):
    with pytest.raises(limner.TaskRefused, match="setting region: the AWS region does not exist"):
        send(region="-")


def test_the_region_of_the_environment(send, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    assert send(region=None).region == "us-east-2"


def test_no_credentials(stub, send, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(limner.AuthenticationFailed, match=r"there are no AWS credentials.*set a profile"):
        send()
    assert not stub.requests


def test_credentials_that_are_put_right_are_found(stub, send, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(limner.AuthenticationFailed):
        send()
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIDLATER\naws_secret_access_key = example\n")
    send()
    assert "Credential=AKIDLATER/" in stub.requests[0][1]["authorization"]


def test_half_the_credentials(send, monkeypatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(limner.AuthenticationFailed, match="incomplete"):
        send()


def test_no_such_profile(send):
    with pytest.raises(limner.AuthenticationFailed, match=r"AWS profile does not exist.*nobody"):
        send(profile="nobody")


def test_a_sign_on_that_was_never_made(send, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "config").write_text(
        "[profile sso]\nsso_start_url = https://example.invalid\nsso_region = us-east-1\n"
        "sso_account_id = 1\nsso_role_name = r\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(limner.AuthenticationFailed, match="aws sso login"):
        send(profile="sso")


def test_a_damaged_configuration(send, monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[profile press\nregion")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(limner.AuthenticationFailed, match="configuration"):
        send()


def test_an_endpoint_of_the_environment_that_is_no_url(send, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "nonsense")
    with pytest.raises(limner.TaskRefused, match="setting endpoint_url"):
        send(endpoint_url=None)


def test_a_server_that_does_not_speak_tls(stub, send, waits):
    with pytest.raises(limner.ProviderUnavailable, match="TLS failed"):
        send(endpoint_url=stub.url.replace("http:", "https:"))


def test_a_model_id_that_botocore_refuses(stub, send):
    with pytest.raises(limner.TaskRefused, match="wrong modelId"):
        send(model_id="")
    assert not stub.requests


def test_it_says_who_calls(stub, send, monkeypatch):
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "press-room")
    send()
    agent = stub.requests[0][1]["user-agent"]
    assert re.fullmatch(r"limner/\S+ Botocore/\S+ Python/\S+ .* app/press-room", agent)


def test_the_callers_session_says_its_own(stub, send):
    send(session=boto3.Session())
    assert stub.requests[0][1]["user-agent"].startswith("Boto3/")


def test_it_is_the_client_that_boto3_makes(client):
    """The session's shortcuts change nothing: same endpoint, same operations, same signing."""
    ours, theirs = client(), boto3.Session().client("bedrock-runtime", "us-west-2", endpoint_url=client().meta.endpoint_url)
    assert ours.meta.service_model.metadata == theirs.meta.service_model.metadata
    assert ours.meta.service_model.operation_names == theirs.meta.service_model.operation_names
    assert ours.meta.config.signature_version == theirs.meta.config.signature_version


def test_every_service_is_still_there(monkeypatch):
    session = clients.session_for(None, None)
    known = set(boto3.Session().get_available_services())
    assert known <= set(session.get_available_services())
    with pytest.raises(botocore.exceptions.UnknownServiceError):
        session.create_client("no-such-service", "us-east-1")


def test_models_of_ones_own_are_found(monkeypatch, tmp_path):
    """AWS_DATA_PATH, as botocore documents it."""
    source = Path(botocore.__file__).parent / "data" / "bedrock-runtime" / "2023-09-30"
    (tmp_path / "my-bedrock" / "2023-09-30").mkdir(parents=True)
    for file in source.iterdir():
        shutil.copy(file, tmp_path / "my-bedrock" / "2023-09-30")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    made = clients.session_for(None, None).create_client("my-bedrock", "us-east-1", endpoint_url="http://127.0.0.1:1")
    assert "InvokeModel" in made.meta.service_model.operation_names


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(client, enabled):
    (gc.enable if enabled else gc.disable)()
    try:
        client()
        assert gc.isenabled() == enabled
        with pytest.raises(botocore.exceptions.ProfileNotFound):
            client(profile="no-such-profile")
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_every_client_refuses_an_endpoint_that_is_no_url(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", "nonsense")
    with pytest.raises(limner.TaskRefused, match="endpoint in the AWS configuration is not a URL"):
        clients.make_client(clients.session_for(None, None), "bedrock", "us-east-1", None)
