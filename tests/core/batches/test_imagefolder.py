"""Hugging Face's ``datasets`` reads the folder of a batch. It is heavy, so it has an environment of its own:

python -m venv datasets-env && datasets-env/bin/pip install datasets pillow
LIMNER_DATASETS_PYTHON=datasets-env/bin/python pytest tests/core/batches/test_imagefolder.py
"""

from __future__ import annotations

import json
import os
import subprocess

import limner
import pytest

from ..fakes import fake

PYTHON = os.environ.get("LIMNER_DATASETS_PYTHON")

PROGRAM = """
import json, sys
import datasets

datasets.disable_progress_bars()
found = datasets.load_dataset("imagefolder", data_dir=sys.argv[1], cache_dir=sys.argv[2])["train"]
print(json.dumps([{**row, "image": row["image"].size} for row in found]))
"""


def test_the_index_names_every_picture_first_and_nothing_else(bench):
    outcomes = bench.run({"prompt": "a", "n": 2}, {"prompt": "b [filtered]"}, {"prompt": "c"})
    rows = bench.rows()
    assert {next(iter(row)) for row in rows} == {"file_name"}
    assert [bench.out / row["file_name"] for row in rows] == [*outcomes[1].files, *outcomes[3].files]
    assert len({tuple(row) for row in rows}) == 1
    outcomes[3].files[0].unlink()
    bench.run(resume=True)
    assert len(bench.rows()) == 2


@pytest.mark.skipif(PYTHON is None, reason="needs LIMNER_DATASETS_PYTHON, a Python with datasets")
def test_load_dataset_reads_the_folder(tmp_path):
    out = tmp_path / "out"
    tasks = [
        limner.Generate(prompt="a fox", n=3, seed=4),
        limner.Generate(
            prompt=[limner.WeightedText("a boat", 2.0), limner.WeightedText("rain", 0.5)], negative_prompt="fog"
        ),
    ]
    model = fake(fit="nearest")
    outcomes = list(limner.batch(tasks, model=model, out=out))
    for name in ("index.html", "_sheet-1.png"):  # as --sheet leaves them
        (out / name).write_bytes(outcomes[0].files[0].read_bytes())
    done = subprocess.run(
        [PYTHON, "-c", PROGRAM, out, tmp_path / "cache"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["prompt"] for row in rows] == ["a fox"] * 3 + ["a boat, rain"]
    assert [row["negative_prompt"] for row in rows] == [None] * 3 + ["fog"]
    assert [row["image"] for row in rows] == [[64, 64]] * 4
