"""A real browser, and the playground that it looks at: served by the command, as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import limner_bedrock_emulator
import pytest

from .page import Page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
    "--window-size=1440,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = "axe-core@4.14.1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@attrs.define
class Playground:
    """``limner playground``, in a process of its own."""

    desk: Path
    environment: dict[str, str]
    url: str = ""
    server: subprocess.Popen[str] | None = None

    @property
    def log(self) -> Path:
        return self.desk / "server.log"

    @property
    def stranger_log(self) -> Path:
        return self.desk / "stranger.log"

    def start(self, port: int = 0) -> None:
        words = [sys.executable, "-m", "limner", "playground", "--port", str(port)]
        with self.log.open("a") as stderr:
            self.server = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=stderr, text=True, env=self.environment, cwd=self.desk
            )
        assert self.server.stdout is not None
        self.url = self.server.stdout.readline().strip()
        assert "/playground/#key=" in self.url, self.log.read_text()

    def stop(self) -> None:
        assert self.server is not None
        assert self.server.stdout is not None
        self.server.terminate()
        self.server.wait(30)
        self.server.stdout.close()

    def restart(self) -> None:
        """At the same address, with the same key, and nothing in memory."""
        self.stop()
        self.start(urlsplit(self.url).port or 0)


@pytest.fixture(scope="module")
def emulator() -> Iterator[limner_bedrock_emulator.Emulator]:
    with limner_bedrock_emulator.serve(painter="invert") as running:
        yield running


@pytest.fixture(scope="module")
def playground(emulator: limner_bedrock_emulator.Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """The command as a user types it, with a stranger's plugin installed and Bedrock's endpoint at the emulator."""
    desk = tmp_path_factory.mktemp("playground")
    _install_stranger(desk / "site")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LIMNER_"))}
    environment = {
        **kept,
        **ENVIRONMENT,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url,
        "LIMNER_SERVER_KEY": "key-of-the-tests",
        "PYTHONPATH": str(desk / "site"),
        "STRANGER_LOG": str(desk / "stranger.log"),
    }
    running = Playground(desk, environment)
    running.start()
    yield running
    running.stop()


def _install_stranger(site: Path) -> None:
    """As pip would: a module, and metadata that names it in the group of limner's plugins."""
    metadata = site / "stranger-1.0.dist-info"
    metadata.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("stranger.py"), site / "stranger_plugin.py")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[limner]\nstranger = stranger_plugin\n")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("there is no Chromium with chromedriver here (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


@pytest.fixture
def page(browser: object, playground: Playground, emulator: limner_bedrock_emulator.Emulator) -> Iterator[Page]:
    """The page, freshly loaded, 1440 pixels wide. Afterwards: no error in its console, and nothing left loopback."""
    emulator.fail_with()
    emulator.clear()
    opened = Page(browser, playground)
    opened.open()
    yield opened
    assert not opened.errors()
    assert not opened.requests_beyond_loopback()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core: the file that AXE_CORE names, else of npm's package."""
    if "AXE_CORE" in os.environ:
        return Path(os.environ["AXE_CORE"]).read_text("utf-8")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here to install axe-core with, and AXE_CORE names no file")
    desk = tmp_path_factory.mktemp("npm")
    words = [npm, "install", "--prefix", str(desk), "--no-audit", "--no-fund", "--ignore-scripts", AXE]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd=desk)
    if done.returncode:
        pytest.skip(f"npm cannot install axe-core: {done.stderr[-300:]}")
    return (desk / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
