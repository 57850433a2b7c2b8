"""The painter passes limner's conformance kit."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import limner
import pytest
from limner import Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_sketch.plugin import Sketch
from PIL import Image, ImageOps

WORDS: dict[str, Any] = {"type": "string", "maxLength": 10_000}
SIZE = {"type": "array", "items": {"type": "integer", "minimum": 64, "maximum": 2048}, "minItems": 2, "maxItems": 2}
ORDER = {
    "type": "object",
    "properties": {
        "do": {"enum": ["paint", "vary", "inpaint", "outpaint", "remove-background", "upscale"]},
        "words": WORDS,
        "without": {"type": "array", "items": WORDS | {"minLength": 1}},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "n": {"type": "integer", "minimum": 1, "maximum": 4},
        "strength": {"type": "number", "minimum": 0, "maximum": 1},
        "size": SIZE,
        "picture": {"type": "string", "minLength": 1},
        "mask": {"type": "string", "minLength": 1},
    },
    "required": ["do"],
    "additionalProperties": False,
}


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def invert(request: Request) -> Response:
    """Answer an order: what the mask has white is painted."""
    order = json.loads(request.body)
    before = opened(order["picture"]).convert("RGB")
    painted = Image.composite(ImageOps.invert(before), before, opened(order["mask"]).convert("L"))
    buffer = io.BytesIO()
    painted.save(buffer, "PNG", compress_level=1)
    return Response(json.dumps({"pictures": [base64.b64encode(buffer.getvalue()).decode()]}).encode())


SMALL = picture((64, 64))
ANSWER = b'{"pictures": ["%b"]}' % base64.b64encode(SMALL.data)
TASKS = [
    limner.Generate(prompt="a fox", size=(64, 64), seed=1),
    limner.Vary(image=SMALL, seed=1),
    limner.Inpaint(image=SMALL, mask=mask((64, 64), (0, 0, 8, 8)), seed=1),
    limner.Outpaint(image=SMALL, expand=(64, 0, 0, 0), seed=1),
    limner.RemoveBackground(image=SMALL),
    limner.Upscale(image=SMALL),
]

EXAMPLES = [
    (
        limner.Generate(prompt="a fox", negative_prompt="fog", n=2, size=(128, 64), seed=1),
        {"do": "paint", "words": "a fox", "without": ["fog"], "n": 2, "size": [128, 64], "seed": 1},
    ),
    (limner.Vary(image=SMALL, strength=0.7, seed=1), {"do": "vary", "picture": SMALL, "strength": 0.7}),
    (
        limner.Inpaint(image=SMALL, mask=mask((64, 64), (0, 0, 8, 8)), seed=1),
        {"do": "inpaint", "picture": SMALL, "mask": mask((64, 64), (0, 0, 8, 8)).png()},
    ),
]


def vary(request: Request) -> Response:
    """Depart from the picture as far as ``strength`` says."""
    order = json.loads(request.body)
    before = opened(order["picture"]).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(before, ImageOps.invert(before), order["strength"]).save(buffer, "PNG")
    return Response(json.dumps({"pictures": [base64.b64encode(buffer.getvalue()).decode()]}).encode())


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    return Conformance(
        model=Sketch(),
        body_schema=ORDER,
        examples=EXAMPLES,
        vary_painter=vary,
        reference_painter=invert,
        recorded=[Recorded(task=task, body=ANSWER) for task in TASKS],
        deviations={"test_recorded_answers_cover_every_task": "the painter refuses and filters nothing"},
    )
