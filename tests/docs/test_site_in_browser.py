"""The built documentation as people see it: every page in headless Chromium, on a phone and on a desk."""

from __future__ import annotations

import functools
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium, which drives the browser")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (390, 1280)
PATIENCE = 30.0

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
    pytest.mark.xdist_group("site"),
]

LAYOUT = """
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
"""


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
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in [*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    yield driver
    driver.quit()


@pytest.fixture
def tab(browser: Any, address: str) -> Any:
    """The browser on the first page, as wide as a desk, light, and with nothing remembered."""
    resize(browser, 1280)
    prefer(browser, "light")
    browser.get(address)
    browser.execute_script("localStorage.clear()")
    browser.get(address)
    browser.get_log("browser")
    return browser


def resize(browser: Any, width: int) -> None:
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def prefer(browser: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def wait_for(browser: Any, selector: str) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE).until(lambda driver: driver.find_elements("css selector", selector))[0]


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_has_no_errors(width: int, tab: Any, address: str, site: Path) -> None:
    problems: list[str] = []
    resize(tab, width)
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts)
    for page in pages:
        tab.get(f"{address}/{page}")
        found = tab.execute_script(LAYOUT)
        if found["overflow"] > 0:
            problems.append(f"{page}: {found['overflow']} pixels too wide: {found['wide']}")
        problems += [f"{page}: code is cut: {code}" for code in found["cut"]]
        if found["withoutCopy"]:
            problems.append(f"{page}: {found['withoutCopy']} code blocks without a copy button")
        problems += [f"{page}: {entry['message']}" for entry in tab.get_log("browser") if entry["level"] == "SEVERE"]
    assert not problems
    assert len(pages) > 40


def test_commands_are_copied_without_their_prompts(tab: Any, address: str) -> None:
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": address}
    tab.execute_cdp_cmd("Browser.grantPermissions", permissions)
    tab.get(f"{address}/command-line.html")
    wait_for(tab, "div.highlight-console button.copybtn").click()
    wait_for(tab, "button.copybtn.success")
    copied = tab.execute_async_script("navigator.clipboard.readText().then(arguments[arguments.length - 1])")
    assert copied.startswith("limner generate ")
    assert "$ " not in copied


def brightness(browser: Any) -> float:
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (red + green + blue) / 3


def test_dark_mode_follows_the_system_and_the_switch(tab: Any, address: str) -> None:
    assert brightness(tab) > 200
    prefer(tab, "dark")
    tab.get(address)
    assert brightness(tab) < 60
    for _ in range(3):  # the switch goes round: system, light, dark
        if tab.execute_script("return document.body.dataset.theme") == "light":
            break
        next(switch for switch in tab.find_elements("css selector", ".theme-toggle") if switch.is_displayed()).click()
    assert tab.execute_script("return document.body.dataset.theme") == "light"
    assert brightness(tab) > 200


@pytest.mark.parametrize(
    ("term", "expected"), [("inpaint", "guides/inpaint.html"), ("RateLimited", "reference/errors.html")]
)
def test_the_search_finds_a_term(term: str, expected: str, tab: Any) -> None:
    tab.find_element("css selector", "input.sidebar-search").send_keys(term + "\n")
    assert wait_for(tab, f"#search-results a[href*='{expected}']").is_displayed()
