"""Masks: white is repainted, black is kept."""

from __future__ import annotations

import pickle
import time
from io import BytesIO

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Image, Mask, TaskRefused

from .fakes import png
from .files import encoded, scene

SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))
MASKS = SIZES.flatmap(
    lambda size: st.builds(Mask, st.just(size), st.binary(min_size=size[0] * size[1], max_size=size[0] * size[1]))
)


def rows(mask: Mask) -> list[list[int]]:
    width, height = mask.size
    return [list(mask.data[row * width : (row + 1) * width]) for row in range(height)]


def test_a_box_opens_what_lies_inside():
    assert rows(Mask.box((1, 0, 3, 2), size=(4, 3))) == [[0, 255, 255, 0], [0, 255, 255, 0], [0, 0, 0, 0]]


def test_an_ellipse_opens_the_middle_and_not_the_corners():
    mask = Mask.ellipse((0, 0, 20, 10), size=(20, 10))
    found = rows(mask)
    assert found[5][10] == found[5][1] == 255
    assert found[0][0] == found[9][19] == 0
    assert not mask.has_grey


@pytest.mark.parametrize(
    "box",
    [
        (2, 0, 2, 2),
        (0, 2, 2, 1),
        (-1, 0, 2, 2),
        (0, 0, 5, 2),
        (0, 0, 2, 4),
        (0, 0, 2),
        (0.5, 0, 2, 2),
        (float("nan"), 0, 2, 2),
        "1,2",
        None,
        5,
    ],
)
@pytest.mark.parametrize("shape", [Mask.box, Mask.ellipse])
def test_a_box_lies_in_the_picture(shape, box):
    with pytest.raises(TaskRefused, match=r"box=.*4x3"):
        shape(box, size=(4, 3))


@pytest.mark.parametrize("size", [(4,), (0, 3), (4.0, 3), None, "4x3"])
def test_a_size_is_two_whole_numbers(size):
    with pytest.raises(TaskRefused, match="size="):
        Mask.box((0, 0, 1, 1), size=size)


@pytest.mark.parametrize(("size", "data"), [((2, 2), b"123"), ((0, 0), b""), ((2, 2), "1234"), ((2,), b"12"), (None, b"")])
def test_there_is_one_byte_for_each_pixel(size, data):
    with pytest.raises(TaskRefused, match="mask="):
        Mask(size, data)


def test_a_list_is_a_size_too():
    assert Mask([2, 1], b"\0\xff") == Mask((2, 1), b"\0\xff")
    assert hash(Mask([2, 1], b"\0\xff")) == hash(Mask((2, 1), b"\0\xff"))


@pytest.mark.parametrize(
    ("picture", "levels"),
    [
        (PIL.Image.new("L", (2, 1), 77), [77, 77]),
        (PIL.Image.new("RGB", (2, 1), "white"), [255, 255]),
        (PIL.Image.new("RGB", (2, 1), (255, 0, 0)), [76, 76]),
        (PIL.Image.new("1", (2, 1), 1), [255, 255]),
        (PIL.Image.new("I;16", (2, 1), 0xFFFF), [255, 255]),
        (PIL.Image.new("I;16", (2, 1), 0x8000), [128, 128]),
        (PIL.Image.new("RGBA", (2, 1), (255, 255, 255, 255)), [255, 255]),
        (PIL.Image.new("CMYK", (2, 1), (0, 0, 0, 255)), [0, 0]),
    ],
)
def test_colours_count_by_their_brightness(picture, levels):
    assert list(Mask.read(picture).data) == levels


def test_a_palette_counts_by_its_colours():
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([255, 255, 255, 0, 0, 0])
    picture.putpixel((1, 0), 1)
    assert list(Mask.read(picture).data) == [255, 0]


def test_a_mask_file_is_read_upright():
    tags, buffer = PIL.Image.Exif(), BytesIO()
    tags[0x0112] = 6
    picture = PIL.Image.new("L", (3, 2))
    picture.putpixel((0, 0), 255)
    picture.save(buffer, "PNG", exif=tags)
    assert rows(Mask.read(buffer.getvalue())) == [[0, 255], [0, 0], [0, 0]]


def test_holes_are_refused_with_a_hint():
    with pytest.raises(TaskRefused, match=r"mask=.*Mask\.from_alpha\(picture\)"):
        Mask.read(png((2, 2), (255, 255, 255, 0), "RGBA"))
    with pytest.raises(TaskRefused, match=r"Mask\.from_alpha"):
        Mask.read(png((2, 2), (255, 254), "LA"))


def test_from_alpha_opens_what_is_transparent():
    picture = PIL.Image.new("RGBA", (3, 1), (9, 9, 9, 255))
    picture.putpixel((0, 0), (9, 9, 9, 0))
    picture.putpixel((1, 0), (9, 9, 9, 155))
    assert list(Mask.from_alpha(picture).data) == [255, 100, 0]
    with pytest.raises(TaskRefused, match=r"mask=.*transparency"):
        Mask.from_alpha(png())


@given(MASKS)
def test_inverting_twice_changes_nothing(mask):
    assert mask.inverted().inverted() == mask
    assert all(a + b == 255 for a, b in zip(mask.data, mask.inverted().data, strict=True))


@given(MASKS)
def test_hardening_leaves_black_and_white(mask):
    hard = mask.hardened()
    assert not hard.has_grey
    assert hard.hardened() == hard
    assert [value >= 128 for value in mask.data] == [value == 255 for value in hard.data]
    assert mask.has_grey == (mask != hard)


@given(MASKS, SIZES)
def test_resizing_gives_the_size(mask, size):
    assert mask.resized(size).size == size
    assert mask.resized(mask.size) is mask


@given(MASKS)
def test_a_mask_is_a_picture_and_back(mask):
    assert Mask.read(mask.png()) == mask == Mask.read(mask) == Mask.read(mask.pil())
    assert mask._repr_png_() == mask.png()
    assert Image(mask.png()).size == mask.size
    assert pickle.loads(pickle.dumps(mask)) == mask


def test_the_sum_knows_the_shape():
    assert Mask((2, 3), bytes(6)).sha256 != Mask((3, 2), bytes(6)).sha256
    assert repr(Mask((2, 2), b"\0\0\0\xff")) == "<Mask 2x2, 25% opened>"


@pytest.mark.parametrize(
    "size", [(10**9, 10**9), (10**9, 1), (10_000, 10_000), (-1, 5), (0, 5), (2.5, 5), (5,), None, "5x5"]
)
def test_no_pixel_is_made_for_a_size_that_is_none_or_too_large(size):
    started, mask = time.process_time(), Mask.box((0, 0, 1, 1), size=(2, 2))
    for make in (
        lambda: Mask.box((0, 0, 1, 1), size=size),
        lambda: Mask.ellipse((0, 0, 1, 1), size=size),
        lambda: mask.resized(size),
        lambda: Image(png()).resized(size),
        lambda: Image(encoded(scene(), "JPEG")).resized(size),
    ):
        with pytest.raises(TaskRefused, match=r"size=.*(at most 89,478,485 pixels|two whole numbers)"):
            make()
    assert time.process_time() - started < 1


def test_scaling_needs_no_more_than_what_goes_in_and_comes_out(monkeypatch):
    """Pillow scales rows first: of a line that stands it would make a picture of both lengths before one that lies."""
    standing = Mask((1, 60_000), bytes(range(200)) * 300)
    started = time.process_time()
    lying = standing.resized((60_000, 1))
    assert time.process_time() - started < 5
    assert lying.size == (60_000, 1)
    assert set(lying.data) <= {98, 99, 100, 101}  # the mean of all
