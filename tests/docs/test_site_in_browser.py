"""The built documentation as people see it: every page in headless Chromium, on a phone and on a desk."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which drives the browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (390, 1280)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")

LAYOUT = """() => {
    const cut = [...document.querySelectorAll("article pre")].filter(
        pre => pre.scrollWidth > pre.clientWidth + 1 && !["auto", "scroll"].includes(getComputedStyle(pre).overflowX));
    const blocks = [...document.querySelectorAll("article div.highlight")];
    return {
        overflow: document.documentElement.scrollWidth - window.innerWidth,
        wide: [...document.querySelectorAll("article *")]
            .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest("pre, .table-wrapper"))
            .map(e => e.outerHTML.slice(0, 120)).slice(0, 3),
        cut: cut.map(pre => pre.textContent.slice(0, 60)),
        withoutCopy: blocks.filter(block => !block.querySelector("button.copybtn")).length,
    };
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def tab(browser: playwright.Browser) -> Iterator[playwright.Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_has_no_errors(width: int, tab: playwright.Page, address: str, site: Path) -> None:
    problems: list[str] = []
    where = ""
    tab.on("console", lambda said: problems.append(f"{where}: {said.text}") if said.type == "error" else None)
    tab.on("pageerror", lambda error: problems.append(f"{where}: {error}"))
    tab.set_viewport_size({"width": width, "height": 900})
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts)
    for page in pages:
        where = page
        tab.goto(f"{address}/{page}")
        found = tab.evaluate(LAYOUT)
        if found["overflow"] > 0:
            problems.append(f"{page}: {found['overflow']} pixels too wide: {found['wide']}")
        problems += [f"{page}: code is cut: {code}" for code in found["cut"]]
        if found["withoutCopy"]:
            problems.append(f"{page}: {found['withoutCopy']} code blocks without a copy button")
    assert not problems
    assert len(pages) > 40


def test_commands_are_copied_without_their_prompts(tab: playwright.Page, address: str) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(f"{address}/command-line.html")
    block = tab.locator("div.highlight-console").first
    block.hover()
    block.locator("button.copybtn").click()
    tab.wait_for_selector("button.copybtn.success")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("limner generate ")
    assert "$ " not in copied


def brightness(tab: playwright.Page) -> float:
    colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")[:3])
    return (red + green + blue) / 3


def test_dark_mode_follows_the_system_and_the_switch(browser: playwright.Browser, address: str) -> None:
    context = browser.new_context(color_scheme="dark", viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.goto(address)
    assert brightness(tab) < 60
    for _ in range(3):  # the switch goes round: system, light, dark
        if tab.evaluate("document.body.dataset.theme") == "light":
            break
        tab.locator(".theme-toggle:visible").first.click()
    assert tab.evaluate("document.body.dataset.theme") == "light"
    assert brightness(tab) > 200
    context.close()


@pytest.mark.parametrize(
    ("term", "expected"), [("inpaint", "guides/inpaint.html"), ("RateLimited", "reference/errors.html")]
)
def test_the_search_finds_a_term(term: str, expected: str, tab: playwright.Page, address: str) -> None:
    tab.goto(address)
    tab.locator("input.sidebar-search").fill(term)
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#search-results ul.search li a")
    links = tab.eval_on_selector_all("#search-results a", "links => links.map(link => link.getAttribute('href'))")
    assert any(link.startswith(expected) for link in links), links
