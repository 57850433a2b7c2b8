"""compare: one sheet, a row for each model; a failure stands in its row and costs the others nothing."""

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
