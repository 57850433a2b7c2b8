"""Batches with a model that writes a bill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import limner
import pytest

from .painter import Painter, bill_of


class Bench:
    """A folder with a manifest, a bill and the batch's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest, self.out = folder, folder / "tasks.jsonl", folder / "out"
        self.settings: dict[str, Any] = {"bill": str(folder / "bill")}

    @property
    def model(self) -> Painter:
        Painter.met.clear()
        return Painter(Painter.Settings.of(self.settings))

    @property
    def bill(self) -> list[tuple[str, int, int]]:
        return bill_of(self.folder / "bill")

    def write(self, *tasks: dict[str, Any] | str) -> Path:
        lines = [task if isinstance(task, str) else json.dumps(task) for task in tasks]
        self.manifest.write_text("".join(line + "\n" for line in lines))
        return self.manifest

    def run(self, *tasks: dict[str, Any] | str, **more: Any) -> dict[int, limner.BatchOutcome]:
        """Run a batch of the tasks, or of the manifest as it is; the outcomes by line."""
        if tasks:
            self.write(*tasks)
        more.setdefault("model", self.model)
        outcomes = list(limner.batch(self.manifest, out=self.out, **more))
        found = {outcome.line: outcome for outcome in outcomes}
        assert len(found) == len(outcomes)
        return found

    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "journal.jsonl").read_text().splitlines()]

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "metadata.jsonl").read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def refusal() -> Callable[..., list[str]]:
    """The problems of a call that is refused."""

    def problems(call: Callable[[], Any]) -> list[str]:
        with pytest.raises(limner.TaskRefused) as caught:
            call()
        return [str(problem) for problem in caught.value.problems]

    return problems
