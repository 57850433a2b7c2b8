"""Every model and service passes limner's conformance kit, held against the emulator's schemas and painted by it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import limner
import pytest
from limner import Request, Response
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_bedrock_emulator import schemas, stability
from limner_bedrock_emulator.model_ids import contract_of
from limner_bedrock_stability.models import MODELS
from limner_fakes.painters import Invert
from PIL import Image, ImageOps

from ..bedrock_over_http import RETRYABLE, credentials, endpoint, errors

CURRENT = [model for model in MODELS if model.is_current()]


def answer(request: Request) -> Response:
    """Answer as the emulator does; some services take no seed, and their answers name one all the same."""
    body = {"seed": 7, **json.loads(request.body)}
    return Response(json.dumps(stability.answer(contract_of(request.model_id), body, Invert(), None)).encode())


def problems(request: Request) -> list[str]:
    return schemas.validate(request.model_id, json.loads(request.body))


def recorded(model) -> list[Recorded]:
    """Answers as the guide prints them."""
    if model.service != "core":
        return []
    task = limner.Generate(prompt="a fox", seed=10)
    reasons = ("Filter reason: prompt", "Filter reason: output image", "Filter reason: input image")
    good = {"seeds": [2130420379], "finish_reasons": [None], "images": [base64.b64encode(picture().data).decode()]}
    return [
        Recorded(task=task, body=json.dumps(good).encode()),
        *(
            Recorded(task=task, body=json.dumps({"finish_reasons": [text]}).encode(), outcomes=("filtered",))
            for text in reasons
        ),
        Recorded(task=task, body=b'{"finish_reasons": ["Inference error"]}', outcomes=("failed",)),
        Recorded(task=task, body=b"{}", error=limner.BadResponse),
    ]


CROPPED = "a mask on the final canvas becomes the rectangle that it keeps, which is another picture, and the four sides"


SHOWN = picture((64, 64))
MASK = mask((64, 64), (8, 8, 20, 20))
WORDS = {"prompt": "a fox", "negative_prompt": "fog", "seed": 10}
STYLED = {"style_preset": "anime", "output_format": "png"}
IN_ASPECT = (
    limner.Generate(**WORDS, size=(16, 9), options={"output_format": "png"}),
    {**WORDS, "aspect_ratio": "16:9", "output_format": "png"},
)


def _varied(model_of: str) -> tuple[limner.Task, dict[str, Any]]:
    shown = {"prompt": "a fox", "image": SHOWN, "strength": 0.8}
    return limner.Vary(image=SHOWN, prompt="a fox", strength=0.8), shown | MODES.get(model_of, {})


MODES = {"sd3-5-large": {"mode": "image-to-image"}}
GUIDED = {"control_strength": 0.6, **STYLED}
TRANSFERRED = {"composition_fidelity": 0.8, "style_strength": 0.7, "change_strength": 0.6, "output_format": "png"}
EXAMPLES = {
    "core": [IN_ASPECT],
    "sd3-5-large": [IN_ASPECT, _varied("sd3-5-large")],
    "ultra": [IN_ASPECT, _varied("ultra")],
    "control-sketch": [
        (limner.Generate(**WORDS, options={"sketch_image": SHOWN, **GUIDED}), {**WORDS, "image": SHOWN, **GUIDED})
    ],
    "control-structure": [
        (limner.Generate(**WORDS, options={"structure_image": SHOWN, **GUIDED}), {**WORDS, "image": SHOWN, **GUIDED})
    ],
    "style-guide": [
        (
            limner.Generate(**WORDS, size=(16, 9), options={"style_image": SHOWN, "fidelity": 0.4, **STYLED}),
            {**WORDS, "image": SHOWN, "fidelity": 0.4, "aspect_ratio": "16:9", **STYLED},
        )
    ],
    "style-transfer": [
        (
            limner.Vary(**WORDS, image=SHOWN, options={"style_image": SHOWN, **TRANSFERRED}),
            {**WORDS, "init_image": SHOWN, "style_image": SHOWN, **TRANSFERRED},
        )
    ],
    "inpaint": [
        (
            limner.Inpaint(**WORDS, image=SHOWN, mask=MASK, preserve=False, options={"grow_mask": 3, **STYLED}),
            {**WORDS, "image": SHOWN, "mask": MASK.png(), "grow_mask": 3, **STYLED},
        )
    ],
    "erase-object": [
        (
            limner.Inpaint(
                image=SHOWN, mask=MASK, preserve=False, seed=10, options={"grow_mask": 3, "output_format": "png"}
            ),
            {"image": SHOWN, "mask": MASK.png(), "seed": 10, "grow_mask": 3, "output_format": "png"},
        )
    ],
    "search-replace": [
        (
            limner.Inpaint(**WORDS, image=SHOWN, mask_prompt="a dog", options={"grow_mask": 3, **STYLED}),
            {**WORDS, "search_prompt": "a dog", "grow_mask": 3, **STYLED},
        )
    ],
    "search-recolor": [
        (
            limner.Inpaint(**WORDS, image=SHOWN, mask_prompt="a dog", options={"grow_mask": 3, **STYLED}),
            {**WORDS, "select_prompt": "a dog", "grow_mask": 3, **STYLED},
        )
    ],
    "outpaint": [
        (
            limner.Outpaint(
                image=SHOWN, prompt="a fox", seed=10, expand=(8, 16, 24, 32), options={"creativity": 0.4, **STYLED}
            ),
            {"prompt": "a fox", "seed": 10, "left": 8, "up": 16, "right": 24, "down": 32, "creativity": 0.4, **STYLED},
        )
    ],
    "remove-background": [
        (limner.RemoveBackground(image=SHOWN, options={"output_format": "png"}), {"output_format": "png"})
    ],
    "fast-upscale": [(limner.Upscale(image=SHOWN, options={"output_format": "png"}), {"output_format": "png"})],
    "conservative-upscale": [
        (
            limner.Upscale(**WORDS, image=SHOWN, options={"creativity": 0.3, "output_format": "png"}),
            {**WORDS, "creativity": 0.3, "output_format": "png"},
        )
    ],
    "creative-upscale": [
        (limner.Upscale(**WORDS, image=SHOWN, options={"creativity": 0.4, **STYLED}), {**WORDS, "creativity": 0.4, **STYLED})
    ],
}
"""As the user guide's pages on each model and service name their fields: strength 0 keeps the picture, 1 ignores it."""


def vary(request: Request) -> Response:
    """Depart from the picture as far as the guide says: at strength 1 nothing of it is left."""
    body = json.loads(request.body)
    before = Image.open(io.BytesIO(base64.b64decode(body["image"]))).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(before, ImageOps.invert(before), body["strength"]).save(buffer, "PNG")
    image = base64.b64encode(buffer.getvalue()).decode()
    return Response(json.dumps({"seeds": [7], "finish_reasons": [None], "images": [image]}).encode())


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    with credentials():
        yield


@pytest.fixture(scope="module", params=CURRENT, ids=lambda model: model.service)
def conformance(request) -> Conformance:
    stored, core = recorded(request.param), request.param.service == "core"  # one transport for all: it is checked once
    edits = any(task.kind in {"inpaint", "outpaint"} for task in request.param.limits)
    return Conformance(
        model=request.param(),
        body_problems=problems,
        examples=EXAMPLES[request.param.service],
        vary_painter=vary,
        answer=answer,
        reference_painter=answer if edits else None,
        recorded=[*stored, *errors(stored[0].task)] if core else stored,
        endpoint=endpoint(request.param) if core else None,
        retryable=RETRYABLE,
        deviations={"test_pictures_travel_byte_for_byte": CROPPED} if request.param.service == "outpaint" else {},
        module="limner_bedrock_stability.plugin",
    )
