"""Saving a picture: whole or not at all."""

from __future__ import annotations

import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import PIL.Image
import pytest
from limner import Image, Picture, TaskRefused

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
    monkeypatch.setattr(os.path, "lexists", lambda _: False)  # it was not there when it was looked for
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


@contextmanager
def files_of_at_most(size: int):
    """As on a disk that is full: what is written beyond is an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_failed_write_leaves_no_half_file(tmp_path):
    (tmp_path / "a.png").touch()
    image = Image(encoded(scene((200, 200)), "PNG"))
    with files_of_at_most(1000), pytest.raises(OSError, match="File too large"):
        image.save(tmp_path / "a.png", overwrite=True)
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


# ---------------------------------------------------------------------------------------------- names and modes


@pytest.mark.parametrize("length", [1, 200, 240, 241, 248, 254, 255])
@pytest.mark.parametrize("overwrite", [False, True])
def test_every_name_that_a_file_may_have(tmp_path, length, overwrite):
    name = ("é" * 127 + "x")[: length // 2] + "y" * (length % 2)
    assert len(os.fsencode(name)) == length
    for _ in range(1 + overwrite):
        assert Image(png()).save(tmp_path / name, overwrite=overwrite).read_bytes() == png()
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a\0.png", "\ud800.png"])
def test_a_name_that_no_file_can_have(tmp_path, name):
    with pytest.raises(TaskRefused, match="not a path"):
        Image(png()).save(f"{tmp_path}/{name}")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755])
def test_what_is_overwritten_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "a.png"
    path.touch()
    path.chmod(mode)
    Image(png()).save(path, overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == png()


def test_a_new_file_has_the_mode_of_all_new_files(tmp_path):
    Image(png()).save(tmp_path / "a.png")
    Image(png()).save(tmp_path / "b.png", overwrite=True)
    (tmp_path / "c.png").touch()
    assert len({(tmp_path / name).stat().st_mode for name in ("a.png", "b.png", "c.png")}) == 1


def test_overwriting_writes_through_symbolic_links(tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "real.png").write_bytes(b"old")
    (there / "real.png").chmod(0o600)
    (there / "link.png").symlink_to("real.png")
    (here / "a.png").symlink_to(there / "link.png")
    (here / "new.png").symlink_to(there / "made.png")
    assert Image(png()).save(here / "a.png", overwrite=True) == here / "a.png"
    Image(png()).save(here / "new.png", overwrite=True)
    assert (here / "a.png").is_symlink()
    assert (there / "link.png").is_symlink()
    assert (there / "real.png").read_bytes() == (there / "made.png").read_bytes() == png()
    assert stat.S_IMODE((there / "real.png").stat().st_mode) == 0o600
    assert names(there) == ["link.png", "made.png", "real.png"]
    with pytest.raises(FileExistsError):
        Image(png()).save(here / "a.png")


def test_a_link_to_nothing_is_a_name_that_is_taken(tmp_path):
    (tmp_path / "a.png").symlink_to("none.png")
    with pytest.raises(FileExistsError):
        Image(png()).save(tmp_path / "a.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(OSError, match="symbolic links"):
        Image(png()).save(tmp_path / "loop.png", overwrite=True)


def test_what_is_no_file_is_not_overwritten(tmp_path):
    """A device would be replaced by a picture."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        Image(png()).save(tmp_path / "pipe", overwrite=True)
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(IsADirectoryError):
        Image(png()).save(tmp_path, overwrite=True)


# ---------------------------------------------------------------------------------------------- what is paid for


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def saved(folder: Path) -> Path:
    found = [path for path in folder.iterdir() if path.name.startswith("limner-")]
    assert len(found) == 1
    return found[0]


def test_a_picture_is_written_beside_a_name_that_is_too_long(tmp_path, temporary):
    with pytest.raises(OSError, match="File name too long; it was written to") as error:
        Picture(image=Image(png())).save(tmp_path / f"{'a' * 252}.png")
    assert str(saved(tmp_path)) in str(error.value)
    assert saved(tmp_path).suffix == ".png"
    assert saved(tmp_path).read_bytes() == png()
    assert names(temporary) == []


def test_a_picture_is_written_to_the_temporary_folder_where_there_is_none(tmp_path, temporary):
    with pytest.raises(FileNotFoundError, match="No such file or directory; it was written to") as error:
        Picture(image=Image(png())).save(tmp_path / "none" / "a.jpg")
    assert str(saved(temporary)) in str(error.value)
    assert Image.read(saved(temporary)).media_type == "image/jpeg"
    assert saved(temporary).suffix == ".jpg"


@pytest.mark.parametrize("name", ["a.gif", "a.jpg"])
def test_a_picture_that_cannot_be_converted_is_written_as_it_came(tmp_path, temporary, name):
    wide = Image.read(PIL.Image.new("L", (66_000, 1)))
    with pytest.raises(TaskRefused, match=r"it was written to .*\.png instead"):
        Picture(image=wide).save(tmp_path / name)
    assert saved(tmp_path).read_bytes() == wide.data


def test_no_place_at_all_is_said(tmp_path, temporary):
    image = Image(encoded(scene((200, 200)), "PNG"))
    with files_of_at_most(1000), pytest.raises(OSError, match="not be written anywhere else"):
        Picture(image=image).save(tmp_path / "a.png")
    assert names(tmp_path) == names(temporary) == []


@pytest.fixture
def full(tmp_path) -> Path:
    """A disk of 64 kB."""
    folder = tmp_path / "full"
    folder.mkdir()
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root mounts a disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "limner", folder], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(full, temporary):
    image = Image(encoded(PIL.Image.frombytes("RGB", (200, 200), random.Random(1).randbytes(120_000))))
    (full / "a.png").write_bytes(b"old")
    with pytest.raises(OSError, match="No space left on device; it was written to") as error:
        Picture(image=image).save(full / "a.png", overwrite=True)
    assert str(saved(temporary)) in str(error.value)
    assert saved(temporary).read_bytes() == image.data
    assert (full / "a.png").read_bytes() == b"old"
    assert names(full) == ["a.png"]


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from limner import Image

folder, dots = Path(sys.argv[1]), random.Random(1)
images = [Image((folder.parent / name).read_bytes()) for name in ("first.png", "second.png")]
halves = 0
for round in range(100):
    child = os.fork()
    if child == 0:
        for number in range(10_000):
            images[number % 2].save(folder / "same.png", overwrite=True)
            images[number % 2].save(folder / f"{round}-{number}.png")
    time.sleep(dots.uniform(0.001, 0.012))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for path in folder.glob("[!.]*.png"):
        assert path.read_bytes() in {image.data for image in images}, path
        if path.name != "same.png":
            path.unlink()
    for path in folder.glob(".*.part"):
        halves += path.read_bytes() not in {image.data for image in images}
        path.unlink()
print(halves)
"""


def test_killed_while_saving_no_file_is_ever_half_written(tmp_path):
    """A hundred times, in the midst of it: some leave a half file, but never under the name that was asked for."""
    for seed, name in enumerate(("first.png", "second.png")):
        noise = random.Random(seed).randbytes(3 * 800 * 800)
        (tmp_path / name).write_bytes(encoded(PIL.Image.frombytes("RGB", (800, 800), noise), compress_level=0))
    (tmp_path / "folder").mkdir()
    command = [sys.executable, "-c", KILLED, tmp_path / "folder"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
