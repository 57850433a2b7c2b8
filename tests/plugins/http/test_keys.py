"""The key store as the place after the environment, for every plugin that declares a key."""

from __future__ import annotations

import attrs
import limner
import pytest
from limner.keys import store_key
from limner_http import HttpSettings

from .conftest import REQUEST, Example, Said

CANARY = "stored-canary-1"


@pytest.fixture(autouse=True)
def stored(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMNER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(Example, "service", attrs.evolve(Example.service, key_name="example"))
    store_key("example", CANARY)


def test_the_stored_key_is_sent_after_the_environments_and_the_settings(serving, model, monkeypatch):
    server = serving(lambda _seen, _count: Said(body={}))
    header = Example.service.key_header.lower()
    model(server.url, api_key=None).send(REQUEST)
    assert server.seen[-1].headers[header] == f"Bearer {CANARY}"
    assert next(iter(model(server.url, api_key=None).diagnose())).detail == "from the key store"
    monkeypatch.setenv("EXAMPLE_API_KEY", "environments")
    model(server.url, api_key=None).send(REQUEST)
    assert server.seen[-1].headers[header] == "Bearer environments"
    assert next(iter(model(server.url, api_key=None).diagnose())).detail == "from EXAMPLE_API_KEY"
    model(server.url, api_key="given").send(REQUEST)
    assert server.seen[-1].headers[header] == "Bearer given"


def test_no_error_shows_the_stored_key(serving, model):
    server = serving(lambda _seen, _count: Said(401, {"error": {"message": f"bad key {CANARY}"}}))
    with pytest.raises(limner.AuthenticationFailed) as error:
        model(server.url, api_key=None).send(REQUEST)
    assert CANARY not in str(error.value)
    assert "bad key" in str(error.value)


def test_without_a_key_the_error_says_how_to_store_one():
    store_key("example", None)
    with pytest.raises(limner.AuthenticationFailed, match="set EXAMPLE_API_KEY, or run 'limner keys set example'"):
        Example(HttpSettings()).send(REQUEST)


def test_a_damaged_store_is_an_error_of_the_credentials(tmp_path):
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(limner.AuthenticationFailed, match="is not a JSON object"):
        Example(HttpSettings()).send(REQUEST)
    (finding,) = list(Example(HttpSettings()).diagnose())
    assert finding.fine is False


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("gpt-image-2", {"openai", "azure"}),
        ("openai-compatible", {"localai", "sglang", "together", "vllm-omni", "xai"}),
        ("gemini", {"gemini", "vertex"}),
        ("flux", {"bfl"}),
        ("sdapi", {"sdapi"}),
        ("sketch", set()),
        ("titan", set()),
    ],
)
def test_the_keys_that_first_party_models_declare(model, names):
    assert {key.name for key in type(limner.get_model(model)).api_keys()} == names


def test_each_provider_finds_its_stored_key(monkeypatch):
    """Through the model's own way, as a call does."""
    found = {}
    for name, model in (("openai", "gpt-image-2"), ("gemini", "gemini"), ("bfl", "flux"), ("sdapi", "sdapi")):
        for key in type(limner.get_model(model)).api_keys():
            for variable in key.variables:
                monkeypatch.delenv(variable, raising=False)
        store_key(name, "user:pass-canary")
        found[name] = next(iter(limner.get_model(model).diagnose())).detail
    assert all("from the key store" in detail for detail in found.values()), found
    assert "canary" not in str(found)
