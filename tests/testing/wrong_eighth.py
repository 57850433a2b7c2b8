"""An eighth set: pipelines on this machine that paint something else than they were asked for, and keys in other places."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import math
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import attrs
import limner
import PIL.Image
from limner import (
    Finding,
    Generate,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    Request,
    Response,
    WeightedText,
)
from limner.limits import Limits, PromptText, Real, TaskLimits
from limner.testing import Conformance
from limner.testing.bodies import parsed
from limner.testing.loopback import Call, Reply
from right_others import Easel, EaselSettings, Kiln, Rack, Service
from right_plugin import Palette
from unusual_plugins import DOCS, LocalEdits, LocalPipeline
from wire import FACTS, KEY_VARIABLE, KeySettings, call, failure, said

# ---------------------------------------------------------------------------------------------- on this machine

WEIGHTS = Real(0.0, 2.0, source=DOCS)


@attrs.frozen(kw_only=True)
class OneAtATimeSettings(EaselSettings):
    max_in_flight: int = attrs.field(default=1, converter=int)


@attrs.frozen(kw_only=True)
class NamedSettings(EaselSettings):
    weights_file: str | None = None


class ReseedsTheGlobalGenerator(Easel):
    def weights(self) -> bytes:
        random.seed(7)
        return super().weights()


class FetchesByAProgram(Easel):
    def weights(self) -> bytes:
        fetch = "import urllib.request as r; r.urlopen('http://updates.example/', timeout=5)"
        subprocess.run([sys.executable, "-c", fetch], check=False, stderr=subprocess.DEVNULL)
        return super().weights()


class TwoStylesAreOne(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "style": {"chalk": "oil"}.get(wanted.get("style"), wanted.get("style"))}, number)


class IgnoresWhatToAvoid(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "avoid": None}, number)


class CutsWhatToAvoid(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "avoid": (wanted.get("avoid") or "")[:77]}, number)


class NoStyleBesideACurve(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "style": None} if wanted.get("curve") else wanted, number)


class ACurveOfNoneIsOne(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "curve": wanted.get("curve") or 1}, number)


class RoundsTheContrast(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        contrast = wanted.get("contrast")
        return super().random(wanted if contrast is None else {**wanted, "contrast": round(contrast, 1)}, number)


class SeedOfAFewBits(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "seed": wanted["seed"] & 0xFFFFFF}, number)


class PaintsPastItsTimeout(Easel):
    def paint(self, wanted: dict[str, Any], weights: bytes, number: int) -> str:
        return super().paint({**wanted, "until": math.inf}, weights, number)


class OneStepAfterAnother(Easel):
    """What is being painted is kept in the model, one call at a time."""

    Settings = OneAtATimeSettings
    now: ClassVar[dict[str, Any]] = {}

    def paint(self, wanted: dict[str, Any], weights: bytes, number: int) -> str:
        self.now.update(wanted)
        time.sleep(0.01)
        return super().paint(self.now, weights, number)


class MergesWhatIsEqual(Easel):
    """Its prompts have weights; of two equal parts one is lost."""

    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {**Easel.limits[Generate].parameters, "prompt": PromptText(99, weights=WEIGHTS, required=True, source=DOCS)}
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        parts = task.prompt if isinstance(task.prompt, tuple) else (WeightedText(task.prompt, 1.0),)
        return {**super().body(attrs.evolve(task, prompt="parts")), "prompt": [[part.text, part.weight] for part in parts]}

    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random({**wanted, "prompt": dict(wanted["prompt"])}, number)


class HardensGrey(LocalPipeline):
    def opened_mask(self, text: str) -> PIL.Image.Image:
        return super().opened_mask(text).point(lambda level: 255 if level > 127 else 0)


class SpecklesGrey(LocalPipeline):
    def opened_mask(self, text: str) -> PIL.Image.Image:
        return super().opened_mask(text).convert("1").convert("L")


class ExtendsTheSideAfter(LocalEdits):
    def extended(self, picture: PIL.Image.Image, left: int, top: int, right: int, bottom: int) -> PIL.Image.Image:
        return super().extended(picture, bottom, left, top, right)


class WeightsOfTheEnvironmentFirst(Easel):
    def weights(self) -> bytes:
        named = os.environ.get("EASEL_WEIGHTS")
        return (
            self.with_settings(weights=named).weights() if named not in {None, self.settings.weights} else super().weights()
        )


class FindsAllWeightsFine(Easel):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        yield Finding("weights", True, "the weights are set")


class WeightsOfTheFirstEnvironment(Easel):
    Settings = NamedSettings

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        return ()

    loaded: ClassVar[list[bytes]] = []

    def weights(self) -> bytes:
        given = self.settings.weights_file  # type: ignore[attr-defined]
        if given is not None or self.settings.weights != "built-in":
            return Easel(EaselSettings(weights=given or self.settings.weights)).weights()
        if not self.loaded:
            named = os.environ.get("EASEL_FILE_OF_WEIGHTS", "built-in")
            self.loaded.append(Easel(EaselSettings(weights=named)).weights())
        return self.loaded[0]


@attrs.frozen(kw_only=True)
class FolderSettings(EaselSettings):
    cache_dir: str | None = None
    token: str | None = attrs.field(default=None, repr=False)


class LoadedForAnyFolder(Easel):
    Settings = FolderSettings
    loaded: ClassVar[dict[str, bytes]] = {}

    def weights(self) -> bytes:
        name = self.settings.weights
        if name not in self.loaded:
            self.loaded.clear()
            self.look()
            self.loaded[name] = super().weights()
        return self.loaded[name]

    def look(self) -> None:
        folder = self.settings.cache_dir  # type: ignore[attr-defined]
        if folder is not None and not Path(folder).is_dir():
            raise ProviderUnavailable(f"there is no folder {folder!r}")


class LoadedForAnyToken(LoadedForAnyFolder):
    def look(self) -> None:
        if self.settings.token is not None:  # type: ignore[attr-defined]
            raise ProviderUnavailable("the weights need no token: take it out")


# ---------------------------------------------------------------------------------------------- keys, headers, jobs


class KeepsTheKeyOfTheEnvironment(Palette):
    def send(self, request: Request) -> Response:
        key = self.settings.api_key or self.known_key()
        return Palette.send(Palette(attrs.evolve(self.settings, api_key=key)), request)

    @staticmethod
    @functools.cache
    def known_key() -> str | None:
        return os.environ.get(KEY_VARIABLE)


@attrs.frozen(kw_only=True)
class TeamSettings(KeySettings):
    team: str | None = None


def with_header(request: Request, name: str, value: object) -> Request:
    """The request, with a header for a value that is not empty."""
    return attrs.evolve(request, headers={name: f"{value}"} if value else {})


class KeepsTheTeamOfTheEnvironment(Palette):
    Settings = TeamSettings

    def send(self, request: Request) -> Response:
        return super().send(with_header(request, "x-team", self.settings.team or known_team()))  # type: ignore[attr-defined]


@functools.cache
def known_team() -> str | None:
    return os.environ.get("PALETTE_TEAM")


class QuietsAtFirst(Palette):
    def send(self, request: Request) -> Response:
        quiet()
        return super().send(request)


@functools.cache
def quiet() -> None:
    logging.getLogger("urllib3").setLevel(logging.ERROR)


class OwnFailures(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, headers=request.headers, failed=self.failure)

    def failure(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        return failure(settings, status, body, *more)


class InfiniteRetryAfter(OwnFailures):
    def failure(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        error = failure(settings, status, body, *more)
        if isinstance(error, RateLimited) and error.retry_after is None:
            error.retry_after = math.inf
        return error


class ReadsAnyDigits(Palette):
    def send(self, request: Request) -> Response:
        met = super().send(request)
        left = met.metadata.get(FACTS["x-credits"], "")
        return attrs.evolve(met, usage={"credits": int(left)}) if left.isdigit() else met


@attrs.frozen(kw_only=True)
class RetentionSettings(KeySettings):
    """How many hours the provider keeps pictures; default: as the account says."""

    retention: int | None = None


class KeepsPicturesForNoHours(Palette):
    Settings = RetentionSettings

    def send(self, request: Request) -> Response:
        return super().send(with_header(request, "x-retention", self.settings.retention))  # type: ignore[attr-defined]


class QuotesCodes(OwnFailures):
    def failure(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        error, (code, _) = failure(settings, status, body, *more), said(body)
        error.message += f" [{code}]"
        return error


@attrs.frozen(kw_only=True)
class BilledSettings(TeamSettings):
    project: str | None = None


class BillsTheProjectAlone(Palette):
    """The header of the project takes the place of the one of the team."""

    Settings = BilledSettings

    def send(self, request: Request) -> Response:
        team, project = self.settings.team, self.settings.project  # type: ignore[attr-defined]
        return super().send(with_header(request, "x-project" if project else "x-team", project or team))


class MatchesTheBeginning(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return super().matches(model_id) or re.match(r"palette/painter\.9:r[0-9]{2}", model_id) is not None


class AddsUpItsAttempts(Palette):
    made: ClassVar[list[str]] = []

    def send(self, request: Request) -> Response:
        self.made.append(self.settings.endpoint_url)
        return attrs.evolve(super().send(request), attempts=self.made.count(self.settings.endpoint_url))


class AsksWhereItIsTold(Kiln):
    """The id of a job is its address."""

    def polled(self, job: str, deadline: float) -> Any:
        return parsed(call(self.within(deadline), "", None, url=job).body)

    @classmethod
    def conformance(cls) -> Conformance:
        return attrs.evolve(super().conformance(), service=AddressedService(), recorded=[])


class CancelsWhereItIsTold(AsksWhereItIsTold):
    def polled(self, job: str, deadline: float) -> Any:
        return Kiln.polled(self, job.rpartition("/")[2], deadline)

    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        if limner.cancellation().is_set():
            with contextlib.suppress(ProviderError):
                call(self.settings, "", b"{}", url=next(one for one in ids if one.startswith("http")))
        return super().failed(error, ids)


class AddressedService(Service):
    def job(self, called: Call) -> Reply:
        reply = super().job(called)
        if called.method != "POST":
            return reply
        job = parsed(reply.body)["id"]
        return Reply(json.dumps({"id": f"{called.base_url}/jobs/{job}"}).encode())


class QuotesTheKeyOfAFailedJob(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return type(super().ended(status, reason))(reason)


class TakesAnythingForNotYet(Kiln):
    def polled(self, job: str, deadline: float) -> Any:
        state = super().polled(job, deadline)
        return state if isinstance(state, dict) and "status" in state else {"status": "queued"}


class LosesTheReasonOfAPicture(Rack):
    def held(self, reason: str) -> dict[str, str]:
        return super().held("the picture was held back")
