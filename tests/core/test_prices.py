"""Prices: which apply, what a task costs by them, and the user's own price file."""

from __future__ import annotations

import datetime
import json
import os
import pickle
from decimal import Decimal

import attrs
import limner
import pytest
from hypothesis import given
from hypothesis import strategies as st
from limner import Cost, Generate, Inpaint, Mask, Price, TaskRefused
from limner.plugins import registry

from .fakes import LIMITS, Fake, png, registered

DAY = datetime.date(2026, 11, 21)


@pytest.fixture(autouse=True)
def no_file(monkeypatch):
    monkeypatch.delenv("LIMNER_PRICES", raising=False)


def price(amount="0.04", per="picture", currency="USD", **when):
    return Price(amount, currency, per, when=when, as_of=DAY, source="a price list")


def model(*prices, task=Generate, **attributes):
    return type("Priced", (Fake,), {"prices": {task: prices}, **attributes})()


def cost_of(*prices, **said):
    return model(*prices).plan(Generate(prompt="a fox", **said)).cost


# ---------------------------------------------------------------------------------------------- one price


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"amount": -1}, "at least|of 0 to"),
        ({"amount": "nan"}, "of 0 to"),
        ({"amount": "1e9999999"}, "of 0 to"),
        ({"amount": "1e-9999999"}, "decimal places"),
        ({"amount": True}, "a number"),
        ({"amount": None}, "a number"),
        ({"amount": "four cents"}, "four cents"),
        ({"currency": "dollars"}, "currency code"),
        ({"per": "pixel"}, "picture, megapixel, call"),
        ({"as_of": "2026-11-21"}, "a date"),
        ({"as_of": datetime.datetime(2026, 11, 21)}, "a date"),  # noqa: DTZ001
        ({"source": " "}, "without a source there is no price"),
        ({"when": {"size": object()}}, "JSON"),
    ],
)
def test_a_price_says_all_that_makes_it_one(wrong, named):
    right = {"amount": "0.04", "as_of": DAY, "source": "a price list"}
    Price(**right)
    with pytest.raises(ValueError, match=named):
        Price(**(right | wrong))
    for name in ("as_of", "source"):
        with pytest.raises(TypeError, match=name):
            Price(**{key: value for key, value in right.items() if key != name})


def test_a_price_is_a_value():
    one, same = price(0.04, quality="high", size=[8, 9]), price("0.04", quality="high", size=(8, 9))
    assert one == same == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(same)
    assert one.amount == Decimal("0.04")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.amount = 1
    assert str(one) == "0.04 USD per picture when quality is high and size is 8x9"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("0.04", "0.04", "0.04 USD"),
        ("0.02", "0.080", "0.02 to 0.08 USD"),
        ("10", "100", "10 to 100 USD"),
        ("0.0000001", "0.0000001", "0.0000001 USD"),
        ("0", "0", "0 USD"),
        ("0.03145728", "0.03145728", "0.031457 USD"),
    ],
)
def test_a_cost_reads_well(low, high, said):
    assert str(Cost(Decimal(low), Decimal(high))) == said


# ---------------------------------------------------------------------------------------------- which prices apply


def test_no_price_is_unknown_and_not_nothing():
    assert cost_of() is None
    assert model(price(), task=Inpaint).plan(Generate(prompt="a fox")).cost is None


def test_pictures_calls_and_megapixels():
    assert str(cost_of(price(), n=5)) == "0.2 USD"
    assert str(cost_of(price(per="call"), n=5)) == "0.12 USD"  # two in a call
    assert str(cost_of(price(1, per="megapixel"), n=2, size=(96, 64))) == "0.012288 USD"


def test_megapixels_need_a_size():
    sizeless = {Generate: attrs.evolve(LIMITS[Generate], parameters={**LIMITS[Generate].parameters})}
    del sizeless[Generate].parameters["size"]
    painter = model(price(1, per="megapixel"), limits=sizeless)
    assert painter.plan(Generate(prompt="a fox")).cost is None


def test_an_edit_that_keeps_its_size_has_one():
    own = {Inpaint: attrs.evolve(LIMITS[Inpaint], own_size="the reference")}
    painter = model(price(1, per="megapixel"), price(9, size=(8, 8)), task=Inpaint, limits=own)
    task = Inpaint(image=png((40, 32)), prompt="a fox", mask=Mask.box((0, 0, 8, 8), size=(40, 32)))
    assert str(painter.plan(task).cost) == "0.00128 USD"
    assert model(price(1, per="megapixel"), task=Inpaint).plan(task).cost is None


def test_conditions_on_what_is_said_or_filled_in():
    standard, premium = price("0.02", **{"options.quality": "standard"}), price("0.08", **{"options.quality": "premium"})
    assert str(cost_of(standard, premium)) == "0.02 USD"  # limner fills in the default
    assert str(cost_of(standard, premium, options={"quality": "premium"})) == "0.08 USD"
    assert cost_of(premium) is None
    assert str(cost_of(price("0.01", size=(32, 32)), price("0.02", size=(64, 64)))) == "0.02 USD"


def test_what_is_left_to_the_provider_makes_a_range():
    anime, lines = price("0.02", **{"options.style": "anime"}), price("0.08", **{"options.style": "line-art"})
    assert cost_of(anime, lines, n=2) == Cost(Decimal("0.04"), Decimal("0.16"))
    assert str(cost_of(anime, lines)) == "0.02 to 0.08 USD"
    assert str(cost_of(anime, lines, options={"style": "anime"})) == "0.02 USD"
    assert cost_of(anime) is None  # and what does any other style cost?


def test_the_most_specific_price_counts():
    general, anime = price("0.02"), price("0.08", **{"options.style": "anime"})
    assert str(cost_of(general, anime, options={"style": "anime"})) == "0.08 USD"
    assert str(cost_of(general, anime, options={"style": "line-art"})) == "0.02 USD"
    assert str(cost_of(general, anime)) == "0.02 to 0.08 USD"


def test_two_currencies_are_no_range():
    assert cost_of(price(), price(currency="EUR")) is None


# ---------------------------------------------------------------------------------------------- properties

AMOUNTS = st.decimals("0.000001", 100, places=6)
UNITS = st.sampled_from(["picture", "megapixel", "call"])
STYLES = st.sampled_from([{}, {"options.style": "anime"}, {"options.style": "line-art"}, {"steps": 20}])
PRICES = st.lists(st.builds(lambda amount, per, when: price(amount, per, **when), AMOUNTS, UNITS, STYLES), max_size=4)
SAID = st.fixed_dictionaries(
    {}, optional={"steps": st.sampled_from([10, 20]), "options": st.sampled_from([{"style": "anime"}, {}])}
)


@given(PRICES, SAID, st.integers(1, 19))
def test_cost_is_known_or_not_whatever_n_grows_with_it_and_is_never_nothing(prices, said, n):
    less, more = cost_of(*prices, **said, n=n), cost_of(*prices, **said, n=n + 1)
    assert (less is None) == (more is None)
    if less is not None:
        assert 0 < less.low <= less.high
        assert less.low <= more.low
        assert less.high <= more.high
        assert not str(less).startswith("0 ")


@given(st.lists(STYLES, max_size=4), SAID)
def test_a_range_is_within_the_prices(styles, said):
    prices = [price(position + 1, **when) for position, when in enumerate(styles)]
    found = cost_of(*prices, **said)
    assert found is None or {found.low, found.high} <= {one.amount for one in prices}


# ---------------------------------------------------------------------------------------------- what plugins declare


@pytest.mark.parametrize(
    ("prices", "named"),
    [
        ([], "no mapping"),
        ({Generate: (0.04,)}, "no tuple of Price"),
        ({Generate: price()}, "no tuple of Price"),
        ({"generate": (price(),)}, "none of its tasks"),
        ({Generate: (price(quality="high"),)}, "depends on 'quality', which is not in the limits"),
    ],
)
def test_wrong_prices_break_their_plugin_alone(prices, named):
    class Plugin:
        @staticmethod
        @limner.hookimpl
        def limner_models():
            return [type("Priced", (Fake,), {"prices": prices})]

    with registered(Plugin) as broken:
        assert named in broken[0]


@pytest.mark.parametrize("found", limner.models(), ids=lambda found: found.id)
def test_first_party_prices_have_a_day_and_a_source(found):
    for kind, prices in found.prices.items():
        assert kind in found.limits
        assert all(one.source and one.as_of <= datetime.datetime.now(datetime.UTC).date() for one in prices)


# ---------------------------------------------------------------------------------------------- the user's own file

ENTRY = {"amount": 0.01, "as_of": "2026-11-01", "source": "our contract"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    def write(document):
        path = tmp_path / "prices.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        monkeypatch.setenv("LIMNER_PRICES", str(path))
        return path

    return write


def test_a_users_own_prices_override(write):
    task = Generate(prompt="a fox", n=2)
    write({"fake.painter-1": {"generate": [ENTRY | {"per": "call", "currency": "EUR", "when": {"size": [64, 64]}}]}})
    assert str(model(price()).plan(task).cost) == "0.01 EUR"
    path = write({"fake.painter-1": {"generate": []}, "not.installed": {"vary": [ENTRY]}})
    assert model(price()).plan(task).cost is None
    path.write_text(json.dumps({"fake.painter-1": {"inpaint": [ENTRY]}}))
    os.utime(path, ns=(1, 1))
    assert str(model(price()).plan(task).cost) == "0.08 USD"


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ([], "must be an object of model ids"),
        ({"m": []}, "m must be an object of tasks"),
        ({"m": {"generat": []}}, "did you mean generate?"),
        ({"m": {"generate": {}}}, "m: generate must be a list of prices"),
        ({"m": {"generate": [3]}}, "m: generate[0] must be an object"),
        ({"m": {"generate": [{}]}}, "m: generate[0]: as_of is missing"),
        ({"m": {"generate": [ENTRY, {**ENTRY, "amout": 1}]}}, "m: generate[1]: there is no 'amout'; did you mean amount?"),
        ({"m": {"generate": [ENTRY | {"amount": -1}]}}, "amount must be a number of 0"),
        ({"m": {"generate": [ENTRY | {"per": "pixel"}]}}, "per must be one of picture"),
        ({"m": {"generate": [ENTRY | {"as_of": "yesterday"}]}}, "as_of must be a date, such as 2026-11-21"),
        ({"m": {"generate": [ENTRY | {"source": 3}]}}, "source must name the document"),
        ({"m": {"generate": [ENTRY | {"when": 3}]}}, "when must be a mapping"),
        ({"fake.painter-1": {"generate": [ENTRY | {"when": {"quality": "high"}}]}}, "did you mean options.quality?"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 99 else "",
)
def test_what_is_wrong_in_the_file_is_one_clear_error(write, document, named):
    path = write(document)
    with pytest.raises(TaskRefused) as refused:
        model().plan(Generate(prompt="a fox"))
    assert named in str(refused.value)
    assert f"LIMNER_PRICES={path}" in str(refused.value)


def test_every_problem_of_the_file_at_once(write):
    write({"m": {"generate": [{"amount": -1, "per": "x"}], "paint": []}})
    with pytest.raises(TaskRefused) as refused:
        model().plan(Generate(prompt="a fox"))
    assert len(refused.value.problems) == 5


def test_a_file_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMNER_PRICES", str(tmp_path / "none.json"))
    with pytest.raises(TaskRefused, match="cannot be read: No such file"):
        model().plan(Generate(prompt="a fox"))
    monkeypatch.setenv("LIMNER_PRICES", str(tmp_path))
    with pytest.raises(TaskRefused, match="cannot be read: Is a directory"):
        model().plan(Generate(prompt="a fox"))


def test_a_wrong_file_never_costs_a_picture(write):
    write("{")
    assert model().run(Generate(prompt="a fox")).image


def test_the_router_of_stability_costs_what_its_service_does(write):
    write({"stability.stable-image-core-v1:1": {"generate": [ENTRY]}})
    router = limner.get_model("stability")
    plan = router.plan(Generate(prompt="a fox", n=3))
    assert str(plan.cost) == str(router.cost_of(plan.task)) == "0.03 USD"
    assert router.plan(Generate(prompt="a fox", options={"service": "ultra"})).cost is None


@pytest.mark.parametrize("name", ["us.stability.stable-image-erase-object-v1:0", "stability.stable-image-erase-object-v1:0"])
def test_a_model_is_priced_by_any_of_its_ids(write, name):
    write({name: {"inpaint": [ENTRY]}})
    task = Inpaint(image=png((64, 64)), mask=Mask.box((0, 0, 8, 8), size=(64, 64)))
    assert str(limner.get_model("stability-erase-object").plan(task).cost) == "0.01 USD"


def test_every_model_says_whose_it_is():
    for found, _ in registry().models():
        assert found.provider, found
        if found.plugin.startswith("bedrock"):
            assert found.provider == "aws.bedrock"
