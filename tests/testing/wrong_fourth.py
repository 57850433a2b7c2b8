"""A fourth set of plugins that were written before anybody looked whether the kit catches them: some that it missed."""

from __future__ import annotations

import base64
import io
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence

import attrs
import limner
import PIL.Image
from faults import Body, Spoilt, limited_options
from limner import (
    Generate,
    Inpaint,
    Picture,
    ProviderUnavailable,
    RateLimited,
    Request,
    RequestRejected,
    Response,
    Task,
)
from limner.limits import Items, Text
from right_plugin import Palette
from wire import call, failure, said

# ---------------------------------------------------------------------------------------------- sending


class PostsForAnEstimate(Palette):
    def send(self, request: Request) -> Response:
        call(self.settings, "/estimate", request.body)
        return super().send(request)


class SaysPlainText(Palette):
    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, content_type="text/plain")


class HidesItsAttempts(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited:
            return super().send(request)


class TriesAgainWhatIsEmpty(Palette):
    def send(self, request: Request) -> Response:
        response = super().send(request)
        return response if response.body else super().send(request)


class FollowsRedirects(Palette):
    def send(self, request: Request) -> Response:
        key = {"x-api-key": self.settings.key(), "content-type": "application/json"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.settings.endpoint_url, request.body, key), timeout=self.settings.timeout
            ) as answer:
                return Response(answer.read())
        except (OSError, ValueError) as error:
            raise ProviderUnavailable("the API cannot be reached") from error


class SaysTheKeyWhereNobodyIs(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if "cannot be reached" in error.message:
                raise ProviderUnavailable(f"{error.message}; called with {self.settings.key()}") from error
            raise


class TrustsRateLimits(Palette):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except RateLimited as error:
            words = error.message.replace("[hidden]", self.settings.key())
            raise RateLimited(words, request_ids=error.request_ids) from None


class QuotesAllOfAFailure(Palette):
    def send(self, request: Request) -> Response:
        made = urllib.request.Request(self.settings.endpoint_url, request.body)
        try:
            with urllib.request.urlopen(made, timeout=self.settings.timeout) as answer:
                return Response(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                body = error.read()
            code, words = said(body)
            if code:
                raise RequestRejected(words) from None
            raise failure(self.settings, error.code, body, None) from None
        except OSError as error:
            raise ProviderUnavailable("the API cannot be reached") from error


class ReportsBeyondTheEnd(Palette):
    def send(self, request: Request) -> Response:
        limner.progress(3, 2)
        return super().send(request)


# ---------------------------------------------------------------------------------------------- requests


class NamesItselfInTheBody(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        body["model"] = self.id


class LightPicturesFirst(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if "pictures" in body:
            body["pictures"] = sorted(body["pictures"], key=len)


class ForgetsFullMasks(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        mask = getattr(task, "mask", None)
        if isinstance(mask, limner.Mask) and mask.pil().getextrema() == (255, 255):
            body["keep_mask"] = base64.b64encode(mask.png()).decode()


class SixteenLevels(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        if isinstance(task, Inpaint) and "keep_mask" in body:
            mask = PIL.Image.open(io.BytesIO(base64.b64decode(body["keep_mask"]))).convert("L")
            mask.point(lambda level: level // 17 * 17).save(file := io.BytesIO(), "PNG")
            body["keep_mask"] = base64.b64encode(file.getvalue()).decode()


class NoInvisibleBlanks(Spoilt):
    def spoil(self, task: Task, body: Body) -> None:
        for part in body.get("words", []):
            part["text"] = part["text"].replace("\u200b", "") or part["text"]


# ---------------------------------------------------------------------------------------------- what it says


class WarnsOfTheFirstTag(Palette):
    limits = limited_options(Generate, tags=Items(Text(60, source="Palette"), 1, 5, source="Palette"))

    def warnings(self, task: Task) -> Iterable[str]:
        if task.options.get("tags"):
            yield f"tags are experimental: {task.options['tags'][0]}"


class WarnsOfTheNegativePromptAtFewSteps(Palette):
    def warnings(self, task: Task) -> Iterable[str]:
        if (getattr(task, "steps", None) or 50) < 15:
            yield f"few steps to avoid {getattr(task, 'negative_prompt', None)}"


class InventsSeeds(Palette):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return [attrs.evolve(one, seed=987_654_321) for one in super().decode(task, response)]
