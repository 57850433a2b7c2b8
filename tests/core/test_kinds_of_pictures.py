"""16 bits, CMYK, animations, transparency: what becomes of them, and what is said about it."""

from __future__ import annotations

import struct
import zlib

import PIL.Image
import pytest
from limner import Image, Mask, TaskRefused
from PIL import ImageCms

from .fakes import png
from .files import corners, encoded, exif, scene


def png16(colour_type: int, values: tuple[int, ...], size=(2, 2)) -> bytes:
    """A PNG of 16 bits, which Pillow cannot write in colour."""

    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    row = b"\0" + struct.pack(f">{len(values)}H", *values) * size[0]
    header = struct.pack(">IIBBBBB", *size, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * size[1])) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "mode", "pixel"),
    [
        (png16(0, (0x8000,)), "I;16", (128, 128, 128)),
        (png16(2, (0xFFFF, 0x8000, 0)), "RGB;16", (255, 128, 0)),
        (png16(6, (0xFFFF, 0x8000, 0, 0xFFFF)), "RGBA;16", (255, 128, 0)),
        (png16(4, (0x8000, 0xFFFF)), "RGBA;16", (128, 128, 128)),
    ],
)
def test_16_bits_become_8_and_the_loss_is_told(data, mode, pixel):
    image = Image(data)
    assert image.mode == mode
    made, lost = image.to_png()
    assert made.pil().convert("RGB").getpixel((0, 0)) == pixel
    assert lost == (f"the colour format {mode}",)
    assert made.to_png()[1] == ()


def test_cmyk_becomes_rgb_and_its_profile_does_not_travel():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    of_cmyk = profile[:16] + b"CMYK" + profile[20:]
    image = Image(encoded(PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", icc_profile=of_cmyk))
    made, lost = image.to_png()
    assert lost == ("the colour format CMYK",)
    red, green, blue = made.pil().getpixel((0, 0))
    assert red > 240
    assert max(green, blue) < 15
    assert "icc_profile" not in made.pil().info
    fitting = Image(encoded(corners(), "TIFF", icc_profile=profile)).to_png()[0]
    assert fitting.pil().info["icc_profile"] == profile


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(kind):
    frames = [PIL.Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    image = Image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    made, lost = image.to_png()
    assert "all frames but the first" in lost
    assert made.pil().convert("RGB").getpixel((4, 4))[0] > 240
    assert made.to_png()[1] == ()


def palette() -> PIL.Image.Image:
    picture = PIL.Image.new("P", (4, 4), 3)
    picture.putpalette(list(range(12)))
    return picture


@pytest.mark.parametrize(
    ("picture", "transparency"),
    [
        (palette(), 3),
        (palette(), bytes([255, 255, 255, 0])),
        (PIL.Image.new("L", (4, 4), 3), 3),
        (PIL.Image.new("RGB", (4, 4), (3, 3, 3)), (3, 3, 3)),
        (PIL.Image.new("1", (4, 4), 0), 0),
    ],
)
def test_transparency_by_colour_is_transparency(picture, transparency):
    image = Image(encoded(picture, "PNG", transparency=transparency))
    assert image.has_alpha
    assert Mask.from_alpha(image) == Mask.box((0, 0, 4, 4), size=(4, 4))
    assert image.to_png()[0].pil().convert("RGBA").getpixel((0, 0))[3] == 0
    flat = image.flattened()
    assert not flat.has_alpha
    assert flat.pil().convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    with pytest.raises(TaskRefused, match="transparent"):
        Mask.read(image)


def test_flattening_lays_on_white():
    image = Image(png((2, 2), (0, 0, 0, 128), "RGBA")).flattened()
    assert image.pil().getpixel((0, 0)) == (127, 127, 127)


def test_resizing_keeps_jpeg_a_jpeg():
    assert Image(encoded(scene(), "JPEG")).resized((10, 9)).media_type == "image/jpeg"
    webp = Image(encoded(scene(), "WEBP")).resized((10, 9))
    assert (webp.media_type, webp.size) == ("image/png", (10, 9))
    turned = Image(encoded(scene(), "JPEG", exif=exif(6))).resized((15, 20))
    assert (turned.orientation, turned.pil().size) == (1, (15, 20))
