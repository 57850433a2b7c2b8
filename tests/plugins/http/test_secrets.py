"""No secret stands in an error, its chain, a log record, a repr or a finding."""

import logging
import traceback

import limner
import pytest
from limner_http import HttpSettings
from limner_http.error_translation import safe

from .conftest import KEY, REQUEST, Example, Said

HEADER = "canary-header-91d7"
PROXY = "canary-proxy-77aa"


def everything_said(error):
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_a_server_that_repeats_secrets_does_not_make_limner_tell_them(model, serving, caplog, status):
    caplog.set_level(logging.DEBUG)
    text = f"Incorrect API key provided: {KEY}. Header {HEADER}; see https://u:pw@example.com/?sig=canary-sig-1"
    server = serving(Said(status, {"error": {"message": text, "code": KEY}}))
    with pytest.raises(limner.ProviderError) as error:
        model(server.url, headers={"X-Gate": HEADER}, max_attempts=1).send(REQUEST)
    shown = everything_said(error.value) + caplog.text
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.seen[0].headers["x-gate"] == HEADER
    for canary in (KEY, HEADER, "canary-sig-1", "u:pw"):
        assert canary not in shown


def test_a_broken_head_that_repeats_the_key_is_not_shown(model):
    from .conftest import hostile

    with (
        hostile(f"HTTP/1.1 200 OK\r\nbad header {KEY}\r\n\r\n".encode(), b"") as (url, _),
        pytest.raises(limner.ProviderError) as error,
    ):
        model(url).send(REQUEST)
    assert KEY not in everything_said(error.value)


def test_settings_show_no_secret():
    settings = HttpSettings(
        base_url="http://127.0.0.1:1/secret-path", api_key=KEY, headers={"X": HEADER}, proxy=f"http://u:{PROXY}@127.0.0.1:3"
    )
    shown = repr(settings)
    assert "http://127.0.0.1:1" in shown
    for canary in (KEY, HEADER, PROXY, "secret-path"):
        assert canary not in shown


WRONG = [
    {"api_key": f"{KEY}\n"},
    {"api_key": f"{KEY} ä"},
    {"headers": {"X": f"{HEADER}\r\nY: 1"}},
    {"headers": {"X Y": HEADER}},
    {"headers": f"not json {HEADER}"},
    {"proxy": f"socks5://u:{PROXY}@h"},
    {"base_url": f"https://u:{KEY}@example.com"},
    {"base_url": f"https://example.com/?key={KEY}"},
    {"base_url": f"ftp://{KEY}"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_setting_is_refused_without_quoting_it(wrong):
    with pytest.raises(limner.TaskRefused) as error:
        HttpSettings.of(wrong)
    shown = "".join(traceback.format_exception(error.value))
    for canary in (KEY, HEADER, PROXY):
        assert canary not in shown


def test_a_missing_key_is_said_before_anything_is_sent():
    with pytest.raises(limner.AuthenticationFailed, match="no key for Example; set EXAMPLE_API_KEY"):
        Example().send(REQUEST)


def test_the_key_comes_from_the_environment(monkeypatch, serving):
    monkeypatch.setenv("EXAMPLE_API_KEY", f" {KEY}\n")
    server = serving(Said(body={}))
    Example(HttpSettings(base_url=server.url)).send(REQUEST)
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_that_is_no_text_is_not_shown(monkeypatch):
    monkeypatch.setenv("EXAMPLE_API_KEY", f"{KEY}\ninjected: yes")
    with pytest.raises(limner.AuthenticationFailed) as error:
        Example().send(REQUEST)
    assert KEY not in everything_said(error.value)


def test_the_doctor_shows_no_key(model, serving):
    server = serving(Said(body={}))
    findings = list(model(server.url).diagnose(live=True))
    assert [finding.fine for finding in findings] == [True, True]
    assert KEY not in repr(findings)
    assert server.seen[0].path == "/models"


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abc123def456",
        "key-live-abcdef12",
        "Bearer abcdef",
        "token=abc",
        "api_key: 'xyz'",
        "https://h/p?X-Amz-Signature=abc&b=1",
        "A" * 50,
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    assert "[hidden]" in safe(f"see {text} there")
    assert text not in safe(f"see {text} there")


@pytest.mark.parametrize("code", ["key_invalid", "key-not-found"])
def test_a_code_that_begins_like_a_key_is_told(code):
    assert code in safe(f"see {code} there")
