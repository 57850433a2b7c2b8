"""The lists of models that APIs give: several forms, and nothing of them is trusted."""

from __future__ import annotations

import json

import attrs
import limner
import pytest
from limner_http import HttpSettings

from .conftest import KEY, SERVICE, Example, Said

LISTED = {
    "OpenAI": ({"object": "list", "data": [{"id": "one"}, {"id": "two"}]}, ("one", "two")),
    "Together": ([{"id": "one", "display_name": "One"}], ("one",)),
    "Gemini": ({"models": [{"name": "models/one"}]}, ("models/one",)),
    "A1111": ([{"title": "one.safetensors [12ab]", "model_name": "one"}], ("one.safetensors [12ab]",)),
    "nothing": ({"data": []}, ()),
    "hostile": (
        {"data": [7, None, {}, {"id": 7}, {"id": ""}, {"id": "a\x1b[31m"}, {"id": "x" * 301}, {"id": "b"}, {"id": "b"}]},
        ("b",),
    ),
}


class Listing(Example):
    """A model whose API lists what it has."""

    service = attrs.evolve(SERVICE, models="models")


def model(url: str) -> Listing:
    return Listing(HttpSettings(base_url=url, api_key=KEY, timeout=20.0, max_attempts=1))


@pytest.mark.parametrize("case", LISTED)
def test_the_names_of_a_list_are_read(serving, case):
    content, names = LISTED[case]
    server = serving(Said(body=json.dumps(content).encode()))
    assert model(server.url).available_ids() == names
    assert [(seen.method, seen.path) for seen in server.seen] == [("GET", "/models")]


@pytest.mark.parametrize("body", [b"", b"{", b"7", b"{}", b'{"data": {"id": "one"}}', b"[" * 100_000])
def test_what_is_no_list_is_a_bad_response(serving, body):
    with pytest.raises(limner.BadResponse, match="not"):
        model(serving(Said(body=body)).url).available_ids()


def test_an_error_is_of_the_class_that_fits_and_an_api_without_a_list_is_not_asked(serving):
    server = serving(Said(status=401, body={"error": {"message": f"bad key {KEY}"}}))
    with pytest.raises(limner.AuthenticationFailed) as met:
        model(server.url).available_ids()
    assert KEY not in str(met.value)
    server.seen.clear()
    assert Example(HttpSettings(base_url=server.url)).available_ids() is None
    assert server.seen == []
