"""`limner models --live` as a program, against the stand-ins: what the providers have."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import limner_fakes
import pytest

KEYS = ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "BFL_API_KEY")
CHECKPOINT = "sd_xl_base_1.0.safetensors [31e35c80fc]"


@pytest.fixture
def live(tmp_path: Path):
    """Run the command with an environment, and a configuration file of a content."""

    def run(*words: str, configuration: str = "", **environment: str) -> tuple[int, str]:
        (tmp_path / "config.toml").write_text(configuration, encoding="utf-8")
        clean = {name: value for name, value in os.environ.items() if name not in KEYS and not name.endswith("_BASE_URL")}
        done = subprocess.run(
            [sys.executable, "-m", "limner", "models", "--live", *words],
            env={**clean, "LIMNER_CONFIG_DIR": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    return run


def rows(output: str) -> dict[str, dict[str, Any]]:
    return {row["provider"]: row for row in json.loads(output)}


def test_each_provider_is_asked_once_and_answers_for_itself(live):
    with contextlib.ExitStack() as stack:
        fakes = [stack.enter_context(limner_fakes.serve(name)) for name in ("openai", "gemini", "sdapi")]
        environment = {name: value for fake in fakes for name, value in fake.environment.items()}
        status, output = live("--json", **environment, BFL_API_KEY="test")
        table = live(**environment, BFL_API_KEY="test")[1].splitlines()
        asked = [[request.path for request in fake.requests] for fake in fakes]
    found = rows(output)
    assert asked == [["/v1/models"] * 2, ["/v1beta/models"] * 2, ["/sdapi/v1/sd-models"] * 2]
    assert "gpt-image-2.6-flare" in found["openai"]["ids"]
    assert "text-model" in found["gcp.gemini"]["ids"]
    assert "gemini-3-pro-image" in found["gcp.gemini"]["ids"]
    assert CHECKPOINT in found["sdapi"]["ids"]
    assert found["bfl"]["detail"] == "the provider does not list its models"
    assert [found[name]["fine"] for name in ("openai", "gcp.gemini", "sdapi", "bfl")] == [True, True, True, None]
    assert found["openai-compatible"]["fine"] is None
    assert "base_url is needed" in found["openai-compatible"]["detail"]
    assert (found["limner.sketch"]["ids"], found["limner.sketch"]["detail"]) == (None, "offline; there is nobody to ask")
    assert status == 0
    gemini = next(line for line in table if "gcp.gemini" in line)
    assert "gemini-3-pro-image (nano-banana-pro)" in gemini
    assert gemini.endswith("; and 1 others")
    assert any(CHECKPOINT in line for line in table)


def test_without_keys_a_line_says_so_and_a_failure_hides_nothing(live):
    with limner_fakes.serve("sdapi", login="me:secret") as fake:
        status, output = live("--json", SDAPI_BASE_URL=fake.url)
        allowed, other = live("--json", SDAPI_BASE_URL=fake.url, SDAPI_AUTH="me:secret")
    found = rows(output)
    assert (status, allowed) == (1, 0)
    assert found["sdapi"]["fine"] is False
    assert "user and password are not accepted" in found["sdapi"]["detail"]
    assert rows(other)["sdapi"]["fine"] is True
    for name, key in (("openai", "OPENAI_API_KEY"), ("gcp.gemini", "GEMINI_API_KEY")):
        assert (found[name]["fine"], found[name]["ids"]) == (None, None)
        assert key in found[name]["detail"]


def test_own_aliases_with_their_own_settings_are_asked_too(live):
    with limner_fakes.serve("openai", dialect="vllm-omni") as near, limner_fakes.serve("sdapi") as far:
        configuration = f"""
            [aliases]
            qwen = "openai-compatible"
            same = "sketch"
            [settings.qwen]
            dialect = "vllm-omni"
            base_url = "{near.url}"
            [settings.sdapi]
            base_url = "{far.url}"
        """
        table = live("--task", "generate", configuration=configuration)[1].splitlines()
        found = json.loads(live("--json", configuration=configuration)[1])
    by_name = {name: row for row in found for name in row["models"]}
    assert by_name["qwen"]["ids"]
    assert by_name["qwen"] is not by_name["openai-compatible"]
    assert by_name["same"] is by_name["sketch"]
    assert by_name["sdxl-local"]["fine"] is True
    assert any("openai-compatible: qwen" in line and line.startswith("ok") for line in table)
