"""A plugin without a fault, of a provider that does not exist, and what that provider documents."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from limner import (
    BadResponse,
    ContentFiltered,
    Decoded,
    Finding,
    Generate,
    Inpaint,
    Model,
    Outpaint,
    Picture,
    Problem,
    RateLimited,
    RemoveBackground,
    Request,
    RequestRejected,
    Response,
    Task,
    Upscale,
    Vary,
    hookimpl,
    image_from_base64,
    parse_json,
)
from limner.limits import (
    Choice,
    Count,
    Expand,
    Flag,
    Integer,
    Items,
    JsonObject,
    Limits,
    MaskPicture,
    NegativeText,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    TaskLimits,
    Text,
)
from limner.limits import Picture as PictureLimit
from wire import KeySettings, call, problem_of_key

DOCS = "Palette API reference, 'POST /paint'"

SIZE = SizeRule(64, 512, multiple_of=8, default=(128, 128), source=DOCS)
PROMPT = PromptText(500, source=DOCS)
NEEDED = PromptText(500, weights=Real(-1, 2, source=DOCS), max_parts=4, required=True, source=DOCS)
PICTURE = PictureLimit(size=SizeRule(8, 512, source=DOCS), required=True, source=DOCS)
MASK = MaskPicture(source=DOCS)
PAINTED = {
    "negative_prompt": NegativeText(300, several=True, source=DOCS),
    "n": Count(3, source=DOCS),
    "seed": Seed(0, 2**32 - 1, source=DOCS),
    "guidance_scale": Real(1.0, 20.0, source=DOCS),
    "steps": Integer(10, 50, source=DOCS),
}
MOST_CREDITS = 1_000_000
OPTIONS = {
    "mood": Choice(("calm", "wild"), source=DOCS),
    "finish": Choice(("matt", "gloss"), default="matt", source=DOCS),
    "tiling": Flag(source=DOCS),
    "colours": Items(Text(pattern="#[0-9a-f]{6}", example="#00ff7f", source=DOCS), min_items=1, max_items=3, source=DOCS),
    "extra": JsonObject(source=DOCS),
}


class Palette(Model):
    """It paints, varies, repairs, extends, cuts out and enlarges."""

    id = "palette.painter-9"
    aliases = ("palette",)
    Settings = KeySettings
    settings: KeySettings
    limits: ClassVar[Limits] = {
        Generate: TaskLimits({"prompt": NEEDED, "size": SIZE, **PAINTED}, options=OPTIONS),
        Vary: TaskLimits(
            {
                "image": Pictures(PICTURE, 2, required=True, source=DOCS),
                "prompt": PROMPT,
                "strength": Real(0.0, 1.0, default=0.5, source=DOCS),
                "size": SIZE,
                **PAINTED,
            },
            options=OPTIONS,
        ),
        Inpaint: TaskLimits(
            {"image": PICTURE, "prompt": PROMPT, "mask": MASK, "mask_prompt": Text(100, source=DOCS), **PAINTED}
        ),
        Outpaint: TaskLimits(
            {
                "image": PICTURE,
                "prompt": PROMPT,
                "mask": MASK,
                "keep_prompt": Text(100, source=DOCS),
                "expand": Expand(256, canvas=SizeRule(8, 1024, source=DOCS), source=DOCS),
                **PAINTED,
            }
        ),
        RemoveBackground: TaskLimits({"image": PICTURE}),
        Upscale: TaskLimits({"image": PICTURE, "prompt": PROMPT, "seed": PAINTED["seed"]}),
    }

    def encode(self, task: Task) -> Request:
        body = {"do": task.kind, **self.numbers(task), **self.pictures(task), **dict(task.options)}
        body = {name: plain(value) for name, value in body.items() if value is not None}
        return Request(self.model_id, json.dumps(body).encode())

    def numbers(self, task: Task) -> dict[str, Any]:
        said = {wire: getattr(task, name, None) for name, wire in WIRE.items()}
        strength = getattr(task, "strength", None)
        fidelity = None if strength is None else round(1 - strength, 6)
        width, height = getattr(task, "size", None) or (None, None)
        without = getattr(task, "negative_prompt", None)
        without = [without] if isinstance(without, str) else without
        words = getattr(task, "prompt", None)
        words = [{"text": words, "weight": 1.0}] if isinstance(words, str) else words
        return {**said, "words": words, "without": without, "fidelity": fidelity, "width": width, "height": height}

    def pictures(self, task: Task) -> dict[str, Any]:
        image, mask = getattr(task, "image", None), getattr(task, "mask", None)
        images = image if isinstance(image, tuple) or image is None else (image,)
        keeps = None if mask is None else mask.inverted().png()  # the provider paints where it is black
        border = getattr(task, "expand", None)
        sides = None if border is None else dict(zip(("left", "top", "right", "bottom"), border, strict=True))
        encoded = None if images is None else [base64.b64encode(one.data).decode() for one in images]
        return {"pictures": encoded, "keep_mask": keeps, "border": sides}

    def send(self, request: Request) -> Response:
        return call(self.settings, "/paint", request.body, headers=request.headers)

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        problem = problem_of_key(self.settings)
        yield Finding("credentials", not problem, problem or "a key is there")
        if live and not problem:
            self.available_ids()
            yield Finding("connection", True, "the provider answers, and takes the key")

    def available_ids(self) -> Sequence[str]:
        match parse_json(call(self.settings, "/models", None).body):
            case {"models": [*models]} if all(isinstance(one, str) for one in models):
                return models
        raise BadResponse("the list of models is not as documented")

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError) as error:
            raise BadResponse("the answer is no JSON") from error
        match answer:
            case {"blocked": str(why)}:
                raise ContentFiltered(why)
            case {"painted": [*painted]}:
                return Decoded([self.picture(one) for one in painted], usage=self.usage(answer))
        raise BadResponse("the answer has no pictures")

    def usage(self, answer: Any) -> dict[str, float]:
        match answer:
            case {"credits": int(spent)} if not isinstance(spent, bool) and 0 <= spent < MOST_CREDITS:
                return {"credits": spent}
        return {}

    def picture(self, one: Any) -> Picture:
        match one:
            case {"image": image, "seed": int(seed), "state": "fine"}:
                return Picture(image=image_from_base64(image), seed=seed)
            case {"state": "blocked", "reason": str(reason)} if reason:
                return Picture(outcome="filtered", reason=reason)
            case {"state": "blocked"}:
                return Picture(outcome="filtered", reason="blocked")
        raise BadResponse("a picture of the answer is not as documented")

    def check(self, task: Task) -> Iterable[Problem]:
        if task.options.get("tiling") and task.options.get("mood") == "wild":
            yield Problem("options.tiling", "True", "a wild mood is never tiled", DOCS)


WIRE = {
    "seed": "seed",
    "n": "count",
    "guidance_scale": "guidance",
    "steps": "steps",
    "mask_prompt": "where",
    "keep_prompt": "subject",
}


def plain(value: Any) -> Any:
    """Write a value as JSON knows it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "weight"):
        return {"text": value.text, "weight": value.weight}
    if hasattr(value, "items"):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple | list) else value


@hookimpl
def limner_models() -> list[type[Model]]:
    return [Palette]


# ---------------------------------------------------------------------------------------------- what the provider documents

_side = {"type": "integer", "minimum": 64, "maximum": 512, "multipleOf": 8}
_words = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 500}, "weight": {"type": "number", "minimum": -1, "maximum": 2}},
    "required": ["text", "weight"],
    "additionalProperties": False,
}
_border = {"type": "integer", "minimum": 0, "maximum": 256}
_text = {"type": "string", "minLength": 1, "maxLength": 100}
SCHEMA = {
    "type": "object",
    "properties": {
        "do": {"enum": ["generate", "vary", "inpaint", "outpaint", "remove-background", "upscale"]},
        "words": {"type": "array", "items": _words, "minItems": 1, "maxItems": 4},
        "without": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 300}},
        "width": _side,
        "height": _side,
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "count": {"type": "integer", "minimum": 1, "maximum": 3},
        "guidance": {"type": "number", "minimum": 1, "maximum": 20},
        "steps": {"type": "integer", "minimum": 10, "maximum": 50},
        "fidelity": {"type": "number", "minimum": 0, "maximum": 1},
        "where": _text,
        "subject": _text,
        "pictures": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        "keep_mask": {"type": "string"},
        "border": {
            "type": "object",
            "properties": dict.fromkeys(("left", "top", "right", "bottom"), _border),
            "required": ["left", "top", "right", "bottom"],
            "additionalProperties": False,
        },
        "mood": {"enum": ["calm", "wild"]},
        "finish": {"enum": ["matt", "gloss"]},
        "tiling": {"type": "boolean"},
        "colours": {"type": "array", "items": {"pattern": "^#[0-9a-f]{6}$"}, "minItems": 1, "maxItems": 3},
        "extra": {"type": "object"},
    },
    "required": ["do"],
    "additionalProperties": False,
}


def paint(request: Request) -> Response:
    """Answer as the provider: colours are inverted where ``keep_mask`` is black, and borders are added."""
    from PIL import Image, ImageOps

    body = json.loads(request.body)
    if "pictures" in body:
        picture = Image.open(io.BytesIO(base64.b64decode(body["pictures"][0]))).convert("RGB")
        if "border" in body:
            left, top, right, bottom = (body["border"][side] for side in ("left", "top", "right", "bottom"))
            canvas = Image.new("RGB", (left + picture.width + right, top + picture.height + bottom), "white")
            canvas.paste(picture, (left, top))
            picture = canvas
        if "keep_mask" in body:
            keep = Image.open(io.BytesIO(base64.b64decode(body["keep_mask"]))).convert("L")
            picture = Image.composite(picture, ImageOps.invert(picture), keep)
        if "width" in body:
            picture = picture.resize((body["width"], body["height"]))
    else:
        picture = Image.new("RGB", (body["width"], body["height"]), "teal")
    seed = body.get("seed", 0)
    painted = [{"image": png(picture, at), "seed": seed, "state": "fine"} for at in range(body.get("count", 1))]
    answer = {"painted": painted, "credits": 2 * len(painted)}
    return Response(json.dumps(answer).encode(), request_id="palette-1", metadata={"credits_left": "17"})


def vary(request: Request) -> Response:
    """Answer a request to vary: colours are inverted by what ``fidelity`` leaves."""
    from PIL import Image, ImageOps

    body = json.loads(request.body)
    picture = Image.open(io.BytesIO(base64.b64decode(body["pictures"][0]))).convert("RGB")
    varied = Image.blend(picture, ImageOps.invert(picture), 1 - body["fidelity"])
    painted = [
        {"image": png(varied, at), "seed": body.get("seed", 0), "state": "fine"} for at in range(body.get("count", 1))
    ]
    return Response(json.dumps({"painted": painted}).encode())


def examples() -> list[Any]:
    """What the provider's documents show."""
    from limner import WeightedText
    from limner.testing.pictures import picture

    words = [{"text": "a fox", "weight": 1.0}]
    image = picture((64, 64))
    everything = {"negative_prompt": "fog", "seed": 7, "guidance_scale": 7.5, "steps": 30, "n": 2}
    return [
        (
            Generate(
                prompt="a fox", size=(128, 64), **everything, options={"mood": "calm", "finish": "gloss", "tiling": True}
            ),
            {"do": "generate", "words": words, "without": ["fog"], "width": 128, "height": 64, "seed": 7, "guidance": 7.5}
            | {"steps": 30, "count": 2, "mood": "calm", "finish": "gloss", "tiling": True},
        ),
        (Generate(prompt="a fox", options={"mood": "wild", "finish": "matt"}), {"mood": "wild", "finish": "matt"}),
        (Generate(prompt=[WeightedText("a fox", 2), "snow"]), {"words": [{"text": "a fox", "weight": 2}, {"text": "snow"}]}),
        (Vary(image=image, strength=0.8, prompt="a fox"), {"fidelity": 0.2, "pictures": [image], "words": words}),
        (Inpaint(image=image, mask_prompt="a door"), {"where": "a door"}),
        (Outpaint(image=image, keep_prompt="a house"), {"subject": "a house"}),
        (Outpaint(image=image, expand=(8, 16, 24, 32)), {"border": {"left": 8, "top": 16, "right": 24, "bottom": 32}}),
    ]


def problems(request: Request) -> list[str]:
    """What the documents say of the pictures in a body: 8 to 512 pixels a side, PNG or JPEG."""
    from PIL import Image

    body = json.loads(request.body)
    found = []
    for text in body.get("pictures", ()):
        with Image.open(io.BytesIO(base64.b64decode(text))) as opened:
            if opened.format not in {"PNG", "JPEG"}:
                found.append(f"the picture is {opened.format}")
            if not all(8 <= side <= 512 for side in opened.size):
                found.append(f"the picture is {opened.size}")
    return found


def png(picture: Any, number: int) -> str:
    """Encode, each picture of a call with another note, so that no two are the same."""
    from PIL.PngImagePlugin import PngInfo

    buffer, note = io.BytesIO(), PngInfo()
    note.add_text("number", str(number))
    picture.save(buffer, "PNG", compress_level=1, pnginfo=note)
    return base64.b64encode(buffer.getvalue()).decode()


ID = {"x-request-id": "palette-77"}


MISTAKES = b'{"errors": ["the words are too long", "at least ten steps are needed"]}'


def error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def recorded() -> list[Any]:
    """Answers as the provider gave them, in its documents' words."""
    from limner import Image
    from limner.testing import Recorded
    from limner.testing.pictures import mask, picture

    image: Image = picture((64, 64))
    tasks = [
        Generate(prompt="a fox", seed=7),
        Vary(image=image, seed=7),
        Inpaint(image=image, mask=mask((64, 64), (0, 0, 9, 9)), seed=7),
        Outpaint(image=image, expand=(8, 0, 0, 0), seed=7),
        RemoveBackground(image=image),
        Upscale(image=image, seed=7),
    ]
    fine = b'{"image": "%b", "seed": 7, "state": "fine"}' % base64.b64encode(image.data)
    good = b'{"painted": [%b], "credits": 2}' % fine
    blocked = b'{"state": "blocked", "reason": "the picture shows a trademark"}'
    one_blocked = b'{"painted": [%b, %b], "credits": 4}' % (fine, blocked)
    two = Generate(prompt="a fox", seed=7, n=2)
    return [
        *(Recorded(task=task, body=good) for task in tasks),
        Recorded(task=two, body=one_blocked, outcomes=("ok", "filtered"), name="one-blocked.json"),
        Recorded(task=two, body=b'{"blocked": "the prompt"}', error=ContentFiltered, name="all-blocked.json"),
        Recorded(task=two, body=b'{"fault": "out of paint"}', error=BadResponse, name="fault.json"),
        Recorded(task=two, body=error("blocked", "the words are not for us"), error=ContentFiltered, status=422, headers=ID),
        Recorded(task=two, body=MISTAKES, error=RequestRejected, status=400, headers=ID),
        Recorded(task=two, body=error("slow_down", "too many at once, wait"), error=RateLimited, status=429, headers=ID),
    ]
