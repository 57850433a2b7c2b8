"""Titan and Nova Canvas pass limner's conformance kit; the provider is the emulator's schemas and painter."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import limner
import pytest
from limner import Model, Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator import nova, titan
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_titan.plugin import NovaCanvas, TitanV1, TitanV2
from limner_fakes.painters import Invert
from PIL import Image, ImageOps

from ..bedrock_over_http import RETRYABLE, credentials, endpoint, errors

SIDE = 320  # the least that Nova Canvas takes
PICTURE = picture((SIDE, SIDE))
GOOD = base64.b64encode(PICTURE.data).decode()
TITANS = (
    "Content in {which} of the generated image(s) has been blocked and has been filtered from the response. "
    "Our system automatically blocked because the generated image(s) may conflict our AUP or AWS Responsible AI Policy."
)
NOVAS = "{which} of the generated images have been blocked by our content filters."


def answer(request: Request) -> Response:
    """Answer as the emulator does."""
    paint = nova.answer if request.model_id == NovaCanvas.id else titan.answer
    return Response(json.dumps(paint(json.loads(request.body), Invert(), None)).encode())


def problems(request: Request) -> list[str]:
    body = json.loads(request.body)
    sizes = nova.size_problems(body) if request.model_id == NovaCanvas.id else []
    return validate(request.model_id, body) + sizes


def recorded(model: type[Model]) -> list[Recorded]:
    """Answers as the guide prints them, and the refusals that clients have seen."""
    two = limner.Generate(prompt="a fox", seed=10, n=2)
    tasks = [
        limner.Generate(prompt="a fox", seed=10),
        limner.Vary(image=PICTURE, prompt="a fox", seed=10),
        limner.Inpaint(image=PICTURE, prompt="a fox", mask=mask((SIDE, SIDE), (8, 8, 20, 20)), seed=10),
        limner.Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), seed=10),
        limner.RemoveBackground(image=PICTURE),
    ]
    good = json.dumps({"images": [GOOD]}).encode()
    blocked, words = (NOVAS, ("Some", "All")) if model is NovaCanvas else (TITANS, ("some", "the all"))
    some = json.dumps({"images": [GOOD], "error": blocked.format(which=words[0])}).encode()
    none = json.dumps({"error": blocked.format(which=words[1])}).encode()
    return [
        *(Recorded(task=task, body=good) for task in tasks if type(task) in model.limits),
        Recorded(task=two, body=some, outcomes=("ok", "filtered"), name="some blocked"),
        Recorded(task=two, body=none, outcomes=("filtered", "filtered"), name="all blocked"),
        Recorded(task=two, body=b"{}", error=limner.BadResponse, name="nothing"),
    ]


MASK = mask((SIDE, SIDE), (8, 8, 20, 20))


def examples(model: type[Model]) -> list[tuple[limner.Task, dict[str, Any]]]:
    """As the user guide's page on the model's parameters describes them: similarityStrength 1 is the most similar."""
    config = {"numberOfImages": 2, "quality": "premium", "width": 1024, "height": 1024, "cfgScale": 7.5, "seed": 42}
    said = {"n": 2, "size": (1024, 1024), "guidance_scale": 7.5, "seed": 42}
    premium = {"quality": "premium"}
    found: list[tuple[limner.Task, dict[str, Any]]] = [
        (
            limner.Generate(prompt="a fox", negative_prompt="fog", **said, options=premium),
            {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a fox", "negativeText": "fog"}}
            | {"imageGenerationConfig": config},
        ),
        (
            limner.Vary(image=PICTURE, prompt="a fox", strength=0.3),
            {"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": [PICTURE], "similarityStrength": 0.7}},
        ),
        (
            limner.Inpaint(image=PICTURE, prompt="a door", mask_prompt="windows"),
            {"taskType": "INPAINTING", "inPaintingParams": {"text": "a door", "maskPrompt": "windows"}},
        ),
        (
            limner.Inpaint(image=PICTURE, prompt="a door", mask=MASK),
            {"inPaintingParams": {"maskImage": MASK.inverted().png()}},  # black is painted
        ),
        (
            limner.Outpaint(
                image=PICTURE, prompt="a beach", mask=MASK, options={"outpainting_mode": "DEFAULT"}, preserve=False
            ),
            {"taskType": "OUTPAINTING", "outPaintingParams": {"maskImage": MASK.png(), "outPaintingMode": "DEFAULT"}},
        ),
        (
            limner.Outpaint(image=PICTURE, prompt="a beach", keep_prompt="the dog", options={"outpainting_mode": "PRECISE"}),
            {"outPaintingParams": {"text": "a beach", "maskPrompt": "the dog", "outPaintingMode": "PRECISE"}},
        ),
    ]
    if model is not NovaCanvas:
        masked = limner.Inpaint(image=PICTURE, prompt="a door", mask=MASK, options={"return_mask": True})
        found.append((masked, {"inPaintingParams": {"returnMask": True}}))
    if model is not TitanV1:
        guided = {"condition_image": PICTURE, "control_mode": "CANNY_EDGE", "control_strength": 0.3}
        condition = {"conditionImage": PICTURE, "controlMode": "CANNY_EDGE", "controlStrength": 0.3}
        colours = {"text": "a fox", "colors": ["#ff8800", "#0088ff"]}
        found += [
            (limner.Generate(prompt="a fox", options=guided), {"textToImageParams": condition}),
            (
                limner.Generate(prompt="a fox", options={"colors": ["#ff8800", "#0088ff"]}),
                {"taskType": "COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams": colours},
            ),
        ]
    if model is NovaCanvas:
        styled = limner.Generate(prompt="a fox", options={"style": "MAXIMALISM"})
        found.append((styled, {"textToImageParams": {"style": "MAXIMALISM"}}))
    return found


def vary(request: Request) -> Response:
    """Depart from the picture as the guide says: similarityStrength is how similar the picture becomes."""
    params = json.loads(request.body)["imageVariationParams"]
    before = Image.open(io.BytesIO(base64.b64decode(params["images"][0]))).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(before, ImageOps.invert(before), 1 - params["similarityStrength"]).save(buffer, "PNG")
    return Response(json.dumps({"images": [base64.b64encode(buffer.getvalue()).decode()]}).encode())


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    with credentials():
        yield


@pytest.fixture(scope="module", params=[TitanV1, TitanV2, NovaCanvas], ids=["v1", "v2", "nova"])
def conformance(request: pytest.FixtureRequest) -> Conformance:
    model = request.param
    return Conformance(
        model=model(),
        body_problems=problems,
        examples=examples(model),
        answer=answer,
        reference_painter=answer,
        vary_painter=vary,
        recorded=recorded(model) + errors(limner.Generate(prompt="a fox", seed=10)),
        endpoint=endpoint(model) if model is TitanV2 else None,  # one transport for all
        retryable=RETRYABLE,
    )
