"""A first set of plugins that were written before anybody looked whether the kit catches them, one fault each."""

from __future__ import annotations

import base64
import html
import json
import os
import random
import re
import socket
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from faults import Body, Spoilt, limited, limited_options
from limner import (
    BadResponse,
    Finding,
    Generate,
    Image,
    Inpaint,
    Mask,
    Outpaint,
    Picture,
    Problem,
    ProviderError,
    RateLimited,
    Request,
    Response,
    Result,
    Task,
    Upscale,
    Vary,
)
from limner.limits import Choice, Count, Expand, Integer, PromptText, Real, SizeRule
from right_plugin import DOCS, Palette
from wire import KeySettings


class EscapesHtml(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = html.escape(part["text"], quote=False)[:500]


class QuotesForUrls(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "subject" in body:
            body["subject"] = urllib.parse.unquote_plus(body["subject"])


class WrapsLongTexts(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["without"] = [text if len(text) < 200 else text[:199] + "…" for text in body.get("without", [])] or None
        if body["without"] is None:
            del body["without"]


class ExpandsVariables(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].replace("$HOME", "/root")


class MergesNegatives(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "without" in body:
            body["without"] = [", ".join(body["without"])[:300]]


class NegativesInThePrompt(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part, text in zip(body.get("words", ())[:1], body.pop("without", [])[:1], strict=False):
            part["text"] += f". No {text}"


class NegativeWeightsDropped(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "words" in body:
            body["words"] = [part for part in body["words"] if part["weight"] >= 0] or body["words"]


class WeightsAbsolute(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["weight"] = abs(part["weight"])


class WeightsNormalized(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        parts = body.get("words", ())
        total = sum(abs(part["weight"]) for part in parts)
        for part in parts if len(parts) > 1 and total else ():
            part["weight"] = part["weight"] / total


class SeedInTheNextCall(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "seed" in body and body.get("count", 1) > 1:
            body["seed"] = (body["seed"] + 1) % 2**32


class SeedOnlyWhenAlone(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("count") == 3:
            body.pop("seed", None)


class SeedAsText(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("seed", 0) > 2**31:
            body["seed"] -= 2**32


class CountAlwaysThree(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "count" in body:
            body["count"] = 3


class HalfTheBorder(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "border" in body:
            body["border"]["bottom"] = max(0, body["border"]["bottom"] // 2)


class BordersInEights(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "border" in body:
            body["border"] = {side: value // 8 * 8 for side, value in body["border"].items()}


class MaskUpsideDown(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask):
            rows = [mask.data[at : at + mask.size[0]] for at in range(0, len(mask.data), mask.size[0])]
            task = attrs.evolve(task, mask=Mask(mask.size, b"".join(reversed(rows))))
        return super().pictures(task)


class MaskGrown(Palette):
    def pictures(self, task: Task) -> Body:
        from PIL import ImageFilter

        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask) and min(mask.size) > 3:
            grown = mask.pil().filter(ImageFilter.MaxFilter(3))
            task = attrs.evolve(task, mask=Mask(mask.size, grown.tobytes()))
        return super().pictures(task)


class MaskInvertedOnOutpaint(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask) and isinstance(task, Outpaint):
            task = attrs.evolve(task, mask=mask.inverted())
        return super().pictures(task)


class MaskHalfSize(Palette):
    def pictures(self, task: Task) -> Body:
        found = super().pictures(task)
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask) and min(mask.size) > 20:
            found["keep_mask"] = mask.inverted().resized((mask.size[0] // 2, mask.size[1] // 2)).resized(mask.size).png()
        return found


class PaletteToRgb(Palette):
    def pictures(self, task: Task) -> Body:
        image = getattr(task, "image", None)
        if isinstance(image, Image) and image.mode in {"P", "L", "1"}:
            task = attrs.evolve(task, image=Image.read(image.pil().convert("RGB")))
        return super().pictures(task)


class OnlyTheFirstMegabyte(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        body = json.loads(request.body)
        pictures = body.get("pictures")
        if pictures and len(pictures[0]) > 2_000_000 and isinstance(task, Upscale):
            body["pictures"] = [base64.b64encode(task.image.resized(task.image.size).data).decode()]
        return attrs.evolve(request, body=json.dumps(body).encode())


class MoodFromTheFinish(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("finish") == "gloss" and "mood" in body:
            body["mood"] = "calm"


class TilingDropsSteps(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if body.get("tiling"):
            body.pop("steps", None)


class NegativeOnlyWithGuidance(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" not in body:
            body.pop("without", None)


class SizeIgnoredOnVary(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Vary) and "steps" in body:
            body["width"], body["height"] = 128, 128


class GuidanceAsInteger(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "guidance" in body and isinstance(task, Inpaint):
            body["guidance"] = int(body["guidance"])


class StrengthInSteps(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "fidelity" in body:
            body["fidelity"] = round(body["fidelity"] * 20) / 20


class TilingAsOne(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "tiling" in body:
            body["tiling"] = True


class ExtraStringified(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "extra" in body:
            body["extra"] = {key: str(value) for key, value in body["extra"].items()}


class StepsTooNarrowOnVary(Palette):
    limits = limited(Vary, steps=Integer(10, 45, source=DOCS))


class PromptTooNarrowInParts(Palette):
    limits = limited(
        Generate, prompt=PromptText(500, weights=Real(-1, 2, source=DOCS), max_parts=3, required=True, source=DOCS)
    )


class WeightsTooNarrow(Palette):
    limits = limited(
        Generate, prompt=PromptText(500, weights=Real(0, 2, source=DOCS), max_parts=4, required=True, source=DOCS)
    )


class BorderTooWide(Palette):
    limits = limited(Outpaint, expand=Expand(512, canvas=SizeRule(8, 1024, source=DOCS), source=DOCS))


class BorderTooNarrow(Palette):
    limits = limited(Outpaint, expand=Expand(128, canvas=SizeRule(8, 1024, source=DOCS), source=DOCS))


class OnePictureInACall(Palette):
    limits = limited(Generate, n=Count(2, source=DOCS))


class FinishMissing(Palette):
    limits = limited_options(Vary, finish=Choice(("matt",), default="matt", source=DOCS))


class DrawsItsOwnNonce(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"nonce": random.Random(os.getpid()).random()}


class KnowsItsHost(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"host": socket.gethostname()}


CACHE: dict[Any, bytes] = {}


class CachesByPrompt(Palette):
    def encode(self, task: Task) -> Request:
        key = (task.kind, getattr(task, "prompt", None), getattr(task, "seed", None))
        body = CACHE.setdefault(key, super().encode(task).body) if isinstance(task, Inpaint) else super().encode(task).body
        return Request(self.model_id, body)


class RetriesServerFaultsForEver(Palette):
    def send(self, request: Request) -> Response:
        for _ in range(40):
            try:
                return super().send(request)
            except RateLimited:
                continue
        return super().send(request)


class AnswersFaultsAsBadResponses(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            if "HTTP 5" in error.message:
                raise BadResponse(error.message, request_ids=error.request_ids) from error
            raise


class PlainValueErrors(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            if "HTTP 404" in error.message:
                raise ValueError(error.message) from error
            raise


class WholeBodyInTheError(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            raise type(error)(f"{error.message}: {request.body!r}" * 30, request_ids=error.request_ids) from error


class KeyBySettingsAlone(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        yield Finding("settings", True, str(attrs.asdict(self.settings)))


class KeyInNotices(Palette):
    def notices(self) -> tuple[str, ...]:
        return (f"calling with {self.settings.key()}",)


class PrintsItsKey(Palette):
    def send(self, request: Request) -> Response:
        print("key", self.settings.key())
        return super().send(request)


class KeyInBase64(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            sent = base64.b64encode(self.settings.key().encode()).decode()
            raise type(error)(f"{error.message} (authorization: {sent})", request_ids=error.request_ids) from None


class KeyOnTheError(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            error.headers = {"authorization": self.settings.key()}  # type: ignore[attr-defined]
            raise


class IndexTwice(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = list(super().decode(task, response))
        return [made[0]] * len(made)


class FilteredPicturesAreFailed(Palette):
    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        return Picture(outcome="failed", reason="blocked") if made.outcome == "filtered" else made


class DropsBadPictures(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return [picture for picture in super().decode(task, response) if picture.outcome == "ok"]


class ReasonIsTheWholeAnswer(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return [attrs.evolve(picture, reason=None) for picture in super().decode(task, response)]  # type: ignore[arg-type]


class AsyncDropsTheOptions(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return await super().arun(attrs.evolve(task, options={}), fit=fit, on_filtered=on_filtered)


class AsyncSendsTwice(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        await super().arun(task, fit=fit, on_filtered=on_filtered)
        return await super().arun(task, fit=fit, on_filtered=on_filtered)


class MatchesInAnyCase(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return bool(re.search(cls.id, model_id, re.IGNORECASE))


class MatchesEveryFoundationModel(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id == cls.id or "foundation-model/palette" in model_id


@attrs.frozen(kw_only=True)
class PauseSettings(KeySettings):
    pauses: int | None = None


class OptionalNumbersAsTexts(Palette):
    Settings = PauseSettings


class ChecksTooMuch(Palette):
    def check(self, task: Task) -> Iterable[Problem]:
        if getattr(task, "steps", None) == 50 and getattr(task, "negative_prompt", None) is None:
            yield Problem("steps", "50", "is too many", DOCS)
        yield from super().check(task)
