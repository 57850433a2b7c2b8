"""What a notebook shows: results, pictures, plans, accounts, models, limits, and errors."""

from __future__ import annotations

import html.parser
import os
import re
import subprocess
import sys
from io import BytesIO

import limner
import PIL.Image
import pytest
from limner import Generate, Image, Picture, display

from .fakes import Fake, fake, png

HOSTILE = '<script>alert("1")</script>&\x1b[31m'


class Reader(html.parser.HTMLParser):
    """Reads tags and texts; every tag that needs it is closed."""

    VOID = frozenset({"img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_result_is_a_captioned_grid():
    result = fake().run(Generate(prompt="a fox", n=3, seed=5))
    page = Reader(result._repr_html_())
    assert [image["alt"] for image in page.all("img")] == ["a fox"] * 3
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    captions = [text for text in page.texts if text.startswith("seed ")]
    assert captions == [
        "seed 5 · 1st of 2 · ok · 64x64",
        "seed 5 · 2nd of 2 · ok · 64x64",
        "seed 7 · ok · 64x64",
    ]
    assert "account" in page.texts


def test_pictures_that_did_not_come_have_their_reason_in_the_grid():
    class Filtering(Fake):
        def decode(self, task, response):
            return [Picture(outcome="filtered", reason=HOSTILE)]

    page = Reader(fake(base=Filtering, on_filtered="return").run(Generate(prompt="a", seed=1))._repr_html_())
    assert not page.all("img")
    assert f"seed 1 · filtered: {HOSTILE}" in page.texts


@pytest.mark.parametrize(
    "shown",
    [
        lambda model, task: model.run(task)._repr_html_(),
        lambda model, task: model.run(task).image._repr_html_(),
        lambda model, task: model.run(task).account._repr_html_(),
        lambda model, task: model.plan(task)._repr_html_(),
    ],
)
def test_a_prompt_cannot_add_to_the_page(shown):
    page = Reader(shown(fake(), Generate(prompt=HOSTILE, negative_prompt=HOSTILE, seed=1)))
    assert not page.all("script")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert HOSTILE in [*page.texts, *(image["alt"] for image in page.all("img"))]


def test_a_large_picture_is_shown_smaller():
    buffer = BytesIO()
    PIL.Image.frombytes("RGB", (1500, 1000), os.urandom(4_500_000)).save(buffer, "PNG")
    large = Picture(image=Image(buffer.getvalue()), seed=1)
    assert len(large._repr_html_()) < display.MOST_BYTES * 4 / 3
    (image,) = Reader(large._repr_html_()).all("img")
    assert image["src"].startswith("data:image/webp;base64,")
    assert "1500x1000" in large._repr_html_()


def test_a_picture_that_cannot_be_decoded_is_its_caption():
    damaged = bytearray(png((600, 600)))
    damaged[60:-20] = os.urandom(len(damaged) - 80)
    buffer = BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(buffer, "TIFF")
    tiff = Picture(image=Image(buffer.getvalue()))
    assert Reader(tiff._repr_html_()).all("img")[0]["src"].startswith("data:image/webp")
    broken = Picture(image=Image(buffer.getvalue()[:-1] + b"\xff" * 3))
    object.__setattr__(broken.image, "data", b"II*\0 nothing")
    assert not Reader(broken._repr_html_()).all("img")
    assert "8x8" in broken._repr_html_()


def test_a_plan_says_that_nothing_was_sent():
    page = Reader(fake().plan(Generate(prompt="a fox", n=3, seed=5))._repr_html_())
    text = " ".join(page.texts)
    assert re.search(r"2 requests, [\d,]+ bytes; not sent", text)
    assert "cost: unknown" in text
    assert {"parameter", "outcome", "asked", "used", "why"} <= set(page.texts)


def test_models_and_limits_are_tables():
    found = Reader(limner.models(task="generate")._repr_html_())
    assert {"sketch", "limner.sketch-1"} <= set(found.texts)
    assert limner.models() == tuple(limner.models())
    model = Reader(limner.get_model("sketch")._repr_html_())
    assert len(model.all("table")) == len(limner.get_model("sketch").limits)
    limits = Reader(limner.get_model("sketch").limits[Generate]._repr_html_())
    assert {"size", "1024x1024", "required"} <= set(limits.texts)


def test_the_account_is_still_a_tuple_of_entries():
    result = fake().run(Generate(prompt="a fox", seed=5))
    assert isinstance(result.account, tuple)
    assert result.account == tuple(result.account)
    assert limner.from_json(limner.to_json(result)).account == result.account


def test_the_repr_of_a_result_explains_it():
    result = fake().run(Generate(prompt="a secret fox", n=3, seed=5))
    assert repr(result) == (
        "<Result of fake.painter-1, generate, seed 5, pictures: 3 ok; .image is the first picture, .pictures has all, "
        ".account says what became of every input>"
    )


def test_an_error_is_a_few_short_lines():
    with pytest.raises(limner.TaskRefused) as refused:
        limner.get_model("sketch").generate("a fox", size=(5000, 20), guidance_scale=7)
    lines = refused.value._render_traceback_()
    assert lines[0] == "TaskRefused: limner.sketch-1 refuses the task"
    assert len(lines) >= 3
    assert all(len(line) <= 100 and "\n" not in line for line in lines)
    assert all(line.startswith("  ") for line in lines[1:])


def test_an_error_cannot_steer_the_terminal():
    error = limner.ProviderError(f"out of order\n{HOSTILE}; " + "long " * 60, model="fake", request_ids=["r-1"])
    text = "\n".join(error._render_traceback_())
    assert "\x1b" not in text
    assert "r-1" in text


def test_real_ipython_shows_them(tmp_path):
    """In a process of its own, since IPython changes the one that it is in."""
    pytest.importorskip("IPython", reason="IPython is not installed")
    script = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('import limner; m = limner.get_model(\"sketch\")')\n"
        "result = shell.run_cell('r = m.generate(\"a fox\", size=(64, 64), n=2, seed=1); r').result\n"
        "data, _ = shell.display_formatter.format(result)\n"
        "print(sorted(data), data['text/html'].count('<img'), data['text/plain'][:16])\n"
        "shell.run_cell('x = 1\\nm.generate(\"a fox\", size=(9, 9))')\n"
    )
    environment = os.environ | {"IPYTHONDIR": str(tmp_path), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment, cwd=tmp_path
    )
    assert "['text/html', 'text/plain'] 2 <Result of limne" in done.stdout
    error = done.stdout.partition("TaskRefused:")[2]
    assert "size=(9, 9)" in error
    assert "in line 2 of this cell" in error
    assert len(error) < 600
