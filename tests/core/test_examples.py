"""The pictures that ship with limner."""

from __future__ import annotations

import limner
import pytest
from limner import examples


def test_every_example_is_a_picture_and_together_they_are_small():
    files = [examples.path(name) for name in examples.names()]
    assert all(limner.Image.read(file).size for file in files)
    assert sum(file.stat().st_size for file in files) < 60_000
    assert limner.examples is examples


def test_the_mask_is_one_of_the_house():
    house, mask = limner.Image.read(examples.path("house")), limner.Mask.read(examples.path("house-mask"))
    assert house.size == mask.size
    result = limner.get_model("sketch").inpaint(house, "a red door", mask=mask, seed=1)
    assert result.image.size == house.size


def test_a_misspelt_example_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean house"):
        examples.path("huose")
    with pytest.raises(ValueError, match="available: house, house-mask"):
        examples.path("")


def test_they_are_copied_and_overwrite_nothing(tmp_path):
    copied = examples.copy(tmp_path / "new")
    assert sorted(file.name for file in copied) == ["house-mask.png", "house.jpg", "photo.jpg", "scene.jpg"]
    copied[0].write_bytes(b"mine")
    copied[1].unlink()
    with pytest.raises(FileExistsError):
        examples.copy(tmp_path / "new")
    assert copied[0].read_bytes() == b"mine"
    assert not copied[1].exists()
