"""No password, key or token is shown: in settings, refusals, errors and their causes, findings, logs, tracebacks."""

import logging
import os
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import botocore.exceptions
import limner
import limner_bedrock_emulator
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner_bedrock import BedrockSettings
from limner_bedrock.addresses import address, without_user
from limner_bedrock.diagnostics import _check
from limner_bedrock.error_translation import reveals_secrets, translate

CANARY = "hUsH7canary"
PASSWORDS = st.tuples(st.text(max_size=8), st.text(max_size=8)).map(lambda ends: ends[0] + CANARY + ends[1])
SURELY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def everything_about(url):
    """All that is said about settings with a URL, whether they are taken or not."""
    said = []
    try:
        made = BedrockSettings.of({"endpoint_url": url, "region": "us-west-2"})
        said += [repr(made), str(made)]
    except limner.TaskRefused as refusal:
        said += [str(refusal), repr(refusal), "".join(traceback.format_exception(refusal))]
    try:
        BedrockSettings(endpoint_url=url)
    except ValueError as refusal:
        said += [str(refusal), "".join(traceback.format_exception(refusal))]
    return "\n".join(said)


@SURELY
@given(PASSWORDS, st.sampled_from(["127.0.0.1:9", "[::1]:9", "host", "", ":0", "127.0.0.1:99999", "["]))
def test_a_password_in_a_url_is_never_shown(password, host):
    for user in ("", "user"):
        for scheme in ("http", "https", "ftp", ""):
            assert CANARY not in everything_about(f"{scheme}://{user}:{password}@{host}/path")


@SURELY
@given(PASSWORDS)
def test_nor_in_a_foreign_text(password):
    urls = f"http://user:{quote(password, safe='@/:?#')}@127.0.0.1:9/model"
    error = botocore.exceptions.EndpointConnectionError(endpoint_url=urls)
    assert CANARY not in str(translate(error, model="m"))
    assert reveals_secrets(error)
    assert CANARY not in address(urls)


@SURELY
@given(PASSWORDS)
def test_a_url_keeps_all_but_its_user(password):
    assert without_user(f"https://user:{quote(password, safe='@')}@host:8080/a/b?c=d") == "https://host:8080/a/b?c=d"


@pytest.mark.parametrize(
    "password", ["pa55", "p@ss", "p%40ss", "p:a:s:s", "12", "12/x", "a/b", "a?b", "a#b", "a@b/c", "a b", "/"]
)
@pytest.mark.parametrize("by", ["setting", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "HTTP_PROXY"])
def test_a_call_that_fails_shows_no_password(painter, monkeypatch, caplog, password, by):
    url = f"http://user:{CANARY}{password}@127.0.0.1:9"
    caplog.set_level(logging.DEBUG)
    given_url = url if by == "setting" else None if by.startswith("AWS") else "http://198.51.100.1:80"
    if by != "setting":
        monkeypatch.setenv(by, url)
        monkeypatch.setenv(by.lower(), url)
    _check.cache_clear()
    with pytest.raises(limner.LimnerError) as caught:  # noqa: PT012 - both may refuse
        model = painter(endpoint_url=given_url, max_attempts=1, connect_timeout=2)
        findings = list(model.diagnose())
        assert CANARY not in repr(model.settings)
        assert CANARY not in str(findings)
        model.generate("a fox")
    said = "".join(traceback.format_exception(caught.value))
    assert not isinstance(caught.value, limner.PluginError)
    assert CANARY not in said
    assert CANARY not in "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("limner"))
    if by != "HTTP_PROXY":  # botocore is given the URL without it: it cannot tell it either
        assert CANARY not in "\n".join(record.getMessage() for record in caplog.records if record.name != "urllib3.util")


def test_a_user_in_the_url_does_not_stop_a_call(stub, send, monkeypatch):
    url = stub.url.replace("//", f"//user:{CANARY}@")
    assert send(endpoint_url=url).body == b"{}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)
    assert send(endpoint_url=None).body == b"{}"
    assert CANARY not in str(stub.requests)


def test_what_aws_quotes_is_not_in_the_causes(stub, send):
    stub.otherwise = stub.error(403, "InvalidSignatureException", f"x-amz-security-token: {CANARY}{'x' * 60} is wrong")
    with pytest.raises(limner.AuthenticationFailed) as caught:
        send()
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_cause_without_secrets_is_kept(stub, send):
    stub.otherwise = stub.error(400, "ValidationException", "no")
    with pytest.raises(limner.RequestRejected) as caught:
        send()
    assert isinstance(caught.value.__cause__, botocore.exceptions.ClientError)


SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAHUSH7CANARY00001",
    "AWS_SECRET_ACCESS_KEY": f"{CANARY}/secret+key",
    "AWS_SESSION_TOKEN": f"{CANARY}-session-token",
}
DEBUGGED = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
logging.getLogger("limner").setLevel(logging.DEBUG)
from limner.cli import main
sys.exit(main())
"""
COMMANDS = [
    ("generate", "a fox", "-m", "titan", "-o", "fox.png"),
    ("generate", "a fox", "-m", "titan", "-o", "no.png", "-S", "region=nowhere at all"),
    ("generate", "a fox", "-m", "titan", "-o", "no.png", "-S", "profile=nobody"),
    ("doctor", "titan", "--live"),
]


@pytest.mark.parametrize(("api_key", "fault"), [(False, None), (False, "expired-token"), (True, None)])
def test_the_command_line_shows_no_secret(tmp_path, api_key, fault):
    """Through real processes, against the emulator, with --debug and the logger at DEBUG."""
    secrets = SECRETS | ({"AWS_BEARER_TOKEN_BEDROCK": f"{CANARY}-bearer"} if api_key else {})
    with limner_bedrock_emulator.serve(faults=[fault] if fault else []) as emulator:
        url = emulator.url.replace("//", f"//user:{CANARY}@")
        env = os.environ | secrets | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url, "AWS_DEFAULT_REGION": "us-west-2"}

        def said(command):
            program = [sys.executable, "-c", DEBUGGED, "--debug", *command]
            done = subprocess.run(program, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            return done.stdout + done.stderr

        with ThreadPoolExecutor() as pool:
            everything = list(pool.map(said, COMMANDS))
    for command, words in zip(COMMANDS, everything, strict=True):
        assert words
        for secret in (*secrets.values(), CANARY):
            assert secret not in words, command
    if not api_key and fault is None:
        assert "milliseconds=" in everything[0]  # it was a whole call, and logged
