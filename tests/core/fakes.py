"""A provider that needs no network: its pictures are plain colours, and each test says what its transport does."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import attrs
import limner
import PIL.Image
from limner import Image, Model, Picture, Request, Response
from limner.limits import (
    Choice,
    Count,
    Expand,
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
    SizeRule,
    Sizes,
    TaskLimits,
    Text,
)
from limner.limits import (
    Picture as PictureLimit,
)
from limner.plugins import registry

SOURCE = "Fake API reference, 'Pictures'"
TOP_SEED = 1000
PER_CALL = 2

PAINTED = {
    "negative_prompt": NegativeText(40, source=SOURCE),
    "n": Count(PER_CALL, source=SOURCE),
    "seed": Seed(0, TOP_SEED, source=SOURCE),
    "guidance_scale": Real(1.1, 10.0, default=8.0, source=SOURCE),
    "steps": Integer(10, 50, source=SOURCE),
}
OPTIONS = {
    "style": Choice(("anime", "line-art"), source=SOURCE),
    "quality": Choice(("standard", "premium"), default="standard", source=SOURCE),
    "tile": Flag(source=SOURCE),
    "colours": Items(Text(7, pattern="#[0-9a-f]{6}", example="#ff0000", source=SOURCE), 1, 3, source=SOURCE),
    "extra": JsonObject(source=SOURCE),
    "condition_image": PictureLimit(source=SOURCE),
}
RULE = SizeRule(16, 64, multiple_of=8, max_aspect=3.0, source=SOURCE)
PICTURE = PictureLimit(size=RULE, max_bytes=20_000, source=SOURCE, required=True)
PROMPT = PromptText(60, source=SOURCE)
LIMITS: limner.limits.Limits = {
    limner.Generate: TaskLimits(
        {
            "prompt": PromptText(60, source=SOURCE, required=True),
            "size": Sizes([(64, 64), (96, 64), (64, 96), (32, 32)], default=(64, 64), source=SOURCE),
            **PAINTED,
        },
        OPTIONS,
    ),
    limner.Vary: TaskLimits(
        {
            "image": Pictures(PICTURE, 2, source=SOURCE, required=True),
            "prompt": PROMPT,
            "strength": Real(0.2, 1.0, source=SOURCE),
            **PAINTED,
        }
    ),
    limner.Inpaint: TaskLimits(
        {
            "image": PICTURE,
            "prompt": PROMPT,
            "mask": MaskPicture(grey=False, source=SOURCE),
            "mask_prompt": Text(60, source=SOURCE),
            **PAINTED,
        }
    ),
    limner.Outpaint: TaskLimits(
        {
            "image": PICTURE,
            "prompt": PROMPT,
            "expand": Expand(48, canvas=RULE, source=SOURCE),
            "mask": MaskPicture(source=SOURCE),
            "keep_prompt": Text(60, source=SOURCE),
            **PAINTED,
        }
    ),
    limner.RemoveBackground: TaskLimits({"image": PICTURE}),
    limner.Upscale: TaskLimits({"image": PICTURE, "size": RULE, "seed": Seed(1, 9, source=SOURCE)}),
}


def png(size: tuple[int, int] = (32, 32), colour: object = "navy", mode: str = "RGB") -> bytes:
    """A picture of one colour."""
    buffer = BytesIO()
    PIL.Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


@attrs.frozen(kw_only=True)
class FakeSettings(limner.Settings):
    """Settings of a provider with a region and a secret."""

    region: str = "here-1"
    key: str = attrs.field(default="s3cr3t-key", repr=False)


def answer(request: Request, **more: object) -> Response:
    """Paint as many pictures as the request asks for, each of a colour that its seed and place tell."""
    order = json.loads(request.body)
    size = tuple(order["size"])
    colours = [(order["seed"] % 256, index, 77) for index in range(order["n"])]
    pictures = [base64.b64encode(png(size, colour)).decode() for colour in colours]
    body = json.dumps({"pictures": pictures}).encode()
    return Response(body, **{"request_id": f"id-{order['seed']}", "region": "here-1", **more})


class Drastic(BaseException):
    """Raised by a plugin that does not know better."""


DRASTIC = (SystemExit(3), GeneratorExit(), asyncio.CancelledError(), Drastic("oh"))


class Fake(Model):
    """Every task; ``transport`` answers. Its own code is plain, so that a test may break one part of it."""

    id = "fake.painter-1"
    aliases = ("fake",)
    limits = LIMITS
    Settings = FakeSettings
    transport: Callable[[Request], Response] = staticmethod(answer)

    def encode(self, task: limner.Task) -> Request:
        image = getattr(task, "image", None)
        first = image[0] if isinstance(image, tuple) else image
        if getattr(task, "expand", None) is not None:
            first = limner.expand_canvas(first, task.expand)[0]
        size = getattr(task, "size", None) or (first.size if first is not None else (32, 32))
        order = {
            "task": task.kind,
            "prompt": getattr(task, "prompt", None),
            "seed": getattr(task, "seed", None) or 0,
            "n": getattr(task, "n", None) or 1,
            "size": size,
            "guidance_scale": getattr(task, "guidance_scale", None),
            "image": None if first is None else base64.b64encode(first.data).decode(),
        }
        return Request(self.model_id, json.dumps(order, default=repr).encode())

    def send(self, request: Request) -> Response:
        return self.transport(request)

    def decode(self, task: limner.Task, response: Response) -> list[Picture]:
        texts = json.loads(response.body)["pictures"]
        return [Picture(image=limner.image_from_base64(text)) for text in texts]


def fake(transport: Callable[[Request], Response] = answer, base: type[Fake] = Fake, **settings: object) -> Fake:
    """A fake model whose transport is a function."""
    made = type(base.__name__, (base,), {"transport": staticmethod(transport), "__module__": base.__module__})
    return made(made.Settings.of(settings))


@contextmanager
def registered(*modules: object) -> Iterator[list[str]]:
    """Plugins that are there for a while; the remarks of those that are broken."""
    names = [f"test-plugin-{number}" for number in range(len(modules))]
    plugins = [registry().register(module, name) for module, name in zip(modules, names, strict=True)]
    try:
        yield [plugin.broken for plugin in plugins]
    finally:
        for name in names:
            registry().unregister(name)


def inverted(request: Request) -> Response:
    """Give every pixel of the picture back inverted."""
    order = json.loads(request.body)
    image = Image(base64.b64decode(order["image"])).pil().convert("RGB")
    turned = image.point([255 - value for value in range(256)] * 3)
    buffer = BytesIO()
    turned.save(buffer, "PNG")
    pictures = [base64.b64encode(buffer.getvalue()).decode()] * order["n"]
    return Response(json.dumps({"pictures": pictures}).encode(), request_id="inverted")
