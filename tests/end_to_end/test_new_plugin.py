"""A plugin as its author gets it: written by the installed limner, installed, tested, and called over real HTTP."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import pytest
from PIL import Image, ImageOps

from .installing import install, run

KEY = {"EXAMPLE_API_KEY": "key-of-the-tests"}

pytestmark = pytest.mark.xdist_group("installed")


@attrs.frozen
class Author:
    """Who has just run ``limner new-plugin example``, and installed what it wrote."""

    programs: Path
    project: Path


@pytest.fixture(scope="module")
def author(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Author:
    desk = tmp_path_factory.mktemp("desk")
    programs = install(desk / "venv", wheels, "limner")
    done = run(programs, "limner", "new-plugin", "example", cwd=desk)
    assert (done.returncode, done.stdout) == (0, "limner-example\n"), done.stderr
    install(desk / "venv", wheels, f"limner-example[test] @ {(desk / 'limner-example').as_uri()}")
    return Author(programs, desk / "limner-example")


class Painter(BaseHTTPRequestHandler):
    """The API of the plugin's README; it paints opposite colours, and what ``keep_mask`` has white stays."""

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY['EXAMPLE_API_KEY']}":
            self.answer(401, {"error": {"code": "wrong_key", "message": f"not {self.headers['Authorization']}"}})
        elif "forbidden" in order["text"]:
            self.answer(422, {"error": {"code": "content_blocked", "message": "not this"}})
        else:
            picture = {"status": "ok", "picture": self.painted(order)}
            self.answer(200, {"pictures": [picture] * order["count"]})

    def painted(self, order: dict[str, object]) -> str:
        if order["operation"] == "create":
            painted = Image.new("RGB", (order["width"], order["height"]), "teal")
        else:
            before, keep = (Image.open(io.BytesIO(base64.b64decode(order[name]))) for name in ("picture", "keep_mask"))
            painted = Image.composite(before, ImageOps.invert(before), keep.convert("L"))
        buffer = io.BytesIO()
        painted.save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode()

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-request-id", "request-7")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Painter) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def type_checker(author: Author) -> Iterator[subprocess.Popen[str]]:
    """The workspace's mypy with the author's environment; it takes its time while the plugin's own tests run."""
    words = ["-m", "mypy", "--cache-dir", os.devnull, "--python-executable", author.programs / "python"]
    with subprocess.Popen([sys.executable, *words], cwd=author.project, stdout=subprocess.PIPE, text=True) as process:
        yield process


@pytest.mark.usefixtures("type_checker")
def test_its_own_tests_pass(author: Author) -> None:
    done = run(author.programs, "python", "-m", "pytest", "-q", "-rs", cwd=author.project)
    assert done.returncode == 0, done.stdout
    assert "26 skipped" in done.stdout, done.stdout  # what the made-up API has not, and what wants an endpoint
    assert "the model has no edit by expand" in done.stdout


def test_the_type_checker_finds_nothing(type_checker: subprocess.Popen[str]) -> None:
    found, _ = type_checker.communicate()
    assert type_checker.returncode == 0, found


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids=" ".join)
def test_the_linter_finds_nothing(author: Author, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "ruff", *words]
    done = subprocess.run(command, cwd=author.project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_limner_finds_it(author: Author) -> None:
    (plugin,) = json.loads(run(author.programs, "limner", "plugins", "--json").stdout)["plugins"]
    assert plugin["distribution"] == "limner-example 0.1.0"
    assert plugin["models"] == ["example.painter-1"]
    assert plugin["broken"] == ""
    assert plugin["remarks"] == []
    shown = run(author.programs, "limner", "doctor", "example")
    assert shown.returncode == 1
    assert "set EXAMPLE_API_KEY" in shown.stdout
    assert run(author.programs, "limner", "doctor", "example", environment=KEY).returncode == 0


CALL = """
import asyncio, sys
import limner
url, house = sys.argv[1:]
model = limner.get_model("example", endpoint_url=url)
result = model.generate("a fox", size=(320, 256), n=6, seed=7)
assert [picture.size for picture in result.images] == [(320, 256)] * 6
assert result.request_ids == ("request-7",) * 2
assert asyncio.run(model.agenerate("a fox", size=(256, 256))).image.size == (256, 256)
mask = limner.Mask.box((0, 0, 32, 64), size=(64, 64))
door = model.inpaint(house, "a door", mask=mask, preserve=False).image.pil()
assert door.getpixel((0, 0)) == (255, 255, 255) and door.getpixel((63, 63)) == (0, 0, 0), "the mask is not turned"
for prompt, settings, error in [
    ("something forbidden", {}, limner.ContentFiltered),
    ("a fox", {"api_key": "wrong-key-7"}, limner.AuthenticationFailed),
    ("a fox", {"endpoint_url": "http://127.0.0.1:9"}, limner.ProviderUnavailable),
]:
    try:
        model.with_settings(**settings).generate(prompt)
    except error as caught:
        assert "wrong-key-7" not in str(caught), caught
    else:
        raise SystemExit(f"{error.__name__} was not raised")
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    Image.new("RGB", (64, 64), "black").save(tmp_path / "house.png")
    return tmp_path / "house.png"


def test_called_by_python(author: Author, endpoint: str, house: Path) -> None:
    done = run(author.programs, "python", "-W", "error", "-c", CALL, endpoint, house, environment=KEY)
    assert done.returncode == 0, done.stderr


def test_called_by_command_line(author: Author, endpoint: str, house: Path) -> None:
    def limner(*words: str | Path) -> subprocess.CompletedProcess[str]:
        settings = ("-S", f"endpoint_url={endpoint}")
        return run(author.programs, "limner", *words, *settings, cwd=house.parent, environment=KEY)

    done = limner("generate", "a fox", "--size", "256x256", "-n", "2", "-o", "fox.png")
    assert done.returncode == 0, done.stderr
    with Image.open(house.parent / "fox-2.png") as fox:
        assert fox.size == (256, 256)
    done = limner("inpaint", house, "a door", "--box", "0,0,32,64", "-o", "door.png")
    assert done.returncode == 0, done.stderr
    with Image.open(house.parent / "door.png") as door:
        assert (door.getpixel((0, 0)), door.getpixel((63, 63))) == ((255, 255, 255), (0, 0, 0))
    done = limner("generate", "something forbidden", "-o", "none.png")
    assert (done.returncode, done.stderr.count("\n")) == (1, 2)  # a line on the model that was taken, and the error
    assert "the API says not this (HTTP 422)" in done.stderr
    assert not (house.parent / "none.png").exists()
