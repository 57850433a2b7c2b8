"""What things cost, as show, --dry-run and compare say it."""

from __future__ import annotations

import datetime
import json
import re
from typing import ClassVar

import limner as package
import pytest
from limner import Generate, Price

from ..fakes import Fake, registered

SOURCE = "Fake price list"


class Priced(Fake):
    id = "fake.priced-1"
    aliases = ("priced",)
    prices: ClassVar = {
        Generate: tuple(
            Price(amount, when={"options.style": style}, as_of=datetime.date(2026, 11, 21), source=SOURCE)
            for amount, style in (("0.02", "anime"), ("0.08", "line-art"))
        )
    }


@pytest.fixture(autouse=True)
def _plugin(monkeypatch):
    class Plugin:
        @staticmethod
        @package.hookimpl
        def limner_models():
            return [Fake, Priced]

    monkeypatch.delenv("LIMNER_PRICES", raising=False)
    with registered(Plugin):
        yield


def test_show_lists_prices_with_day_and_source(limner):
    line = next(line for line in limner("show", "priced").stdout.splitlines() if "anime" in line and "USD" in line)
    assert line.split("  ")[0] == "generate"
    assert "0.02 USD per picture when options.style is anime" in line
    assert "2026-11-21" in line
    assert SOURCE in " ".join(limner("show", "priced", "--sources").stdout.split())
    document = json.loads(limner("show", "priced", "--json").stdout)
    assert document["prices"]["generate"][1] == {
        "amount": 0.08,
        "currency": "USD",
        "per": "picture",
        "when": {"options.style": "line-art"},
        "as_of": "2026-11-21",
        "source": SOURCE,
    }
    assert "price" not in limner("show", "fake").stdout
    assert json.loads(limner("show", "fake", "--json").stdout)["prices"] == {}


def test_a_dry_run_says_the_cost(limner):
    words = ("generate", "a fox", "-n", "3", "--dry-run", "-m")
    assert json.loads(limner(*words, "priced").stdout)["cost"] == {"low": 0.06, "high": 0.24, "currency": "USD"}
    assert json.loads(limner(*words, "fake").stdout)["cost"] is None


def test_compare_says_the_cost_and_what_is_unknown(limner, workplace):
    done = limner("compare", "a fox", "-m", "priced", "-m", "fake", "-o", "sheet.html")
    assert re.search(r"priced: \d+\.\d s, cost: 0.02 to 0.08 USD", done.stderr)
    assert re.search(r"fake: \d+\.\d s, cost: unknown", done.stderr)
    assert "cost: 0.02 to 0.08 USD" in (workplace / "sheet.html").read_text()


def test_a_wrong_price_file_is_said_before_anything_is_paid_for(limner, workplace, monkeypatch):
    (workplace / "prices.json").write_text("{")
    monkeypatch.setenv("LIMNER_PRICES", "prices.json")
    done = limner("compare", "a fox", "-m", "priced", "-o", "sheet.png")
    assert (done.exit_code, "is not JSON" in done.stderr) == (2, True)
    assert not (workplace / "sheet.png").exists()
    done = limner("generate", "a fox", "-m", "priced", "--dry-run")
    assert (done.exit_code, "LIMNER_PRICES prices.json: is not JSON" in done.stderr) == (2, True)


def test_a_price_that_the_model_does_not_know_costs_no_picture(limner, workplace, monkeypatch):
    entry = {"amount": 1, "as_of": "2026-11-21", "source": "mine", "when": {"colour": "red"}}
    (workplace / "prices.json").write_text(json.dumps({Priced.id: {"generate": [entry]}}))
    monkeypatch.setenv("LIMNER_PRICES", "prices.json")
    done = limner("compare", "a fox", "-m", "priced", "-o", "sheet.html")
    assert done.exit_code == 0
    assert "cost: unknown; LIMNER_PRICES" in done.stderr
    assert "<img" in (workplace / "sheet.html").read_text()
