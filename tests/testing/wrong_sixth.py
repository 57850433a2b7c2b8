"""A sixth set: faults that testers wrote from the documentation alone, and that the kit missed."""

from __future__ import annotations

import io
import json
import logging
import os
import time
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urljoin

import attrs
from faults import limited
from limner import (
    AuthenticationFailed,
    BadResponse,
    Decoded,
    Finding,
    Generate,
    Image,
    Mask,
    Picture,
    Problem,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Request,
    RequestRejected,
    Response,
    Task,
    Vary,
    parse_json,
    progress,
)
from limner.testing.loopback import Call, Reply
from right_others import Kiln
from right_plugin import MOST_CREDITS, SIZE, Palette, recorded
from wire import KeySettings, call
from wrong_fifth import StudioSettings, sent_plainly

STUDIO_VARIABLE = "PALETTE_STUDIO"


class QuotesAKeyThatNoHeaderCarries(Palette):
    def send(self, request: Request) -> Response:
        if not self.settings.key().isprintable():
            raise AuthenticationFailed(f"the key {self.settings.key()!r} has characters that no key has")
        return super().send(request)


class SavesWebPAsPng(Palette):
    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        if made.image is None or made.image.media_type != "image/webp":
            return made
        written = io.BytesIO()
        made.image.pil().save(written, "PNG")
        return attrs.evolve(made, image=Image(written.getvalue()))


class DropsThePathOfTheEndpoint(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "", request.body, url=urljoin(self.settings.endpoint_url, "/paint"))


class WarnsInTheWordsOfTheUser(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        if isinstance(task, Vary) and not task.prompt and (task.strength or 0) > 0.9:
            yield f"nothing is said but what must not be there: {task.negative_prompt}"


class EachAttemptHasItsOwnTimeout(Palette):
    def send(self, request: Request) -> Response:
        for _ in range(3):
            try:
                return super().send(request)
            except RateLimited as error:
                late = error
                time.sleep(0.01)
        raise late


class VariesInASizeThatNobodySaid(Palette):
    limits = limited(Vary, size=attrs.evolve(SIZE, default=None))

    def encode(self, task: Task) -> Request:
        unsaid = isinstance(task, Vary) and task.size is None
        return super().encode(attrs.evolve(task, size=(128, 128)) if unsaid else task)


class StudioOfTheEnvironmentFirst(Palette):
    Settings = StudioSettings
    settings: StudioSettings

    def send(self, request: Request) -> Response:
        studio = os.environ.get(STUDIO_VARIABLE) or self.settings.studio or "none"
        return call(self.settings, "/paint", request.body, headers={**request.headers, "x-studio": studio})


class WithholdsInItsOwnWords(Palette):
    documented: ClassVar[dict[str, Any]] = {
        "recorded": [attrs.evolve(one, body=one.body.replace(b"the picture shows a", b"a")) for one in recorded()]
    }

    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        return attrs.evolve(made, reason="withheld by a filter") if made.outcome == "filtered" else made


class TheCreditsAreTheSeed(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        spent = parse_json(response.body).get("credits")
        return Decoded([attrs.evolve(one, seed=spent) for one in made], usage=getattr(made, "usage", {}))


class InvertsTheMaskBesideANegativePrompt(Palette):
    def pictures(self, task: Task) -> dict[str, Any]:
        mask = getattr(task, "mask", None)
        turned = isinstance(mask, Mask) and getattr(task, "negative_prompt", None) is not None
        return {**super().pictures(task), **({"keep_mask": mask.png()} if turned else {})}


class CutsTheCredits(Palette):
    def usage(self, answer: Any) -> dict[str, float]:
        spent = answer.get("credits")
        return {"credits": int(spent)} if type(spent) in {int, float} and 0 <= spent < MOST_CREDITS else {}


def models(called: Call) -> Reply:
    """Answer as a provider that lists its models."""
    return Reply(b'{"models": [{"id": "palette.painter-9"}]}') if called.method == "GET" else Reply()


class TrustsTheListOfModels(Palette):
    documented: ClassVar[dict[str, Any]] = {"service": models}

    def available_ids(self) -> Sequence[str]:
        found = parse_json(call(self.settings, "/models", None).body).get("models")
        return [one["id"] for one in found] if isinstance(found, list) else []


class NeverAsksWhetherItsKeyIsTaken(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        return super().diagnose()


class WarnsOfTwoInTheWordsOfTheUser(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        if (getattr(task, "steps", None) or 0) > 40 and task.options.get("finish") == "gloss":
            yield f"gloss ends after 40 steps, for {task.arguments()!r}"[:400]


class CutsTheCreditsOfJobs(Kiln):
    def usage(self, state: Any) -> dict[str, float]:
        return {name: int(value) for name, value in super().usage(state).items()}


class AsksWithTheStudioAndPaintsWithout(Palette):
    Settings = StudioSettings
    settings: StudioSettings

    def available_ids(self) -> Sequence[str]:
        call(self.settings, "/models", None, headers={"x-studio": self.settings.studio or "none"})
        return ()


def _a_palette_key(_: Any, field: Any, value: str | None) -> None:
    if value is not None and not value.isprintable():
        raise ValueError(f"{field.name} must be printable, not {value}")


@attrs.frozen(kw_only=True)
class CarefulSettings(KeySettings):
    api_key: str | None = attrs.field(default=None, repr=False, validator=_a_palette_key)


class QuotesTheKeyThatItsSettingsRefuse(Palette):
    Settings = CarefulSettings


class TheSecondAttemptHasItsOwnTimeout(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited:
            return attrs.evolve(super().send(request), attempts=2)


class SilencesTheLoggerOfALibrary(Palette):
    def send(self, request: Request) -> Response:
        logging.getLogger("asyncio").setLevel(logging.WARNING)
        return super().send(request)


class SaysThreeNegativesOnly(Palette):
    def numbers(self, task: Task) -> dict[str, Any]:
        said = super().numbers(task)
        return {**said, "without": said["without"][:3]} if said["without"] else said


def problems_of_gloss(request: Request) -> list[str]:
    """What the documents say of two options together."""
    body = json.loads(request.body)
    return ["gloss: at most 40 steps"] if body.get("finish") == "gloss" and body.get("steps", 0) > 40 else []


class ChecksGlossOfGenerateOnly(Palette):
    documented: ClassVar[dict[str, Any]] = {"body_problems": problems_of_gloss}

    def check(self, task: Task) -> Iterable[Problem]:
        yield from super().check(task)
        if isinstance(task, Generate) and task.options.get("finish") == "gloss" and (task.steps or 0) > 40:
            yield Problem("steps", str(task.steps), "at most 40 with gloss", "the documents")


class ReadsShortPausesOnly(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            error.retry_after = error.retry_after if (error.retry_after or 0) < 100 else None
            raise


@attrs.frozen(kw_only=True)
class AttemptSettings(KeySettings):
    attempts: int = attrs.field(default=1, converter=int)


class MakesNoAttempt(Palette):
    Settings = AttemptSettings
    settings: AttemptSettings

    def send(self, request: Request) -> Response:
        for _ in range(self.settings.attempts):
            return super().send(request)
        raise AssertionError("the last attempt returns or raises")


class LooksAtTheClockAtTheEnd(Palette):
    def send(self, request: Request) -> Response:
        ends = time.monotonic() + self.settings.timeout
        response = sent_plainly(self, request, self.settings.timeout)
        if time.monotonic() > ends:
            raise ProviderTimeout("the answer came too late")
        return response


class FindsAnyKeyFine(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        if self.settings.key().isprintable():
            return super().diagnose(live=live)
        return [Finding("credentials", True, "a key is there")]


class EndsEveryCallWithOne(Palette):
    ended: ClassVar[list[float]] = []

    def send(self, request: Request) -> Response:
        started = time.monotonic()
        try:
            response = super().send(request)
        except ProviderTimeout:
            self.ended.append(time.monotonic())
            raise
        if any(at > started for at in self.ended):
            raise ProviderTimeout("the connections of the plugin were closed")
        return response


class ReadsForItself(Palette):
    def send(self, request: Request) -> Response:
        made = urllib.request.Request(f"{self.settings.endpoint_url}/paint", request.body)
        made.add_header("authorization", f"Bearer {self.settings.key()}")
        try:
            with urllib.request.urlopen(made, timeout=self.settings.timeout) as answer:
                return self.read(answer)
        except OSError:
            return super().send(request)

    def read(self, answer: Any) -> Response:
        raise NotImplementedError


class CountsDownWhatItReads(ReadsForItself):
    def read(self, answer: Any) -> Response:
        body, of = b"", int(answer.headers["content-length"])
        while chunk := answer.read1(1 << 16):
            body += chunk
            progress(of - len(body), of)
        return Response(body)


class NeedsANumberOfCredits(ReadsForItself):
    def read(self, answer: Any) -> Response:
        return Response(answer.read(), usage={"credits_left": float(answer.headers.get("x-credits", "0"))})


class NobodyMayHaveBilled(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            error.may_be_billed = True
            raise


def problems_of_gloss_without(request: Request) -> list[str]:
    """What the documents say of an option beside a list of texts."""
    body = json.loads(request.body)
    return ["gloss: takes no without"] if body.get("finish") == "gloss" and body.get("without") else []


class TakesGlossWithout(Palette):
    documented: ClassVar[dict[str, Any]] = {"body_problems": problems_of_gloss_without}


class TheSecondAttemptWaitsForTheWholeTimeout(Palette):
    def send(self, request: Request) -> Response:
        ends = time.monotonic() + self.settings.timeout
        try:
            return super().send(request)
        except RateLimited:
            response = super().send(request)
        if time.monotonic() > ends:
            raise ProviderTimeout("the answer came too late")
        return attrs.evolve(response, attempts=2)


class KeepsTheLastRequestInTheClass(Palette):
    last: ClassVar[Request | None] = None

    def send(self, request: Request) -> Response:
        KeepsTheLastRequestInTheClass.last = request
        return super().send(KeepsTheLastRequestInTheClass.last)


@attrs.frozen(kw_only=True)
class GatewaySettings(KeySettings):
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


class StoresTheHeadersOfAGateway(Palette):
    Settings = GatewaySettings
    settings: GatewaySettings

    def send(self, request: Request) -> Response:
        headers = dict(self.settings.headers)
        response = call(self.settings, "/paint", request.body, headers=headers)
        return attrs.evolve(response, metadata={"headers": json.dumps(headers)})


class ListsModelsBesideTheGateway(Palette):
    def available_ids(self) -> Sequence[str]:
        found = parse_json(call(self.settings, "", None, url=urljoin(self.settings.endpoint_url, "/models")).body)
        models = found.get("models") if isinstance(found, dict) else None
        if not isinstance(models, list) or not all(isinstance(one, str) for one in models):
            raise BadResponse("the list of models is not as documented")
        return models


class WarnsOfLargePicturesByLetters(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        size = getattr(task, "size", None) or (0, 0)
        return (
            "few steps make a large picture coarse" if min(size) > 64 and (getattr(task, "steps", None) or 30) < 15 else ()
        )


REGIONS = ("eu", "us")


@attrs.frozen(kw_only=True)
class RegionSettings(KeySettings):
    region: str | None = attrs.field(default=None, validator=attrs.validators.in_((None, *REGIONS)))


class RegionOfTheEnvironmentFirst(Palette):
    Settings = RegionSettings
    settings: RegionSettings

    def send(self, request: Request) -> Response:
        region = os.environ.get("PALETTE_REGION") or self.settings.region or "eu"
        if region not in REGIONS:
            raise RequestRejected("PALETTE_REGION must be eu or us")
        return call(self.settings, "/paint", request.body, headers={**request.headers, "x-region": region})
