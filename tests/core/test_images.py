"""Pictures: right, or one clear refusal."""

from __future__ import annotations

import os
import pickle
import struct
import threading
import tracemalloc
import zlib
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Image, Inpaint, Mask, TaskRefused, Vary
from limner import images as home
from limner.testing.strategies import images
from PIL import features

from .fakes import png
from .files import corners, encoded, exif, scene

MODES = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "RGBX", "RGBa", "La"]
MODES += ["I;16", "I;16L", "I;16B", "I;16N"]
FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"] + ["AVIF"] * features.check("avif")


def refused(source: object, parameter: str = "image") -> str:
    with pytest.raises(TaskRefused) as error:
        (Mask if parameter == "mask" else Image).read(source)
    assert [problem.parameter for problem in error.value.problems] == [parameter]
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    return error.value.problems[0].limit


# ---------------------------------------------------------------------------------------------- sources


def test_every_source(tmp_path):
    data = png((5, 7))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        sources = [data, bytearray(data), memoryview(data), str(path), path, file, BytesIO(data), Image(data)]
        for source in sources:
            image = Image.read(source)
            assert (image.data, image.size, image.media_type) == (data, (5, 7), "image/png")


@pytest.mark.parametrize("source", [None, 5, [b"x"], object(), Mask.box((0, 0, 1, 1), size=(2, 2))])
def test_what_is_no_source(source):
    assert "path, bytes" in refused(source)


def test_a_file_open_as_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello")
    with path.open() as file:
        assert "'rb'" in refused(file)


def test_a_text_named_png_is_named_by_its_path(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("dear diary")
    assert "not a picture" in refused(path)
    with pytest.raises(TaskRefused, match=r"notes\.png"):
        Image.read(path)


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Image.read(tmp_path / "none.png")
    with pytest.raises(OSError, match="directory"):
        Image.read(tmp_path)


def test_a_text_that_cannot_be_a_path():
    assert "path" in refused("a\0b.png")


def test_nothing_at_all(tmp_path):
    (tmp_path / "empty.png").touch()
    for source in (b"", BytesIO(), tmp_path / "empty.png"):
        assert "empty" in refused(source)


def test_reading_a_file_takes_the_memory_of_the_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(scene((200, 200))))
    tracemalloc.start()
    try:
        image = Image.read(path)
        assert tracemalloc.get_traced_memory()[1] < len(image.data) + 50_000
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_read_to_its_end(tmp_path):
    pipe, data = tmp_path / "pipe", encoded(scene((300, 300)))
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    assert Image.read(pipe).data == data
    writer.join()


def test_too_large_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "MAX_FILE_BYTES", 50)
    path = tmp_path / "large.png"
    path.write_bytes(png())
    assert "50 bytes" in refused(path)
    if Path("/dev/zero").exists():  # its size is said to be 0
        assert "50 bytes" in refused("/dev/zero")


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow_is_taken_or_refused(mode):
    picture = PIL.Image.new(mode, (3, 2))
    try:
        image = Image.read(picture)
    except TaskRefused as refusal:
        words = str(refusal)
        assert mode == "LAB"
        assert "Pillow" in words
    else:
        assert (image.size, image.media_type) == ((3, 2), "image/png")
        assert image.pil().size == (3, 2)


@pytest.mark.parametrize(
    ("mode", "colour", "wanted"),
    [
        ("1", 1, (255, 255, 255, 255)),
        ("L", 77, (77, 77, 77, 255)),
        ("LA", (77, 9), (77, 77, 77, 9)),
        ("PA", (0, 9), (0, 0, 0, 9)),
        ("RGBA", (1, 2, 3, 4), (1, 2, 3, 4)),
        ("RGBX", (1, 2, 3, 4), (1, 2, 3, 255)),
        ("La", (5, 100), (13, 13, 13, 100)),
        ("RGBa", (100, 50, 25, 100), (255, 128, 64, 100)),
        ("CMYK", (255, 0, 0, 0), (0, 255, 255, 255)),
        ("HSV", (0, 255, 255), (255, 0, 0, 255)),
        ("YCbCr", (0, 128, 128), (0, 0, 0, 255)),
        ("I", 65535, (255, 255, 255, 255)),
        ("I", 0x8000, (128, 128, 128, 255)),
        ("I;16", 0x8000, (128, 128, 128, 255)),
        ("I;16B", 0x8000, (128, 128, 128, 255)),
        ("F", 200.0, (200, 200, 200, 255)),
    ],
)
def test_pixels_of_every_mode_come_through(mode, colour, wanted):
    image = Image.read(PIL.Image.new(mode, (3, 2), colour))
    pixel = image.to_png()[0].pil().convert("RGBA").getpixel((1, 1))
    assert all(abs(is_ - should) <= 1 for is_, should in zip(pixel, wanted, strict=True)), pixel


def test_a_pillow_image_is_turned_upright_once():
    opened = PIL.Image.open(BytesIO(encoded(corners(), "PNG", exif=exif(6))))
    image = Image.read(opened)
    assert (image.size, image.orientation) == ((4, 6), 1)
    assert image.pil().tobytes() == corners().transpose(PIL.Image.Transpose.ROTATE_270).tobytes()


def test_a_pillow_image_of_a_cut_file():
    whole = encoded(scene(), "JPEG")
    assert "Pillow image" in refused(PIL.Image.open(BytesIO(whole[: len(whole) // 2])))


# ---------------------------------------------------------------------------------------------- headers


def test_the_header_alone_is_read():
    whole = bytearray(png((60, 50)))
    at = whole.index(b"IDAT") + 6
    whole[at : at + 10] = b"\xff" * 10
    image = Image(bytes(whole))
    assert (image.size, image.media_type, image.mode, image.has_alpha) == ((60, 50), "image/png", "RGB", False)
    with pytest.raises(TaskRefused, match="decoded"):
        image.pil()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_that_is_opened(kind):
    size = (40, 30)
    image = Image(encoded(scene(size), kind))
    assert image.size == size
    assert image.media_type.startswith(("image/", "application/"))
    assert image.pil().size == size
    made, _ = image.to_png()
    assert (made.media_type, made.size) == ("image/png", size)
    assert image.stripped().size == size
    assert PIL.Image.open(BytesIO(image._repr_png_())).format == "PNG"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("kept", [0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, -1])
def test_a_cut_file_is_refused_when_made_or_when_decoded(kind, kept):
    whole = encoded(scene((32, 32)), kind)
    cut = whole[: int(len(whole) * kept)] if kept > 0 else whole[:-1]
    try:
        image = Image(cut)
    except TaskRefused as refusal:
        limit = refusal.problems[0].limit
        assert any(words in limit for words in ("cut short", "not a picture", "empty"))
        return
    assert kind not in {"PNG", "JPEG", "WEBP"}, "these are seen to be cut at once"
    for look in (image.pil, image.to_png, image.stripped, image._repr_png_, lambda: image.resized((3, 3))):
        try:
            look()
        except TaskRefused as refusal:
            limit = refusal.problems[0].limit
            assert "decoded" in limit


@given(images(), st.data())
def test_damaged_files_are_refused_and_never_crash(image, data):
    damaged = bytearray(image.data)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Image(bytes(damaged))
        found.stripped()
        found.to_png()
        found.flattened()
    except TaskRefused as refusal:
        names = {problem.parameter for problem in refusal.problems}
        assert names == {"image"}


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"GIF89a", b"BM", b"II*\0"]),
)
def test_any_bytes_are_refused_and_never_crash(data, start):
    with pytest.raises(TaskRefused):
        Image(start + data)


def test_a_bomb_is_refused_by_its_header():
    for width, height in ((10_000, 9_000), (30_000, 30_000)):  # beyond the limit, and beyond twice the limit
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        whole = png()
        bomb = whole[:8] + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + whole[33:]
        with pytest.warns(PIL.Image.DecompressionBombWarning) if width < 20_000 else nullcontext():
            assert "pixels" in refused(bomb)


def test_orientations_are_the_usual_eight():
    turns = PIL.Image.Transpose
    wanted = {1: None, 2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM}
    wanted |= {5: turns.TRANSPOSE, 6: turns.ROTATE_270, 7: turns.TRANSVERSE, 8: turns.ROTATE_90}
    for orientation, turn in wanted.items():
        upright = corners() if turn is None else corners().transpose(turn)
        for kind, more in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
            image = Image(encoded(corners(), kind, exif=exif(orientation), **more))
            assert image.size == upright.size, (kind, orientation)
            for seen in (image.pil(), image.to_png()[0].pil(), image.stripped().pil()):
                assert seen.convert("RGB").tobytes() == upright.tobytes(), (kind, orientation)
            assert image.to_png()[0].orientation == image.stripped().orientation == 1
        jpeg = Image(encoded(corners((64, 32)), "JPEG", exif=exif(orientation)))
        assert jpeg.size == ((64, 32) if orientation < 5 else (32, 64)) == jpeg.pil().size


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    image = Image(encoded(corners(), "JPEG", exif=exif(orientation)))
    assert (image.orientation, image.size) == (1, (6, 4))


# ---------------------------------------------------------------------------------------------- as data


def test_pictures_compare_by_their_bytes():
    assert Image(png()) == Image(png())
    assert len({Image(png()), Image(png()), Image(png((3, 3)))}) == 2
    assert len(Image(png()).sha256) == 64
    assert pickle.loads(pickle.dumps(Image(png()))).size == (32, 32)
    assert repr(Image(png((4, 3)))) == f"<Image image/png 4x3, {len(png((4, 3)))} bytes>"
    with pytest.raises(AttributeError):
        Image(png()).data = b""
    with pytest.raises(TypeError):
        Image("text")


def test_errors_name_the_parameter():
    cut = encoded(scene(), "JPEG")[:-20]
    with pytest.raises(TaskRefused, match=r"^image="):
        Vary(image=[cut])
    with pytest.raises(TaskRefused, match=r"^mask="):
        Inpaint(image=png(), mask=cut)


# ---------------------------------------------------------------------------------------------- file objects


class Odd:
    """A file object whose read does as it likes."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def read(self, size=-1):
        self.asked.append(size)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([RuntimeError("closed")], "cannot be read: closed"),
        ([OSError(5, "Input/output error")], "cannot be read: .*Input/output"),
        ([png()[:9], ValueError("gone")], "cannot be read: gone"),
        (["text"], "open as text"),
        ([""], "open as text"),
        ([None], "gives NoneType, not bytes"),
        ([png()[:9], None], "gives NoneType, not bytes"),
        ([5], "gives int, not bytes"),
        ([b""], "empty"),
    ],
)
def test_a_file_object_that_cannot_be_read(answers, said):
    with pytest.raises(TaskRefused, match=f"^image=.*{said}"):
        Image.read(Odd(*answers))


def test_a_file_object_that_gives_a_little_at_a_time():
    """As sockets and raw pipes do."""
    data = png()
    parts = [data[at : at + 10] for at in range(0, len(data), 10)]
    assert Image.read(Odd(*parts, b"")).data == data


def test_a_file_object_without_end_is_read_to_the_limit(monkeypatch):
    monkeypatch.setattr(home, "MAX_FILE_BYTES", 1000)
    for answers in ([b"x" * 100] * 50, [b"x" * 1001], [b"x" * 1000, b"x" * 1000]):
        file = Odd(*answers)
        with pytest.raises(TaskRefused, match="over 1,000 bytes"):
            Image.read(file)
        assert all(0 < size <= 1001 for size in file.asked)
    assert "known format" in refused(BytesIO(b"x" * 1000))


def test_keyboard_interrupts_pass_through():
    with pytest.raises(KeyboardInterrupt):
        Image.read(Odd(KeyboardInterrupt()))


def test_a_picture_too_large_for_a_format_is_refused_in_words():
    wide = Image.read(PIL.Image.new("L", (66_000, 1)))
    for suffix in (".jpg", ".webp"):
        with pytest.raises(TaskRefused, match="66000x1: cannot be encoded as image/"):
            wide.converted(suffix)
