"""Right plugins of other kinds: one paints on this machine, one submits jobs and asks until they are done."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import multiprocessing.util  # noqa: F401 - a library that registers what it does at exit, as some do
import os
import random
import threading
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import limner
from limner import (
    BadResponse,
    ContentFiltered,
    Finding,
    Generate,
    Picture,
    Problem,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    Request,
    Response,
    Settings,
    Task,
    image_from_base64,
    parse_json,
)
from limner.limits import (
    Choice,
    Count,
    Flag,
    Integer,
    Limits,
    NegativeText,
    PromptText,
    Real,
    Seed,
    SizeRule,
    TaskLimits,
)
from unusual_plugins import RawBytes, Unusual, b64, png
from wire import KeySettings, call

if TYPE_CHECKING:
    from limner.testing import Conformance, Recorded
    from limner.testing.loopback import Call, Reply

DOCS = "the provider's API reference"
PROMPT = PromptText(400, required=True, source=DOCS)


# ---------------------------------------------------------------------------------------------- offline


@attrs.frozen(kw_only=True)
class EaselSettings(Settings):
    """Where it computes, and the file with its weights."""

    device: str = attrs.field(default="cpu", validator=attrs.validators.in_(("cpu", "cuda")))
    weights: str = "built-in"


class Easel(Unusual):
    """Paints on this machine, step by step; the body is the arguments of the painter."""

    id = "others.easel"
    offline = True
    Settings = EaselSettings  # type: ignore[assignment]
    settings: EaselSettings  # type: ignore[assignment]
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {
                "prompt": PROMPT,
                "size": SizeRule(64, 256, multiple_of=8, default=(64, 64), source=DOCS),
                "seed": Seed(0, 2**32 - 1, source=DOCS),
                "n": Count(3, source=DOCS),
                "steps": Integer(4, 30, default=6, source=DOCS),
                "negative_prompt": NegativeText(400, source=DOCS),
            },
            options={
                "style": Choice(("auto", "ink", "oil", "chalk"), source=DOCS),
                "glow": Flag(source=DOCS),
                "contrast": Real(0.0, 1.0, source=DOCS),
                "curve": Integer(0, 5, source=DOCS),
            },
        )
    }

    def check(self, task: Task) -> Iterable[Problem]:
        if task.options.get("curve") is not None and task.options.get("contrast") is not None:
            yield Problem("options.curve", str(task.options["curve"]), "a curve is its own contrast", DOCS)

    def body(self, task: Any) -> dict[str, Any]:
        width, height = task.size
        said = {
            "prompt": task.prompt,
            "avoid": task.negative_prompt,
            "seed": task.seed,
            "count": task.n,
            "steps": task.steps,
        }
        return {**said, **task.options, "width": width, "height": height}

    def send(self, request: Request) -> Response:
        wanted = {**json.loads(request.body), "until": time.monotonic() + self.settings.timeout}
        weights = self.weights()
        images = [self.paint(wanted, weights, number) for number in range(wanted["count"])]
        return Response(json.dumps({"images": images}).encode())

    def weights(self) -> bytes:
        """Read the weights."""
        return b"built-in" if self.settings.weights == "built-in" else self.read(self.settings.weights)

    def read(self, path: str) -> bytes:
        """Read a file."""
        try:
            return Path(path).read_bytes()
        except (OSError, ValueError) as error:  # the latter for a name that no file can have
            raise ProviderUnavailable(f"the weights {path!r} cannot be read") from error

    def random(self, wanted: dict[str, Any], number: int) -> random.Random:
        """What draws the noise of one picture."""
        more = [wanted.get(name) for name in ("avoid", "style", "glow", "contrast", "curve")]
        return random.Random(f"{wanted['seed']} {number} {wanted['prompt']} {more}")

    def paint(self, wanted: dict[str, Any], weights: bytes, number: int) -> str:
        """Paint one picture of a call."""
        import PIL.Image

        drawn = self.random(wanted, number)
        canvas = PIL.Image.frombytes("RGB", (8, 8), (weights * 192)[:192])
        steps = wanted["steps"]
        for step in range(1, steps + 1):
            self.step(number * steps + step, wanted["count"] * steps)
            if time.monotonic() > wanted["until"]:
                raise ProviderTimeout("the picture was not done in time")
            canvas = PIL.Image.blend(canvas, PIL.Image.frombytes("RGB", (8, 8), drawn.randbytes(192)), 1 / (step + 1))
        return b64(png((1, 1), 0, canvas.resize((wanted["width"], wanted["height"]))))

    def step(self, done: int, steps: int) -> None:
        """Say how far it is, and end if nobody waits any more."""
        if limner.cancellation().is_set():
            raise ProviderError("the caller has given up")
        limner.progress(done, steps)

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        there = self.settings.weights == "built-in" or Path(self.settings.weights).is_file()
        yield Finding("weights", there, f"{self.settings.weights} {'is there' if there else 'is not there: set weights'}")

    @classmethod
    def conformance(cls) -> Conformance:
        from limner.testing import Conformance

        return Conformance(model=cls())


@attrs.frozen(kw_only=True)
class LockedSettings(EaselSettings):
    """The file with its weights, and the password that opens them; by default, both are those of the environment."""

    weights: str | None = None  # type: ignore[assignment]
    password: str | None = attrs.field(default=None, repr=False)

    def opened_by(self) -> tuple[str, str]:
        """The file, and its password."""
        weights = self.weights or os.environ.get("EASEL_WEIGHTS") or ""
        return weights, self.password or os.environ.get("EASEL_PASSWORD") or ""


class LockedEasel(Easel):
    """Paints with weights that a password opens, one call after the other."""

    id = "others.locked-easel"
    Settings = LockedSettings
    settings: LockedSettings
    turn: ClassVar[threading.Lock] = threading.Lock()

    def send(self, request: Request) -> Response:
        self.wait_for_turn(time.monotonic() + self.settings.timeout)
        try:
            return super().send(request)
        finally:
            self.turn.release()

    def wait_for_turn(self, deadline: float) -> None:
        """Wait until no other call is at work."""
        while not self.turn.acquire(timeout=0.05):
            if limner.cancellation().is_set():
                raise ProviderError("the caller has given up")
            if time.monotonic() > deadline:
                raise ProviderTimeout("another call was at work the whole time")

    def weights(self) -> bytes:
        path, password = self.settings.opened_by()
        digest, _, weights = self.read(path).partition(b"\n")
        if hashlib.sha256(password.encode()).hexdigest().encode() != digest.strip():
            raise ProviderUnavailable(f"the password does not open the weights {path!r}")
        return weights

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        path, _ = self.settings.opened_by()
        try:
            self.weights()
        except ProviderUnavailable as error:
            yield Finding("weights", False, error.message)
        else:
            yield Finding("weights", True, f"{path} can be opened")

    @classmethod
    def conformance(cls) -> Conformance:
        from limner.testing import Conformance

        weights = Path(__file__).with_name("locked.weights")
        return Conformance(model=cls(cls.Settings(weights=str(weights), password="open-sesame-9314")))


# ---------------------------------------------------------------------------------------------- jobs


class Kiln(RawBytes):
    """Submits a job, asks until it is done, and downloads the picture."""

    id = "others.kiln"

    def send(self, request: Request) -> Response:
        deadline = time.monotonic() + self.settings.timeout
        submitted = call(self.settings, "/jobs", request.body, headers=request.headers)
        match parse_json(submitted.body):
            case {"id": str(job)} if job:
                ids = filter(None, [submitted.request_id, job])
            case _:
                raise BadResponse("the job did not start", request_ids=filter(None, [submitted.request_id]))
        try:
            urls, usage = self.finished(job, deadline)
            picture = self.fetched(urls, deadline)
        except ProviderError as error:
            raise self.failed(error, tuple(dict.fromkeys([*ids, *error.request_ids]))) from error
        known = {
            "request_id": submitted.request_id or job,
            "attempts": submitted.attempts,
            "metadata": {"job": job},
            "usage": usage,
        }
        return Response(picture, **known)  # type: ignore[arg-type]

    def failed(self, error: ProviderError, ids: tuple[str, ...]) -> ProviderError:
        """The error of a job: whatever failed, it was submitted."""
        made = type(error)(error.message, request_ids=ids)
        made.may_be_billed = True
        return made

    def within(self, deadline: float) -> KeySettings:
        """The settings for a call that ends in time."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise ProviderTimeout("the job was not done in time; it may be billed")
        return self.with_settings(timeout=left).settings

    def finished(self, job: str, deadline: float) -> tuple[Sequence[str], dict[str, float]]:
        """Ask until the job is done; the addresses of its pictures, and what it cost."""
        pause = 0.05
        while True:
            match self.polled(job, deadline):
                case {"status": "done", "urls": [*urls]} as state if urls and all(map(self.is_result, urls)):
                    return urls, self.usage(state)
                case {"status": "blocked" | "failed" as status, "reason": str(reason)}:
                    raise self.ended(status, reason)
                case {"status": "queued" | "working" as status, **more}:
                    self.tell(status, more.get("progress"))
                case _:
                    raise BadResponse("the job's state is not as documented")
            self.rest(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(1.5 * pause, 5)

    def is_result(self, url: Any) -> bool:
        """Whether this may stand for a picture."""
        return isinstance(url, str)

    def tell(self, status: str, progress: Any) -> None:
        """Report how far the job is."""
        match progress:
            case {"step": int(step), "steps": int(steps)} if 0 <= step <= steps:
                limner.progress(step, steps, message=status)
            case _:
                limner.progress(message=status)

    def ended(self, status: str, reason: str) -> ProviderError:
        """The error of a job that ended without a picture."""
        said = reason.replace(self.settings.key(), "[hidden]")
        return ContentFiltered(said) if status == "blocked" else ProviderUnavailable(said)

    def usage(self, state: Any) -> dict[str, float]:
        """What a job cost, where its state says so."""
        match state:
            case {"credits": int(spent) | float(spent)} if not isinstance(spent, bool) and 0 <= spent < math.inf:
                return {"credits": spent}
        return {}

    def polled(self, job: str, deadline: float) -> Any:
        """Ask once."""
        return parse_json(call(self.within(deadline), f"/jobs/{urllib.parse.quote(job, safe='')}", None).body)

    def rest(self, seconds: float) -> None:
        """Wait before the next question."""
        if limner.cancellation().wait(seconds):
            raise ProviderError("the caller has given up; the job may be billed")

    def fetched(self, urls: Sequence[str], deadline: float) -> bytes:
        """The body for decode: the one picture."""
        return self.download(urls[0], deadline)

    def download(self, url: str, deadline: float) -> bytes:
        """The picture; the key goes to nobody but the provider."""
        if not url.startswith(f"{self.settings.endpoint_url}/"):
            raise BadResponse("the picture's address is not the provider's")
        return call(self.within(deadline), "", None, url=url).body

    @classmethod
    def conformance(cls) -> Conformance:
        return attrs.evolve(super().conformance(), service=Service(), recorded=stored_jobs())


class CancellingKiln(Kiln):
    """Cancels a job that nobody waits for any more."""

    id = "others.cancelling-kiln"

    def finished(self, job: str, deadline: float) -> tuple[Sequence[str], dict[str, float]]:
        try:
            return super().finished(job, deadline)
        except ProviderError as error:
            if isinstance(error, ProviderTimeout) or limner.cancellation().is_set():
                self.cancel(job)
            raise

    def cancel(self, job: str) -> None:
        """Ask once, whatever comes of it."""
        with contextlib.suppress(ProviderError):
            call(self.with_settings(timeout=5).settings, f"/jobs/{urllib.parse.quote(job, safe='')}/cancel", b"{}")

    @classmethod
    def conformance(cls) -> Conformance:
        return attrs.evolve(super().conformance(), service=CancellingService())


def stored_jobs() -> list[Recorded]:
    """Jobs as they ended at the provider."""
    from limner.testing import Recorded

    fox, ends = Generate(prompt="a fox", seed=7), (("blocked", "the picture shows a trademark"), ("failed", "out of clay"))
    errors = (ContentFiltered, ProviderUnavailable)
    ended = [Service({"status": status, "reason": reason}) for status, reason in ends]
    return [
        Recorded(task=fox, service=Service(), usage={"credits": 3}, name="a job that goes well"),
        *(Recorded(task=fox, service=one, error=kind) for one, kind in zip(ended, errors, strict=True)),
    ]


class Service:
    """The provider of jobs: the first question is too early, the second is not."""

    def __init__(self, ending: dict[str, Any] | None = None) -> None:
        self.asked: set[str] = set()
        self.count: dict[str, int] = {}
        self.ending = ending

    def __call__(self, called: Call) -> Reply:
        from limner.testing.loopback import Reply

        answers: dict[str, Callable[[Call], Reply]] = {"jobs": self.job, "pictures": self.picture}
        _, kind, *_ = called.path.split("/")
        if kind not in answers:
            return Reply(b'{"error": {"message": "there is no such thing"}}', 404)
        return answers[kind](called)

    def job(self, called: Call) -> Reply:
        """Take a job, or say how far one is."""
        from limner.testing.loopback import Reply

        if called.method == "POST":
            job = f"job-{zlib.crc32(called.body)}"
            self.asked.discard(f"/jobs/{job}")
            self.count[job] = json.loads(called.body).get("count", 1)
            return Reply(json.dumps({"id": job}).encode())
        if called.path not in self.asked:
            self.asked.add(called.path)
            return Reply(b'{"status": "working", "progress": {"step": 7, "steps": 28}}')
        name = called.path.rpartition("/")[2]
        urls = [f"{called.base_url}/pictures/{at}-{name}.png" for at in range(self.count[name])]
        done = {"status": "done", "urls": urls, "credits": 3}
        return Reply(json.dumps(self.ending or done).replace("BASE", called.base_url).encode())

    def picture(self, called: Call) -> Reply:
        """The picture of a job, which has its number."""
        from limner.testing.loopback import Reply

        at, _, job = called.path.rpartition("/")[2].removesuffix(".png").partition("-job-")
        return Reply(png((64, 64), int(at) + int(job)), headers={"content-type": "image/png"})


class CancellingService(Service):
    """The same, which cancels."""

    def job(self, called: Call) -> Reply:
        from limner.testing.loopback import Reply

        return Reply(b"{}") if called.path.endswith("/cancel") else super().job(called)


class Rack(Kiln):
    """A job of several pictures, each of which is downloaded; one that is not there takes no other with it."""

    id = "others.rack"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits({**Kiln.limits[Generate].parameters, "n": Count(3, source=DOCS)}),
    }

    def body(self, task: Any) -> dict[str, Any]:
        return {**super().body(task), "count": task.n}

    def is_result(self, url: Any) -> bool:
        match url:
            case str() | {"reason": str()}:
                return True
        return False

    def fetched(self, urls: Sequence[Any], deadline: float) -> bytes:
        pictures = [self.one(url, deadline) for url in urls]
        return json.dumps({"pictures": pictures}).encode()

    def one(self, url: Any, deadline: float) -> Any:
        """The picture in base64, or why it is held back; nothing where it cannot be had."""
        if not isinstance(url, str):
            return self.held(url["reason"])
        try:
            return b64(self.download(url, deadline))
        except ProviderTimeout:
            raise
        except ProviderError:
            return None

    def held(self, reason: str) -> dict[str, str]:
        """What stands for a picture that the provider holds back."""
        return {"reason": reason.replace(self.settings.key(), "[hidden]")}

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        match parse_json(response.body):
            case {"pictures": [*pictures]}:
                return [self.picture(one) for one in pictures]
        raise BadResponse("the answer has no pictures")

    def picture(self, one: Any) -> Picture:
        """One picture of a job."""
        if one is None:
            return Picture(outcome="failed", reason="the picture could not be downloaded")
        if isinstance(one, dict):
            return Picture(outcome="filtered", reason=str(one.get("reason")))
        return Picture(image=image_from_base64(one))

    @classmethod
    def conformance(cls) -> Conformance:
        from limner.testing import Recorded

        urls = ["BASE/pictures/0-job-7.png", {"reason": "the second shows a trademark"}]
        partly = Service({"status": "done", "urls": urls, "credits": 3})
        foxes = Recorded(task=Generate(prompt="a fox", seed=7, n=2), service=partly, outcomes=("ok", "filtered"))
        return attrs.evolve(super().conformance(), recorded=[*stored_jobs(), foxes])

    @classmethod
    def answer(cls, request: Request) -> Response:
        pictures = [b64(png((64, 64), at)) for at in range(json.loads(request.body)["count"])]
        return Response(json.dumps({"pictures": pictures}).encode())


OTHERS: Sequence[type[Unusual]] = (Easel, LockedEasel, CancellingKiln)
"""The right ones; what each must not skip is in the tests."""
