"""Every service over real boto3 against the emulator: what opens is inverted, what stays is exactly the input."""

from __future__ import annotations

import asyncio

import limner
import limner_bedrock_emulator
import pytest
from limner import Generate, Inpaint, Mask, Outpaint, RemoveBackground, Upscale, Vary
from limner_bedrock_stability.models import MODELS
from PIL import Image, ImageChops, ImageOps

SIZE = (96, 64)
LEFT = (0, 0, 48, 64)


@pytest.fixture(scope="module")
def running():
    with limner_bedrock_emulator.serve() as emulator:
        yield emulator


@pytest.fixture
def emulator(running, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    running.fail_with()
    running.clear()
    return running


@pytest.fixture
def connected(emulator):
    """A model by name; the region is none of the services', for the endpoint is our own."""

    def connected(name="stability"):
        return limner.get_model(name, endpoint_url=emulator.url, region="eu-west-1")

    return connected


def scene():
    across, down = Image.linear_gradient("L").rotate(90).resize(SIZE), Image.linear_gradient("L").resize(SIZE)
    return Image.merge("RGB", (across, down, Image.new("L", SIZE, 40)))


def left_inverted():
    made = scene()
    made.paste(ImageOps.invert(made).crop(LEFT), (0, 0))
    return made


def same(one, other):
    return one.size == other.size and ImageChops.difference(one.convert("RGB"), other).getbbox() is None


TASKS = {
    "core": Generate(prompt="a fox", size=(16, 9)),
    "ultra": Vary(image=scene(), prompt="a fox", strength=0.2),
    "sd3-5-large": Vary(image=scene(), prompt="a fox", strength=1),
    "control-sketch": Generate(prompt="a fox", options={"sketch_image": scene()}),
    "control-structure": Generate(prompt="a fox", options={"structure_image": scene()}),
    "style-guide": Generate(prompt="a fox", options={"style_image": scene()}),
    "style-transfer": Vary(image=scene(), options={"style_image": scene(), "style_strength": 0}),
    "inpaint": Inpaint(image=scene(), prompt="a fox", mask=Mask.box(LEFT, size=SIZE)),
    "erase-object": Inpaint(image=scene(), mask=Mask.box(LEFT, size=SIZE)),
    "search-replace": Inpaint(image=scene(), prompt="a fox", mask_prompt="a cat"),
    "search-recolor": Inpaint(image=scene(), prompt="red", mask_prompt="a cat"),
    "outpaint": Outpaint(image=scene(), prompt="a beach", expand=(3, 5, 7, 11)),
    "remove-background": RemoveBackground(image=scene()),
    "fast-upscale": Upscale(image=scene()),
    "conservative-upscale": Upscale(image=scene(), prompt="a fox"),
    "creative-upscale": Upscale(image=scene(), prompt="a fox"),
}
INVERTED = {"ultra", "sd3-5-large", "control-sketch", "control-structure", "style-transfer"}


@pytest.mark.parametrize("name", [model.service for model in MODELS if model.is_current()])
def test_a_service(emulator, connected, name):
    result = connected(f"stability-{name}").run(TASKS[name])
    assert [request.model_id for request in emulator.requests] == [result.model]
    made = result.image.pil()
    if name in INVERTED:
        assert same(made, ImageOps.invert(scene()))
    elif name in {"inpaint", "erase-object"}:
        assert same(made, left_inverted())
        assert same(result.image.raw.pil(), left_inverted()), "the provider changed the same pixels by itself"
    elif name == "outpaint":
        expected = Image.new("RGB", (3 + 96 + 7, 5 + 64 + 11), "white")
        expected.paste(scene(), (3, 5))
        assert same(made, expected)
    else:
        sizes = {"core": (1344, 768), "style-guide": (1024, 1024), "fast-upscale": (384, 256)}
        if name in {"conservative-upscale", "creative-upscale"}:
            assert 20 <= made.width * made.height / (SIZE[0] * SIZE[1]) <= 40
        else:
            assert made.size == sizes.get(name, SIZE)


@pytest.mark.parametrize("prompt", ["a fox", None])
def test_alpha_says_what_changes(connected, prompt):
    clear = scene()
    clear.putalpha(255)
    clear.paste((0, 0, 0, 0), LEFT)
    result = connected().inpaint(clear, prompt, mask="alpha")
    raw = result.image.raw.pil()
    assert raw.getpixel((10, 10)) == (255, 255, 255)  # black beneath, inverted
    assert raw.getpixel((80, 10)) == scene().getpixel((80, 10))


def test_the_router_says_which_service_painted(emulator, connected):
    result = connected().generate("a fox", n=2, seed=5)
    assert result.model == "stability.stable-image-core-v1:1"
    assert result.account[0].used == result.task.options["service"] == "core"
    assert [picture.seed for picture in result.pictures] == [5, 6]
    assert sorted(request.body["seed"] for request in emulator.requests) == [5, 6]
    assert result.image.provenance["model"] == "stability.stable-image-core-v1:1"
    again = asyncio.run(connected().arun(result.task))
    assert again.image.data == result.image.data
    assert again.account[0].outcome == "sent"


@pytest.mark.parametrize("name", ["stability", "stability-core"])
def test_a_filtered_picture(emulator, connected, name):
    for fault in ("filtered", "prompt-filtered", "image-filtered"):
        emulator.fail_with(f"{fault}*1")
        with pytest.raises(limner.ContentFiltered, match="Filter reason"):
            connected(name).generate("a fox")
    emulator.fail_with("filtered*1")
    result = connected(name).run(Generate(prompt="a fox"), on_filtered="return")
    assert [picture.outcome for picture in result.pictures] == ["filtered"]


def test_an_inference_error_is_no_filter(emulator, connected):
    emulator.fail_with("error-result*1")
    with pytest.raises(limner.BadResponse, match="Inference error") as failed:
        connected().generate("a fox")
    assert not isinstance(failed.value, limner.ContentFiltered)
    assert failed.value.result.account[0].used == "core"


def test_a_bare_id_is_called_by_its_profile(emulator, connected):
    with pytest.warns(
        UserWarning, match="only through its inference profile; us.stability.stable-image-inpaint-v1:0 is called"
    ):
        result = connected("stability.stable-image-inpaint-v1:0").run(TASKS["inpaint"])
    assert emulator.requests[-1].model_id == "us.stability.stable-image-inpaint-v1:0"
    assert result.image.provenance["model_id"] == "us.stability.stable-image-inpaint-v1:0"
