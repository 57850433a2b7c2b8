"""What is written into picture files, read out of them and taken out of them; no pixel ever changes."""

from __future__ import annotations

import json
from io import BytesIO

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Image, TaskRefused, read_provenance
from limner.images import metadata
from limner.testing.strategies import images
from PIL import PngImagePlugin

from .fakes import png

ALPHA = PIL.Image.effect_noise((37, 21), 90).convert("RGBA")
ALPHA.putalpha(PIL.Image.linear_gradient("L").resize(ALPHA.size))
PLAIN = ALPHA.convert("RGB")

KINDS = {
    "png": (PLAIN, "PNG", {}),
    "png-alpha": (ALPHA, "PNG", {}),
    "png-palette": (PLAIN.convert("P"), "PNG", {"transparency": 0}),
    "jpeg": (PLAIN, "JPEG", {}),
    "jpeg-progressive": (PLAIN, "JPEG", {"progressive": True}),
    "jpeg-cmyk": (PLAIN.convert("CMYK"), "JPEG", {}),
    "jpeg-comment": (PLAIN, "JPEG", {"comment": b"by hand"}),
    "webp": (PLAIN, "WEBP", {}),
    "webp-alpha": (ALPHA, "WEBP", {}),
    "webp-lossless": (PLAIN, "WEBP", {"lossless": True}),
    "webp-lossless-alpha": (ALPHA, "WEBP", {"lossless": True}),
    "webp-animated": (PLAIN, "WEBP", {"save_all": True, "append_images": [ALPHA.convert("RGB").rotate(180)]}),
}
PAYLOADS = [b"{}", "ünïcode 🦊".encode() * 3, b"x" * 65_526, b"x" * 65_527, b"0123456789" * 10_001]


@pytest.fixture(params=KINDS)
def image(request) -> Image:
    picture, kind, more = KINDS[request.param]
    buffer = BytesIO()
    picture.save(buffer, kind, **more)
    return Image(buffer.getvalue())


def same_pixels(one: bytes, other: bytes) -> bool:
    with PIL.Image.open(BytesIO(one)) as first, PIL.Image.open(BytesIO(other)) as second:
        if first.format != second.format or getattr(first, "n_frames", 1) != getattr(second, "n_frames", 1):
            return False
        for frame in range(getattr(first, "n_frames", 1)):
            first.seek(frame)
            second.seek(frame)
            if (first.mode, first.size, first.tobytes()) != (second.mode, second.size, second.tobytes()):
                return False
    return True


@pytest.mark.parametrize("payload", PAYLOADS, ids=len)
def test_a_payload_comes_back_and_no_pixel_changes(image, payload):
    written = metadata.embed(image.data, image.media_type, payload)
    assert metadata.extract(written, image.media_type) == payload
    assert same_pixels(image.data, written)
    assert Image(written).size == image.size
    assert metadata.extract(image.data, image.media_type) is None


def test_a_payload_replaces_an_earlier_one(image):
    first = metadata.embed(image.data, image.media_type, b"x" * 200_000)
    second = metadata.embed(first, image.media_type, b"short")
    assert metadata.extract(second, image.media_type) == b"short"
    assert second == metadata.embed(image.data, image.media_type, b"short")
    assert same_pixels(image.data, second)


def test_stripping_takes_the_payload_out_too(image):
    written = metadata.embed(image.data, image.media_type, b"x" * 100_000)
    stripped = metadata.strip(written, image.media_type)
    assert same_pixels(image.data, stripped)
    assert metadata.extract(stripped, image.media_type) is None


def with_secrets(kind: str, orientation: int = 1) -> bytes:
    tags = PIL.Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "SECRET camera"
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 29: "SECRET"})
    more: dict = {"exif": tags}
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Author", "SECRET")
        info.add_text("zipped", "SECRET " * 40, zip=True)
        info.add_itxt("XML:com.adobe.xmp", "SECRET")
        more["pnginfo"] = info
    else:
        more["xmp"] = b"<x>SECRET</x>"
    if kind == "JPEG":
        more["comment"] = b"SECRET"
    buffer = BytesIO()
    PLAIN.save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_stripping_takes_out_where_it_was_taken_and_by_whom(kind, orientation):
    image = Image(with_secrets(kind, orientation))
    stripped = image.stripped()
    with PIL.Image.open(BytesIO(stripped.data)) as opened:
        opened.load()
        assert not opened.getexif()
        assert not {"Author", "zipped", "xmp", "XML:com.adobe.xmp", "comment"} & set(opened.info)
    assert b"SECRET" not in stripped.data
    assert stripped.pil().convert("RGB").tobytes() == image.pil().convert("RGB").tobytes()
    assert stripped.size == image.size
    assert stripped.stripped() == stripped


@given(images())
def test_a_file_without_metadata_keeps_its_pixels_and_its_colour_profile(image):
    assert same_pixels(image.data, image.stripped().data)
    assert same_pixels(image.data, metadata.embed(image.data, image.media_type, b"x"))


TRAILER = b"SECRET video of a motion photo \xff\xda \xff\xd9 IEND"


def test_stripping_takes_out_what_stands_behind_the_picture(image):
    """A motion photo's video, with its sound and its place, stands behind the end of the JPEG."""
    trailed = Image(image.data + TRAILER)
    stripped = trailed.stripped()
    assert b"SECRET" not in stripped.data
    assert same_pixels(image.data, stripped.data)
    assert stripped == image.stripped()


def test_writing_keeps_what_stands_behind_the_picture(image):
    written = metadata.embed(image.data + TRAILER, image.media_type, b"x")
    assert written.endswith(TRAILER)
    assert metadata.extract(written, image.media_type) == b"x"
    assert same_pixels(image.data, written)


def test_stripping_looks_between_the_scans_too():
    buffer = BytesIO()
    PLAIN.save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)  # scans' own data holds no marker
    commented = data[:second] + b"\xff\xfe\x00\x08SECRET" + data[second:]
    assert same_pixels(data, commented)
    assert metadata.strip(commented, "image/jpeg") == metadata.strip(data, "image/jpeg")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restarts", [0, 1])
def test_a_jpeg_without_metadata_stays_as_it_is(progressive, restarts):
    buffer = BytesIO()
    PLAIN.save(buffer, "JPEG", progressive=progressive, restart_marker_blocks=restarts)
    assert metadata.strip(buffer.getvalue(), "image/jpeg") == buffer.getvalue()


def test_a_colour_profile_stays():
    for kind in ("PNG", "JPEG", "WEBP"):
        buffer = BytesIO()
        PLAIN.save(buffer, kind, icc_profile=b"a profile of colours")
        stripped = Image(buffer.getvalue()).stripped()
        assert PIL.Image.open(BytesIO(stripped.data)).info["icc_profile"] == b"a profile of colours"


def test_other_formats_carry_nothing():
    buffer = BytesIO()
    PLAIN.save(buffer, "GIF")
    data = buffer.getvalue()
    assert metadata.embed(data, "image/gif", b"x") == data
    assert metadata.strip(data, "image/gif") == data
    assert metadata.extract(data, "image/gif") is None


def odd_jpegs() -> dict[str, bytes]:
    """JPEG files that are not as they should be, and that Pillow opens all the same."""
    buffer = BytesIO()
    PLAIN.save(buffer, "JPEG")
    data = buffer.getvalue()
    second = 4 + int.from_bytes(data[4:6], "big")  # behind the first segment
    return {
        "fill bytes": data[:second] + b"\xff\xff\xff" + data[second:],
        "an escaped byte between segments": data[:second] + b"\xff\x00" + data[second:],
        "a trailer": data + b"a trailer \xff\xda \xff\xd9",
        "a restart marker": data[:second] + b"\xff\xd0" + data[second:],
    }


@pytest.mark.parametrize("odd", odd_jpegs())
def test_odd_jpegs_keep_their_pixels(odd):
    data = odd_jpegs()[odd]
    try:
        image = Image(data)
        image.pil()
    except TaskRefused:
        pytest.skip("Pillow does not open it")
    assert same_or_png(image, image.stripped())
    written = metadata.embed(data, "image/jpeg", b"x")
    assert same_pixels(data, written)
    assert metadata.extract(written, "image/jpeg") == b"x"


def same_or_png(one: Image, other: Image) -> bool:
    return one.pil().convert("RGB").tobytes() == other.pil().convert("RGB").tobytes()


@given(images(), st.data())
def test_damaged_files_never_crash(image, data):
    damaged = bytearray(image.data)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(damaged)
    try:
        image = Image(damaged)
    except TaskRefused:
        return
    assert read_provenance(image) is None
    written = metadata.embed(image.data, image.media_type, b"x")
    metadata.strip(written, image.media_type)


@pytest.mark.parametrize("payload", [b"\xff", b"[1]", b"null", b"{", b"[" * 100_000, b"1" * 5000], ids=lambda p: str(p[:5]))
def test_provenance_that_limner_did_not_write_is_none(payload):
    assert read_provenance(Image(metadata.embed(png(), "image/png", payload))) is None


def test_provenance_comes_back():
    said = {"task": {"prompt": "ünïcode 🦊"}, "seed": 0}
    image = Image(metadata.embed(png(), "image/png", json.dumps(said).encode()))
    assert read_provenance(image) == said
