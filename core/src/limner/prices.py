"""Prices: what providers document, as dated data beside the limits, and what a task costs by them."""

from __future__ import annotations

import datetime
import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from limner.errors import Problem, TaskRefused, did_you_mean, shorten
from limner.fitting import canvas_size
from limner.options import Options
from limner.tasks import TASKS, Inpaint, Outpaint, Task

if TYPE_CHECKING:
    from limner.images import Size
    from limner.interface import ModelInterface
    from limner.limits import TaskLimits

PRICES_VARIABLE = "LIMNER_PRICES"
"""The environment variable that names the user's own price file."""

Unit = Literal["picture", "megapixel", "call"]
UNITS: tuple[Unit, ...] = ("picture", "megapixel", "call")

MEGAPIXEL = 1_000_000

_MOST_BYTES = 10_000_000
_LARGEST = 1_000_000
_PLACES = 12


def _amount(value: Decimal | float | str) -> Decimal:
    """Read an amount as it is written: 0.04 is 0.04, not its binary neighbour."""
    try:
        amount = Decimal(value if isinstance(value, str | Decimal) else repr(value))
    except InvalidOperation:
        raise ValueError(f"must be a number, such as 0.04, not {shorten(value)}") from None
    if not amount.is_finite() or not 0 <= amount <= _LARGEST or amount != round(amount, _PLACES):
        allowed = f"a number of 0 to {_LARGEST:,} with at most {_PLACES} decimal places"
        raise ValueError(f"must be {allowed}, not {shorten(value)}")
    return amount


def _check_currency(_: object, __: object, value: str) -> None:
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise ValueError(f"must be a currency code, such as USD, not {shorten(value)}")


def _check_unit(_: object, __: object, value: str) -> None:
    if value not in UNITS:
        raise ValueError(f"must be one of {', '.join(UNITS)}, not {shorten(value)}")


def _check_date(_: object, __: object, value: datetime.date) -> None:
    if type(value) is not datetime.date:
        raise ValueError(f"must be a date, not {shorten(value)}")


def _check_source(_: object, __: object, value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must name the document that states the price; without a source there is no price")


@attrs.frozen
class Price:
    """One documented price.

    Args:
        amount: the price of one unit, as a number or a string such as ``"0.04"``.
        currency: ISO 4217 code.
        per: the unit: ``picture``, ``megapixel`` (1,000,000 pixels) of each generated picture, or ``call``.
        when: conditions: values of parameters, or of options as ``options.NAME``, such as
            ``{"size": (1024, 1024), "options.quality": "high"}``. Empty: the price applies if no other does.
        as_of: the date of the source.
        source: the provider's document that states the price.

    Raises:
        ValueError: a value is invalid.
        TaskRefused: ``when`` contains values that are not JSON.
    """

    amount: Decimal = attrs.field(converter=_amount)
    currency: str = attrs.field(default="USD", validator=_check_currency)
    per: Unit = attrs.field(default="picture", validator=_check_unit)
    when: Mapping[str, Any] = attrs.field(factory=Options, converter=Options)
    as_of: datetime.date = attrs.field(kw_only=True, validator=_check_date)
    source: str = attrs.field(kw_only=True, validator=_check_source)

    def __str__(self) -> str:
        conditions = " and ".join(f"{name} is {_in_words(value)}" for name, value in self.when.items())
        return f"{_plain(self.amount)} {self.currency} per {self.per}" + (f" when {conditions}" if conditions else "")


@attrs.frozen
class Cost:
    """The estimated cost of a task.

    Attributes:
        low: the lowest possible cost.
        high: the highest possible cost; equal to ``low`` unless the price depends on a choice of the provider.
        currency: ISO 4217 code.
    """

    low: Decimal
    high: Decimal
    currency: str = "USD"

    def __str__(self) -> str:
        low, high = _plain(self.low), _plain(self.high)
        return f"{low} {self.currency}" if low == high else f"{low} to {high} {self.currency}"


def prices_for(model: type[ModelInterface], task: type[Task]) -> tuple[Price, ...]:
    """Return the prices of a model's task: those of the user's own file, else those that the plugin declares.

    Raises:
        TaskRefused: the user's price file cannot be read, or is wrong.
    """
    every = own_prices()
    own = next((every[name, task.kind] for name in (model.id, *model.ids) if (name, task.kind) in every), None)
    if own is None:
        return tuple(model.prices.get(task, ()))
    limits = model.limits_of(task)
    for name in _unknown_conditions(own, limits):
        known = did_you_mean(name, limits.flattened()) or "see 'limner show'"
        wrong = f"{model.id}: {task.kind}: a price depends on {shorten(name)}, which the model does not have; {known}"
        raise TaskRefused([Problem(PRICES_VARIABLE, os.environ.get(PRICES_VARIABLE, ""), wrong)])
    return own


def cost(model: type[ModelInterface], task: Task) -> Cost | None:
    """Work out what a task that keeps the model's limits costs; ``None`` where that is unknown.

    Raises:
        TaskRefused: the user's price file cannot be read, or is wrong.
    """
    limits = model.limits_of(type(task))
    size = _output_size(task, limits)
    prices = _applying(prices_for(model, type(task)), task, size)
    amounts = [_total(price, task, limits, size) for price in prices]
    known = [amount for amount in amounts if amount is not None]
    if not known or len(known) < len(amounts) or len({price.currency for price in prices}) > 1:
        return None
    return Cost(min(known), max(known), prices[0].currency)


def wrong_prices(model: type[ModelInterface]) -> str | None:
    """Say what is wrong with the prices that a model class declares."""
    if not isinstance(model.prices, Mapping):
        return f"has prices that are no mapping of tasks to prices: {shorten(model.prices)}"
    for task, prices in model.prices.items():
        limits = model.limits.get(task)
        if limits is None:
            return f"has prices of {shorten(task)}, which is none of its tasks"
        if not isinstance(prices, list | tuple) or not all(isinstance(price, Price) for price in prices):
            return f"has prices of {task.kind} that are no tuple of Price"
        for name in _unknown_conditions(prices, limits):
            return f"has a price of {task.kind} that depends on {shorten(name)}, which is not in the limits"
    return None


# ---------------------------------------------------------------------------------------------- which prices apply


def _applying(prices: Sequence[Price], task: Task, size: Size | None) -> list[Price]:
    """Return the prices that may apply: of those that surely do only the most specific, of the others those as specific."""
    matches = [(price, _match(price, task, size)) for price in prices]
    certain = [price for price, match in matches if match is True]
    most = max((len(price.when) for price in certain), default=0)
    applying = [price for price, match in matches if match is not False and len(price.when) >= most]
    if not certain and len(applying) == 1:  # what it costs otherwise is not known
        return []
    return applying


def _match(price: Price, task: Task, size: Size | None) -> bool | None:
    """Tell whether a price is for the task; ``None`` where that depends on what is left to the provider."""
    given = [(wanted, _value(name, task, size)) for name, wanted in price.when.items()]
    if any(value is not None and value != wanted for wanted, value in given):
        return False
    return None if any(value is None for _, value in given) else True


def _value(name: str, task: Task, size: Size | None) -> Any:
    if name == "size":
        return size
    if name.startswith("options."):
        return task.options.get(name.removeprefix("options."))
    return getattr(task, name, None)


def _output_size(task: Task, limits: TaskLimits) -> Size | None:
    """The size in pixels of the pictures that the provider makes, where it is known."""
    size: Size | None = getattr(task, "size", None)
    if size is None and limits.own_size and isinstance(task, Inpaint | Outpaint):
        return canvas_size(task.image.size, getattr(task, "expand", None) or (0, 0, 0, 0))
    return size


def _total(price: Price, task: Task, limits: TaskLimits, size: Size | None) -> Decimal | None:
    n = getattr(task, "n", None) or 1
    match price.per:
        case "picture":
            return price.amount * n
        case "call":
            return price.amount * -(-n // limits.per_call)
        case "megapixel":
            return None if size is None else price.amount * n * size[0] * size[1] / MEGAPIXEL


def _unknown_conditions(prices: Iterable[Price], limits: TaskLimits) -> list[str]:
    known = {*limits.flattened(), *(["size"] if limits.own_size else [])}
    return [name for price in prices for name in price.when if name not in known]


# ---------------------------------------------------------------------------------------------- the user's own file


def own_prices() -> Mapping[tuple[str, str], tuple[Price, ...]]:
    """Return the prices of the user's own file by model id and kind of task; empty where there is none.

    Raises:
        TaskRefused: the file cannot be read, or is wrong; with every problem at once.
    """
    path = os.environ.get(PRICES_VARIABLE)
    if not path:
        return {}
    try:
        state = Path(path).stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise TaskRefused([Problem(PRICES_VARIABLE, path, f"cannot be read: {error.strerror or error}")]) from error


@functools.lru_cache(maxsize=1)
def _read(path: str, _changed: int, size: int) -> Mapping[tuple[str, str], tuple[Price, ...]]:
    """Read the file; once for each state of it."""
    if size > _MOST_BYTES:
        raise TaskRefused([Problem(PRICES_VARIABLE, path, f"must have at most {_MOST_BYTES:,} bytes, has {size:,}")])
    try:
        document = json.loads(Path(path).read_bytes(), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise TaskRefused([Problem(PRICES_VARIABLE, path, f"is not JSON: {error}")]) from error
    reading = _Reading()
    found = reading.file(document)
    if reading.problems:
        raise TaskRefused(Problem(PRICES_VARIABLE, path, problem) for problem in reading.problems)
    return found


class _Reading:
    """Reads a price file and gathers what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def file(self, document: Any) -> dict[tuple[str, str], tuple[Price, ...]]:
        models = self._items("the file", document, "an object of model ids")
        return {
            (model, kind): tuple(self._prices(f"{model}: {kind}", entries))
            for model, tasks in models
            for kind, entries in self._items(model, tasks, "an object of tasks")
            if self._is_task(model, kind)
        }

    def _items(self, where: str, document: Any, what: str) -> Iterable[tuple[str, Any]]:
        if isinstance(document, dict):
            return document.items()
        self.problems.append(f"{where} must be {what}, not {shorten(document)}")
        return ()

    def _is_task(self, model: str, kind: str) -> bool:
        if kind not in TASKS:
            self.problems.append(f"{model}: there is no task {shorten(kind)}; {_near(kind, TASKS)}")
        return kind in TASKS

    def _prices(self, where: str, entries: Any) -> Iterable[Price]:
        if not isinstance(entries, list):
            self.problems.append(f"{where} must be a list of prices, not {shorten(entries)}")
            return
        for position, entry in enumerate(entries):
            price = self._price(f"{where}[{position}]", entry)
            if price is not None:
                yield price

    def _price(self, where: str, entry: Any) -> Price | None:
        if not isinstance(entry, dict):
            self.problems.append(f"{where} must be an object, not {shorten(entry)}")
            return None
        fields = attrs.fields_dict(Price)
        wrong = [f"there is no {shorten(name)}; {_near(name, fields)}" for name in entry if name not in fields]
        wrong += [f"{name} is missing" for name in ("amount", "as_of", "source") if name not in entry]
        values: dict[str, Any] = {}
        for name in [name for name in fields if name in entry]:
            try:
                values[name] = _READERS.get(name, lambda value: value)(entry[name])
                Price(**{**_RIGHT, name: values[name]})
            except TaskRefused as refused:
                wrong.append(f"{name} {refused.problems[0].limit}")
            except (TypeError, ValueError) as error:
                wrong.append(f"{name} {error}")
        self.problems += [f"{where}: {problem}" for problem in wrong]
        return None if wrong else Price(**values)


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(name, known) or f"there are {', '.join(known)}"


def _date(value: Any) -> datetime.date:
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"must be a date, such as 2026-11-21, not {shorten(value)}") from None


def _plain_numbers(value: Any) -> Any:
    """Turn the decimal numbers of conditions into those that tasks hold."""
    match value:
        case Decimal():
            return float(value)
        case list():
            return [_plain_numbers(item) for item in value]
        case dict():
            return {name: _plain_numbers(item) for name, item in value.items()}
    return value


_READERS: Mapping[str, Any] = {"as_of": _date, "when": _plain_numbers}
_RIGHT: Mapping[str, Any] = {"amount": 1, "as_of": datetime.date.min, "source": "-"}
"""What is right, to tell which of a price's fields is wrong."""


def _plain(amount: Decimal) -> str:
    """Write an amount without an exponent, to six places where that still says what it is."""
    rounded = round(amount, 6)
    return f"{(rounded if rounded or not amount else amount).normalize():f}"


def _in_words(value: Any) -> str:
    match value:
        case (int(width), int(height)):
            return f"{width}x{height}"
        case str():
            return value
    return shorten(value)
