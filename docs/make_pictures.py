"""Make the pictures of the first page and the guides by running their own code: ``python docs/make_pictures.py``.

A page that shows ``images/guides/NAME.jpg`` saves ``NAME.png``.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt
from PIL import Image

DOCS = Path(__file__).parent
SHOWN = re.compile(r"images/guides/([\w-]+)\.jpg")
LONGEST_SIDE = 768


def main() -> None:
    """Run each page in an empty folder and keep a small JPEG of each picture that it shows."""
    for page in [DOCS / "index.md", *sorted((DOCS / "guides").glob("*.md"))]:
        text = page.read_text("utf-8")
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            names: dict[str, object] = {}
            for token in MarkdownIt().parse(text):
                if token.type == "fence" and token.info == "python":
                    exec(compile(token.content, str(page), "exec"), names)
            for name in SHOWN.findall(text):
                small(Image.open(f"{name}.png")).save(DOCS / "images" / "guides" / f"{name}.jpg", quality=82, optimize=True)


def small(picture: Image.Image) -> Image.Image:
    """A picture as it is shown: not too large, transparency on a chequered ground."""
    picture = picture.convert("RGBA")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    ground = Image.new("RGBA", picture.size, "white")
    for left in range(0, picture.width, 16):
        for top in range(left % 32, picture.height, 32):
            ground.paste("#d9d9d9", (left, top, left + 16, top + 16))
    return Image.alpha_composite(ground, picture).convert("RGB")


if __name__ == "__main__":
    main()
