"""compare: one sheet, a row for each model; a failure stands in its row and costs the others nothing."""

import re
import shutil
import subprocess

import pytest
from limner import Image, ProviderUnavailable, hookimpl

from ..fakes import Fake, registered


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_sheet_of_pictures(limner, workplace, suffix):
    done = limner(
        "compare", "a fox", "-m", "sketch", "-m", "limner.sketch-1", "-n", "3", "--size", "64x64", "-o", f"sheet{suffix}"
    )
    assert done.exit_code == 0
    width, height = Image.read(workplace / f"sheet{suffix}").size
    assert width > 3 * 320
    assert height > 2 * 64


class Failing(Fake):
    id = "fake.failing-1"
    aliases = ("failing",)

    def send(self, request):
        raise ProviderUnavailable("the service is <down>")


@pytest.fixture
def _failing(monkeypatch):
    class Plugin:
        @staticmethod
        @hookimpl
        def limner_models():
            return [Failing]

    with registered(Plugin):
        yield


@pytest.mark.usefixtures("_failing")
def test_a_page_says_what_was_adjusted_and_what_failed(limner, workplace):
    done = limner(
        "compare", "a <fox>", "-m", "sketch", "-m", "failing", "--size", "9000x4500", "--seed", "1", "-o", "sheet.html"
    )
    assert done.exit_code == 0
    page = (workplace / "sheet.html").read_text(encoding="utf-8")
    assert "a &lt;fox&gt;" in page
    assert "<fox>" not in page
    assert page.count("<img") == 1
    assert "9000x4500 became 2048x1024" in page
    assert "the service is &lt;down&gt;" in page
    assert "failing" in done.stderr


@pytest.mark.usefixtures("_failing")
def test_no_picture_at_all(limner, workplace):
    done = limner("compare", "a fox", "-m", "failing", "-o", "sheet.png")
    assert done.exit_code == 1
    assert (workplace / "sheet.png").exists()


def test_a_misspelt_model_is_refused_before_anything_is_painted(limner, workplace):
    done = limner("compare", "a fox", "-m", "sketch", "-m", "sketsh", "-o", "sheet.png")
    assert done.exit_code == 2
    assert "no installed plugin offers a model 'sketsh'; did you mean sketch?" in done.stderr
    assert not (workplace / "sheet.png").exists()


def test_an_existing_sheet_is_refused_before_anything_is_painted(limner, workplace):
    (workplace / "sheet.png").write_bytes(b"mine")
    done = limner("compare", "a fox", "-m", "sketch", "-o", "sheet.png")
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert (workplace / "sheet.png").read_bytes() == b"mine"
    assert limner("compare", "a fox", "-m", "sketch", "--size", "64x64", "-o", "sheet.png", "--force").exit_code == 0


def test_another_format_is_refused(limner):
    done = limner("compare", "a fox", "-m", "sketch", "-o", "sheet.gif")
    assert done.exit_code == 2
    assert ".html" in done.stderr


def test_a_setting_that_no_model_has_is_refused_before_anything_is_painted(limner, workplace):
    done = limner("compare", "a fox", "-m", "sketch", "-S", "tiemout=1", "-o", "sheet.png")
    assert done.exit_code == 2
    assert "did you mean timeout?" in done.stderr
    assert not (workplace / "sheet.png").exists()


def test_a_page_has_captions_alternative_texts_and_pictures_that_a_click_enlarges(limner, workplace):
    done = limner("compare", 'a "fox"', "-m", "sketch", "-n", "2", "--size", "80x64", "--seed", "5", "-o", "sheet.html")
    assert done.exit_code == 0
    page = (workplace / "sheet.html").read_text(encoding="utf-8")
    assert page.count("seed 5, 1st of 2, 80x64") == 1
    assert page.count('alt="a &quot;fox&quot;, by sketch"') == 2
    assert re.search(r"<p class=\"facts\">\d+\.\d s, cost: 0 USD</p>", page)
    assert re.search(r"sketch: \d+\.\d s, cost: 0 USD", done.stderr)
    assert 'name="viewport"' in page
    for number in (1, 2):
        assert f'<figure id="p1-{number}"><a href="#p1-{number}"' in page
    assert "<script" not in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium here")
@pytest.mark.parametrize(("width", "target"), [(500, ""), (500, "#p1-2")])
def test_a_page_fits_the_window(limner, workplace, width, target):
    """In a real browser: nothing is wider than the window, and a picture that is clicked is as large as that allows."""
    limner("compare", "a fox " * 60, "-m", "sketch", "-m", "limner.sketch-1", "-n", "2", "--size", "640x480", "-o", "s.html")
    page = workplace / "s.html"
    script = (
        "<script>onload=()=>{const e=document.documentElement,f=document.querySelector('figure:target img');"
        "document.title=[e.scrollWidth<=innerWidth,f?Math.round(f.getBoundingClientRect().width):0].join()}</script>"
    )
    page.write_text(page.read_text(encoding="utf-8") + script, encoding="utf-8")
    command = [
        shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={workplace / 'profile'}",
        f"--window-size={width},800", "--virtual-time-budget=2000", "--dump-dom", f"file://{page}{target}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    fits, shown = re.search(r"<title>(\w+),(\d+)</title>", done.stdout).groups()
    assert fits == "true"
    assert (int(shown) > 400) == bool(target)
