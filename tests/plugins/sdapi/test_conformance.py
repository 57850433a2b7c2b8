"""The model passes limner's conformance kit; the provider is the stand-in, and a strict reading of the reference."""

from __future__ import annotations

import json

import limner
import pytest
from limner import Generate, Inpaint, Outpaint, RemoveBackground, Request, Response, Upscale, Vary
from limner.testing import Conformance, Recorded
from limner.testing.conformance import *  # noqa: F403
from limner.testing.pictures import mask, picture
from limner_fakes import sdapi as fake
from limner_sdapi.plugin import Sdapi
from limner_sdapi.settings import SdapiSettings

SIZE = (64, 96)
PICTURE = picture(SIZE)
MASK = mask(SIZE, (8, 8, 20, 20))
TASKS = [
    Generate(prompt="a fox", size=SIZE, seed=7),
    Vary(image=PICTURE, prompt="a fox", seed=7),
    Inpaint(image=PICTURE, prompt="a fox", mask=MASK, seed=7),
    Outpaint(image=PICTURE, prompt="a fox", expand=(64, 0, 0, 0), seed=7),
    RemoveBackground(image=PICTURE),
    Upscale(image=PICTURE),
]
LISTED = tuple(fake.LISTS)


def answer(request: Request) -> Response:
    status, said = fake.answer(request.path, json.loads(request.body))
    assert status == 200, said
    return Response(json.dumps(said).encode())


def problems(request: Request) -> list[str]:
    return fake.problems(request.path, json.loads(request.body))


def good(task) -> bytes:
    return answer(Sdapi().plan(task).requests[0]).body


def info(**more) -> bytes:
    image = json.loads(good(TASKS[0]))["images"][0]
    return json.dumps({"images": [image], "parameters": {}, "info": json.dumps({"seed": 7, **more})}).encode()


def error(status: int, name: str, text: str) -> bytes:
    return json.dumps(fake.a1111_error(status, name, text)[1]).encode()


def refused(name: str, status: int, body: bytes, kind: type[limner.ProviderError]) -> Recorded:
    return Recorded(task=TASKS[0], body=body, status=status, error=kind, name=name)


ASKED = Generate(prompt="a fox", size=SIZE, seed=7, options={"checkpoint": "dreamshaper"})
RECORDED = [
    *(Recorded(task=task, body=good(task)) for task in TASKS),
    Recorded(task=ASKED, body=info(sd_model_name="dreamshaper"), name="the checkpoint that was asked for"),
    Recorded(task=ASKED, body=info(sd_model_name="sd_xl_base_1.0"), outcomes=("failed",), name="another checkpoint"),
    Recorded(task=TASKS[0], body=b'{"images": [], "info": ""}', error=limner.BadResponse, name="no picture"),
    Recorded(task=TASKS[0], body=b'{"images": null, "info": ""}', error=limner.BadResponse, name="send_images false"),
    refused("login", 401, b'{"detail": "Incorrect username or password"}', limner.AuthenticationFailed),
    refused("switched off", 404, b'{"detail": "Not Found"}', limner.RequestRejected),
    refused("memory", 500, error(500, "OutOfMemoryError", "CUDA out of memory"), limner.ProviderUnavailable),
    refused("sd.cpp", 500, b'{"error": "server_error", "message": "no memory left"}', limner.ProviderUnavailable),
    refused("sd.cpp 400", 400, b'{"error": "prompt required"}', limner.RequestRejected),
    refused("KoboldCpp", 500, b'{"detail": {"msg": "bad input here", "type": "bad_input"}}', limner.ProviderUnavailable),
    refused("assertion", 500, error(500, "AssertionError", "could not find upscaler"), limner.RequestRejected),
]


@pytest.fixture(scope="module")
def conformance() -> Conformance:
    return Conformance(
        model=Sdapi(),
        body_problems=problems,
        examples=[
            (
                Inpaint(image=PICTURE, prompt="a fox", mask=MASK, seed=7, options={"inpainting_fill": "latent_noise"}),
                {"inpainting_fill": 2, "inpainting_mask_invert": 0, "width": 64, "height": 96, "batch_size": 1},
            ),
            (Vary(image=PICTURE, prompt="a fox", seed=7, options={"resize_mode": "stretch"}), {"resize_mode": 0}),
        ],
        answer=answer,
        reference_painter=answer,
        vary_painter=answer,
        endpoint=lambda url: Sdapi(SdapiSettings(base_url=url, max_in_flight=8, timeout=30, max_attempts=2)),
        recorded=RECORDED,
        deviations={
            "test_every_parameter_can_be_said": "the size of an upscaled picture must have the shape of the picture",
            "test_limits_reach_the_ends_of_the_schema": "a picture under 64 pixels is refused beside any canvas",
        },
        module="limner_sdapi.plugin",
    )
