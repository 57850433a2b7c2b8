"""models --live: what the providers of the installed models have."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import attrs
import click

from limner.cli.errors import FAILED
from limner.cli.progress import run_in_thread
from limner.errors import LimnerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from limner.model import Model

_STATUS = {True: "ok", False: "FAIL", None: "note"}
_MAX_ASKED = 16


@attrs.frozen
class Listing:
    """What a provider answered.

    Attributes:
        provider: whose service it is.
        models: the installed models, and own aliases, that are called there.
        fine: whether it answered; ``None`` where there is nobody to ask, or no key.
        ids: the models that it has; ``None`` where that is not known.
        detail: why it is not known.
        known: of ``ids``, those of installed models, with the names of these.
    """

    provider: str
    models: tuple[str, ...]
    fine: bool | None
    ids: tuple[str, ...] | None = None
    detail: str = ""
    known: dict[str, str] = attrs.field(factory=dict)

    @property
    def text(self) -> str:
        """What people read: of a long list those that limner knows by name, if there are any."""
        if self.ids is None:
            return self.detail
        shown = [name if name == own else f"{name} ({own})" for name, own in self.known.items()] or self.ids
        others = len(self.ids) - len(shown)
        return ", ".join(shown) + (f"; and {others} others" if others else "") if self.ids else "none"


@attrs.define
class _Group:
    """Models of one provider with the same settings, so that one answer holds for all."""

    models: dict[str, Model]

    @property
    def first(self) -> Model:
        return next(iter(self.models.values()))

    def takes(self, model: Model) -> bool:
        return _way(model) == _way(self.first)


def _way(model: Model) -> tuple[Any, ...]:
    return _provider(model), type(model).available_ids, model.settings


def _provider(model: Model | type[Model]) -> str:
    return model.provider or model.plugin or model.id


def print_listings(models: Sequence[type[Model]], *, as_json: bool) -> None:
    """Ask the providers of models side by side, and print a row for each; exit with 1 if one fails."""
    from limner.cli.console import print_json
    from limner.cli.tables import print_table

    found = run_in_thread(lambda: _asked(models), "asking the providers")
    if as_json:
        unseen = attrs.filters.exclude("known")
        print_json([attrs.asdict(listing, filter=unseen) for listing in found])
    else:
        times = Counter(listing.provider for listing in found)
        rows = [(_STATUS[one.fine], _label(one, times), one.text) for one in found]
        print_table(("status", "provider", "models"), rows)
    if any(listing.fine is False for listing in found):
        click.get_current_context().exit(FAILED)


def _label(listing: Listing, times: Counter[str]) -> str:
    return listing.provider if times[listing.provider] == 1 else f"{listing.provider}: {', '.join(listing.models)}"


def _asked(models: Sequence[type[Model]]) -> list[Listing]:
    groups, broken = _grouped(models)
    with ThreadPoolExecutor(_MAX_ASKED, "limner-live") as pool:
        return sorted([*broken, *pool.map(_listing, groups)], key=lambda one: (one.provider, one.models))


def _grouped(models: Sequence[type[Model]]) -> tuple[list[_Group], list[Listing]]:
    from limner.catalog import configured

    groups: list[_Group] = []
    broken: list[Listing] = []
    for name, kind in _named(models):
        try:
            model = configured(name, None, {})
        except LimnerError as error:  # the others are asked all the same
            broken.append(Listing(_provider(kind), (name,), fine=False, detail=str(error)))
            continue
        group = next((group for group in groups if group.takes(model)), None)
        if group is None:
            groups.append(_Group({name: model}))
        else:
            group.models[name] = model
    return groups, broken


def _named(models: Sequence[type[Model]]) -> Iterator[tuple[str, type[Model]]]:
    """The models, and the user's own names for them, which may have settings of their own."""
    from limner.configuration import configuration
    from limner.plugins import registry, short_name

    yield from ((short_name(kind), kind) for kind in models)
    for alias, meant in configuration().aliases.items():
        try:
            kind = registry().find(meant)
        except LimnerError:  # of a plugin that is not installed
            continue
        yield from ((alias, known) for known in models if known is kind)


def _listing(group: _Group) -> Listing:
    from limner.isolation import blaming, checked

    model = group.first
    names = tuple(group.models)
    if model.offline:
        return Listing(_provider(model), names, None, detail="offline; there is nobody to ask")
    try:
        with blaming(type(model), "available_ids"):
            said = model.available_ids()
            ids = None if said is None else tuple(checked(name, str) for name in said)
        known = _known(group, ids or ())
    except LimnerError as error:
        missing = _missing(model)
        return Listing(_provider(model), names, None if missing else False, detail=missing or str(error))
    if ids is None:
        return Listing(_provider(model), names, None, detail="the provider does not list its models")
    return Listing(_provider(model), names, True, ids=ids, known=known)


def _known(group: _Group, ids: Sequence[str]) -> dict[str, str]:
    """Find the ids that are those of installed models, with the names of these."""
    from limner.isolation import blaming

    found: dict[str, str] = {}
    for name, model in group.models.items():
        with blaming(type(model), "matches"):
            found |= {one: name for one in ids if one not in found and model.matches(one)}
    return {one: found[one] for one in ids if one in found}


def _missing(model: Model) -> str:
    """What a call needs and is not there, such as a key, so that nobody was asked; empty where all is there."""
    from limner.isolation import blaming

    try:
        with blaming(type(model), "diagnose"):
            return next((finding.detail for finding in model.diagnose() if finding.fine is False), "")
    except LimnerError:
        return ""
