"""SDXL passes limner's conformance kit; the provider is the emulator's schemas and painter, made from AWS's documents."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator

import limner
import pytest
from limner import Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator import sdxl
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_sdxl.plugin import Sdxl
from limner_fakes.painters import Invert
from PIL import Image, ImageOps

from ..bedrock_over_http import RETRYABLE, credentials, endpoint, errors

PICTURE = picture((64, 64))


def answer(request: Request) -> Response:
    return Response(json.dumps(sdxl.answer(json.loads(request.body), Invert(), None)).encode())


def problems(request: Request) -> list[str]:
    return validate(Sdxl.id, json.loads(request.body))


def artifact(reason: str) -> bytes:
    """An answer as the guide prints it."""
    made = {"seed": 10, "base64": base64.b64encode(PICTURE.data).decode(), "finishReason": reason}
    return json.dumps({"result": "success", "artifacts": [made]}).encode()


TASKS = [
    limner.Generate(prompt="a fox", seed=10),
    limner.Vary(image=PICTURE, prompt="a fox", seed=10),
    limner.Inpaint(image=PICTURE, prompt="a fox", mask=mask((64, 64), (8, 8, 20, 20)), seed=10),
    limner.Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), seed=10),
]
ERROR = b'{"result": "error", "error": {"id": "1", "name": "invalid_prompts", "message": "Invalid prompts"}}'
REFUSALS = [
    Recorded(task=TASKS[0], body=artifact("CONTENT_FILTERED"), outcomes=("filtered",), name="filtered"),
    Recorded(task=TASKS[0], body=artifact("ERROR"), outcomes=("failed",), name="error"),
    Recorded(task=TASKS[0], body=ERROR, error=limner.ContentFiltered, name="invalid_prompts"),
    Recorded(task=TASKS[0], body=b"{}", error=limner.BadResponse, name="nothing"),
]

WORDS = [{"text": "a fox"}]
MASK = mask((64, 64), (8, 8, 20, 20))
PAINTED = {"seed": 10, "guidance_scale": 7.5, "steps": 40}
OPTIONS = {"style_preset": "photographic", "sampler": "K_EULER", "clip_guidance_preset": "FAST_BLUE"}
EXAMPLES = [
    (
        limner.Generate(prompt="a fox", negative_prompt="fog", size=(1344, 768), n=1, **PAINTED, options=OPTIONS),
        {"text_prompts": [{"text": "a fox"}, {"text": "fog", "weight": -1}], "width": 1344, "height": 768, "samples": 1}
        | {"seed": 10, "cfg_scale": 7.5, "steps": 40, **OPTIONS},
    ),
    (
        limner.Vary(image=PICTURE, prompt="a fox", strength=0.65, seed=10),
        {"text_prompts": WORDS, "init_image": PICTURE, "init_image_mode": "IMAGE_STRENGTH", "image_strength": 0.35},
    ),
    (
        limner.Vary(image=PICTURE, prompt="a fox", options={"step_schedule_start": 0.6, "step_schedule_end": 0.1}),
        {"init_image_mode": "STEP_SCHEDULE", "step_schedule_start": 0.6, "step_schedule_end": 0.1},
    ),
    (
        limner.Inpaint(image=PICTURE, prompt="a fox", mask=MASK, options={"mask_source": "MASK_IMAGE_WHITE"}),
        {"init_image": PICTURE, "mask_source": "MASK_IMAGE_WHITE", "mask_image": MASK.png()},
    ),
    (
        limner.Inpaint(image=PICTURE, prompt="a fox", mask=MASK, options={"mask_source": "MASK_IMAGE_BLACK"}),
        {"mask_source": "MASK_IMAGE_BLACK", "mask_image": MASK.inverted().png()},
    ),
]
"""As the user guide's pages on text to image, image to image and masking describe them: a strong image_strength keeps."""


def vary(request: Request) -> Response:
    """Depart from the picture as the guide says: near 1, image_strength makes a picture like the source."""
    body = json.loads(request.body)
    picture = Image.open(io.BytesIO(base64.b64decode(body["init_image"]))).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(picture, ImageOps.invert(picture), 1 - body["image_strength"]).save(buffer, "PNG")
    made = {"seed": body["seed"], "base64": base64.b64encode(buffer.getvalue()).decode(), "finishReason": "SUCCESS"}
    return Response(json.dumps({"result": "success", "artifacts": [made]}).encode())


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    with credentials():
        yield


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    return Conformance(
        model=Sdxl(),
        body_problems=problems,
        examples=EXAMPLES,
        answer=answer,
        reference_painter=answer,
        vary_painter=vary,
        recorded=[*(Recorded(task=task, body=artifact("SUCCESS")) for task in TASKS), *REFUSALS, *errors(TASKS[0])],
        endpoint=endpoint(Sdxl),
        retryable=RETRYABLE,
    )
