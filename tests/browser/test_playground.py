"""The playground in a real browser: typing, painting with the mouse, running, keyboard alone, accessibility."""

from __future__ import annotations

import base64
import io
import itertools
import json
from pathlib import Path

import limner
import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from .page import Page

pytestmark = pytest.mark.xdist_group("browser")


def png(path: Path, size: tuple[int, int] = (512, 512)) -> Path:
    """A picture in which no two neighbours are alike, so that nothing can be moved or scaled unseen."""
    height, width = size[1], size[0]
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([(x * 7 + y) % 251, (y * 5 + x * 3) % 241, (x ^ y) % 256], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB"))


def generate(page: Page, prompt: str = "a fox in the snow", size: str = "256") -> None:
    page.model("sketch")
    page.fill("Prompt", prompt)
    page.fill("Size: width", size)
    page.fill("Size: height", size)
    page.run()


def test_a_prompt_becomes_a_picture_that_can_be_edited_varied_and_saved(page, tmp_path):
    generate(page)
    (picture,) = page.pictures()
    assert picture.size == (256, 256)
    seed = int(page.text("#results .card p").split()[1].rstrip(","))
    expected = limner.get_model("sketch").generate("a fox in the snow", size=(256, 256), seed=seed)
    assert np.array_equal(pixels(picture), pixels(expected.image.pil()))

    link = page.all("#results .card a[download]")[0]
    assert link.get_attribute("download") == f"generate-{seed}.png"
    provenance = limner.read_provenance(limner.Image.read(page.download(link, tmp_path)))
    assert provenance["task"]["prompt"] == "a fox in the snow"
    assert provenance["seed"] == seed

    page.click("Vary", "#results")
    page.until(lambda: page.all(".thumbnails img"))
    page.fill("Prompt", "denser trees")
    page.run()
    assert len(page.all("#results .run")) == 2
    assert len(page.all("#history li")) == 2
    page.click("With original", "#results")
    page.until(lambda: page.all("dialog.compare[open]"))
    page.browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert "51%" in page.all("dialog .above")[0].get_attribute("style")
    page.click("Close", "dialog")

    page.all("#history .history-entry")[-1].click()
    page.until(lambda: page.field("Prompt").get_attribute("value") == "a fox in the snow")
    assert page.field("Size: width").get_attribute("value") == "256"


def test_what_is_shown_is_what_is_sent(page, emulator):
    page.model("titan (retired)")
    page.fill("Prompt", "a red door")
    page.fill("Number of pictures", "2")
    page.settle()
    shown = json.loads(page.text("#request pre"))
    page.click("Python", "#request")
    code = page.text("#request pre")
    page.run()
    (received,) = emulator.requests
    assert received.body == shown["body"]
    assert f"seed={shown['body']['imageGenerationConfig']['seed']}" in code
    assert len(page.pictures()) == 2


@pytest.mark.parametrize("tool", ["brush", "rectangle"])
def test_exactly_the_painted_region_changes(page, emulator, tmp_path, tool):
    """Titan at the emulator, which inverts the picture: what is not painted comes back as it was."""
    original = Image.open(png(tmp_path / "own.png"))
    page.model("titan (retired)")
    page.choose("Edit")
    page.field("Image").send_keys(str(tmp_path / "own.png"))
    page.until(lambda: page.all(".stage canvas"))
    page.fill("Prompt", "a red door")
    canvas = page.in_view(page.all(".stage canvas")[0])
    if tool == "rectangle":
        page.choose("Rectangle")
    page.in_view(canvas)
    page.js(FOLLOW_THE_MOUSE, canvas)
    hand = ActionChains(page.browser).move_to_element_with_offset(canvas, -100, -60).click_and_hold()
    hand.move_to_element_with_offset(canvas, 70, 40).release().perform()
    page.until(lambda: "Nothing" not in page.text(".mask-field [role=status]"))
    way = page.js("return window.way")
    page.run()

    (result,) = page.pictures()
    changed = np.any(pixels(result) != pixels(original), axis=-1)
    sent = Image.open(io.BytesIO(base64.b64decode(emulator.requests[0].body["inPaintingParams"]["maskImage"])))
    painted = np.asarray(sent.convert("L")) == 0  # Titan paints where the mask is black
    assert set(np.unique(np.asarray(sent.convert("L")))) == {0, 255}
    assert painted.shape == (512, 512)
    assert np.array_equal(changed, painted)
    radius = None if tool == "rectangle" else float(page.all(".slider input")[0].get_attribute("value")) / 2
    assert np.array_equal(painted, expected_region(way, radius))
    assert np.array_equal(pixels(result)[changed], 255 - pixels(original)[changed])


FOLLOW_THE_MOUSE = """window.way = [];
    const box = arguments[0].getBoundingClientRect();
    for (const kind of ['pointerdown', 'pointermove', 'pointerup']) arguments[0].addEventListener(kind, event => {
        const points = event.getCoalescedEvents().length ? event.getCoalescedEvents() : [event];
        if (event.buttons || kind === 'pointerup') for (const {clientX, clientY} of points)
            window.way.push([(clientX - box.left) / box.width * 512, (clientY - box.top) / box.height * 512]); })"""


def expected_region(way: list[list[float]], radius: float | None) -> np.ndarray:
    """The pixels whose centres the brush has passed, or the rectangle between the first point and the last."""
    y, x = np.mgrid[0:512, 0:512] + 0.5
    if radius is None:
        left, top, right, bottom = np.floor(np.array([*way[0], *way[-1]]) + 0.5)
        return (x > left) & (x < right) & (y > top) & (y < bottom)
    found = np.zeros((512, 512), bool)
    for (x0, y0), (x1, y1) in itertools.pairwise(way):
        length = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-9)
        along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1)
        found |= (x - x0 - along * (x1 - x0)) ** 2 + (y - y0 - along * (y1 - y0)) ** 2 <= radius**2
    return found


def test_a_photo_that_lies_on_its_side_is_painted_upright(page, emulator, tmp_path):
    stored = Image.open(png(tmp_path / "plain.png", (512, 384)))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    stored.save(tmp_path / "photo.jpg", exif=exif, quality=95)
    upright = limner.Image.read(tmp_path / "photo.jpg")
    assert upright.size == (384, 512)
    page.model("titan (retired)")
    page.choose("Edit")
    page.field("Image").send_keys(str(tmp_path / "photo.jpg"))
    mark(page, 10, 400, 110, 500)
    page.fill("Prompt", "a boat")
    page.run()
    (result,) = page.pictures()
    changed = np.any(pixels(result) != pixels(upright.pil()), axis=-1)
    wanted = np.zeros((512, 384), bool)
    wanted[400:500, 10:110] = True
    assert np.array_equal(changed, wanted)


def mark(page: Page, *box: int, shape: str = "rectangle") -> None:
    """Mark a region by numbers."""
    page.until(lambda: page.all(".stage canvas"))
    details = page.all(".numbers")[0]
    if details.get_attribute("open") is None:
        page.in_view(details.find_element("css selector", "summary")).click()
    for side, value in zip(("Left", "Top", "Right", "Bottom"), box, strict=True):
        page.fill(side, str(value))
    page.click(f"Mark {shape}")


def test_marks_are_undone_erased_inverted_and_cleared(page, tmp_path):
    page.model("sketch")
    page.choose("Edit")
    page.field("Image").send_keys(str(png(tmp_path / "own.png", (200, 100))))

    def share() -> str:
        return page.text(".mask-field [role=status]").partition(" ")[0]

    mark(page, 0, 0, 100, 100)
    assert share() == "50.0%"
    mark(page, 50, 0, 150, 100, shape="ellipse")
    assert float(share()[:-1]) == pytest.approx(50 + 100 * 3.14159 * 50 * 50 / 2 / 20_000, abs=0.3)
    page.click("Undo")
    assert share() == "50.0%"
    page.click("Erase")
    mark(page, 0, 0, 50, 50)
    assert share() == "37.5%"
    page.click("Invert")
    assert share() == "62.5%"
    page.click("Clear")
    assert share() == "Nothing"
    for _ in range(4):
        page.click("Undo")
    assert share() == "Nothing"
    assert not page.button("Undo").is_enabled()
    mark(page, 0, 0, 900, 50)
    assert "right ≤ 200" in page.text(".mask-field .error")
    page.field("Image").send_keys(str(png(tmp_path / "other.png", (64, 64))))
    page.until(lambda: page.js("return document.querySelector('.stage canvas').width") == 64)


def test_a_border_is_dragged_outwards(page, tmp_path):
    page.model("sketch")
    page.choose("Outpaint")
    page.field("Image").send_keys(str(png(tmp_path / "own.png", (128, 128))))
    handle = page.in_view(page.until(lambda: page.all(".handle.right"))[0])
    ActionChains(page.browser).click_and_hold(handle).move_by_offset(60, 0).release().perform()
    right = int(page.field("Right").get_attribute("value"))
    assert right > 0
    page.fill("Top", "32")
    page.fill("Prompt", "a wide beach")
    page.settle()
    assert f"{128 + right} × 160 pixels" in page.text(".border-field [role=status]")  # noqa: RUF001
    page.run()
    (result,) = page.pictures()
    assert result.size == (128 + right, 160)
    assert np.array_equal(pixels(result)[32:, :128], pixels(Image.open(tmp_path / "own.png")))


def test_a_picture_is_pasted_and_dropped(page, tmp_path):
    png(tmp_path / "own.png", (64, 64))
    page.choose("Upscale")
    data = base64.b64encode((tmp_path / "own.png").read_bytes()).decode()
    send = """const [kind, data] = arguments;
        const bytes = Uint8Array.from(atob(data), one => one.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], kind + '.png', {type: 'image/png'}));
        const event = kind === 'paste' ? new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true})
            : new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true});
        (kind === 'paste' ? document.body : document.querySelector('.drop')).dispatchEvent(event)"""
    for kind in ("paste", "drop"):
        page.js(send, kind, data)
        page.until(lambda: page.text(".thumbnails .muted").startswith("64 × 64 PNG, "))  # noqa: RUF001
        page.click("Remove", ".thumbnails")
        page.until(lambda: not page.all(".thumbnails img"))
    (tmp_path / "no.png").write_text("no picture")
    page.field("Image").send_keys(str(tmp_path / "no.png"))
    page.until(lambda: "picture" in page.problem("image"))
    page.forgive("status of 400")


def test_limits_are_told_at_the_field_while_typing(page):
    page.model("titan (retired)")
    page.fill("Prompt", "x" * 513)
    page.until(lambda: "513 characters" in page.problem("prompt"))
    assert page.field("Prompt").get_attribute("aria-invalid") == "true"
    assert page.text('[data-name="prompt"] .counter') == "513 / 512"
    page.fill("Prompt", "a fox")
    page.until(lambda: page.problem("prompt") == "")
    assert page.field("Prompt").get_attribute("aria-invalid") == "false"
    page.fill("Number of pictures", "40")
    page.until(lambda: "max_n" in page.problem("n"))
    page.fill("Number of pictures", "1")

    page.model("sketch")
    page.fill("Size: width", "5000")
    page.fill("Size: height", "100")
    page.until(lambda: "2048" in page.problem("size"))
    page.choose("Use the nearest")
    page.until(lambda: page.problem("size") == "")
    page.click("Account", "#request")
    assert "5000x100 → 2048x64" in page.text("#request table")


def test_a_run_with_problems_goes_to_the_first_field_that_is_wrong(page):
    page.settle()
    assert page.problem("prompt") == ""
    assert "Still needed: Prompt" in page.text(".run-bar")
    page.click("Run")
    page.until(lambda: page.problem("prompt"))
    assert page.browser.switch_to.active_element == page.field("Prompt")
    assert not page.all("#results .run")


def test_life_and_money_are_told_before_the_button(page):
    page.model("titan (retired)")
    page.fill("Prompt", "a fox")
    page.settle()
    assert "past its end of life (2026-06-30)" in page.text("#form .notice")
    assert page.text(".money") == "This may cost money: titan (aws.bedrock), price not known."
    page.model("sketch")
    assert not page.all("#form .notice")
    assert page.text(".money") == "sketch runs on this machine and costs nothing."
    page.model("stranger (legacy)")
    page.fill("Number of pictures", "3")
    page.until(lambda: page.text(".money") == "This costs money: stranger (stranger.example), 0.06 USD.")
    assert "legacy since 2026-01-01" in page.text("#form .notice")


def test_a_strangers_plugin_gets_its_form(page):
    page.model("stranger (legacy)")
    page.click("Weighted parts…")
    parts = page.all('[data-name="prompt"] .part')
    assert len(parts) == 1
    page.fill("Prompt 1: text", "a fox")
    page.fill("Prompt 1: weight", "0.5")
    page.click("Add", '[data-name="prompt"]')
    page.fill("Prompt 2: text", "fog")
    page.fill("Prompt 2: weight", "-2")
    page.until(lambda: "-1.0 to 1.0" in page.problem("prompt"))
    page.fill("Prompt 2: weight", "-0.5")
    page.click("16:9")
    page.unfold(".advanced")
    page.select("Mood", "wild")
    page.select("Tiled", "Yes")
    page.fill("Code word", "ab")
    page.until(lambda: "3 to 5 characters" in page.problem("options.code_word"))
    page.fill("Code word", "abc")
    page.click("Add", '[data-name="options.colours"]')
    page.fill("Colours 1", "#00ff00")
    page.fill("Extra", "{not json")
    page.until(lambda: "is not JSON" in page.problem("options.extra"))
    page.fill("Extra", '{"deep": [1, {"er": true}]}')
    slider = page.in_view(page.field("Steps, slider"))
    slider.send_keys(Keys.ARROW_RIGHT)
    page.settle()
    assert page.problem("prompt") == ""
    body = json.loads(page.text("#request pre"))["body"]
    assert body["prompt"] == [["a fox", 0.5], ["fog", -0.5]]
    assert body["steps"] == 21
    assert body["options"] == {
        "mood": "wild",
        "tiled": True,
        "code_word": "abc",
        "colours": ["#00ff00"],
        "extra": {"deep": [1, {"er": True}]},
    }
    page.click("Command line", "#request")
    assert "no words for this task" in page.text("#request [role=tabpanel]")
    page.run()
    assert len(page.pictures()) == 1


def test_several_models_stand_side_by_side(page):
    page.model("sketch")
    page.fill("Prompt", "a fox")
    page.fill("Size: width", "64")
    page.fill("Size: height", "64")
    page.unfold(".others")
    page.in_view(page.field("stranger (legacy)")).click()
    page.run()
    assert [run.get_attribute("aria-label") for run in page.all("#results .run")] == [
        "Generate with sketch",
        "Generate with stranger",
    ]
    assert len(page.pictures()) == 2
    page.select("Model of this view", "stranger.painter-9")
    page.until(lambda: json.loads(page.text("#request pre"))["model_id"] == "stranger.painter-9")
    first, second = page.all("#results .actions [aria-pressed]")
    first.click()
    second.click()
    page.until(lambda: page.all("dialog.compare[open]"))
    page.click("Close", "dialog")


def test_a_run_is_cancelled_at_the_server(page, playground):
    page.model("stranger (legacy)")
    page.fill("Prompt", "a fox")
    page.unfold(".advanced")
    page.fill("Slow", "600")
    page.settle()
    page.click("Run")
    page.until(lambda: "step" in page.text(".progress"))
    page.click("Cancel", ".run-bar")
    page.until(lambda: "Cancelled" in page.text("#results"))
    page.until(playground.stranger_log.exists)
    assert int(playground.stranger_log.read_text().split()[-1]) < 500
    page.fill("Slow", "2")
    page.run()
    assert len(page.pictures()) == 1


def test_a_failure_of_the_provider_is_told(page, emulator):
    emulator.fail_with("filtered")
    page.model("titan (retired)")
    page.fill("Prompt", "a fox")
    page.run()
    assert "titan" in page.text("#results [role=alert]") or page.text("#results .held-back")


def test_a_server_that_was_started_again_gets_the_pictures_again(page, playground, tmp_path):
    page.model("sketch")
    page.choose("Upscale")
    page.field("Image").send_keys(str(png(tmp_path / "own.png", (64, 64))))
    page.until(lambda: page.all(".thumbnails img"))
    page.settle()
    playground.restart()
    page.run()
    assert page.pictures()[0].size == (128, 128)
    page.forgive("status of 409")


def test_the_history_is_kept_on_request_without_pictures(page, tmp_path):
    page.model("sketch")
    page.choose("Vary")
    page.field("Image").send_keys(str(png(tmp_path / "own.png", (64, 64))))
    page.until(lambda: page.all(".thumbnails img"))
    page.fill("Prompt", "denser trees")
    page.run()
    page.in_view(page.field("Keep in this browser, without pictures")).click()
    page.open()
    page.until(lambda: page.all("#history li"))[0].find_element("css selector", "button").click()
    page.until(lambda: page.field("Prompt").get_attribute("value") == "denser trees")
    assert page.js("return document.querySelector('.segments input:checked + label').textContent") == "Vary"
    assert not page.all(".thumbnails img")
    stored = page.js("return JSON.stringify(localStorage)")
    assert "denser trees" in stored
    assert "$picture" not in stored
    page.click("Clear history")
    page.in_view(page.field("Keep in this browser, without pictures")).click()
    assert page.js("return localStorage.length") == 0


def test_the_keyboard_alone(page):
    """From the prompt to an edited picture, without the mouse."""
    page.model("sketch")
    page.js("document.body.focus()")
    keys = Keyboard(page)
    keys.to("Model").to("Prompt").type("a fox in the snow")
    keys.to("Size: width").type("96").to("Size: height").type("96").to("Run").press(Keys.ENTER)
    page.until(lambda: page.all("#results .card"))
    original = page.pictures()[0]
    page.ended()
    keys.to("Edit").press(Keys.ENTER)
    page.until(lambda: page.all(".stage canvas"))
    keys.to("Mark by numbers").press(Keys.ENTER)
    for side, value in {"Left": "8", "Top": "16", "Right": "40", "Bottom": "64"}.items():
        keys.to(side).type(value)
    keys.to("Mark rectangle").press(Keys.ENTER)
    page.until(lambda: "Nothing" not in page.text(".mask-field [role=status]"))
    keys.to("Run").press(Keys.ENTER)
    page.until(lambda: len(page.all("#results .card")) == 2)
    page.ended()
    changed = np.any(pixels(page.pictures()[0]) != pixels(original), axis=-1)
    assert changed[16:64, 8:40].any()
    changed[16:64, 8:40] = False
    assert not changed.any()
    keys.to("Request").press(Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element.text == "Python"
    assert "model.inpaint(" in page.text("#request pre")


class Keyboard:
    """Keys, and where the focus is."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> Keyboard:
        ActionChains(self.page.browser).send_keys(*keys).perform()
        return self

    def type(self, text: str) -> Keyboard:
        ActionChains(self.page.browser).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(text).perform()
        return self

    def to(self, name: str) -> Keyboard:
        """Press the tab key until something of this name has the focus; it can be seen there."""
        seen = []
        for _ in range(200):
            focused = self.page.browser.switch_to.active_element
            found = focused.accessible_name if focused.tag_name != "summary" else focused.text
            seen.append(found)
            if found == name or found.startswith(f"{name}: "):
                assert self.page.js("return document.activeElement.checkVisibility()")
                return self
            self.press(Keys.TAB)
        raise AssertionError(f"no way to {name} with the tab key, only to {list(dict.fromkeys(seen))}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible(page, axe, tmp_path, scheme, width):
    page.resize(width, 900)
    page.scheme(scheme)
    page.js(axe)
    generate(page, size="64")
    assert not violations(page)
    page.click("Compare", "#results")
    page.click("Edit", "#results")
    mark(page, 5, 5, 30, 30)
    page.fill("Size: width" if page.all('[aria-label="Size: width"]') else "Seed", "-4")
    page.js("for (const one of document.querySelectorAll('details')) one.open = true")
    page.settle()
    assert not violations(page)
    page.model("stranger (legacy)")
    page.choose("Generate")
    page.click("Weighted parts…")
    page.unfold(".advanced")
    page.click("Account", "#request")
    page.settle()
    assert not violations(page)
    assert page.js("return document.documentElement.scrollWidth <= window.innerWidth")


def violations(page: Page) -> list[str]:
    script = """const done = arguments[0];
        axe.run(document, {resultTypes: ['violations']}).then(found => done(found.violations.map(
            one => `${one.id}: ${one.nodes.map(node => node.html + ' ' + node.failureSummary).join(' | ')}`)))"""
    return page.browser.execute_async_script(script)


def test_without_the_key_the_page_says_where_to_find_it(browser, playground):
    browser.get("about:blank")
    browser.get(playground.url.partition("#")[0])
    lost = Page(browser, playground)
    lost.until(lambda: "limner playground" in lost.text("#form [role=alert]"))
    browser.get_log("browser")


def test_the_server_writes_no_prompt_into_its_log(playground):
    assert "fox" not in playground.log.read_text()
