"""`limner compare` with one model of each provider, as a program, against the stand-ins and the emulator."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import limner_fakes
from limner_bedrock_emulator import Emulator

MODELS = ["openai", "gemini", "flux", "stability", "sdxl-local", "sketch"]


def test_one_prompt_for_all_providers(emulator: Emulator, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        fakes = [stack.enter_context(limner_fakes.serve(name)) for name in ("openai", "gemini", "bfl", "sdapi")]
        environment = {**os.environ, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url, "COLUMNS": "100"}
        for fake in fakes:
            environment |= fake.environment
        words = [word for model in MODELS for word in ("-m", model)]
        done = subprocess.run(
            [sys.executable, "-m", "limner", "compare", "a red fox", *words, "--seed", "7", "-o", "sheet.html"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert page.count("<img") == len(MODELS), page[-2000:]
    assert 'class="error"' not in page
    assert all(f"<h2>{model}</h2>" in page for model in MODELS)
    assert page.count("seed") >= 2  # what has no seed says that it was dropped
    assert [sum(fake.service.makes_pictures(request) for request in fake.requests) for fake in fakes] == [1, 1, 1, 1]
