"""A ninth set: local weights that a password opens, turns, and pictures of several calls."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import os
import random
import re
import urllib.error
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
import PIL.Image
from limner import (
    BadResponse,
    Finding,
    Generate,
    Mask,
    Outpaint,
    Picture,
    Price,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Request,
    Response,
    Task,
)
from limner.limits import Expand, Limits, SizeRule, TaskLimits
from right_others import CancellingKiln, Easel, Kiln, LockedEasel, LockedSettings, Rack
from right_plugin import Palette
from unusual_plugins import DOCS, LargeCanvases, LocalEdits, large_picture
from wire import KeySettings, call, failure
from wrong_seventh import WaitsAThousandTimesAsLong

DAY = datetime.date(2026, 1, 1)

# ---------------------------------------------------------------------------------------------- on this machine


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


# ---------------------------------------------------------------------------------------------- over HTTP


class SixDigits(Palette):
    def numbers(self, task: Task) -> dict[str, Any]:
        said = super().numbers(task)
        return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in said.items()}


class AvoidsTheSameOnce(Palette):
    def numbers(self, task: Task) -> dict[str, Any]:
        said = super().numbers(task)
        return {**said, "without": said["without"] and [*dict.fromkeys(said["without"])]}


class NeighboursAreOneGrey(Palette):
    def pictures(self, task: Task) -> dict[str, Any]:
        mask = getattr(task, "mask", None)
        if mask is None:
            return super().pictures(task)
        coarse = Mask(mask.size, bytes(level if level in {0, 255} else level & 254 for level in mask.data))
        return {**super().pictures(task), "keep_mask": coarse.inverted().png()}


class SecondsOfADayAlone(Palette):
    """``seconds`` of a timedelta is what is left of it without its days."""

    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            met = error.__context__
            said = met.headers["retry-after"] if isinstance(met, urllib.error.HTTPError) else ""
            with contextlib.suppress(ValueError):
                date = email.utils.parsedate_to_datetime(said)
                error.retry_after = (date - datetime.datetime.now(datetime.UTC)).seconds
            raise


class DamagedIsHeldBack(Palette):
    def picture(self, one: Any) -> Picture:
        try:
            return super().picture(one)
        except BadResponse as error:
            return Picture(outcome="filtered", reason=error.message)


class MatchesTheNextModel(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return super().matches(model_id) or re.fullmatch(r"palette\.painter-[0-9]-[0-9]{8}", model_id) is not None


class PriceOfOne(Palette):
    prices: ClassVar[Any] = {Generate: (Price("0.04", when={"n": 1}, as_of=DAY, source=DOCS),)}


class TwoSlashes(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "", request.body, headers=request.headers, url=f"{self.settings.endpoint_url}/paint")


class CanvasOfHalfTheSize(LargeCanvases):
    limits: ClassVar[Limits] = {
        Outpaint: TaskLimits(
            {"image": large_picture(4096), "expand": Expand(512, canvas=SizeRule(16, 2048, source=DOCS), source=DOCS)}
        )
    }


# ---------------------------------------------------------------------------------------------- jobs


class CancelsTheLastJob(CancellingKiln):
    last: ClassVar[dict[str, str]] = {}

    def finished(self, job: str, deadline: float) -> tuple[Sequence[str], dict[str, float]]:
        self.last["job"] = job
        return super().finished(job, deadline)

    def cancel(self, job: str) -> None:
        super().cancel(self.last["job"])


class NamesTheJobWhereNothingElseIs(Kiln):
    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        return super().failed(error, error.request_ids or ids)


class TellsTheFirstSentence(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return super().ended(status, re.split("[.:]", reason)[0])


class QuotesWhyOneIsHeldBack(Rack):
    def held(self, reason: str) -> dict[str, str]:
        return {"reason": reason}


class CutsBeforeItHides(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return super().ended(status, reason[:300])


class KnowsNoOtherField(Kiln):
    def polled(self, job: str, deadline: float) -> Any:
        state = super().polled(job, deadline)
        match state:
            case {"status": "blocked", "reason": _, **more} if more:
                return {"status": "failed", "reason": "it failed"}
        return state


class MillisecondsWhereNoHeaderIs(WaitsAThousandTimesAsLong):
    def failure(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        error = failure(settings, status, body, *more)
        said_by_a_header = isinstance(error, RateLimited) and error.retry_after is not None
        return error if said_by_a_header else super().failure(settings, status, body, *more)
