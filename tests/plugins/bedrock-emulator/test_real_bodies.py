"""Bodies that public programs send: each is accepted, or refused for the reason its note gives.

The collection lies beside the repository; where it is not, the vectors of the other tests stand for it.
"""

import json
from pathlib import Path

import boto3
import limner_bedrock_emulator
import pytest
from botocore.exceptions import ClientError
from PIL import Image

COLLECTION = Path(__file__).parents[4] / "shared" / "oracle" / "real_bodies.jsonl"
SDXL_0_8 = "stability.stable-diffusion-xl"
SIZED = "#: extraneous key [{}] is not permitted"

# what the refusal names, by the start of the note; every other note only explains where a value comes from
REFUSED = {
    "width/height sent with init_image": [SIZED.format("width"), SIZED.format("height")],
    "the outpaint path: same mask, opposite mask_source; width/height not documented": [
        SIZED.format("width"),
        SIZED.format("height"),
    ],
    "512x512 is not in the documented SDXL 1.0 size list": ["#: no subschema matched out of the total 9 subschemas"],
    "start_schedule is not a documented key": ["#: extraneous key [start_schedule] is not permitted"],
    "steps above the 50 that later pages document": [
        "#/steps: 60 is not less or equal to 50",
        "#: property [height] is required",
    ],
    "negative vector: size is not a documented Nova Canvas key": [
        "#/imageGenerationConfig: extraneous key [size] is not permitted"
    ],
    "1024x512 is not in the documented Titan size table": ["#/imageGenerationConfig: no subschema matched"],
}


def lines():
    if not COLLECTION.exists():
        return []
    parsed = [json.loads(line) for line in COLLECTION.read_text().splitlines()]
    return [
        line for line in parsed if any(name in line["model"] for name in ("stable-diffusion-xl", "titan", "nova-canvas"))
    ]


def filled(value, key, picture, mask):
    """Put pictures in place of the placeholder."""
    if isinstance(value, dict):
        return {key: filled(inner, key, picture, mask) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, key, picture, mask) for inner in value]
    if value == "<b64>":
        return mask if "mask" in key else picture
    return value


def test_the_collection_is_read():
    if not COLLECTION.exists():
        pytest.skip("the collection is not here")
    notes = [line.get("note", "") for line in lines()]
    assert len(notes) == 77
    for start in REFUSED:
        assert any(note.startswith(start) for note in notes)


@pytest.mark.parametrize("line", lines())
def test_a_real_body(invoke, encoded, scene, line):
    picture, mask = encoded(scene((512, 512))), encoded(Image.new("L", (512, 512), 0))
    body = filled(line["body"], "", picture, mask)
    reasons = [texts for start, texts in REFUSED.items() if line.get("note", "").startswith(start)]
    model = line["model"]
    if model == SDXL_0_8:  # retired with its own contract; its bodies are within the later one
        with pytest.raises(ClientError, match="reached the end of its life"):
            invoke(model, body)
        model = "stability.stable-diffusion-xl-v1"
    if not reasons:
        answer = invoke(model, body)
        assert answer.get("images") or answer.get("artifacts")
        return
    with pytest.raises(ClientError) as refused:
        invoke(model, body)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    for text in reasons[0]:
        assert text in str(refused.value)


UNDOCUMENTED = {  # by the start of the note: what passes when the emulator is started to let it
    "width/height sent with init_image": ["width", "height"],
    "the outpaint path: same mask, opposite mask_source; width/height not documented": ["width", "height"],
    "start_schedule is not a documented key": ["start_schedule"],
}


@pytest.mark.parametrize("line", [line for line in lines() if line.get("note", "").startswith(tuple(UNDOCUMENTED))])
def test_undocumented_keys_can_be_allowed(encoded, scene, caplog, line):
    (keys,) = (keys for start, keys in UNDOCUMENTED.items() if line["note"].startswith(start))
    body = filled(line["body"], "", encoded(scene((512, 512))), encoded(Image.new("L", (512, 512), 0)))
    with limner_bedrock_emulator.serve(allow_undocumented=True) as emulator:
        client = boto3.client(
            "bedrock-runtime",
            endpoint_url=emulator.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        assert json.loads(client.invoke_model(modelId=line["model"], body=json.dumps(body))["body"].read())["artifacts"]
        client.close()
    warned = [record.getMessage() for record in caplog.records if record.name.startswith("limner_bedrock_emulator")]
    assert [text.partition(": ")[2].partition(" is undocumented ")[0] for text in warned] == [
        repr(key) for key in body if key in keys
    ]
