"""Whatever a provider answers, the outcome is pictures or an error of limner's; never a filtered picture as a success."""

import base64
import json

import attrs
import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import LimnerError, Picture, Response
from limner.testing.pictures import picture
from limner.testing.strategies import images, json_values
from limner_bedrock_sdxl.plugin import Sdxl

from .bedrock import EVERY_CASE, FEW, MODELS, within

PNG = base64.b64encode(picture().data).decode()
WORDS = st.sampled_from(["SUCCESS", "ERROR", "CONTENT_FILTERED", "success", "error", "", "images were blocked"])


def encoded():
    """Pictures as an answer carries them, whole, cut short or spoilt."""
    whole = images().map(lambda image: base64.b64encode(image.data).decode())
    return st.just(PNG) | whole | whole.map(lambda text: text[: len(text) // 2]) | st.text(max_size=8)


def loosely(strategy):
    return strategy | json_values()


ARTIFACTS = st.fixed_dictionaries(
    {},
    optional={
        "seed": loosely(st.integers(0, 9)),
        "base64": loosely(encoded()),
        "finishReason": loosely(WORDS),
        "finishedReason": loosely(WORDS),
    },
)
ERRORS = st.fixed_dictionaries({}, optional={name: loosely(WORDS) for name in ("id", "name", "message")})
ANSWERS = json_values() | st.fixed_dictionaries(
    {},
    optional={
        "result": loosely(WORDS),
        "artifacts": loosely(st.lists(loosely(ARTIFACTS), max_size=3)),
        "error": loosely(ERRORS | WORDS),
        "images": loosely(st.lists(loosely(encoded()), max_size=4)),
        "maskImage": loosely(encoded()),
        "more": json_values(),
    },
)


def decoded(model, task, body):
    """The pictures; nothing where an error of limner's is raised."""
    try:
        pictures = list(model.decode(task, Response(body)))
    except LimnerError:
        return []
    assert all(isinstance(one, Picture) for one in pictures)
    return pictures


@EVERY_CASE
@FEW
@given(data=st.data(), answer=ANSWERS)
def test_any_json_is_pictures_or_an_error_of_limners(model, task_class, data, answer):
    task = data.draw(within(model, task_class))
    pictures = decoded(model, task, json.dumps(answer).encode())
    wanted = getattr(task, "n", None) or 1
    for position, one in enumerate(pictures):
        if one.outcome == "ok":
            assert one.image is not None
            assert succeeded(model, answer, position, wanted)
        else:
            assert one.reason


def succeeded(model, answer, position, wanted):
    """Whether the answer calls the picture at a position a success."""
    if isinstance(model, Sdxl):
        said = answer["artifacts"][position]
        return "SUCCESS" in {said.get("finishReason"), said.get("finishedReason")} and not answer.get("error")
    return answer.get("error") is None or len(answer["images"]) < wanted


@pytest.mark.parametrize("model", MODELS, ids=str)
@FEW
@given(body=st.binary(max_size=60), cut=st.integers(0, 400), flip=st.integers(0, 400))
def test_no_bytes_raise_anything_else(model, body, cut, flip):
    task = limner.Generate(prompt="a fox", n=2)
    whole = json.dumps(
        {"result": "success", "artifacts": [{"seed": 1, "base64": PNG, "finishReason": "SUCCESS"}], "images": [PNG]}
    )
    broken = bytearray(whole.encode())
    broken[flip % len(broken)] ^= 0x15
    for answer in (body, whole.encode()[:cut], bytes(broken)):
        decoded(model, task, answer)


@EVERY_CASE
@pytest.mark.filterwarnings("ignore:no part of the prompt has a weight above 0")
@FEW
@given(data=st.data(), answer=ANSWERS)
def test_a_whole_run_gives_a_result_or_an_error_that_keeps_what_came(model, task_class, data, answer):
    body = json.dumps(answer).encode()

    class Canned(type(model)):
        def send(self, request):
            return Response(body, request_id="42")

        def notices(self):
            return ()

    task = data.draw(within(model, task_class))
    try:
        result, ids = Canned().run(task), ("42",)
    except limner.ProviderError as error:
        result, ids = error.result, error.request_ids
    assert ids
    if result is not None:
        wanted = getattr(task, "n", None) or 1
        assert len(result.pictures) in {wanted, *range(0, wanted, model.per_call(task_class))}
        assert all(one.image is not None for one in result.images)
        assert attrs.evolve(result) == result
