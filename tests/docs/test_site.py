"""The built documentation: every public name is in the reference, and every link leads somewhere."""

from __future__ import annotations

import importlib
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

pytestmark = pytest.mark.xdist_group("site")  # it is built once

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "limner",
    "limner.limits",
    "limner.testing",
    "limner.testing.strategies",
    "limner_http",
    "limner_bedrock",
    "limner_bedrock_emulator",
    "limner_fakes",
]
GENERATED = {"genindex.html", "py-modindex.html", "search.html"}
"""Pages of Sphinx's own. The index and the search are linked by the theme, the list of modules is not."""


class Page(HTMLParser):
    """The links, pictures and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := values.get(name)))
        self.links.extend(value for name in ("href", "src") if (value := values.get(name)))
        if tag == "img":
            self.pictures.append(values)


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path.resolve(): Page(path) for path in found}


@pytest.fixture(scope="module")
def inventory(site: Path) -> set[str]:
    """Every documented Python name."""
    with (site / "objects.inv").open("rb") as file:
        loaded = InventoryFile.load(file, "", lambda _, name: name)
    return {name for kind, names in loaded.items() if kind.startswith("py:") for name in names}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_reference(package: str, inventory: set[str]) -> None:
    names = {f"{package}.{name}" for name in importlib.import_module(package).__all__}
    assert names <= inventory, f"not in docs/reference: {sorted(names - inventory)}"


def test_the_hooks_and_constraints_are_in_the_reference(inventory: set[str]) -> None:
    from limner import hookspecs

    assert {f"limner.hookspecs.{name}" for name in vars(hookspecs) if name.startswith("limner_")} <= inventory


def target(page: Path, link: str) -> tuple[Path, str] | None:
    """The file and anchor that a link within the site leads to."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith("data:"):
        return None
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    return path, unquote(parts.fragment)


def test_every_link_leads_to_a_file_and_an_anchor(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            found = target(path, link)
            if found is None or link == "#":
                continue
            file, anchor = found
            if not file.exists() or (anchor and file in pages and anchor not in pages[file].anchors):
                broken.append(f"{path.name}: {link}")
    assert not broken


def test_every_page_is_reached_from_the_first(pages: dict[Path, Page], site: Path) -> None:
    reached: set[Path] = set()
    waiting = [(site / "index.html").resolve()]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in pages:
            continue
        reached.add(path)
        waiting += [found[0] for link in pages[path].links if (found := target(path, link))]
    assert {path.name for path in set(pages) - reached} <= GENERATED


def test_every_link_between_markdown_files_leads_to_a_file() -> None:
    """On a forge the sources are read as they are, without Sphinx."""
    broken = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            path = urlsplit(link).path
            if not urlsplit(link).scheme and path and not (page.parent / path).exists():
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert not broken


def test_every_picture_has_a_text_and_is_small(pages: dict[Path, Page]) -> None:
    shown = [picture for page in pages.values() for picture in page.pictures]
    assert shown
    assert all(picture.get("alt") for picture in shown)
    files = list((ROOT / "docs" / "images").rglob("*.jpg"))
    assert all(file.stat().st_size < 200_000 for file in files)


def test_every_picture_of_a_guide_is_made_by_its_code() -> None:
    for page in [ROOT / "docs" / "index.md", *(ROOT / "docs" / "guides").glob("*.md")]:
        text = page.read_text("utf-8")
        for name in re.findall(r"images/guides/([\w-]+)\.jpg", text):
            assert (ROOT / "docs" / "images" / "guides" / f"{name}.jpg").exists()
            assert f'"{name}.png"' in text or re.sub(r"-\d$", "-{number}.png", name) in text, (page.name, name)


ROLE = re.compile(r":(?:class|func|meth|attr|data|exc|obj):`~?([\w.]+)`")


def test_every_reference_in_a_docstring_leads_to_a_name(inventory: set[str]) -> None:
    """Sphinx checks the docstrings in the reference; this checks those of private modules too."""
    wrong = []
    for source in [*ROOT.glob("core/src/limner/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]:
        names = ROLE.findall(source.read_text("utf-8"))
        parts = source.with_suffix("").relative_to(next(parent for parent in source.parents if parent.name == "src")).parts
        module = importlib.import_module(".".join(parts).removesuffix(".__init__")) if names else sys
        wrong += [f"{source.relative_to(ROOT)}: {name}" for name in names if not leads(name, module, inventory)]
    assert not wrong


def leads(name: str, module: object, inventory: set[str]) -> bool:
    """Whether a name is documented, or is found from the module or one of its classes."""
    package = getattr(module, "__name__", "").partition(".")[0]
    if {name, f"{package}.{name}"} & inventory:
        return True
    first, _, rest = name.partition(".")
    owners = [module, *(value for value in vars(module).values() if isinstance(value, type))]
    for owner in owners:
        value = getattr(owner, first, None)
        if value is not None and (not rest or hasattr(value, rest)):
            return True
    try:
        home, _, last = name.rpartition(".")
        return bool(home) and hasattr(importlib.import_module(home), last)
    except ImportError:
        return False
