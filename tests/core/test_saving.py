"""Saving a picture: whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import PIL.Image
import pytest
from limner import Image, TaskRefused

from .fakes import png
from .files import encoded, scene


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_saving_writes_the_bytes_as_they_are(tmp_path):
    image = Image(png())
    for name in ("a.png", "b.PNG", "c"):
        path = image.save(tmp_path / name)
        assert path == tmp_path / name
        assert path.read_bytes() == image.data
    assert names(tmp_path) == ["a.png", "b.PNG", "c"]


def test_saving_never_overwrites_unasked(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"dear diary")
    with pytest.raises(FileExistsError, match="overwrite"):
        Image(png()).save(path)
    assert path.read_bytes() == b"dear diary"
    assert Image(png()).save(path, overwrite=True).read_bytes() == png()


def test_of_many_that_save_at_once_one_wins_and_all_others_know(tmp_path):
    """Each looks whether there is a file before any has written."""
    path, start, won, lost = tmp_path / "a.png", threading.Barrier(8), [], []

    def save(number):
        image = Image(encoded(scene((8, 8 + number)), "PNG"))
        start.wait()
        try:
            image.save(path)
            won.append(image.data)
        except FileExistsError:
            lost.append(number)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert len(lost) == 7
    assert path.read_bytes() == won[0]
    assert names(tmp_path) == ["a.png"]


def test_a_file_made_meanwhile_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"dear diary")
    monkeypatch.setattr(Path, "exists", lambda _: False)  # it was not there when it was looked for
    with pytest.raises(FileExistsError, match="overwrite"):
        Image(png()).save(path)
    assert path.read_bytes() == b"dear diary"
    assert names(tmp_path) == ["a.png"]


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def no_links(path, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    assert Image(png()).save(tmp_path / "a.png").read_bytes() == png()
    assert names(tmp_path) == ["a.png"]


def test_a_failed_write_leaves_no_half_file(tmp_path, monkeypatch):
    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    (tmp_path / "a.png").touch()
    with pytest.raises(OSError, match="No space"):
        Image(png()).save(tmp_path / "a.png", overwrite=True)
    assert names(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").stat().st_size == 0


def test_a_missing_folder_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Image(png()).save(tmp_path / "none" / "a.png")


@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", "JPEG"), (".jpeg", "JPEG"), (".webp", "WEBP"), (".png", "PNG")])
@pytest.mark.parametrize("source", ["PNG", "JPEG", "WEBP", "GIF", "TIFF"])
def test_a_suffix_converts(tmp_path, suffix, kind, source):
    path = Image(encoded(scene(), source)).save(tmp_path / f"a{suffix}")
    with PIL.Image.open(path) as saved:
        assert (saved.format, saved.size) == (kind, (40, 30))


def test_transparency_is_laid_on_white_in_a_jpeg_and_kept_in_webp(tmp_path):
    image = Image(png((8, 8), (200, 0, 0, 0), "RGBA"))
    assert min(image.converted(".jpg").pil().getpixel((4, 4))) > 250
    assert image.converted(".webp").pil().getpixel((4, 4))[3] == 0


def test_a_suffix_that_is_not_written(tmp_path):
    with pytest.raises(TaskRefused, match=r"suffix=\.bmp: pictures are saved as \.png"):
        Image(png()).save(tmp_path / "a.bmp")
    assert names(tmp_path) == []
