"""The emulator, over real HTTP and real boto3; the wheels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import limner_bedrock_emulator
import pytest

from .installing import PACKAGES, build

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own AWS configuration."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "LIMNER_MODEL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def emulator() -> Iterator[limner_bedrock_emulator.Emulator]:
    with limner_bedrock_emulator.serve(painter="invert") as running:
        yield running


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel of every package."""
    folder = tmp_path_factory.mktemp("wheels")
    with ThreadPoolExecutor(2) as builders:
        list(builders.map(lambda package: build(package, folder), PACKAGES))
    return folder
