"""A plain PNG's head is read without Pillow, and tells what Pillow tells."""

import struct
import subprocess
import sys
import zlib

import PIL.Image
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from limner import Image, TaskRefused
from limner.images import header as home

from .files import exif

BODIES = {
    b"sRGB": b"\0",
    b"gAMA": struct.pack(">I", 45455),
    b"pHYs": struct.pack(">IIB", 3780, 3780, 1),
    b"tIME": struct.pack(">HBBBBB", 2026, 11, 21, 7, 0, 0),
    b"tEXt": b"Title\0a fox",
    b"iTXt": b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='6'/>",
    b"caBX": b"who made it",
    b"eXIf": exif(6).tobytes()[6:],
    b"tRNS": b"\0\1\0\1\0\1",
    b"PLTE": bytes(range(12)),
    b"acTL": struct.pack(">II", 1, 0),
    b"prIv": b"anything",
}


def chunk(tag, body):
    return struct.pack(">I", len(body)) + tag + body + zlib.crc32(tag + body).to_bytes(4, "big")


def png(
    colour: int, depth: int = 8, tags: tuple[bytes, ...] = (), size: tuple[int, int] = (3, 2), interlace: int = 0
) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlace))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(tag, BODIES[tag]) for tag in tags) + pixels + chunk(b"IEND", b"")


def by_pillow(data):
    try:
        return home._by_pillow(data)
    except TaskRefused:
        return None


@given(
    st.sampled_from([0, 2, 3, 4, 6, 1]),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.lists(st.sampled_from(sorted(BODIES)), max_size=4, unique=True),
    st.sampled_from([0, 1]),
)
def test_it_tells_what_pillow_tells(colour, depth, tags, interlace):
    data = png(colour, depth, tuple(tags), interlace=interlace)
    plain = home._plain_png(data)
    assert plain is None or plain == by_pillow(data)


@pytest.mark.parametrize(("colour", "mode"), [(0, "L"), (2, "RGB"), (4, "LA"), (6, "RGBA")])
@pytest.mark.parametrize("tags", [(), (b"sRGB", b"gAMA", b"pHYs"), (b"tEXt", b"iTXt", b"caBX")])
def test_what_models_make_is_plain(colour, mode, tags):
    data = png(colour, tags=tags)
    plain = home._plain_png(data)
    assert plain is not None
    assert plain == by_pillow(data)
    assert (plain["mode"], plain["size"]) == (mode, (3, 2))


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
@pytest.mark.parametrize("tag", [b"tRNS", b"eXIf", b"PLTE", b"acTL", b"prIv"])
def test_what_may_change_the_meaning_is_left_to_pillow(colour, tag):
    assert home._plain_png(png(colour, tags=(tag,))) is None


@pytest.mark.parametrize(("colour", "depth"), [(0, 1), (0, 4), (0, 16), (2, 16), (3, 8), (6, 16), (1, 8)])
def test_other_pixels_are_left_to_pillow(colour, depth):
    assert home._plain_png(png(colour, depth)) is None


def test_one_transparent_colour_is_transparency():
    assert Image(png(2, tags=(b"tRNS",))).has_alpha
    assert Image(png(2, tags=(b"eXIf",))).orientation == 6


@given(st.sampled_from([0, 2, 4, 6]), st.integers(0, 75), st.integers(1, 255))
@example(2, 20, 1)
def test_a_damaged_head_is_left_to_pillow(colour, at, change):
    data = bytearray(png(colour, tags=(b"sRGB",)))
    data[at % (data.index(b"IDAT") - 4)] ^= change
    plain = home._plain_png(bytes(data))
    assert plain is None or plain == by_pillow(bytes(data))


@given(st.integers(0, 80))
def test_a_cut_head_is_left_to_pillow(kept):
    data = png(2, tags=(b"sRGB",))
    cut = data[:kept]
    assert home._plain_png(cut) is None or b"IDAT" in cut


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (9000, 9000), (1 << 20, 1 << 20)])
def test_sizes_that_are_not_surely_safe_are_left_to_pillow(size):
    assert home._plain_png(png(2, size=size)) is None


@pytest.mark.parametrize(("limit", "is_plain"), [(5, False), (6, True), (None, True)])
def test_pillows_own_limit_holds(limit, is_plain, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
    assert (home._plain_png(png(2)) is not None) == is_plain
    if not is_plain:
        with pytest.raises(TaskRefused, match="pixels"):
            Image(png(2))


def test_pillow_is_not_loaded_for_it(tmp_path):
    (tmp_path / "a.png").write_bytes(png(2))
    script = "import limner, sys; print(limner.Image.read('a.png').size, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "(3, 2) False"
