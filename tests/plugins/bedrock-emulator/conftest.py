"""A running emulator for a whole test module, and boto3 as a user would point it there."""

from __future__ import annotations

import base64
import contextlib
import io
import json

import boto3
import limner_bedrock_emulator
import pytest
from botocore.config import Config
from PIL import Image, ImageChops

SDXL = "stability.stable-diffusion-xl-v1"
TITAN_V1 = "amazon.titan-image-generator-v1"
TITAN_V2 = "amazon.titan-image-generator-v2:0"


@pytest.fixture(scope="module")
def running():
    with limner_bedrock_emulator.serve(served={"arn:aws:bedrock:us-east-1:1:provisioned-model/p1": TITAN_V2}) as emulator:
        yield emulator


@pytest.fixture
def emulator(running):
    running.fail_with()
    running.clear()
    return running


@pytest.fixture
def client(emulator):
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=10),
    )
    yield client
    client.close()


@pytest.fixture
def invoke(client):
    """Invoke a model and give its parsed answer."""

    def invoke(model_id, body):
        response = client.invoke_model(modelId=model_id, body=json.dumps(body), contentType="application/json")
        assert response["contentType"] == "application/json"
        return json.loads(response["body"].read())

    return invoke


@pytest.fixture
def stream(client):
    """Invoke a model with the streaming form and give the parts of its answer."""

    def stream(model_id, body):
        response = client.invoke_model_with_response_stream(modelId=model_id, body=json.dumps(body))
        with contextlib.closing(response["body"]) as events:
            return [event["chunk"]["bytes"] for event in events]

    return stream


@pytest.fixture
def paint(invoke):
    """Invoke a model and give its pictures."""

    def paint(model_id, body):
        answer = invoke(model_id, body)
        texts = answer["images"] if "images" in answer else [artifact["base64"] for artifact in answer["artifacts"]]
        return [_decoded(text) for text in texts]

    return paint


@pytest.fixture
def encoded():
    """Write a picture as base64."""
    return _encoded


@pytest.fixture
def decoded():
    """Read a PNG from base64."""
    return _decoded


@pytest.fixture
def scene():
    """Make a picture in which every pixel differs from its neighbours and from its own inverse."""
    return _scene


@pytest.fixture
def same():
    """Tell whether two pictures have the same pixels."""

    def same(one, other):
        return (one.mode, one.size) == (other.mode, other.size) and ImageChops.difference(one, other).getbbox() is None

    return same


@pytest.fixture
def sdxl_body():
    """The smallest SDXL bodies, by mode."""
    picture, mask = _encoded(_scene((64, 96))), _encoded(Image.new("L", (64, 96), 255))
    prompts = [{"text": "a fox"}]
    return {
        "text-to-image": {"text_prompts": prompts},
        "image-to-image": {"text_prompts": prompts, "init_image": picture},
        "masking": {
            "text_prompts": prompts,
            "init_image": picture,
            "mask_image": mask,
            "mask_source": "MASK_IMAGE_WHITE",
        },
    }


@pytest.fixture
def titan_body():
    """The smallest Titan bodies, by task type."""
    picture, mask = _encoded(_scene((64, 96))), _encoded(Image.new("L", (64, 96), 0))
    params = {
        "TEXT_IMAGE": ("textToImageParams", {"text": "a fox"}),
        "INPAINTING": ("inPaintingParams", {"image": picture, "maskImage": mask}),
        "OUTPAINTING": ("outPaintingParams", {"image": picture, "maskImage": mask, "text": "a fox"}),
        "IMAGE_VARIATION": ("imageVariationParams", {"images": [picture]}),
        "COLOR_GUIDED_GENERATION": ("colorGuidedGenerationParams", {"text": "a fox", "colors": ["#102030"]}),
        "BACKGROUND_REMOVAL": ("backgroundRemovalParams", {"image": picture}),
    }
    return {task: {"taskType": task, key: value} for task, (key, value) in params.items()}


def _encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return base64.b64encode(file.getvalue()).decode()


def _decoded(text):
    picture = Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"])
    picture.load()
    return picture


def _scene(size):
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (across, down, Image.new("L", size, 40)))
