"""A batch of 500 tasks through the emulator, of which three in ten meet a fault; the benchmark does it with 10,000."""

from __future__ import annotations

import pytest
from limner.batches import pacing

from ..benchmarks import batch


@pytest.mark.filterwarnings("ignore:.*end of life")
def test_none_is_lost_and_none_is_paid_for_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(pacing, "_FIRST_PAUSE", 0.02)
    with batch.emulator(tmp_path / "bill") as url:
        done = batch.trial(tmp_path, url, 500, in_flight=16)
    counts = done["statuses"]
    assert (counts["done"], counts["unknown"], counts["filtered"]) == (395, 75, 30)
