"""Which formats are opened, and what damaged and hostile files of them do: one refusal, quickly, in little memory."""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import limner
import PIL.Image
import pytest
from limner import Image, Mask, TaskRefused
from limner.results import image_from_base64
from PIL import features

from .files import encoded, scene

PROJECT = Path(__file__).parents[2]
ANIMATED = {"save_all": True, "append_images": [scene().rotate(90), scene().rotate(180)]}
KINDS = {kind: (kind, {}) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")}
KINDS |= {"AVIF": ("AVIF", {"speed": 10})} if features.check("avif") else {}
ODD = {f"TIFF {name}": ("TIFF", {"compression": name}) for name in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")}
ODD |= {f"{kind} animated": (kind, ANIMATED) for kind in ("PNG", "GIF", "WEBP", "TIFF")}
OTHERS = ["EPS", "ICNS", "ICO", "PPM", "TGA", "PCX", "SGI", "DDS", "SPIDER", "DIB"]
OTHERS += ["JPEG2000"] * features.check("jpg_2000")
PSD = b"8BPS\0\1" + bytes(6) + b"\0\3" + b"\0\0\0\4" * 2 + b"\0\x08\0\3" + bytes(12) + b"\0\0" + bytes(48)


def other(kind: str) -> bytes:
    return PSD if kind == "PSD" else encoded(scene((64, 64)), kind)


@pytest.mark.parametrize("kind", [*OTHERS, "PSD"])
def test_a_format_that_only_pillow_knows_is_never_opened(kind, tmp_path):
    data = other(kind)
    with PIL.Image.open(BytesIO(data)) as opened:
        assert opened.format == kind  # Pillow itself would
    (tmp_path / "a.png").write_bytes(data)
    ways = [Image.read, Mask.read, Mask.from_alpha, lambda source: limner.Vary(image=source)]
    for way in ways:
        for source in (data, BytesIO(data), tmp_path / "a.png"):
            with pytest.raises(TaskRefused, match="PNG, JPEG, WEBP, GIF, BMP, TIFF"):
                way(source)


def test_an_answer_in_another_format_is_a_bad_one():
    import base64

    with pytest.raises(limner.BadResponse, match="known format"):
        image_from_base64(base64.b64encode(other("PPM")).decode())


def test_no_other_program_is_started(tmp_path):
    """Pillow hands EPS to Ghostscript, whatever the name of the file."""
    ran, gs = tmp_path / "ran", tmp_path / "gs"
    gs.write_text(f"#!/bin/sh\ntouch {ran}\n")
    gs.chmod(0o755)
    (tmp_path / "a.png").write_bytes(other("EPS"))
    for script in (
        "import PIL.Image; PIL.Image.open('a.png').load()",
        "import limner; limner.Image.read('a.png').pil()",
        "import PIL.Image; PIL.Image.init(); import limner; limner.Mask.read('a.png')",
        "import limner; limner.get_model('sketch').vary('a.png', 'a fox')",
    ):
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, check=False, cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True
        )
        assert done.returncode != 0
        assert ran.exists() == ("limner" not in script), "Pillow alone starts it: the trap works"
        assert ("TaskRefused" in done.stderr) == ("limner" in script), done.stderr
        ran.unlink(missing_ok=True)


def test_pictures_are_opened_in_one_place_or_with_their_formats_named():
    """Whatever calls Pillow's open without ``formats`` opens everything that Pillow knows."""
    found = []
    for path in [*PROJECT.glob("core/src/**/*.py"), *PROJECT.glob("plugins/*/src/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"PIL.Image.open", "Image.open"}:
                assert "formats" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"
                found.append(path.name)
    assert "pixels.py" in found


def mutated(whole: bytes, dots: random.Random) -> bytes:
    """Change a file in a few places, most of them at an end, where formats keep sizes, counts and offsets."""
    data = bytearray(whole)
    for _ in range(dots.randint(1, 6)):
        end = min(len(data), 400)
        at = dots.choice([dots.randrange(end), len(data) - 1 - dots.randrange(end), dots.randrange(len(data))])
        match dots.randrange(6):
            case 0:
                data[at : at + 4] = dots.randbytes(4)
            case 1:
                data[at : at + 4] = dots.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff"])
            case 2:
                data[at : at + dots.randint(0, 8)] = dots.randbytes(dots.randint(0, 8))
            case _:
                data[at] = dots.choice([0, 1, 2, 4, 0x7F, 0x80, 0xFF, dots.randrange(256)])
    return bytes(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [*KINDS, *ODD])
def test_mutations_are_read_or_refused_quickly_and_in_little_memory(kind, capfd):
    resource = pytest.importorskip("resource")
    format_, more = (KINDS | ODD)[kind]
    whole, dots = encoded(scene(), format_, **more), random.Random(kind)
    slowest, before = 0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = set()
    for _ in range(2000 if kind in KINDS else 500):
        data = mutated(whole, dots)
        started = time.process_time()
        try:
            image = Image.read(data)
            image.pil()
            outcomes.add("decoded")
            if dots.random() < 0.1:
                image.to_png()
                image.stripped()
        except TaskRefused:
            outcomes.add("refused")
        slowest = max(slowest, time.process_time() - started)
    assert outcomes == {"decoded", "refused"}
    assert slowest < 20
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert grown < 1500, f"{grown} MB"  # two pictures of as many pixels as Pillow allows have 700


def tiff(*tags: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF of one directory: tags of (number, type, count, value)."""
    entries = b"".join(
        number.to_bytes(2, "little") + kind.to_bytes(2, "little") + count.to_bytes(4, "little") + value.to_bytes(4, "little")
        for number, kind, count, value in tags
    )
    return b"II*\0\x08\0\0\0" + len(tags).to_bytes(2, "little") + entries + following.to_bytes(4, "little") + data


def grey(width: int, height: int, *, offset: int = 8, count: int = 4, compression: int = 1) -> tuple:
    shape = ((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1))
    return (*shape, (273, 4, 1, offset), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, count))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "data",
    [
        tiff(),
        tiff(*grey(2, 2), following=8),  # a directory that is its own next one
        tiff(*grey(2, 2), following=0xFFFFFFF0),
        tiff(*grey(2, 2, offset=0xFFFFFFF0)),  # the pixels lie behind the end
        tiff(*grey(9000, 9000)),  # no pixels for so large a picture
        tiff(*grey(9000, 9000, compression=5, count=0xFFFFFFFF)),
        tiff(*grey(0, 0)),
        tiff(*grey(0xFFFFFFFF, 0xFFFFFFFF)),
        tiff(*grey(2, 2), (34665, 4, 1, 8)),  # the EXIF directory is the directory itself
        tiff(*grey(2, 2), (330, 4, 1, 8)),
        tiff(*grey(2, 2), (700, 1, 0xFFFFFFFF, 8)),  # a text of four gigabytes
        tiff(*grey(2, 2), (258, 3, 0x7FFFFFFF, 8)),
        tiff(*((256 + number, 3, 1, 1) for number in range(4000))),
        b"II+\0\x08\0\0\0" + b"\xff" * 8,  # BigTIFF
        b"MM\0*\xff\xff\xff\xff",
    ],
)
def test_oddities_of_tiff(data, capfd):
    started = time.process_time()
    try:
        image = Image.read(data)
        image.pil()
        image.to_png()
        image.stripped()
    except TaskRefused:
        pass
    assert time.process_time() - started < 20


def test_a_long_animation_is_not_walked_through_to_say_that_it_is_one():
    """Two hundred thousand frames in 4 MB; only whether there is a second one is asked."""
    frame = b",\0\0\0\0\1\0\1\0\0\x02\x02D\1\0"
    data = b"GIF89a\1\0\1\0\x80\0\0" + b"\xff" * 3 + b"\0" * 3 + frame * 200_000 + b";"
    started = time.process_time()
    made, lost = Image(data).to_png()
    assert made.size == (1, 1)
    assert lost == ("all frames but the first",)
    assert time.process_time() - started < 1
