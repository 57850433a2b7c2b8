"""A third set of plugins that were written before anybody looked whether the kit catches them: those that it missed."""

from __future__ import annotations

import datetime
import http.client
import json
import os
import urllib.error
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import attrs
import limner
from faults import Body, Spoilt, limited
from limner import (
    ContentFiltered,
    Decoded,
    Generate,
    Lifecycle,
    Outpaint,
    Picture,
    Price,
    Problem,
    ProviderUnavailable,
    Request,
    Response,
    Result,
    Task,
    Vary,
)
from limner.images.pixels import png_bytes
from limner.limits import PromptText, Real
from right_plugin import DOCS, Palette, plain
from wire import KeySettings

DAY = datetime.date(2026, 11, 1)


# ---------------------------------------------------------------------------------------------- secrets


class KeyInAWarning(Palette):
    def send(self, request: Request) -> Response:
        warnings.warn(f"calling with {self.settings.api_key}", stacklevel=2)
        return super().send(request)


class KeyInTheMetadata(Palette):
    def send(self, request: Request) -> Response:
        return attrs.evolve(super().send(request), metadata={"as": f"curl -H 'authorization: {self.settings.api_key}'"})


class KeyBeginsInTheFindings(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[limner.Finding]:
        yield limner.Finding("credentials", True, f"the key {self.settings.key()[:6]}...")


class PassphraseIsShown(Palette):
    @attrs.frozen(kw_only=True)
    class Settings(KeySettings):
        passphrase: str = ""

    settings: Any


# ---------------------------------------------------------------------------------------------- sending


class TriesAgainAfterFaults(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if "HTTP 500" not in error.message:
                raise
            return super().send(request)


class TriesAgainWhereTheLineBreaks(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if not isinstance(error.__cause__, http.client.RemoteDisconnected | urllib.error.URLError):
                raise
            return super().send(request)


class AsksFirst(Palette):
    def send(self, request: Request) -> Response:
        super().send(attrs.evolve(request, body=b"{}"))
        return super().send(request)


class TriesAgainWhatWasHeldBack(Palette):
    def send(self, request: Request) -> Response:
        answer = super().send(request)
        return super().send(request) if b'"blocked"' in answer.body else answer


# ---------------------------------------------------------------------------------------------- what is sent


class PartsBeyondTheMost(Palette):
    limits = limited(
        Generate, prompt=PromptText(500, weights=Real(-1, 2, source=DOCS), max_parts=6, required=True, source=DOCS)
    )


class NoBrackets(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].replace("(", "").replace(")", "")


class CalmForNobody(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body.setdefault("mood", "calm") if isinstance(task, Generate) else None


class ForgetsTilingOfSeveralInGloss(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("finish") == "gloss" and body.get("count", 1) > 1:
            body.pop("tiling", None)


class BordersUpToTwoHundred(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "border" in body:
            body["border"] = {side: min(width, 200) for side, width in body["border"].items()}


class StripsPicturesToExtend(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Outpaint) and task.image.media_type == "image/jpeg":
            body["pictures"] = [plain(task.image.to_png()[0].data)]


class SaysThatAllArePng(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "pictures" in body:
            body["pictures"] = [f"data:image/png;base64,{data}" for data in body["pictures"]]


class ReadsAVariable(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if os.environ.get("PALETTE_FINISH") == "gloss":
            body["finish"] = "gloss"


class RefusesWhatIsDocumented(Palette):
    """The documents refuse a calm mood in gloss alone; see ``problems_of_moods``."""

    def check(self, task: Task) -> Iterable[Problem]:
        yield from super().check(task)
        if task.options.get("finish") == "gloss" and "mood" in task.options:
            yield Problem.of("options.finish", "gloss", "goes with no mood", DOCS)


def problems_of_moods(request: Request) -> list[str]:
    body = json.loads(request.body)
    return ["calm is never in gloss"] if body.get("mood") == "calm" and body.get("finish") == "gloss" else []


# ---------------------------------------------------------------------------------------------- names, settings, async


class MatchesInCapitals(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id.lower() == cls.id


class TakesAClient(Palette):
    def __init__(self, settings: Any = None, *, model_id: str | None = None, client: object = None) -> None:
        super().__init__(settings, model_id=model_id)


class BlocksTheLoop(Palette):
    async def arun(self, task: Task, **how: Any) -> Result:
        return self.run(task, **how)


class LosesTheSeedInAsync(Palette):
    async def agenerate(self, prompt: Any, **how: Any) -> Result:  # type: ignore[override]
        how.pop("seed", None)
        return await super().agenerate(prompt, **how)


class ReplacesItself(Palette):
    lifecycle = Lifecycle(legacy_since=DAY, replacement="palette.painter-9", source=DOCS)


# ---------------------------------------------------------------------------------------------- answers


class SavesPicturesAgain(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        return [
            one if one.image is None else attrs.evolve(one, image=limner.Image(png_bytes(one.image.pil()))) for one in made
        ]


class CountsUsageUp(Palette):
    used = 0

    def decode(self, task: Task, response: Response) -> Decoded:
        made = super().decode(task, response)
        type(self).used += len(made)
        return Decoded(made, usage={"pictures": type(self).used})


class UsageInWords(Palette):
    def decode(self, task: Task, response: Response) -> Decoded:
        return Decoded(super().decode(task, response), usage={"pictures": "three"})  # type: ignore[dict-item]


class UsageOfAllPictures(Palette):
    def decode(self, task: Task, response: Response) -> Decoded:
        made = super().decode(task, response)
        seeds = [one.seed for one in made if one.seed is not None]
        return Decoded(made, usage={"seed": sum(seeds) + 1} if len(seeds) == 1 else {})


class TrustsTheReason(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        if response.body.startswith(b'{"blocked"'):
            raise ContentFiltered(json.loads(response.body)["blocked"].strip())
        return super().decode(task, response)


# ---------------------------------------------------------------------------------------------- what it says


class PricesOfAnotherWord(Palette):
    prices: ClassVar[Any] = {Generate: (Price("0.02", when={"options.finish": "velvet"}, as_of=DAY, source=DOCS),)}


class PricesOfTomorrow(Palette):
    prices: ClassVar[Any] = {Generate: (Price("0.02", as_of=datetime.date(2062, 1, 1), source=DOCS),)}


class PricesInTwoCurrencies(Palette):
    prices: ClassVar[Any] = {
        Vary: (
            Price("0.02", as_of=DAY, source=DOCS),
            Price("0.03", "EUR", when={"options.finish": "gloss"}, as_of=DAY, source=DOCS),
        )
    }


class TwicePriced(Palette):
    prices: ClassVar[Any] = {Generate: (Price("0.02", as_of=DAY, source=DOCS), Price("0.03", as_of=DAY, source=DOCS))}


class CostsTwice(Palette):
    prices: ClassVar[Any] = {Generate: (Price("0.02", as_of=DAY, source=DOCS),)}

    def cost_of(self, task: Task) -> limner.Cost | None:
        cost = super().cost_of(task)
        return cost and attrs.evolve(cost, low=2 * cost.low, high=2 * cost.high)


class CostsNothing(Palette):
    def cost_of(self, task: Task) -> limner.Cost | None:
        return limner.Cost(Decimal(0), Decimal(0))


class WarnsOfThePrompt(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        prompt = getattr(task, "prompt", None)
        if isinstance(prompt, str) and len(prompt) > 100:
            yield f"a long prompt: {prompt[:30]}..."


class WarnsInOneText(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        return "careful"


class RemarksOnNothing(Palette):
    def remarks(self, task: Task) -> Mapping[str, str]:
        return {"promt": "painted"}


REPORTS: dict[str, Callable[[], None]] = {
    "progress reports step 3 of 2": lambda: limner.progress(3, 2),
    "must be a number from 0": lambda: limner.progress(-1, 2),
    "progress quotes the prompt": lambda: limner.progress(message="painting zebras juggling quinces"),
    "must be one short line": lambda: limner.progress(message="first\nsecond"),
}
"""What a ``send`` may say wrongly of its progress, by what the kit says of it."""
