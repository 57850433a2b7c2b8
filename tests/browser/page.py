"""The page as a user meets it: found by the words on it, worked with a real mouse and real keys."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from PIL import Image
from selenium.common.exceptions import StaleElementReferenceException

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds; only a failure takes so long."""


class Page:
    """The playground in a browser."""

    def __init__(self, browser: Any, playground: Any) -> None:
        self.browser, self.playground = browser, playground
        self._forgiven: list[str] = []

    # ------------------------------------------------------------------ loading and looking

    def open(self) -> None:
        """Load the page afresh."""
        self.resize(1440, 1000)
        self.scheme("light")
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        self.browser.get_log("performance")
        self.browser.get(self.playground.url)
        self.until(self.planned)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def scheme(self, name: str) -> None:
        features = [
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def js(self, script: str, *arguments: object) -> Any:
        return self.browser.execute_script(script, *arguments)

    def until(self, condition: Callable[[], T], *, patience: float = PATIENCE) -> T:
        """Wait until something is true, and return it."""
        end = time.monotonic() + patience
        while True:
            with suppress(StaleElementReferenceException):  # replaced between two looks: look again
                if found := condition():
                    return found
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.03)

    def planned(self) -> bool:
        """Tell whether the last change has been planned."""
        return self.js("return document.getElementById('request').getAttribute('aria-busy') === 'false'")

    def all(self, selector: str) -> list[Any]:
        return self.browser.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        """The visible text of every element of a selector, read at one moment: the page may replace them at the next."""
        script = """return [...document.querySelectorAll(arguments[0])]
            .map(element => element.checkVisibility() ? element.innerText.trim() : '').join('\\n')"""
        return self.js(script, selector)

    def errors(self) -> list[str]:
        """What the console complains about."""
        messages = [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in messages if not any(words in message for words in self._forgiven)]

    def forgive(self, words: str) -> None:
        """Expect a complaint of the console: the browser writes down every refusal of the server."""
        self._forgiven.append(words)

    def requests_beyond_loopback(self) -> list[str]:
        """Every address that the page asked for since it was loaded, but for those of its own server."""
        return [url for url in self.requested() if not _is_here(url, self.playground.url)]

    def requested(self) -> list[str]:
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        sent += [message["params"] for message in messages if message["method"] == "Network.webSocketCreated"]
        return [params["request"]["url"] if "request" in params else params["url"] for params in sent]

    # ------------------------------------------------------------------ what is on it, by its words

    def field(self, name: str) -> Any:
        """The input of a label."""
        (found,) = self.all(f'[aria-label="{name}"]') or [self._labelled(name)]
        return found

    def _labelled(self, name: str) -> Any:
        script = """return [...document.querySelectorAll('label')]
            .filter(label => label.textContent.trim() === arguments[0] && label.checkVisibility())
            .map(label => label.control)[0]"""
        return self.until(lambda: self.js(script, name))

    def button(self, name: str, inside: str = "body") -> Any:
        """The first button of a name."""
        script = """return [...document.querySelectorAll(arguments[1] + ' button')]
            .find(button => button.textContent.trim() === arguments[0] && button.checkVisibility())"""
        return self.until(lambda: self.js(script, name, inside))

    def click(self, name: str, inside: str = "body") -> None:
        self.in_view(self.button(name, inside)).click()

    def choose(self, name: str) -> None:
        """Choose a radio button by its label."""
        script = """return [...document.querySelectorAll('.segments label')]
            .find(label => label.textContent.trim() === arguments[0] && label.checkVisibility())"""
        self.in_view(self.until(lambda: self.js(script, name))).click()

    def in_view(self, element: Any) -> Any:
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        return element

    def unfold(self, selector: str) -> None:
        """Open the first closed part of the page of a selector."""
        self.in_view(self.all(f"{selector} > summary")[0]).click()

    def select(self, name: str, option: str) -> None:
        script = """const [select, text] = arguments;
            const option = [...select.options].find(one => one.text === text);
            if (!option) return false;
            select.value = option.value; select.dispatchEvent(new Event('change', {bubbles: true})); return true"""
        assert self.js(script, self.field(name), option), option

    def fill(self, name: str, text: str) -> None:
        element = self.in_view(self.field(name))
        element.clear()
        element.send_keys(text)

    def model(self, name: str) -> None:
        """Choose a model, and wait for its form."""
        self.select("Model", name)
        shown = "return document.querySelector('.run-bar .money').textContent.includes(arguments[0])"
        self.until(lambda: self.js(shown, name.partition(" ")[0]) and self.planned())

    def problem(self, parameter: str) -> str:
        """What is said to be wrong at a field."""
        (row,) = self.all(f'[data-name="{parameter}"]')
        return row.find_element("css selector", ".error").text

    # ------------------------------------------------------------------ runs

    def run(self) -> None:
        """Press Run, and wait until every run has ended."""
        self.settle()
        before = len(self.all("#results .run"))
        self.click("Run")
        self.until(lambda: len(self.all("#results .run")) > before)
        self.ended()

    def ended(self) -> None:
        """Wait until every run has ended."""
        self.until(lambda: self.text("button[type=submit]") == "Run")

    def settle(self) -> None:
        """Wait until what was typed last has been planned."""
        time.sleep(0.25)  # longer than the page waits after a change
        self.until(self.planned)

    def pictures(self, inside: str = "#results .runs:first-child") -> list[Image.Image]:
        """The pictures of the newest run."""
        return [self.picture(element) for element in self.all(f"{inside} .card img")]

    def picture(self, element: Any) -> Image.Image:
        """Read a picture of the page, pixel by pixel."""
        script = """const [image, done] = arguments;
            image.decode().then(() => {
                const canvas = document.createElement('canvas');
                canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
                canvas.getContext('2d').drawImage(image, 0, 0); done(canvas.toDataURL('image/png')); })"""
        url = self.browser.execute_async_script(script, element)
        return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))

    def download(self, link: Any, folder: Path) -> Path:
        """Save a file as a user would."""
        behaviour = {"behavior": "allow", "downloadPath": str(folder)}
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
        self.in_view(link).click()
        file = folder / link.get_attribute("download")
        self.until(file.exists)
        return file

    @contextmanager
    def large(self) -> Iterator[None]:
        """Have the painter as large as the window, so that a pixel of the picture is not less than one of the screen."""
        self.click("Enlarge")
        yield
        self.click("Back")


def _is_here(url: str, own: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.netloc == urlsplit(own).netloc
