"""Every request is what the documents allow, and every answer becomes what it says."""

from __future__ import annotations

import base64
import json
from typing import Any

import attrs
import limner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limner import Generate, Inpaint, Mask, Response, Vary
from limner.testing.pictures import picture
from limner.testing.strategies import tasks_within
from limner_fakes import gemini as fake
from limner_gemini.plugin import NanoBanana2, NanoBanana2Lite, NanoBanana21, NanoBananaPro, limner_models
from limner_gemini.settings import GeminiSettings

MODELS = limner_models()
PNG = picture((32, 16)).data


def body_of(model, task, **how) -> dict[str, Any]:
    (request,) = model.plan(task, **how).requests
    return json.loads(request.body)


@pytest.mark.parametrize("kind", [Generate, Vary])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_requests_keep_the_documents(model, kind):
    @settings(max_examples=25)
    @given(tasks_within(model, kind))
    def check(task):
        for request in model().plan(task).requests:
            assert fake.problems(request.path, json.loads(request.body)) == []
            assert request.path == f"models/{model.id}:generateContent"

    check()


@pytest.mark.parametrize("kind", [Generate, Vary])
@pytest.mark.parametrize("model", [NanoBanana21, NanoBananaPro], ids=lambda model: model.id)
def test_requests_to_vertex_keep_the_documents(model, kind):
    made = model(GeminiSettings(api="vertex"))

    @settings(max_examples=25)
    @given(tasks_within(made, kind))
    def check(task):
        for request in made.plan(task).requests:
            assert fake.problems(request.path, json.loads(request.body)) == []

    check()


# ---------------------------------------------------------------------------------------------- options

HARASSMENT, HATE = "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_IMAGE_HATE"


def test_options_travel_where_the_documents_have_them():
    options = {"systemInstruction": "Paint in oil.", HARASSMENT: "BLOCK_ONLY_HIGH", "topP": 0.5, "topK": 40}
    body = body_of(NanoBanana21(), Generate(prompt="a fox", options=options))
    assert body["systemInstruction"] == {"role": "user", "parts": [{"text": "Paint in oil."}]}
    assert body["safetySettings"] == [{"category": HARASSMENT, "threshold": "BLOCK_ONLY_HIGH"}]
    assert body["generationConfig"] == {"responseModalities": ["IMAGE"], "topP": 0.5, "topK": 40}


def test_vertex_has_more_options():
    options = {
        HATE: "OFF",
        HARASSMENT: "BLOCK_NONE",
        "method": "SEVERITY",
        "personGeneration": "ALLOW_ADULT",
        "prominentPeople": "BLOCK_PROMINENT_PEOPLE",
        "mimeType": "image/jpeg",
        "compressionQuality": 80,
    }
    task = Generate(prompt="a fox", size=(16, 9), options=options)
    body = body_of(NanoBanana21(GeminiSettings(api="vertex")), task)
    assert body["safetySettings"] == [
        {"category": HARASSMENT, "threshold": "BLOCK_NONE", "method": "SEVERITY"},
        {"category": HATE, "threshold": "OFF", "method": "SEVERITY"},
    ]
    assert body["generationConfig"]["imageConfig"] == {
        "aspectRatio": "16:9",
        "personGeneration": "ALLOW_ADULT",
        "prominentPeople": "BLOCK_PROMINENT_PEOPLE",
        "imageOutputOptions": {"mimeType": "image/jpeg", "compressionQuality": 80},
    }
    with pytest.raises(limner.TaskRefused) as met:
        NanoBanana21().plan(task)
    refused = {problem.parameter for problem in met.value.problems}
    assert refused == {f"options.{name}" for name in options} - {f"options.{HARASSMENT}"}


def test_settings_choose_the_class_with_the_limits_of_the_api():
    model = limner.get_model("gemini", api="vertex", timeout=7)
    assert model.limits_of(Generate).supports("personGeneration")
    assert isinstance(model, NanoBanana21)
    back = model.with_settings(api=None)
    assert type(back) is NanoBanana21
    assert (back.settings.timeout, back.model_id) == (7, model.id)
    assert type(back.with_settings(project="p", access_token="t")) is type(model)
    assert type(limner.get_model("gemini", model_id="other", project="p")).limits is type(model).limits


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"method": "SEVERITY"}, "method.*needs a category"),
        ({"compressionQuality": 80}, "compressionQuality.*needs options.mimeType=image/jpeg"),
        ({"compressionQuality": 80, "mimeType": "image/png"}, "needs options.mimeType=image/jpeg"),
        ({"compressionQuality": 101, "mimeType": "image/jpeg"}, "compressionQuality"),
        ({HARASSMENT: "block_only_high"}, "did you mean 'BLOCK_ONLY_HIGH'"),
        ({"systemInstruction": " "}, "systemInstruction.*blank"),
    ],
)
def test_options_that_vertex_does_not_take_are_refused(options, why):
    with pytest.raises(limner.TaskRefused, match=why):
        NanoBanana21(GeminiSettings(api="vertex")).plan(Generate(prompt="a fox", options=options))


def test_a_system_instruction_counts_as_part_of_the_request():
    with pytest.raises(limner.TaskRefused, match="must be at most 20,000,000"):
        NanoBanana21().plan(Generate(prompt="a fox", options={"systemInstruction": "a" * 20_000_000}))


# ---------------------------------------------------------------------------------------------- sizes

SIZES = [
    (NanoBanana21, (1024, 1024), {"aspectRatio": "1:1", "imageSize": "1K"}),
    (NanoBanana21, (512, 512), {"aspectRatio": "1:1", "imageSize": "1K"}),
    (NanoBanana2, (512, 512), {"aspectRatio": "1:1", "imageSize": "512"}),
    (NanoBanana21, (1920, 1080), {"aspectRatio": "16:9", "imageSize": "2K"}),
    (NanoBanana21, (1080, 1920), {"aspectRatio": "9:16", "imageSize": "2K"}),
    (NanoBanana21, (3840, 2160), {"aspectRatio": "16:9", "imageSize": "4K"}),
    (NanoBanana21, (8000, 8000), {"aspectRatio": "1:1", "imageSize": "4K"}),
    (NanoBanana21, (256, 2048), {"aspectRatio": "1:8", "imageSize": "1K"}),
    (NanoBanana21, (21, 9), {"aspectRatio": "21:9"}),
    (NanoBanana2Lite, (4096, 4096), {"aspectRatio": "1:1", "imageSize": "1K"}),
]


@pytest.mark.parametrize(("model", "size", "sent"), SIZES)
def test_a_size_becomes_a_ratio_and_the_smallest_class_with_as_many_pixels(model, size, sent):
    task = Generate(prompt="a fox", size=size)
    assert body_of(model(), task)["generationConfig"]["imageConfig"] == sent
    (entry,) = [entry for entry in model().plan(task).account if entry.parameter == "size"]
    said = " ".join(sent.values())
    assert entry.why.endswith(f"sent as {said}; the model chooses the pixels")
    assert (entry.outcome == "sent") == (entry.used == size)
    assert body_of(model(), attrs.evolve(task, size=entry.used))["generationConfig"]["imageConfig"] == sent


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_any_size_is_near_to_one_that_stays_as_it_is(model):
    shape = model.limits_of(Generate).parameters["size"]
    side = st.integers(1, 2**31)

    @given(st.tuples(side, side))
    def check(size):
        near = shape.nearest(size)
        assert shape.wrong(near) is None
        assert shape.adapted(near) == (near, "")
        assert shape.nearest(near) == near

    check()


def test_without_a_size_the_model_chooses():
    assert body_of(NanoBanana21(), Generate(prompt="a fox")) == {
        "contents": [{"role": "user", "parts": [{"text": "a fox"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"]},
    }


def test_another_ratio_is_refused_with_the_nearest_or_moved_to_it():
    task = Generate(prompt="a fox", size=(1000, 1024))
    with pytest.raises(limner.TaskRefused, match=r"aspect ratio.*the nearest is 1024x1024"):
        NanoBanana21().plan(task)
    sent = body_of(NanoBanana21(), task, fit="nearest")["generationConfig"]["imageConfig"]
    assert sent == {"aspectRatio": "1:1", "imageSize": "1K"}
    with pytest.raises(limner.TaskRefused, match="aspect ratio"):
        NanoBananaPro().plan(Generate(prompt="a fox", size=(4, 1)))


def test_a_class_can_be_said_alone_or_with_a_ratio_but_not_twice():
    options = {"imageSize": "4K", "thinkingLevel": "HIGH", "temperature": 0.5}
    config = body_of(NanoBanana21(), Vary(image=picture((32, 16)), prompt="a fox", options=options))["generationConfig"]
    assert config == {
        "responseModalities": ["IMAGE"],
        "imageConfig": {"imageSize": "4K"},
        "thinkingConfig": {"thinkingLevel": "HIGH"},
        "temperature": 0.5,
    }
    ratio = Generate(prompt="a fox", size=(16, 9), options={"imageSize": "4K"})
    assert body_of(NanoBanana21(), ratio)["generationConfig"]["imageConfig"] == {"aspectRatio": "16:9", "imageSize": "4K"}
    with pytest.raises(limner.TaskRefused, match=r"imageSize.*is already set by size"):
        NanoBanana21().plan(attrs.evolve(ratio, size=(1600, 900)))


# ---------------------------------------------------------------------------------------------- pictures and refusals


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp"])
def test_a_picture_travels_with_its_own_type_byte_for_byte_after_the_prompt(kind):
    image = picture((32, 32), media_type=kind)
    text, sent = body_of(NanoBanana21(), Vary(image=image, prompt="a fox"))["contents"][0]["parts"]
    assert text == {"text": "a fox"}
    assert sent["inlineData"]["mimeType"] == kind
    assert base64.b64decode(sent["inlineData"]["data"]) == image.data


@pytest.mark.parametrize(("model", "most"), [(NanoBanana21, 10), (NanoBananaPro, 14), (NanoBanana2, 14)])
def test_references_end_where_the_documents_say(model, most):
    images = [picture((16, 16))] * most
    assert len(body_of(model(), Vary(image=images, prompt="a"))["contents"][0]["parts"]) == most + 1
    with pytest.raises(limner.TaskRefused, match=f"at most {most}"):
        model().plan(Vary(image=[*images, images[0]], prompt="a"))


def test_a_request_is_at_most_20_mb_with_base64():
    big = limner.Image(PNG + b"\0" * 6_000_000)
    NanoBanana21().plan(Vary(image=[big, big], prompt="a"))
    with pytest.raises(limner.TaskRefused, match=r"makes a request of 24,\d{3},\d{3} bytes, must be at most 20,000,000"):
        NanoBanana21().plan(Vary(image=[big, big, big], prompt="a"))
    with pytest.raises(limner.TaskRefused, match="at most 7,000,000"):
        NanoBanana21().plan(Vary(image=limner.Image(PNG + b"\0" * 7_000_000), prompt="a"))


REFUSED = {
    "seed": (Generate(prompt="a", seed=1), "seed.*not supported"),
    "negative prompt": (Generate(prompt="a", negative_prompt="b"), "negative_prompt.*not supported"),
    "strength": (Vary(image=picture((16, 16)), prompt="a", strength=0.5), "strength.*not supported"),
    "mask": (Inpaint(image=picture((16, 16)), prompt="a", mask=Mask.box((1, 1, 3, 3), size=(16, 16))), "inpaint"),
    "level": (Generate(prompt="a", options={"thinkingLevel": "high"}), "did you mean 'HIGH'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_gemini_does_not_take_is_refused_before_it_is_sent(case):
    task, why = REFUSED[case]
    with pytest.raises(limner.LimnerError, match=why):
        NanoBanana21().plan(task)


# ---------------------------------------------------------------------------------------------- answers

FOX = Generate(prompt="a fox")


def decoded(content):
    (found,) = NanoBanana21().decode(FOX, Response(json.dumps(content).encode())).pictures
    return found


def candidate(*parts, reason="STOP", **more):
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, **more}]}


def inline(data=PNG, **more):
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(data).decode()}, **more}


FILTERED = {
    *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "MODEL_ARMOR", "ESCALATION"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
}
FAILED = {
    *("NO_IMAGE", "IMAGE_OTHER", "OTHER", "MALFORMED_RESPONSE", "LANGUAGE", "CONTINUATION", "SOMETHING_NEW"),
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
}
BLOCKED = {
    *("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"),
    "SOMETHING_NEW",
}


@pytest.mark.parametrize("reason", sorted(FILTERED))
def test_every_refusal_inside_a_good_answer_is_filtered_with_its_reason(reason):
    found = decoded({"candidates": [{"content": {"role": "model"}, "finishReason": reason, "finishMessage": "Unable."}]})
    assert (found.outcome, found.image, found.reason) == ("filtered", None, f"{reason}: Unable.")
    assert decoded({"candidates": [{"finishReason": reason}]}).reason == reason


@pytest.mark.parametrize("reason", sorted(BLOCKED))
def test_a_blocked_prompt_has_no_candidates_and_is_filtered(reason):
    found = decoded({"promptFeedback": {"blockReason": reason, "blockReasonMessage": "not this"}})
    assert (found.outcome, found.reason) == ("filtered", f"the prompt was blocked: {reason}: not this")


@pytest.mark.parametrize("reason", sorted(FAILED))
def test_other_reasons_without_a_picture_are_failures_by_name(reason):
    found = decoded(candidate(reason=reason))
    assert (found.outcome, found.reason) == ("failed", f"the model made no picture: {reason}")


@pytest.mark.parametrize("reason", ["STOP", "MAX_TOKENS"])
def test_a_model_that_only_talked_is_quoted_in_one_line(reason):
    found = decoded(candidate({"text": "I\ncannot \x1b[31m"}, {"text": "x" * 5000}, reason=reason))
    assert found.outcome == "failed"
    assert found.reason.startswith("the model answered without a picture: I cannot ?[31m xxx")
    assert len(found.reason) < 400


def test_pictures_of_thoughts_are_never_results():
    small, large = picture((8, 8)).data, picture((16, 16)).data
    assert decoded(candidate(inline(small, thought=True), {"text": "so"}, inline(large))).data == large
    assert decoded(candidate(inline(large), inline(small, thought=True))).data == large
    found = decoded(candidate(inline(small, thought=True)))
    assert (found.outcome, found.image) == ("failed", None)
    assert "only unfinished pictures" in found.reason


def test_a_limited_account_is_denied_access():
    with pytest.raises(limner.AccessDenied, match="PUP_LIMITED_DISABLED"):
        decoded(candidate(reason="PUP_LIMITED_DISABLED"))


def test_the_bytes_say_what_a_picture_is():
    jpeg = picture((8, 8), media_type="image/jpeg").data
    assert decoded(candidate(inline(jpeg))).media_type == "image/jpeg"


BROKEN = [
    candidate(inline(PNG[:40])),
    candidate({"inlineData": {"data": 7}}),
    candidate({"inlineData": {}}),
    candidate({"inlineData": 7}, 7),
    {"candidates": [{}]},
    {"candidates": [{"content": [], "finishReason": 7}]},
]


@pytest.mark.parametrize("content", BROKEN)
def test_what_cannot_be_read_is_a_failure(content):
    assert decoded(content).outcome == "failed"


@pytest.mark.parametrize("content", [{}, {"candidates": []}, {"candidates": [7]}, {"promptFeedback": {}}])
def test_an_answer_without_candidates_or_reason_is_bad(content):
    with pytest.raises(limner.BadResponse, match="no candidates"):
        decoded(content)


# ---------------------------------------------------------------------------------------------- addresses

ADDRESSES = [
    ({}, "https://generativelanguage.googleapis.com/v1beta", "models/M:generateContent"),
    ({"api": "vertex"}, "https://aiplatform.googleapis.com/v1beta1", "publishers/google/models/M:generateContent"),
    (
        {"project": "my-project"},
        "https://aiplatform.googleapis.com/v1beta1",
        "projects/my-project/locations/global/publishers/google/models/M:generateContent",
    ),
    (
        {"project": "my-project", "location": "europe-west4"},
        "https://europe-west4-aiplatform.googleapis.com/v1beta1",
        "projects/my-project/locations/europe-west4/publishers/google/models/M:generateContent",
    ),
]


@pytest.mark.parametrize(("given_settings", "base_url", "path"), ADDRESSES)
def test_addresses(given_settings, base_url, path):
    model = NanoBanana21(GeminiSettings(**given_settings))
    assert model.api().base_url == base_url
    assert model.plan(FOX).requests[0].path == path.replace("M:", f"{model.id}:")


WRONG_SETTINGS = [
    ({"api": "gemini", "project": "p"}, "requires api=vertex"),
    ({"access_token": "t"}, "requires the setting project"),
    ({"api": "aws"}, "must be one of gemini, vertex"),
    ({"project": "../x"}, "id of a Google Cloud project"),
    ({"location": "evil.example/"}, "like global or europe-west4"),
    ({"project": "p", "access_token": "a b"}, "printable ASCII"),
]


@pytest.mark.parametrize(("given_settings", "why"), WRONG_SETTINGS)
def test_settings_that_do_not_go_together_are_refused(given_settings, why):
    with pytest.raises(limner.TaskRefused, match=why) as met:
        limner.get_model("gemini", **given_settings)
    assert "a b" not in str(met.value)
