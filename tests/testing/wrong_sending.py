"""Plugins that send, name failures, keep secrets or settings wrong, one fault each."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs
from limner import (
    ContentFiltered,
    Finding,
    Picture,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    Request,
    RequestRejected,
    Response,
    Result,
    Settings,
    Task,
    TaskRefused,
)
from right_plugin import Palette
from wire import KeySettings, call

# ---------------------------------------------------------------------------------------------- secrets


@attrs.frozen(kw_only=True)
class OpenSettings(KeySettings):
    api_key: str | None = None


class KeyInTheRepr(Palette):
    Settings = OpenSettings


class KeyInTheFindings(Palette):
    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        yield Finding("credentials", True, f"the key {self.settings.key()[:14]}...")


class KeyInTheError(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            raise type(error)(
                f"{error.message}; the key was {self.settings.api_key}", request_ids=error.request_ids
            ) from None


class KeyInTheLog(Palette):
    def send(self, request: Request) -> Response:
        logging.getLogger("wrong_sending").debug("calling with %s", self.settings.api_key)
        return super().send(request)


class KeyInTheBody(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        return attrs.evolve(request, body=request.body[:-1] + b', "extra": {"key": "%b"}}' % self.settings.key().encode())


class KeyInTheAddress(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, f"/paint?key={self.settings.key()}", request.body)


class KeyEchoed(Palette):
    def send(self, request: Request) -> Response:
        try:
            return call(self.settings, "/paint", request.body)
        except ProviderError as error:
            if "[hidden]" in error.message:
                raise type(error)(
                    error.message.replace("[hidden]", self.settings.key()), request_ids=error.request_ids
                ) from None
            raise


class KeyInModelRepr(Palette):
    def __repr__(self) -> str:
        return f"<Palette {vars(self)} {self.settings.api_key}>"


# ---------------------------------------------------------------------------------------------- sending twice


class PostsTwice(Palette):
    def send(self, request: Request) -> Response:
        super().send(request)
        return super().send(request)


class TriesAgainAfterTimeouts(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderTimeout:
            return super().send(request)


class TriesAgainWhatWasRefused(Palette):
    def send(self, request: Request) -> Response:
        for _ in range(2):
            try:
                return super().send(request)
            except RequestRejected:
                continue
        return super().send(request)


class TriesAgainWhatItCannotRead(Palette):
    def send(self, request: Request) -> Response:
        answer = super().send(request)
        return answer if b'"painted"' in answer.body else super().send(request)


class TriesAgainWhatWasFiltered(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ContentFiltered:
            return super().send(request)


# ---------------------------------------------------------------------------------------------- errors of send


class AllErrorsAreOne(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            raise ProviderUnavailable(error.message, request_ids=error.request_ids) from error


class LimitsAsRejections(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            raise RequestRejected(error.message, request_ids=error.request_ids) from error


class ErrorsAsAnswers(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RequestRejected:
            return Response(b'{"fault": 1}')


class FilteredAsRejected(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ContentFiltered as error:
            raise RequestRejected(error.message, request_ids=error.request_ids) from error


class ForgetsRequestIds(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            raise type(error)(error.message) from error


class ForgetsTheProvidersWords(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderError as error:
            raise type(error)("the call failed", request_ids=error.request_ids) from error


class ForgetsTheIdOfGoodAnswers(Palette):
    def send(self, request: Request) -> Response:
        return Response(super().send(request).body)


class LeaksKeyErrors(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RequestRejected as error:
            return Response({}[str(error)])


class WaitsForEver(Palette):
    def send(self, request: Request) -> Response:
        return call(attrs.evolve(self.settings, timeout=3.0), "/paint", request.body)


class TimeoutsAreUnavailable(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderTimeout as error:
            raise ProviderUnavailable("no answer") from error


class FirstSettingsForAll(Palette):
    first: ClassVar[dict[type, Any]] = {}

    def send(self, request: Request) -> Response:
        settings = self.first.setdefault(Palette, self.settings)
        return call(settings, "/paint", request.body)


class FirstKeyForAll(Palette):
    keys: ClassVar[dict[str, str]] = {}

    def send(self, request: Request) -> Response:
        key = self.keys.setdefault(self.settings.endpoint_url, self.settings.key())
        return call(attrs.evolve(self.settings, api_key=key), "/paint", request.body)


class KeepsTheRequest(Palette):
    request: Any = None

    def send(self, request: Request) -> Response:
        self.request = request
        time.sleep(0.02)
        return super().send(self.request)


class PostsSomethingElse(Palette):
    def send(self, request: Request) -> Response:
        body = json.loads(request.body)
        if body.get("do") == "upscale":
            body["factor"] = 4
        return super().send(attrs.evolve(request, body=json.dumps(body).encode()))


# ---------------------------------------------------------------------------------------------- partial failures


class StopsAtTheFirstBadPicture(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        made = []
        for picture in super().decode(task, response):
            made.append(picture)
            if picture.outcome != "ok":
                break
        return made


class BadPicturesLast(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return sorted(super().decode(task, response), key=lambda picture: picture.outcome != "ok")


class LosesTheOthers(Palette):
    def run(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return super().run(task, fit=fit, on_filtered=on_filtered)
        except ProviderError as error:
            error.result = None
            raise


class KeepsOnlyWhatCameBefore(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return await super().arun(task, fit=fit, on_filtered=on_filtered)
        except RateLimited as error:
            error.result = None
            raise


# ---------------------------------------------------------------------------------------------- async


class AsyncIgnoresOnFiltered(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return await super().arun(task, fit=fit)


class AsyncIgnoresFit(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        return await super().arun(task, on_filtered=on_filtered)


class AsyncSwallowsRefusals(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return await super().arun(task, fit=fit, on_filtered=on_filtered)
        except TaskRefused:
            return await super().arun(task, fit="nearest", on_filtered=on_filtered)


class AsyncTriesAgainWhatWasFiltered(Palette):
    async def arun(self, task: Task, *, fit: Any = None, on_filtered: str | None = None) -> Result:
        try:
            return await super().arun(task, fit=fit, on_filtered=on_filtered)
        except ContentFiltered:
            return await super().arun(task, fit=fit, on_filtered=on_filtered)


# ---------------------------------------------------------------------------------------------- names, settings, offline


class MatchesByPrefix(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id.startswith(cls.id)


class MatchesByAlias(Palette):
    @classmethod
    def matches(cls, model_id: str) -> bool:
        return model_id == cls.id or "palette" in model_id


class AliasOfAnother(Palette):
    aliases = ("palette", "sketch")


class AliasOfAFamily(Palette):
    aliases = ("palette", "titan-2")


@attrs.frozen(kw_only=True)
class TextSettings(KeySettings):
    fast: bool = False


class FlagsAsTexts(Palette):
    Settings = TextSettings


@attrs.frozen(kw_only=True)
class CountSettings(KeySettings):
    pause: float = 1.0


class NumbersAsTexts(Palette):
    Settings = CountSettings


class SaysThatItIsOffline(Palette):
    offline = True


class OfflineWithoutKey(Palette):
    Settings = attrs.make_class(
        "Plain", {"endpoint_url": attrs.field(default="http://127.0.0.1:9")}, bases=(Settings,), frozen=True, kw_only=True
    )
    offline = True

    def send(self, request: Request) -> Response:
        return call(KeySettings(endpoint_url=self.settings.endpoint_url, api_key="everybody's"), "/paint", request.body)

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        return ()


# ---------------------------------------------------------------------------------------------- what the kit must survive


class BodyIsTextForUpscale(Palette):
    def encode(self, task: Task) -> Request:
        request = super().encode(task)
        return Request(request.model_id, request.body.decode()) if task.kind == "upscale" else request  # type: ignore[arg-type]


class DecodesToNone(Palette):
    def decode(self, task: Task, response: Response) -> Any:
        super().decode(task, response)


class PicturesAreNone(Palette):
    def decode(self, task: Task, response: Response) -> Any:
        return [None for _ in super().decode(task, response)]


class ChecksToNone(Palette):
    def check(self, task: Task) -> Any:
        return None


class SendsNone(Palette):
    def send(self, request: Request) -> Any:
        super().send(request)


class SendsText(Palette):
    def send(self, request: Request) -> Any:
        return Response(super().send(request).body.decode())  # type: ignore[arg-type]


class DiagnosesNone(Palette):
    def diagnose(self, *, live: bool = False) -> Any:
        return None


class ExitsInDecode(Palette):
    def decode(self, task: Task, response: Response) -> Any:
        raise SystemExit("no")
