"""A sixth set: what testers who knew the documentation alone wrote next, and the kit did not see."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from urllib.parse import urljoin

import attrs
from faults import limited
from limner import AuthenticationFailed, Decoded, Image, Picture, RateLimited, Request, Response, Task, Vary, parse_json
from right_plugin import SIZE, Palette, recorded
from wire import call
from wrong_fifth import StudioSettings

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
