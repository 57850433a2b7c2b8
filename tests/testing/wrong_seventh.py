"""A seventh set: faults that show in a job that ended without a picture, or in the headers of an answer."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import random
import re
import threading
import time
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import attrs
import limner
import PIL.Image
from attrs.validators import matches_re, optional
from faults import limited
from limner import (
    AccessDenied,
    AuthenticationFailed,
    BadResponse,
    Generate,
    Mask,
    Picture,
    Problem,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Request,
    RequestRejected,
    Response,
    Task,
    Vary,
    image_from_base64,
    parse_json,
)
from limner.limits import Choice, Limits, Pictures, Real, SizeRule, TaskLimits
from limner.testing import Conformance, Recorded
from limner.testing.bodies import parsed
from limner.testing.loopback import Call, Reply
from right_others import Easel, Kiln, Rack, Service
from right_plugin import NEEDED, SIZE, Palette
from unusual_plugins import (
    DOCS,
    FORMATS,
    PROMPT,
    ByAspect,
    FactsInHeaders,
    LargePictures,
    LocalEdits,
    LocalPipeline,
    OneSize,
    RawBytes,
    ThreeFormats,
    b64,
    inverted,
    large_picture,
    png,
)
from wire import FACTS, KeySettings, call, check_key, failure
from wrong_fifth import AsksForTheLastJob, sent_plainly
from wrong_sixth import models


class BillsWhatTheSubmissionSays(Kiln):
    def usage(self, state: Any) -> dict[str, float]:
        return super().usage({name: value for name, value in state.items() if name in {"id", "status"}})


class FailsInItsOwnWords(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return super().ended(status, reason if status == "blocked" else "the job failed")


class AsksOnAboutJobsThatFailed(Kiln):
    def polled(self, job: str, deadline: float) -> Any:
        state = super().polled(job, deadline)
        return {"status": "working"} if state.get("status") == "failed" else state


class BlockedJobsAreRejected(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return RequestRejected(reason) if status == "blocked" else super().ended(status, reason)


class SubmitsAgainWhatFailed(Kiln):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if "connection" in error.message or "API" in error.message:
                raise
            return super().send(request)


class ReturnsWhatIsBlurred(FactsInHeaders):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return RawBytes.decode(self, task, response)


def locked(lock: threading.Lock, send: Callable[[Request], Response], request: Request) -> Response:
    """Send one at a time; after an error, none."""
    if not lock.acquire(timeout=1.0):
        raise ProviderTimeout("another call takes too long")
    made = send(request)
    lock.release()
    return made


class LocksForGood(Palette):
    lock: ClassVar[threading.Lock] = threading.Lock()

    def send(self, request: Request) -> Response:
        return locked(self.lock, super().send, request)


class KeepsABrokenConnection(Palette):
    connections: ClassVar[dict[str, http.client.HTTPConnection]] = {}

    def send(self, request: Request) -> Response:
        check_key(self.settings)
        address = urllib.parse.urlsplit(self.settings.endpoint_url).netloc
        connection = self.connections.setdefault(address, http.client.HTTPConnection(address, timeout=self.settings.timeout))
        headers = {"authorization": f"Bearer {self.settings.key()}", "content-type": request.content_type}
        try:
            connection.request("POST", "/paint", request.body, headers)
            answer = connection.getresponse()
            body = answer.read()
        except TimeoutError as error:
            raise ProviderTimeout("no answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            raise ProviderUnavailable("the connection broke") from error
        if answer.status != 200:
            raise failure(self.settings, answer.status, body, answer.headers["x-request-id"])
        return Response(body, request_id=answer.headers["x-request-id"])


class LocksForGoodOnceCancelled(Easel):
    lock: ClassVar[threading.Lock] = threading.Lock()

    def send(self, request: Request) -> Response:
        return locked(self.lock, super().send, request)


class QuotesTheKeyOfTheEnvironment(Palette):
    def send(self, request: Request) -> Response:
        key = self.settings.key()
        if self.settings.api_key is None and not key.isprintable():
            raise AuthenticationFailed(f"the key {key!r} has characters that no key has")
        return super().send(request)


class HardensTheMaskOfAJpeg(Palette):
    def pictures(self, task: Task) -> dict[str, Any]:
        mask, image = getattr(task, "mask", None), getattr(task, "image", None)
        hard = isinstance(mask, Mask) and getattr(image, "media_type", "") == "image/jpeg"
        return {**super().pictures(task), **({"keep_mask": mask.hardened().inverted().png()} if hard else {})}


class RefusesLargePictures(LargePictures):
    limits: ClassVar[Limits] = {Vary: TaskLimits({"image": Pictures(large_picture(3840), 1, required=True, source=DOCS)})}


class TakesTheSmallestSizeForNone(Palette):
    limits = limited(Vary, size=attrs.evolve(SIZE, default=None))

    def encode(self, task: Task) -> Request:
        unsaid = isinstance(task, Vary) and task.size == (64, 64)
        return super().encode(attrs.evolve(task, size=None) if unsaid else task)


class TimeoutsNameNoJob(Kiln):
    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        return super().failed(error, () if isinstance(error, ProviderTimeout) else ids)


class DownloadsHaveATimeoutOfTheirOwn(Kiln):
    def download(self, url: str, deadline: float) -> bytes:
        return super().download(url, time.monotonic() + self.settings.timeout)


class ReportsPercentOfTheSteps(Kiln):
    def tell(self, status: str, progress: Any) -> None:
        match progress:
            case {"step": int(step), "steps": int(steps)} if steps:
                limner.progress(100 * step / steps, steps, message=status)


class LosesAllForOneDownload(Rack):
    def one(self, url: str, deadline: float) -> str | None:
        return b64(self.download(url, deadline))


class LosesAllForOnePicture(Rack):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        found = super().decode(task, response)
        if any(one.image is None for one in found):
            raise BadResponse("a picture is missing")
        return found


class NoIdOfAnErrorThatSaysNothing(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            if "nothing" in error.message:
                error.request_ids = ()
            raise


CREDITS = FACTS["x-credits"]


class CutsTheCreditsOfAHeader(Palette):
    def send(self, request: Request) -> Response:
        met = super().send(request)
        said = met.metadata.get(CREDITS, "")
        known = said.replace(".", "", 1).isdecimal() and len(said) < 9
        return attrs.evolve(met, usage={CREDITS: int(float(said))}) if known else met


class NoWebP(ThreeFormats):
    limits: ClassVar[Limits] = {
        Vary: TaskLimits({"image": Pictures(attrs.evolve(FORMATS, formats=("image/png", "image/jpeg")), 1, source=DOCS)})
    }


@attrs.frozen(kw_only=True)
class ProjectSettings(KeySettings):
    project: str | None = attrs.field(default=None, validator=optional(matches_re(r"[a-z0-9-]+")))
    referer: str | None = attrs.field(default=None, validator=optional(matches_re(r"https?://[!-~]+")))


class AsksAgainWithoutTheProject(Palette):
    Settings = ProjectSettings
    settings: ProjectSettings

    def send(self, request: Request) -> Response:
        project = {} if self.settings.project is None else {"x-project": self.settings.project}
        try:
            return call(self.settings, "/paint", request.body, headers={**request.headers, **project})
        except AccessDenied:
            if not project:
                raise
            return call(self.settings, "/paint", request.body, headers=request.headers)


class RefererOfTheEnvironmentFirst(Palette):
    Settings = ProjectSettings
    settings: ProjectSettings

    def send(self, request: Request) -> Response:
        referer = os.environ.get("PALETTE_REFERER") or self.settings.referer
        more = {} if referer is None else {"referer": referer}
        return call(self.settings, "/paint", request.body, headers={**request.headers, **more})


class RefusesNewFieldsOfTheResult(OneSize):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        match parse_json(response.body):
            case {"result": {"image": str(image), **more}} if not more:
                return [Picture(image=image_from_base64(image))]
        raise BadResponse("the answer has no picture")

    @classmethod
    def answer(cls, request: Request) -> Response:
        return Response(b'{"result": {"image": "%b"}}' % b64(png((64, 64))).encode())


BROKEN = b'{"error": {"code": "internal", "message": "the brush broke"}}'
BUSY = b'{"error": {"code": "busy", "message": "too many at once", "retry_in_ms": 50}}'


class WaitsAThousandTimesAsLong(Palette):
    documented: ClassVar[dict[str, Any]] = {
        "recorded": [Recorded(task=Generate(prompt="a fox"), status=429, body=BUSY, error=RateLimited)]
    }

    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, headers=request.headers, failed=self.failure)

    def failure(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        error = failure(settings, status, body, *more)
        match error, parsed(body):
            case RateLimited(), {"error": {"retry_in_ms": int(wait)}}:
                error.retry_after = wait
        return error


class TriesAgainWhatIsBroken(Palette):
    documented: ClassVar[dict[str, Any]] = {
        "recorded": [Recorded(task=Generate(prompt="a fox"), status=500, body=BROKEN, error=ProviderUnavailable)]
    }

    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if "broke" not in error.message or "HTTP" not in error.message:
                raise
            return super().send(request)


class TriesAgainWhatBreaksOff(Palette):
    def send(self, request: Request) -> Response:
        try:
            return sent_plainly(self, request, self.settings.timeout)
        except http.client.IncompleteRead:
            return super().send(request)


class WarnsOfTwoInAWordThatMustNotBeThere(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        if task.options.get("mood") == "wild" and (getattr(task, "steps", None) or 30) < 15:
            yield f"few steps make a wild picture coarse, and may show {getattr(task, 'negative_prompt', None) or 'grain'}"


class LetsWideSketchesPass(ByAspect):
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            ByAspect.limits[Generate].parameters, options={"look": Choice(("photo", "sketch"), source=DOCS)}
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        return {**super().body(task), "look": task.options.get("look")}

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {"body_problems": cls.problems}

    @classmethod
    def problems(cls, request: Request) -> list[str]:
        body = parsed(request.body)
        return ["no wide sketches"] if body["aspect_ratio"] == "21:9" and body.get("look") == "sketch" else []


class PaintsWhatItMustKeep(LocalPipeline):
    """Its own pipeline does, not the painter that was given."""

    def opened_mask(self, text: str) -> PIL.Image.Image:
        return inverted(super().opened_mask(text))


class TurnsWhatItPaints(LocalPipeline):
    def send(self, request: Request) -> Response:
        made = super().send(request)
        if "mask_image" not in parsed(request.body):
            return made
        painted = io.BytesIO()
        (text,) = parse_json(made.body)["images"]
        image_from_base64(text).pil().transpose(PIL.Image.Transpose.ROTATE_90).save(painted, "PNG")
        return Response(json.dumps({"images": [b64(painted.getvalue())]}).encode())


class MergesEqualParts(Palette):
    def numbers(self, task: Task) -> dict[str, Any]:
        said = super().numbers(task)
        words = {part.text: part for part in said["words"] or () if hasattr(part, "text")}
        return {**said, **({"words": [*words.values()]} if words else {})}


class ComposesTheLettersOfParts(Palette):
    limits = limited(Generate, prompt=attrs.evolve(NEEDED, weights=Real(-2, 2, source=DOCS)))

    def numbers(self, task: Task) -> dict[str, Any]:
        said = super().numbers(task)
        parts = [one for one in said["words"] or () if hasattr(one, "text")]
        words = [attrs.evolve(part, text=unicodedata.normalize("NFC", part.text)) for part in parts]
        return {**said, **({"words": words} if words else {})}

    def check(self, task: Task) -> Iterable[Problem]:
        yield from super().check(task)
        weights = [part.weight for part in getattr(task, "prompt", None) or () if hasattr(part, "weight")]
        if weights and max(weights) <= 0:
            yield Problem("prompt", "...", "at least one part needs a weight above 0", DOCS)


PIXELS = SizeRule(64, 512, multiple_of=16, max_pixels=250_000, default=(128, 128), source=DOCS)


class TooManyPixels(OneSize):
    limits: ClassVar[Limits] = {Generate: TaskLimits({"prompt": PROMPT, "size": PIXELS})}

    def body(self, task: Any) -> dict[str, Any]:
        return {"prompt": task.prompt, "width": task.size[0], "height": task.size[1]}

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {"body_problems": cls.problems}

    @classmethod
    def problems(cls, request: Request) -> list[str]:
        body = parsed(request.body)
        return ["too many pixels"] if body["width"] * body["height"] > 240_000 else []


class SharesItsHeaders(Palette):
    Settings = ProjectSettings
    settings: ProjectSettings
    said: ClassVar[dict[str, str]] = {}

    def send(self, request: Request) -> Response:
        if self.settings.project is not None:
            self.said["x-project"] = self.settings.project
        return call(self.settings, "/paint", request.body, headers={**request.headers, **self.said})


class ListsWhatHasNoId(Palette):
    documented: ClassVar[dict[str, Any]] = {"service": models}

    def available_ids(self) -> Sequence[str]:
        match parse_json(call(self.settings, "/models", None).body):
            case {"models": [*models]}:
                return [str(one.get("id")) for one in models if isinstance(one, dict)]
        raise BadResponse("the list of models is not as documented")


class AnyCharacterIsADot(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return super().matches(model_id) or re.fullmatch(r"palette/painter.9@build[0-9]+", model_id) is not None


class NamesNoJob(Kiln):
    def send(self, request: Request) -> Response:
        met = super().send(request)
        return attrs.evolve(met, request_id=str(met.metadata["job"]))

    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        return super().failed(error, tuple(one for one in ids if not one.startswith("job-")))


@attrs.frozen(kw_only=True)
class AccountSettings(KeySettings):
    account: str | None = None


class SendsAnyAccount(Palette):
    Settings = AccountSettings
    settings: AccountSettings

    def send(self, request: Request) -> Response:
        account = {} if self.settings.account is None else {"x-account": self.settings.account}
        return call(self.settings, "/paint", request.body, headers={**request.headers, **account})


class FreshJobs(Service):
    """Each job has another id and another picture, also for the same request."""

    def job(self, called: Call) -> Reply:
        made = super().job(called)
        if called.method != "POST":
            return made
        job = f"job-{len(self.count) + 1}"
        self.count[job] = 1
        return Reply(json.dumps({"id": job}).encode())


class AsksForTheLastOfFreshJobs(AsksForTheLastJob):
    @classmethod
    def conformance(cls) -> Conformance:
        return attrs.evolve(super().conformance(), service=FreshJobs())


class CancelsSomewhereElse(Kiln):
    def rest(self, seconds: float) -> None:
        if limner.cancellation().wait(seconds):
            with contextlib.suppress(ProviderError):
                call(self.settings, "/job/cancel", b"{}")
            raise ProviderError("the caller has given up; the job may be billed")


class KeepsTheLastRequestInItsOwnClass(Palette):
    def send(self, request: Request) -> Response:
        type(self).last = request  # type: ignore[attr-defined]
        return super().send(request)


class AsksForTheNewestVersion(OneSize):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return super().matches(model_id) or re.fullmatch(r"unusual\.one-size-[0-9]{8}", model_id) is not None

    def body(self, task: Any) -> dict[str, Any]:
        return {**super().body(task), "model": self.id}


class KeepsTheStepsOfTheCallBefore(Easel):
    """Its pipeline is shared, and a task that says less paints with what is left in it."""

    left: ClassVar[dict[str, int]] = {}

    def paint(self, wanted: dict[str, Any], weights: bytes, number: int) -> str:
        self.left.setdefault("steps", wanted["steps"])
        used, self.left["steps"] = self.left["steps"], wanted["steps"]
        return super().paint({**wanted, "steps": used}, weights, number)

    def step(self, done: int, steps: int) -> None:
        super().step(min(done, steps), steps)


class ColoursByHash(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return random.Random(hash((wanted["seed"], number, wanted["prompt"])))


class MultipliesTheSeed(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return random.Random(f"{wanted['seed'] * number} {wanted['prompt']}")


class ConsumesTheGlobalGenerator(Easel):
    def weights(self) -> bytes:
        random.random()
        return super().weights()


class PutsThePictureOnTheOtherSide(LocalEdits):
    def extended(self, picture: PIL.Image.Image, left: int, top: int, right: int, bottom: int) -> PIL.Image.Image:
        return super().extended(picture, right, bottom, left, top)


class DepartsLessForMoreStrength(LocalEdits):
    def varied(self, picture: PIL.Image.Image, strength: float) -> PIL.Image.Image:
        return super().varied(picture, 1 - strength)


class SavesAlwaysPng(LocalEdits):
    def saved(self, picture: PIL.Image.Image, kind: str, quality: int | None) -> Response:
        return super().saved(picture, "png", quality)


class RefusesASecondCall(Easel):
    lock: ClassVar[threading.Lock] = threading.Lock()

    def send(self, request: Request) -> Response:
        if not self.lock.acquire(blocking=False):
            raise RateLimited("the pipeline is busy")
        try:
            time.sleep(0.02)
            return super().send(request)
        finally:
            self.lock.release()


class KeepsTheFileThatWasThere(Easel):
    files: ClassVar[dict[str, bytes]] = {}

    def weights(self) -> bytes:
        name = self.settings.weights
        self.files[name] = self.files.get(name) or super().weights()
        return self.files[name]
