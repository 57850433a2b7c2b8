"""info and rerun of files that mean harm: nothing is opened, nothing is sent, one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import limner as package
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limner.containers import embed
from limner.errors import shorten
from limner.testing.strategies import json_values

from .. import hostile
from ..fakes import Fake, answer, png, registered

SENT: list[package.Request] = []


class Listening(Fake):
    ids = ("fake.painter-1:0",)

    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id.endswith("fake.painter-1")

    def send(self, request: package.Request) -> package.Response:
        SENT.append(request)
        return answer(request)


class Plugin:
    @staticmethod
    @package.hookimpl
    def limner_models():
        return [Listening]


@pytest.fixture(autouse=True)
def trapped(workplace):
    SENT.clear()
    with registered(Plugin), hostile.traps(workplace):
        yield


MADE: dict[str, Any] = {
    "limner": "0.1.0",
    "model": "fake.painter-1",
    "model_id": "fake.painter-1",
    "fit": "strict",
    "task": {"task": "generate", "prompt": "a", "seed": 1},
    "seed": 1,
    "index": 0,
}


def lay(made: Any) -> None:
    text = made if isinstance(made, bytes) else json.dumps(made).encode(errors="surrogatepass")
    Path("lie.png").write_bytes(embed(png(), "image/png", text))


def refused(limner, *more: str) -> str:
    """The line of a rerun that sends nothing."""
    done = limner("rerun", "lie.png", "-o", "no.png", *more)
    assert (done.exit_code, SENT, Path("no.png").exists()) == (2, [], False)
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert len(line) < 2000
    assert line.isprintable()
    return line


def looked_at(limner) -> None:
    for words in (("info", "lie.png"), ("info", "lie.png", "--json")):
        done = limner(*words)
        assert (done.exit_code, done.stderr, SENT) == (0, "", [])
    json.loads(done.stdout)


def test_the_honest_file_is_made_again(limner):
    lay(MADE)
    assert limner("rerun", "lie.png", "-o", "yes.png").exit_code == 0
    assert [request.model_id for request in SENT] == ["fake.painter-1"]


@pytest.mark.parametrize("task", hostile.TASKS, ids=shorten)
def test_a_hostile_task(limner, task):
    lay(MADE | {"task": task})
    looked_at(limner)
    assert "lie.png" in refused(limner)


@pytest.mark.parametrize("text", [text for text in hostile.TEXTS if text], ids=lambda text: shorten(text[:60]))
def test_a_hostile_text(limner, text):
    text = text if isinstance(text, bytes) else text.encode()
    for made in (text, json.dumps(MADE)[:-1].encode() + b', "task": ' + text + b"}"):
        lay(made)
        looked_at(limner)
        assert "lie.png" in refused(limner)


IDS = [
    "arn:aws:bedrock:us-east-1:999999999999:provisioned-model/abcdefghijkl",
    "arn:aws:bedrock:us-east-1:999999999999:inference-profile/us.fake.painter-1",
    "arn:aws:bedrock:us-east-1::foundation-model/fake.painter-1",
    "us.fake.painter-1",
    "../../x?y",
    "fake.painter-1/../x",
    "fake.painter-1\r\nHost: elsewhere",
    "fake.painter-1 ",
    "FAKE.PAINTER-1",
    "http://elsewhere/fake.painter-1",
    "",
    "\ud800",
    "x" * 100_000,
]


@pytest.mark.parametrize("model_id", IDS, ids=shorten)
def test_an_id_that_is_not_the_models_own_is_called_only_where_the_user_says_it(limner, model_id):
    lay(MADE | {"model_id": model_id})
    looked_at(limner)
    assert "--model-id" in refused(limner)
    assert "--model-id" in refused(limner, "--dry-run")
    for way in (("--model-id", "fake.painter-1"), ("-S", "model_id=arn:aws:mine")):
        done = limner("rerun", "lie.png", "-o", f"{way[0]}.png", *way)
        assert done.exit_code == 0, done.stderr
    assert [request.model_id for request in SENT] == ["fake.painter-1", "arn:aws:mine"]


def test_another_spelling_of_the_models_own_id_is_called(limner):
    lay(MADE | {"model_id": "fake.painter-1:0"})
    assert limner("rerun", "lie.png", "-o", "yes.png").exit_code == 0
    assert [request.model_id for request in SENT] == ["fake.painter-1:0"]


def test_a_model_id_said_twice_is_refused(limner):
    lay(MADE)
    assert "give one of them" in refused(limner, "--model-id", "a", "-S", "model_id=b")


@pytest.mark.parametrize(
    "model", [hostile.PICTURE, "../../x", "a\r\nb", "", "\ud800", "x" * 1_000_000, 5, None, ["fake"]], ids=shorten
)
def test_a_hostile_model(limner, model):
    lay(MADE | {"model": model})
    looked_at(limner)
    refused(limner)


def test_a_model_that_is_named_by_an_arn_is_called_by_its_own_id(limner):
    lay(MADE | {"model": "arn:aws:bedrock:us-east-1:999999999999:inference-profile/fake.painter-1"})
    assert limner("rerun", "lie.png", "-o", "yes.png").exit_code == 0
    assert [request.model_id for request in SENT] == ["fake.painter-1"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.dictionaries(st.sampled_from([*MADE, "more"]), json_values() | st.sampled_from(hostile.NOT_PICTURES), max_size=3),
    hostile.documents(),
)
def test_any_provenance(limner, more, task):
    SENT.clear()
    lay(MADE | {"task": task} | more)
    for words in (("info", "lie.png"), ("info", "lie.png", "--json"), ("rerun", "lie.png", "-o", "no.png", "--force")):
        done = limner(*words)
        assert done.exit_code in {0, 2}
        assert done.exit_code == 0 or all(line.startswith("error: ") for line in done.stderr.splitlines())
        assert "Traceback" not in done.stderr
    for request in SENT:
        assert request.model_id == "fake.painter-1"
        assert json.loads(request.body)["image"] is None  # none was given
