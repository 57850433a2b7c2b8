"""Plugins whose interface or limits are wrong, one fault each."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import attrs
from faults import caught_by, limited
from limner import (
    Generate,
    Lifecycle,
    Picture,
    Request,
    Response,
    Task,
)
from limner import (
    Settings as PlainSettings,
)
from limner.limits import Integer, Real
from right_plugin import DOCS, NEEDED, Palette

# ---------------------------------------------------------------------------------------------- interface


@caught_by("test_interface_of_the_model", "does not work")
class TakesNoModelId(Palette):
    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)


@caught_by("test_interface_of_the_model", "contract is 0")
class OldContract(Palette):
    contract = 0


@caught_by("test_interface_of_the_methods", "send is async")
class SendsAsync(Palette):
    async def send(self, request: Request) -> Response:  # type: ignore[override]
        return Response(b"")


@caught_by("test_interface_of_the_methods", "does not take 2 arguments")
class DecodesResponseAlone(Palette):
    def decode(self, response: Response) -> Sequence[Picture]:  # type: ignore[override]
        return []


@caught_by("test_interface_of_names", "'my palette' is not a valid name")
class AliasWithSpace(Palette):
    aliases = ("palette", "my palette")


@caught_by("test_interface_of_names", "'palette painter/9 ' is not a valid name")
class WrongId(Palette):
    id = "palette painter/9 "


@caught_by("test_interface_of_names", "though that does not name the model")
class MatchesEverything(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return cls.id.startswith("palette")


@caught_by("test_interface_of_limits", "generate has no parameter 'cfg_scale'")
class LimitsAnUnknownParameter(Palette):
    limits = limited(Generate, cfg_scale=Real(1, 20, source=DOCS))


@caught_by("test_interface_of_limits", "seed: is Integer, must be limits.Seed")
class SeedThatIsNeverDrawn(Palette):
    limits = limited(Generate, seed=Integer(0, 2**32 - 1, source=DOCS))


@caught_by("test_interface_of_sources", "generate, prompt, weights: Real has no source")
class SourceMissing(Palette):
    limits = limited(Generate, prompt=attrs.evolve(NEEDED, weights=Real(-1, 2, source="")))


@caught_by("test_interface_of_defaults", "steps: the default 60")
class DefaultOutside(Palette):
    limits = limited(Generate, steps=Integer(10, 50, default=60, source=DOCS))


@caught_by("test_interface_of_settings_and_lifecycle", "the setting key has no default")
class SettingWithoutDefault(Palette):
    @attrs.frozen(kw_only=True)
    class Settings(PlainSettings):
        key: str

    def __init__(self, settings: Any = None, *, model_id: str | None = None) -> None:
        super().__init__(settings or self.Settings(key="k"), model_id=model_id)


@caught_by("test_interface_of_settings_and_lifecycle", "no source")
class LifecycleWithoutSource(Palette):
    lifecycle = Lifecycle(legacy_since=datetime.date(2020, 1, 1))


@caught_by("test_interface_of_the_smallest_tasks", "check failed: TypeError")
class ChecksInTexts(Palette):
    def check(self, task: Task) -> Any:
        return ["the moon is not full"]
