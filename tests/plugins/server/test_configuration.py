"""Models are served with the settings of the configuration file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import limner_fakes
import pytest

from .studio import Client
from .test_command import Program


@pytest.fixture(scope="module")
def fake() -> Iterator[limner_fakes.Fake]:
    with limner_fakes.serve("openai", dialect="vllm-omni") as running:
        yield running


@pytest.fixture(scope="module")
def folder(fake: limner_fakes.Fake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's own folder: an alias of a server's model, where it is, and how it speaks."""
    made = tmp_path_factory.mktemp("config")
    (made / "config.toml").write_text(
        f"""
        [aliases]
        qwen = "openai-compatible/a-model"
        [settings.qwen]
        dialect = "vllm-omni"
        base_url = "{fake.url}"
        timeout = 2
        [settings.openai-compatible]
        dialect = "sglang"
        """
    )
    return made


def test_a_served_model_has_the_configured_address_dialect_and_timeout(fake, folder):
    with Program("serve", "--as", "gpt-image-1=qwen", LIMNER_CONFIG_DIR=str(folder)) as program:
        client = Client(program.url)
        own = client.generate(model="qwen", size="512x512", seed=7, steps=9)
        further = client.generate(model="gpt-image-1", size="512x512", seed=8)
        listed = client.get("/v1/models/gpt-image-1").json["limner"]["tasks"]
        fake.fail_with("hang")
        late = client.generate(model="qwen", size="512x512")
    fake.fail_with()
    assert [answer.status for answer in (own, further, late)] == [200, 200, 504]
    assert (own.json["limner"]["seeds"], own.json["limner"]["dropped"]) == ([7], [])
    assert fake.requests[0].body["num_inference_steps"] == 9
    assert [request.body["model"] for request in fake.requests] == ["a-model"] * 3
    assert further.json["limner"]["seeds"] == [8]
    assert "inpaint" in listed


def test_the_playground_offers_what_the_configured_model_takes(fake, folder):
    fake.clear()
    with Program("playground", LIMNER_CONFIG_DIR=str(folder)) as program:
        url, _, key = program.url.partition("/playground/#key=")
        client = Client(url, key)
        described = client.get(f"/playground/api/model?name={quote('qwen')}").json
        models = {model["id"]: model for model in client.get("/playground/api/models").json["models"]}
        order = {"models": ["qwen"], "task": {"task": "generate", "prompt": "a fox", "size": [512, 512], "seed": 7}}
        ran = client.post("/playground/api/run", order)
    assert {"seed", "steps", "guidance_scale"} <= set(described["tasks"]["generate"]["parameters"])
    assert models["openai-compatible"]["error"] is None
    assert ran.status == 200
    assert b'"error"' not in ran.body
    assert [request.body["seed"] for request in fake.requests] == [7]
