"""A second set of plugins that were written before anybody looked whether the kit catches them, one fault each."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.request
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from faults import Body, Spoilt, limited, limited_options
from limner import (
    AuthenticationFailed,
    ContentFiltered,
    Generate,
    Image,
    Inpaint,
    Mask,
    Picture,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RemoveBackground,
    Request,
    Response,
    Result,
    Task,
    Upscale,
    Vary,
    image_from_base64,
)
from limner.limits import Choice, Count, NegativeText, Real, Seed, SizeRule, Text
from right_plugin import DOCS, Palette
from wire import KeySettings, call


class PercentStrength(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "fidelity" in body and body["fidelity"] > 0.9:
            body["fidelity"] = 0.9 + (body["fidelity"] - 0.9) / 10


class GuidanceOfNegatives(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "without" in body and "guidance" in body:
            body["guidance"] = min(20.0, body["guidance"] + 0.5)


class StepsFromGuidance(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "steps" in body and "guidance" in body and isinstance(task, Vary):
            body["steps"] = max(10, min(50, int(body["guidance"]) + 20))


class FinishOnlyGloss(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Vary) and "finish" in body:
            body["finish"] = {"gloss": "matt", "matt": "gloss"}[body["finish"]]


class ColoursUpper(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "colours" in body:
            body["colours"] = sorted(body["colours"])


class FirstThreeNegatives(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if len(body.get("without", [])) > 2:
            body["without"] = body["without"][:2]


class TitleCase(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ())[:1]:
            part["text"] = part["text"][:1].upper() + part["text"][1:]


class NoTrailingDot(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].rstrip(".")


class NoEmoji(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "subject" in body:
            body["subject"] = "".join(char for char in body["subject"] if ord(char) < 0x10000)


class NoNewlines(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["text"] = part["text"].replace("\n", " ")


class PrefixesThePrompt(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ())[:1] if isinstance(task, Upscale) else ():
            part["text"] = f"upscale: {part['text']}"[:500]


class WordsForNobody(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Vary):
            body.setdefault("words", [{"text": "high quality", "weight": 1.0}])


class NegativeForNobody(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Generate):
            body.setdefault("without", ["blurry, ugly"])


class SeedOfZeroForNobody(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, RemoveBackground):
            body["seed"] = 0


class TilingFalseForNobody(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Generate):
            body.setdefault("tiling", False)


class WeightsOnlyPositive(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", ()):
            part["weight"] = round(part["weight"] * 4) / 4


class LastImageTwice(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if len(body.get("pictures", [])) == 2:
            body["pictures"][0] = body["pictures"][1]


class MaskShifted(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask):
            task = attrs.evolve(task, mask=Mask(mask.size, mask.data[-1:] + mask.data[:-1]))
        return super().pictures(task)


class GreyTooDark(Palette):
    def pictures(self, task: Task) -> Body:
        mask = getattr(task, "mask", None)
        if isinstance(mask, Mask) and isinstance(task, Inpaint):
            table = bytes(1 if level < 200 else level for level in range(256))
            task = attrs.evolve(task, mask=Mask(mask.size, mask.data.translate(table)))
        return super().pictures(task)


class CmykWrong(Palette):
    def pictures(self, task: Task) -> Body:
        image = getattr(task, "image", None)
        if isinstance(image, Image) and image.size[0] * image.size[1] > 60_000:
            task = attrs.evolve(task, image=image.resized(image.size))
        return super().pictures(task)


class GreyJpegs(Palette):
    def pictures(self, task: Task) -> Body:
        image = getattr(task, "image", None)
        if isinstance(image, tuple) and image[0].mode == "L":
            task = attrs.evolve(task, image=tuple(Image.read(one.pil().convert("RGB")) for one in image))
        return super().pictures(task)


class SeedsTooFew(Palette):
    limits = limited(Vary, seed=Seed(0, 2**31 - 1, source=DOCS))


class StrengthTooNarrow(Palette):
    limits = limited(Vary, strength=Real(0.1, 1.0, default=0.5, source=DOCS))


class GuidanceTooWide(Palette):
    limits = limited(Inpaint, guidance_scale=Real(0.0, 20.0, source=DOCS))


class NegativeJustOne(Palette):
    limits = limited(Generate, negative_prompt=NegativeText(300, source=DOCS))


class MaskPromptTooShort(Palette):
    limits = limited(Inpaint, mask_prompt=Text(80, source=DOCS))


class HeightTooWide(Palette):
    limits = limited(Vary, size=SizeRule(56, 512, multiple_of=8, default=(128, 128), source=DOCS))


class FourInACall(Palette):
    limits = limited(Generate, n=Count(4, source=DOCS))


class ChoiceInAnotherCase(Palette):
    limits = limited_options(Generate, mood=Choice(("Calm", "wild"), source=DOCS))


class ReadsTheLocale(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["extra"] = {"language": __import__("os").getenv("LANG", "C")}


class AsksAProcess(Palette):
    def encode(self, task: Task) -> Request:
        subprocess.run(["true"], check=False)
        return super().encode(task)


class AsksTheNetwork(Palette):
    def encode(self, task: Task) -> Request:
        with contextlib.suppress(OSError):
            urllib.request.urlopen("http://127.0.0.1:9/", timeout=0.2)
        return super().encode(task)


class CountsInTheClass(Palette):
    made: ClassVar[list[int]] = []

    def encode(self, task: Task) -> Request:
        self.made.append(1)
        return super().encode(task)


class TimesOutTwice(Palette):
    def send(self, request: Request) -> Response:
        for seconds in (self.settings.timeout, 2 * self.settings.timeout):
            try:
                return call(attrs.evolve(self.settings, timeout=seconds), "/paint", request.body)
            except ProviderTimeout:
                pass
        raise ProviderTimeout("no answer in time")


class RedirectsAsUnavailable(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except AuthenticationFailed as error:
            raise ProviderUnavailable(error.message, request_ids=error.request_ids) from error


class RateLimitsAsUnavailable(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            raise ProviderUnavailable(error.message, request_ids=error.request_ids) from error


class ServerFaultsAsAnswers(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if "HTTP 503" in error.message:
                return Response(b"")
            raise


class AttemptsOfItsOwn(Palette):
    def send(self, request: Request) -> Response:
        return attrs.evolve(super().send(request), attempts=2)


class EmptyRequestId(Palette):
    def send(self, request: Request) -> Response:
        return attrs.evolve(super().send(request), request_id="")


class CutsTheAnswer(Palette):
    def send(self, request: Request) -> Response:
        answer = super().send(request)
        return attrs.evolve(answer, body=answer.body[:2000])


class TokenInTheSettings(Palette):
    @attrs.frozen(kw_only=True)
    class Settings(KeySettings):
        access_token: str | None = None

    settings: Any


class HalfOfTheKey(Palette):
    def __repr__(self) -> str:
        return f"<Palette {self.settings.key()[-11:]}>"


class KeyInThePlan(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        return Request(
            f"{request.model_id}?key={self.settings.key()}" if self.settings.api_key else request.model_id, request.body
        )


class KeyInTheRequestId(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            error.request_ids = (*error.request_ids, self.settings.key())
            raise


class AllOrNothing(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        if any(picture.outcome == "filtered" for picture in made):
            raise ContentFiltered("blocked")
        return made


class SecondSeed(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        return [attrs.evolve(one, seed=None if one.seed is None else one.seed + at) for at, one in enumerate(made)]


class FailedIsOk(Palette):
    def picture(self, one: Any) -> Picture:
        match one:
            case {"image": str(image)}:
                return Picture(image=image_from_base64(image))
        return super().picture(one)


class AsyncIsSlowButNearest(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return await super().arun(task, fit=fit or "nearest", on_filtered=on_filtered)


class AsyncReturnsWhatWasFiltered(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return await super().arun(task, fit=fit, on_filtered=on_filtered or "return")


class AsyncHidesTheAccount(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return attrs.evolve(await super().arun(task, fit=fit, on_filtered=on_filtered), account=())


class MatchesOlderVersions(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id.rsplit("-", 1)[0] == cls.id.rsplit("-", 1)[0]


class MatchesAnyArn(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id == cls.id or (model_id.startswith("arn:aws:bedrock") and "foundation-model" in model_id)


class AliasOfTheFamily(Palette):
    aliases = ("palette", "sdxl")


class SettingsThatCrash(Palette):
    @attrs.frozen(kw_only=True)
    class Settings(KeySettings):
        tries: int = attrs.field(default=3, converter=lambda value: {"3": 3, 3: 3}[value])

    settings: Any
