"""A fifth set: what is wrong with answers, findings, jobs, settings, side effects and painting on this machine."""

from __future__ import annotations

import base64
import functools
import json
import os
import random
import re
import socket
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
import limner
from faults import Body, Spoilt, limited, limited_options
from limner import (
    AccessDenied,
    AuthenticationFailed,
    BadResponse,
    ContentFiltered,
    Decoded,
    Finding,
    Generate,
    Image,
    Inpaint,
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
    parse_json,
)
from limner.limits import Items, SizeRule, Text
from limner.limits import Picture as PictureLimit
from right_others import Easel, EaselSettings, Kiln
from right_plugin import DOCS, Palette
from wire import KEY_VARIABLE, KeySettings, NoRedirect, call, failure, said

TAGS = limited_options(Generate, tags=Items(Text(200, source=DOCS), 1, 5, source=DOCS))

# ---------------------------------------------------------------------------------------------- answers


class KnowsEveryField(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        if parse_json(response.body).keys() - {"painted", "credits", "blocked"}:
            raise BadResponse("the answer has fields that are not documented")
        return super().decode(task, response)


class KnowsEveryFieldOfPictures(Palette):
    def picture(self, one: Any) -> Picture:
        if isinstance(one, dict) and one.keys() - {"image", "seed", "state", "reason"}:
            raise BadResponse("a picture has fields that are not documented")
        return super().picture(one)


class ReadsTheFirstField(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        if next(iter(parse_json(response.body)), "") not in {"painted", "blocked"}:
            raise BadResponse("the answer has no pictures")
        return super().decode(task, response)


class WantsAllPictures(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        if len(made) != (getattr(task, "n", None) or 1):
            raise BadResponse(f"{len(made)} pictures came")
        return made


class PicturesBackwardsIfSomeAreMissing(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        return made if len(made) == (getattr(task, "n", None) or 1) else made[1:]


class CountsTheCreditsLeft(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        return Decoded(made, metadata={"credits_left": int(response.metadata.get("credits_left", "0"))})


class ForgetsTheReasonOfAPicture(Palette):
    def picture(self, one: Any) -> Picture:
        made = super().picture(one)
        return attrs.evolve(made, reason="blocked") if made.outcome == "filtered" else made


class ForgetsTheReasonOfARefusal(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ContentFiltered as error:
            raise ContentFiltered("blocked", request_ids=error.request_ids) from error


class RefusalsAreEmptyAnswers(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ContentFiltered:
            return Response(b'{"painted": []}')


class ForgetsTheUsageOfPartialAnswers(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = super().decode(task, response)
        return made if all(one.outcome == "ok" for one in made) else list(made)


# ---------------------------------------------------------------------------------------------- findings and lists


class AnyKeyIsFine(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        try:
            yield from super().diagnose(live=live)
        except (AuthenticationFailed, AccessDenied):
            yield Finding("connection", True, "the provider answers")


class FindsOutByPainting(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        yield from super().diagnose()
        if live:
            call(self.settings, "/paint", b'{"do": "generate", "words": [{"text": "test", "weight": 1}]}')


class NoKeyIsFine(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        for finding in super().diagnose(live=live):
            yield attrs.evolve(finding, fine=True)


class FindsFaultWithAnyKey(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        yield Finding("credentials", (self.settings.api_key or "").startswith("palette-"), "keys begin with palette-")


class IdsOfAnyKind(Palette):
    def available_ids(self) -> Any:
        found = json.loads(call(self.settings, "/models", None).body) if self.settings.api_key else None
        return [one["id"] for one in found["data"]] if isinstance(found, dict) and found.get("data") else None


class IdsAreNumbers(Palette):
    def available_ids(self) -> Any:
        models = parse_json(call(self.settings, "/models", None).body).get("data")
        return [one.get("id") for one in models if one] if isinstance(models, list) else None


class IdsByPainting(Palette):
    def available_ids(self) -> Sequence[str]:
        call(self.settings, "/paint", b'{"do": "list"}')
        return ()


class NoIdsWhereTheKeyIsWrong(Palette):
    def available_ids(self) -> Sequence[str]:
        try:
            return super().available_ids()
        except ProviderError:
            return ()


# ---------------------------------------------------------------------------------------------- sending


class RetryAfterInMilliseconds(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            error.retry_after = None if error.retry_after is None else error.retry_after * 1000
            raise


class RetryAfterIsAlwaysANumber(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            met = error.__context__
            error.retry_after = (
                max(0.0, float(met.headers["retry-after"])) if isinstance(met, urllib.error.HTTPError) else None
            )
            raise


class ForgetsRetryAfter(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            error.retry_after = None
            raise


class FollowsRedirectsByHand(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except BadResponse as error:
            met = error.__context__
            if isinstance(met, urllib.error.HTTPError) and met.code == 307:
                with urllib.request.urlopen(met.headers["location"], request.body, self.settings.timeout) as answer:
                    return Response(answer.read())
            raise


def sent_plainly(model: Palette, request: Request, timeout: float) -> Response:
    """Call as a first draft does: the timeout is that of urllib."""
    headers = {"authorization": f"Bearer {model.settings.key()}", "content-type": "application/json"}
    made = urllib.request.Request(f"{model.settings.endpoint_url}/paint", request.body, headers)
    try:
        with urllib.request.build_opener(NoRedirect()).open(made, timeout=timeout) as answer:
            return Response(answer.read(), request_id=answer.headers["x-request-id"])
    except urllib.error.HTTPError as error:
        with error:
            raise failure(model.settings, error.code, error.read(), error.headers["x-request-id"]) from None
    except TimeoutError as error:
        raise ProviderTimeout("no answer in time") from error
    except OSError as error:
        raise ProviderUnavailable("the API cannot be reached") from error


class TimeoutOfEachPiece(Palette):
    def send(self, request: Request) -> Response:
        return sent_plainly(self, request, self.settings.timeout)


class TimeoutOfTheFirstModel(Palette):
    timeouts: ClassVar[dict[str, float]] = {}

    def send(self, request: Request) -> Response:
        timeout = self.timeouts.setdefault(self.settings.endpoint_url, min(self.settings.timeout, 3.0))
        return call(attrs.evolve(self.settings, timeout=timeout), "/paint", request.body)


class TimeoutsCostNothing(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderTimeout as error:
            error.may_be_billed = False
            raise


class BrokenConnectionsCostNothing(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            error.may_be_billed = False
            raise


class ErrorsInOneOrder(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, failed=self.named)

    def named(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        made = failure(settings, status, body, *more)
        if isinstance(made, ContentFiltered) and not body.startswith(b'{"error": {"code": "blocked"'):
            return RequestRejected(made.message, request_ids=made.request_ids)
        return made


class SharesItsHeaders(Palette):
    headers: ClassVar[dict[str, str]] = {}

    def send(self, request: Request) -> Response:
        self.headers.update(request.headers)
        time.sleep(0.02)
        return call(self.settings, "/paint", request.body, headers=self.headers)


class KeepsTheLastRequestId(Palette):
    last_id: str | None = None

    def send(self, request: Request) -> Response:
        response = super().send(request)
        self.last_id = response.request_id
        return response


class KnowsDocumentedStatuses(Palette):
    KNOWN: ClassVar[dict[int, type[ProviderError]]] = dict.fromkeys((*range(300, 418), *range(419, 600)), ProviderError)

    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, failed=self.named)

    def named(self, settings: KeySettings, status: int, *more: Any) -> ProviderError:
        assert self.KNOWN[status]
        return failure(settings, status, *more)


class AnswersWhatIsBlockedByLaw(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RequestRejected as error:
            if "HTTP 451" in error.message:
                return Response(b'{"blocked": "by law"}')
            raise


class GatewaysRejectRequests(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            if "HTTP 502" in error.message:
                raise RequestRejected(error.message, request_ids=error.request_ids) from error
            raise


# ---------------------------------------------------------------------------------------------- secrets


class HidesAfterTheCut(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, failed=self.named)

    def named(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        made = failure(settings, status, body, *more)
        made.message = said(body)[1][:300].replace(settings.key(), "[hidden]")
        made.args = (made.message,)
        return made


class HidesWholeWords(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, failed=self.named)

    def named(self, settings: KeySettings, status: int, body: bytes, *more: Any) -> ProviderError:
        made = failure(settings, status, body, *more)
        words = re.sub(rf"(?<![^ ]){re.escape(settings.key())}(?![^ ])", "[hidden]", said(body)[1])
        return type(made)(words[:300], request_ids=made.request_ids)


class EchoesItsBasicAuthentication(Palette):
    """It hides the key where the provider says it, but not the header in which it sends it."""

    user = "me"

    def send(self, request: Request) -> Response:
        coded = base64.b64encode(f"{self.user}:{self.settings.key()}".encode()).decode()
        return call(self.settings, "/paint", request.body, headers={"authorization": f"Basic {coded}"})


class EchoesItsKeyAfterAWord(EchoesItsBasicAuthentication):
    user = "key"


class EchoesItsKeyAfterALongWord(EchoesItsBasicAuthentication):
    user = "painter"


def _checked(settings: Any, field: Any, value: str | None) -> None:
    if value is not None and any(not char.isalnum() and char != "-" for char in value):
        raise ValueError(f"a key has letters, digits and hyphens only, unlike the one that begins with {value.strip()[:12]}")


@attrs.frozen(kw_only=True)
class CheckedSettings(KeySettings):
    api_key: str | None = attrs.field(default=None, repr=False, validator=_checked)


class QuotesARefusedKey(Palette):
    Settings = CheckedSettings


def _known(settings: Any, field: Any, value: str | None) -> None:
    if value is not None and value.strip() != value:
        raise ValueError("blanks around the key")


@attrs.frozen(kw_only=True)
class OpenCheckedSettings(KeySettings):
    api_key: str | None = attrs.field(default=None, validator=_known)


class ShowsARefusedKey(Palette):
    Settings = OpenCheckedSettings


# ---------------------------------------------------------------------------------------------- settings


@attrs.frozen(kw_only=True)
class StudioSettings(KeySettings):
    studio: str | None = None


class ForgetsTheStudio(Palette):
    Settings = StudioSettings


class KeepsTheStudioOfAnother(Palette):
    Settings = StudioSettings
    studios: ClassVar[dict[str, str]] = {}

    def send(self, request: Request) -> Response:
        own = getattr(self.settings, "studio", None) or self.studios.get(self.settings.endpoint_url, "")
        self.studios[self.settings.endpoint_url] = own
        return call(self.settings, "/paint", request.body, headers={"x-studio": own})


class WaitsAsLongAsItIsTold(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            time.sleep(min(error.retry_after or 0, 2.5))
            return attrs.evolve(super().send(request), attempts=2)


class TriesOnceMoreThanAllowed(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited:
            return attrs.evolve(super().send(request), attempts=2 + self.settings.retries)


@attrs.frozen(kw_only=True)
class EnvironmentSettings(KeySettings):
    def key(self) -> str:
        return os.environ.get(KEY_VARIABLE) or self.api_key or "none"


class EnvironmentFirst(Palette):
    Settings = EnvironmentSettings


@attrs.frozen(kw_only=True)
class PatientSettings(KeySettings):
    pause: float = attrs.field(default=0.5, converter=float)


class AnyPause(Palette):
    Settings = PatientSettings


# ---------------------------------------------------------------------------------------------- side effects


class LooksItsProviderUp(Palette):
    def check(self, task: Task) -> Iterable[Problem]:
        socket.getaddrinfo("127.0.0.1", 9)
        return super().check(task)


class ReadsAFileForWarnings(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        if not Path(__file__).read_text():
            yield "the module is empty"


class RestsInDecode(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        time.sleep(0.001)
        return super().decode(task, response)


class DiagnosesOverTheNetwork(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=0.2).close()
        except OSError:
            yield Finding("connection", None, "nobody is there")
        yield from super().diagnose(live=live)


class SetsTheEnvironment(Palette):
    def send(self, request: Request) -> Response:
        os.environ["PALETTE_LAST_CALL"] = str(time.monotonic_ns())
        return super().send(request)


class SilencesWarnings(Palette):
    def send(self, request: Request) -> Response:
        warnings.simplefilter("ignore", DeprecationWarning)
        return super().send(request)


# ---------------------------------------------------------------------------------------------- requests


class LosesTheMaskAtManySteps(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Inpaint) and body.get("steps") == 50:
            body.pop("keep_mask", None)


class LosesStepsBesideALargeStyle(Palette):
    """It takes a picture of the style."""

    limits = limited_options(Generate, style=PictureLimit(size=SizeRule(8, 512, source=DOCS), source=DOCS))

    def encode(self, task: Task) -> Request:
        style = task.options.get("style")
        if not isinstance(style, Image):
            return super().encode(task)
        others = {name: value for name, value in task.options.items() if name != "style"}
        body = json.loads(super().encode(attrs.evolve(task, options=others)).body)
        body["style"] = base64.b64encode(style.data).decode()
        if style.size[0] * style.size[1] > 250_000:
            body.pop("steps", None)
        return Request(self.model_id, json.dumps(body).encode())


class LosesTheLastPictureInGloss(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Vary) and body.get("finish") == "gloss":
            body["pictures"] = body["pictures"][:1]


class TrimsTags(Spoilt):
    limits = TAGS

    def spoil(self, task: Task, body: Body) -> None:
        if "tags" in body:
            body["tags"] = [tag.strip() for tag in body["tags"]]


PLACE: dict[str, Any] = {}


class EncodesInOnePlace(Palette):
    def encode(self, task: Task) -> Request:
        PLACE.clear()
        PLACE.update(json.loads(super().encode(task).body))
        return Request(self.model_id, json.dumps(PLACE.copy()).encode())


class TooFewPixels(Palette):
    limits = limited(Generate, size=SizeRule(64, 512, multiple_of=8, max_pixels=512 * 384, default=(128, 128), source=DOCS))


def problems_of_steps(request: Request) -> list[str]:
    """Say what the documents say: with tiling there are at most 40 steps."""
    body = json.loads(request.body)
    return ["too many steps for tiling"] if body.get("tiling") and body.get("steps", 0) > 40 else []


class FewStepsBesideTiling(Palette):
    """The documents refuse 41 steps and more; see ``problems_of_steps``."""

    documented: ClassVar[dict[str, Any]] = {"body_problems": problems_of_steps}

    def check(self, task: Task) -> Iterable[Problem]:
        yield from super().check(task)
        steps = getattr(task, "steps", None) or 0
        if task.options.get("tiling") and steps > 36:
            yield Problem.of("steps", steps, "must be at most 36 with tiling", DOCS)


# ---------------------------------------------------------------------------------------------- names


class MatchesWhatFollowsAVersion(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id == cls.id or re.match(rf"{re.escape(cls.id)}-\d{{8}}", model_id) is not None


class MatchesAnyDotOfAVersion(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id == cls.id or re.fullmatch(rf"{cls.id}-\d{{8}}", model_id) is not None


class MatchesItsVersions(Palette):
    """Right: it matches versions that are dates."""

    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id == cls.id or re.fullmatch(rf"{re.escape(cls.id)}-\d{{8}}", model_id) is not None


class SaysOnlyTheFirstMistake(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RequestRejected as error:
            raise RequestRejected(error.message.partition(";")[0], request_ids=error.request_ids) from None


# ---------------------------------------------------------------------------------------------- jobs


class AsksOnlyOnce(Kiln):
    def rest(self, seconds: float) -> None:
        raise ProviderTimeout("the job is not done yet")


class SubmitsTwice(Kiln):
    def send(self, request: Request) -> Response:
        call(self.settings, "/jobs", request.body)
        return super().send(request)


class SubmitsAgainAfterAFault(Kiln):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable:
            return super().send(request)


class JobsThatFailCostNothing(Kiln):
    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        return type(error)(error.message, request_ids=ids)


class TrustsTheStates(Kiln):
    def polled(self, job: str, deadline: float) -> Any:
        state = super().polled(job, deadline)
        return {**state, "status": state["status"].lower()}


class AsksWithoutAPause(Kiln):
    def rest(self, seconds: float) -> None:
        super().rest(0.001 if seconds > 0.001 else 0)


class LongJobsAreFaults(Kiln):
    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        made = super().failed(error, ids)
        return ProviderUnavailable(made.message, request_ids=ids) if isinstance(made, ProviderTimeout) else made


class WaitsForNobody(Kiln):
    def send(self, request: Request) -> Response:
        sooner = attrs.evolve(self.settings, timeout=min(self.settings.timeout, 4.0))
        return Kiln.send(_Sleeping(sooner, model_id=self.model_id), request)


class _Sleeping(Kiln):
    def rest(self, seconds: float) -> None:
        time.sleep(seconds)


class AsksForTheLastJob(Kiln):
    last = ""

    def finished(self, job: str, deadline: float) -> tuple[str, dict[str, float]]:
        AsksForTheLastJob.last = job
        return super().finished(job, deadline)

    def polled(self, job: str, deadline: float) -> Any:
        return super().polled(self.last, deadline)


class DownloadsWithTheKey(Kiln):
    def download(self, url: str, deadline: float) -> bytes:
        return call(self.within(deadline), "", None, url=url).body


class CancelsOnlyWhatTakesTooLong(Kiln):
    def finished(self, job: str, deadline: float) -> tuple[str, dict[str, float]]:
        try:
            return super().finished(job, deadline)
        except ProviderTimeout:
            call(self.settings, f"/jobs/{job}/cancel", b"{}")
            raise


# ---------------------------------------------------------------------------------------------- offline


class DrawsFromTheGlobalGenerator(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> Any:
        random.seed(f"{wanted['seed']} {number} {wanted['prompt']}")
        return random

    def step(self, done: int, steps: int) -> None:
        super().step(done, steps)
        time.sleep(0.001)


class DrawsAnew(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return random.Random()


class ForgetsTheSeed(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return random.Random(f"{number} {wanted['prompt']}")


class OnePictureSeveralTimes(Easel):
    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        return super().random(wanted, 0)


class ForgetsItsWeights(Easel):
    def weights(self) -> bytes:
        return b"built-in"


class KeepsTheFirstWeights(Easel):
    kept: ClassVar[dict[str, bytes]] = {}

    def weights(self) -> bytes:
        if not self.kept:
            self.kept["of the first"] = super().weights()
        return self.kept["of the first"]


@attrs.frozen(kw_only=True)
class NoWeightsSettings(EaselSettings):
    weights: str = ""


class UsesWhatAnEarlierModelLoaded(Easel):
    Settings = NoWeightsSettings
    loaded: ClassVar[dict[str, bytes]] = {}

    def weights(self) -> bytes:
        if not self.loaded:
            self.loaded["weights"] = super().weights() if self.settings.weights else b"built-in"
        return self.loaded["weights"]


class WeightsOfAnAccount(Easel):
    def weights(self) -> bytes:
        try:
            return super().weights()
        except ProviderUnavailable as error:
            raise AccessDenied(error.message) from error


class AnyWeightsAreFine(Easel):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        yield Finding("weights", True, f"{self.settings.weights} are used")


@attrs.frozen(kw_only=True)
class TokenSettings(EaselSettings):
    hub_token: str | None = attrs.field(default=None, repr=False)


class SaysTheTokenOfItsWeights(Easel):
    Settings = TokenSettings

    def weights(self) -> bytes:
        try:
            return super().weights()
        except ProviderUnavailable as error:
            raise ProviderUnavailable(f"{error.message} with {attrs.asdict(self.settings)}") from None


class LooksOnceWhetherAnybodyWaits(Easel):
    def step(self, done: int, steps: int) -> None:
        if done == 1:
            super().step(done, steps)
        limner.progress(done, steps)


@functools.cache
def fetched() -> bool:
    """Ask for a newer version, once in a process."""
    socket.getaddrinfo("127.0.0.1", 9)
    return True


class AsksForUpdatesAtFirst(Easel):
    def encode(self, task: Task) -> Request:
        fetched()
        return super().encode(task)

    def send(self, request: Request) -> Response:
        fetched()
        return super().send(request)
