"""The page about the kit names every check, in the kit's order and the kit's words."""

from __future__ import annotations

from pathlib import Path

import attrs
from limner.testing import Conformance
from limner.testing import conformance as kit

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")


def test_the_headings_are_the_checks() -> None:
    headings = [line.removeprefix("### ").strip("`") for line in PAGE.splitlines() if line.startswith("### `")]
    assert headings == kit.__all__


def test_each_check_is_described_by_its_contract() -> None:
    for name in kit.__all__:
        contract = (getattr(kit, name).__doc__ or "").splitlines()[0]
        assert f"### `{name}`\n\n{contract}\n" in PAGE


def test_every_field_is_in_the_table() -> None:
    rows = [line.split("|")[1].strip().strip("`") for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == [field.name for field in attrs.fields(Conformance)]
