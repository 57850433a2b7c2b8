"""A plugin that nobody wrote the page for: every kind of limit, progress, and work that can be cancelled."""

from __future__ import annotations

import base64
import datetime
import io
import json
import os
from pathlib import Path

import limner
from limner import Generate, Inpaint, Model, Picture, Request, Response, Vary, hookimpl, image_from_base64, parse_json
from limner.limits import (
    Aspects,
    Choice,
    Count,
    Flag,
    Integer,
    Items,
    JsonObject,
    MaskPicture,
    NegativeText,
    Pictures,
    PromptText,
    Real,
    Seed,
    TaskLimits,
    Text,
)
from limner.limits import Picture as PictureLimit

DOCS = "Stranger's manual, 'Pictures'"
NEEDED = PictureLimit(required=True, source=DOCS)
PAINTED = {
    "prompt": PromptText(80, weights=Real(-1.0, 1.0, source=DOCS), max_parts=3, source=DOCS, required=True),
    "negative_prompt": NegativeText(40, several=True, source=DOCS),
    "n": Count(1, source=DOCS),
    "seed": Seed(0, 999, source=DOCS),
    "guidance_scale": Real(1.0, 10.0, default=4.5, source=DOCS),
    "steps": Integer(10, 50, default=20, source=DOCS),
}
OPTIONS = {
    "mood": Choice(("calm", "wild"), default="calm", source=DOCS),
    "tiled": Flag(source=DOCS),
    "code_word": Text(5, 3, pattern="[a-z]{3,5}", example="abc", source=DOCS),
    "colours": Items(Text(7, pattern="#[0-9a-f]{6}", example="#ff0000", source=DOCS), 1, 3, source=DOCS),
    "extra": JsonObject(source=DOCS),
    "depth_map": PictureLimit(source=DOCS),
    "slow": Integer(0, 600, source=DOCS),
}


class Stranger(Model):
    id = "stranger.painter-9"
    aliases = ("stranger",)
    provider = "stranger.example"
    limits = {  # noqa: RUF012
        Generate: TaskLimits({**PAINTED, "size": Aspects([(1, 1), (16, 9)], default=(1, 1), source=DOCS)}, OPTIONS),
        Vary: TaskLimits({**PAINTED, "image": Pictures(NEEDED, 3, source=DOCS, required=True)}),
        Inpaint: TaskLimits({**PAINTED, "image": NEEDED, "mask": MaskPicture(grey=False, source=DOCS)}),
    }
    prices = {Generate: (limner.Price("0.02", as_of=datetime.date(2026, 11, 21), source=DOCS),)}  # noqa: RUF012
    lifecycle = limner.Lifecycle(legacy_since=datetime.date(2026, 1, 1), replacement="sketch")

    def encode(self, task: limner.Task) -> Request:
        prompt = task.prompt if isinstance(task.prompt, str) else [[part.text, part.weight] for part in task.prompt]
        extra = {name: value for name, value in task.options.items() if name != "depth_map"}
        body = {"prompt": prompt, "seed": task.seed, "steps": task.steps, "options": limner.Options(extra)}
        return Request(self.model_id, json.dumps(body, default=_plain).encode())

    def send(self, request: Request) -> Response:
        from PIL import Image

        body = json.loads(request.body)
        slow = body["options"].get("slow", 0)
        for step in range(slow):
            limner.progress(step, slow, message=f"step {step}")
            if limner.cancellation().wait(0.05):
                Path(os.environ["STRANGER_LOG"]).write_text(f"cancelled at {step}")
                break
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (body["seed"] % 256, 90, 140)).save(buffer, "PNG")
        return Response(json.dumps({"picture": base64.b64encode(buffer.getvalue()).decode()}).encode())

    def decode(self, task: limner.Task, response: Response) -> list[Picture]:
        return [Picture(image=image_from_base64(parse_json(response.body)["picture"]))]


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, limner.Options) else list(value)


@hookimpl
def limner_models() -> list[type[Model]]:
    return [Stranger]
