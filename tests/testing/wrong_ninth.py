"""A ninth set: local weights that a password opens, turns, and pictures of several calls."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import PIL.Image
from limner import Finding, ProviderUnavailable, Response
from right_others import Easel, LockedEasel, LockedSettings
from unusual_plugins import LocalEdits


class SeedsOfCallsOverlap(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "seed": wanted["seed"] + 3 * number}, 0)


@attrs.frozen(kw_only=True)
class ReadWhenMadeSettings(LockedSettings):
    weights: str | None = attrs.field(factory=lambda: os.environ.get("EASEL_WEIGHTS"))  # type: ignore[assignment]


class ReadsTheEnvironmentWhenMade(LockedEasel):
    Settings = ReadWhenMadeSettings


@attrs.frozen(kw_only=True)
class EnvironmentFirstSettings(LockedSettings):
    def opened_by(self) -> tuple[str, str]:
        weights, password = super().opened_by()
        return weights, os.environ.get("EASEL_PASSWORD", password)


class PasswordOfTheEnvironmentFirst(LockedEasel):
    Settings = EnvironmentFirstSettings


class TellsMostOfThePassword(LockedEasel):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        _, password = self.settings.opened_by()
        for finding in super().diagnose(live=live):
            yield attrs.evolve(finding, detail=f"{finding.detail} with {password[:-4]}****") if finding.fine else finding


class WaitsForItsTurnForEver(LockedEasel):
    def wait_for_turn(self, deadline: float) -> None:
        self.turn.acquire()


class ExpectsMissingWeightsAlone(LockedEasel):
    def read(self, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except FileNotFoundError as error:
            raise ProviderUnavailable(f"there are no weights {path!r}") from error


class AlwaysTheSameWebp(LocalEdits):
    def saved(self, picture: PIL.Image.Image, kind: str, quality: int | None) -> Response:
        return super().saved(picture, kind, quality if kind == "jpeg" else None)
