"""Right plugins of providers that differ from the usual one; the kit must refuse none of them."""

from __future__ import annotations

import base64
import io
import json
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
from limner import (
    BadResponse,
    Finding,
    Generate,
    Image,
    Inpaint,
    Mask,
    Model,
    Outpaint,
    Picture,
    Problem,
    Request,
    Response,
    Settings,
    Task,
    TaskRefused,
    Vary,
    WeightedText,
    image_from_base64,
    parse_json,
)
from limner.limits import (
    Aspects,
    Choice,
    Constraint,
    Count,
    Expand,
    Flag,
    Integer,
    Limits,
    MaskPicture,
    NegativeText,
    Pictures,
    PromptText,
    Real,
    Seed,
    SizeRule,
    Sizes,
    TaskLimits,
)
from limner.limits import Picture as PictureLimit
from wire import KeySettings, call, check_key

if TYPE_CHECKING:
    import PIL.Image
    from limner.testing import Conformance

DOCS = "the provider's API reference"
PROMPT = PromptText(400, required=True, source=DOCS)
PICTURE = PictureLimit(size=SizeRule(8, 256, source=DOCS), required=True, source=DOCS)


def large_picture(most: int) -> PictureLimit:
    return PictureLimit(size=SizeRule(16, most, source=DOCS), required=True, source=DOCS)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def png(size: tuple[int, int], number: int = 0, picture: PIL.Image.Image | None = None) -> bytes:
    import PIL.Image
    from PIL.PngImagePlugin import PngInfo

    note, buffer = PngInfo(), io.BytesIO()
    note.add_text("number", str(number))
    (picture or PIL.Image.new("RGB", size, "teal")).save(buffer, "PNG", compress_level=1, pnginfo=note)
    return buffer.getvalue()


def opened(text: str | bytes) -> PIL.Image.Image:
    import PIL.Image

    return PIL.Image.open(io.BytesIO(base64.b64decode(text) if isinstance(text, str) else text))


def inverted(image: PIL.Image.Image) -> PIL.Image.Image:
    from PIL import ImageOps

    return ImageOps.invert(image)


def composite(one: PIL.Image.Image, other: PIL.Image.Image, mask: PIL.Image.Image) -> PIL.Image.Image:
    import PIL.Image

    return PIL.Image.composite(one, other, mask)


def blend(one: PIL.Image.Image, other: PIL.Image.Image, far: float) -> PIL.Image.Image:
    import PIL.Image

    return PIL.Image.blend(one, other, far)


class Unusual(Model):
    """Posts JSON, and reads ``{"images": [...]}``."""

    Settings = KeySettings
    settings: KeySettings
    limits: ClassVar[Limits]

    def body(self, task: Any) -> dict[str, Any]:
        raise NotImplementedError

    def encode(self, task: Task) -> Request:
        said = {name: value for name, value in self.body(task).items() if value is not None}
        return Request(self.model_id, json.dumps(said).encode())

    def send(self, request: Request) -> Response:
        return call(self.settings, "/v1/images", request.body)

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        check_key(self.settings)
        yield Finding("credentials", True, "a key is there")
        if live:
            call(self.settings, "/v1/account", None)
            yield Finding("connection", True, "the provider takes the key")

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        images = parse_json(response.body).get("images")
        if not isinstance(images, list):
            raise BadResponse("the answer has no images")
        return [Picture(image=image_from_base64(image)) for image in images]

    @classmethod
    def answer(cls, request: Request) -> Response:
        body = json.loads(request.body)
        size = tuple(map(int, body.get("size", "64x64").split("x")))
        images = [b64(png((size[0], size[1]), at)) for at in range(body.get("n", 1))]
        return Response(json.dumps({"images": images}).encode())

    @classmethod
    def conformance(cls) -> Conformance:
        from limner.testing import Conformance

        return Conformance(model=cls(), answer=cls.answer, **({} if cls.offline else {"endpoint": cls.at}), **cls.more())

    @classmethod
    def at(cls, url: str) -> Model:
        return cls(cls.Settings.of({"endpoint_url": url, "api_key": "key-of-the-tests"}))

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {}


class Seedless(Unusual):
    """Two pictures in a call, and no seed: two calls of a task are the same request."""

    id = "unusual.seedless"
    SIZES = ((64, 64), (96, 64))
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {"prompt": PROMPT, "size": Sizes(SIZES, default=(64, 64), source=DOCS), "n": Count(2, source=DOCS)}
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        return {"prompt": task.prompt, "size": f"{task.size[0]}x{task.size[1]}", "n": task.n}

    @classmethod
    def more(cls) -> dict[str, Any]:
        properties = {
            "prompt": {"type": "string", "maxLength": 400},
            "size": {"enum": ["64x64", "96x64"]},
            "n": {"type": "integer", "minimum": 1, "maximum": 2},
        }
        return {"body_schema": {"properties": properties, "additionalProperties": False}}


class OneSize(Unusual):
    """One picture of one size, by a prompt and a seed."""

    id = "unusual.one-size"
    limits: ClassVar[Limits] = {Generate: TaskLimits({"prompt": PROMPT, "seed": Seed(0, 2**31 - 1, source=DOCS)})}

    def body(self, task: Any) -> dict[str, Any]:
        return {"prompt": task.prompt, "random_seed": task.seed}


class BatchOfTen(Unusual):
    """Ten pictures in a call: two calls are more than max_n allows."""

    id = "unusual.batch-of-ten"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {
                "prompt": PROMPT,
                "n": Count(10, source=DOCS),
                "seed": Seed(1, 2**63 - 1, source=DOCS),
                "guidance_scale": Real(0.0, 30.0, default=7.0, source=DOCS),
                "steps": Integer(1, 150, default=30, source=DOCS),
            },
            options={"raw": Flag(source=DOCS), "look": Choice(("photo", "sketch", "none"), source=DOCS)},
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        said = {"prompt": task.prompt, "n": task.n, "seed": task.seed, "cfg": task.guidance_scale, "steps": task.steps}
        return {**said, "raw": task.options.get("raw"), "look": LOOKS.get(task.options.get("look", ""))}


LOOKS = {"photo": "PHOTOGRAPHIC", "sketch": "PENCIL", "none": "PLAIN"}


class BatchOfThirty(BatchOfTen):
    """More pictures in a call than max_n allows in a task."""

    id = "unusual.batch-of-thirty"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits({**BatchOfTen.limits[Generate].parameters, "n": Count(30, source=DOCS)})
    }


class AlphaMask(Unusual):
    """The mask is a picture of its own, transparent where to paint; the answer comes in the provider's own size."""

    id = "unusual.alpha-mask"
    limits: ClassVar[Limits] = {
        Inpaint: TaskLimits(
            {"image": PICTURE, "prompt": PROMPT, "mask": MaskPicture(source=DOCS), "n": Count(2, source=DOCS)}
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        import PIL.Image

        holes = PIL.Image.new("RGBA", task.image.size)
        opened = task.mask if isinstance(task.mask, Mask) else Mask.from_alpha(task.image)
        holes.putalpha(opened.inverted().pil())
        return {"image": b64(task.image.data), "mask": b64(png((1, 1), 0, holes)), "prompt": task.prompt, "n": task.n}

    @classmethod
    def answer(cls, request: Request) -> Response:
        body = json.loads(request.body)
        image, keep = opened(body["image"]).convert("RGB"), opened(body["mask"]).getchannel("A")
        painted = composite(image, inverted(image), keep)
        painted = painted.resize((painted.width * 4, painted.height * 4), 0)
        return Response(json.dumps({"images": [b64(png((1, 1), at, painted)) for at in range(body["n"])]}).encode())

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {"reference_painter": cls.answer}


BOUNDARY = "limner-boundary-5c1f"


def multipart(fields: list[tuple[str, str | bytes]]) -> bytes:
    parts = []
    for name, value in fields:
        file = f'; filename="{name}.png"\r\nContent-Type: application/octet-stream' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else value.encode()
        parts.append(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
        )
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def fields_of(body: bytes) -> dict[str, bytes]:
    found = {}
    for part in body.split(f"--{BOUNDARY}".encode())[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        found[head.split(b'name="')[1].split(b'"')[0].decode()] = data[:-2]
    return found


class Multipart(Unusual):
    """A form with files; every number is a text in it."""

    id = "unusual.multipart"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {"prompt": PROMPT, "n": Count(4, source=DOCS)}, options={"quality": Choice(("low", "high"), source=DOCS)}
        ),
        Vary: TaskLimits(
            {
                "image": Pictures(PICTURE, 3, required=True, source=DOCS),
                "prompt": PROMPT,
                "strength": Real(0.0, 1.0, default=0.5, source=DOCS),
                "seed": Seed(0, 9999, source=DOCS),
            }
        ),
    }

    def encode(self, task: Any) -> Request:
        fields: list[tuple[str, str | bytes]] = [("prompt", task.prompt)]
        fields += [("image[]", image.data) for image in getattr(task, "image", ())]
        more = {"n": task.n if isinstance(task, Generate) else None, "quality": task.options.get("quality")}
        if isinstance(task, Vary):
            more |= {"image_weight": round(1 - (task.strength or 0.0), 6), "seed": task.seed}
        fields += [(name, str(value)) for name, value in more.items() if value is not None]
        return Request(self.model_id, multipart(fields))

    def send(self, request: Request) -> Response:
        return call(self.settings, "/v1/edits", request.body, f"multipart/form-data; boundary={BOUNDARY}")

    @classmethod
    def answer(cls, request: Request) -> Response:
        n = int(fields_of(request.body).get("n", b"1"))
        return Response(json.dumps({"images": [b64(png((64, 64), at)) for at in range(n)]}).encode())

    @classmethod
    def vary(cls, request: Request) -> Response:
        fields = fields_of(request.body)
        image = opened(fields["image[]"]).convert("RGB")
        varied = blend(image, inverted(image), 1 - float(fields["image_weight"]))
        return Response(json.dumps({"images": [b64(png((1, 1), 0, varied))]}).encode())

    @classmethod
    def more(cls) -> dict[str, Any]:
        from limner.testing.pictures import picture

        image = picture((16, 16))
        shown = {"prompt": "a fox", "image[]": image, "image_weight": 0.2, "seed": 7}
        return {
            "vary_painter": cls.vary,
            "examples": [
                (Vary(image=image, prompt="a fox", strength=0.8, seed=7), shown),
                (Generate(prompt="a fox", n=2, options={"quality": "low"}), {"prompt": "a fox", "n": 2, "quality": "low"}),
            ],
        }


class RawBytes(OneSize):
    """The answer is the picture itself."""

    id = "unusual.raw-bytes"

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        try:
            return [Picture(image=Image(response.body))]
        except TaskRefused as error:
            raise BadResponse(f"the answer is no picture: {error}") from error

    @classmethod
    def answer(cls, request: Request) -> Response:
        return Response(png((64, 64)))


class FactsInHeaders(RawBytes):
    """The answer is the picture itself, blurred where a header says so."""

    id = "unusual.facts-in-headers"

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        if response.metadata.get("finish_reason") == "filtered":
            return [Picture(outcome="filtered", reason="the provider blurred the picture")]
        return super().decode(task, response)

    @classmethod
    def more(cls) -> dict[str, Any]:
        from limner.testing import Recorded

        fox, blurred = Generate(prompt="a fox", seed=7), {"x-finish-reason": "filtered"}
        stored = [
            Recorded(task=fox, body=png((64, 64)), headers={"x-finish-reason": "done"}),
            Recorded(task=fox, body=png((64, 64)), headers=blurred, outcomes=("filtered",)),
        ]
        return {"recorded": stored}


class Job(RawBytes):
    """Submits a job, asks until it is done, and downloads the picture."""

    id = "unusual.job"

    def send(self, request: Request) -> Response:
        submitted = call(self.settings, "/jobs", request.body)
        match parse_json(submitted.body):
            case {"id": str(job), "status": "done", "url": str(url)} if url.startswith("http"):
                picture = call(self.settings, "", None, url=url)
                return Response(picture.body, request_id=submitted.request_id or job)
        raise BadResponse("the job did not start", request_ids=filter(None, [submitted.request_id]))


class ByAspect(Unusual):
    """Takes an aspect ratio, and chooses the pixels."""

    id = "unusual.by-aspect"
    RATIOS = ((1, 1), (16, 9), (9, 16), (21, 9))
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {
                "prompt": PROMPT,
                "size": Aspects(RATIOS, default=(1, 1), source=DOCS),
                "seed": Seed(0, 4294967294, source=DOCS),
            }
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        return {"prompt": task.prompt, "aspect_ratio": f"{task.size[0]}:{task.size[1]}", "seed": task.seed}

    @classmethod
    def more(cls) -> dict[str, Any]:
        ratios = {"enum": ["1:1", "16:9", "9:16", "21:9"]}
        return {"body_schema": {"type": "object", "properties": {"aspect_ratio": ratios}}}


class LongPrompts(Unusual):
    """Prompts of 32,000 characters, negative prompts without an end, any finite guidance."""

    id = "unusual.long-prompts"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {
                "prompt": PromptText(32_000, required=True, source=DOCS),
                "negative_prompt": NegativeText(source=DOCS),
                "guidance_scale": Real(source=DOCS),
                "size": SizeRule(
                    64, 2048, multiple_of=16, max_aspect=3, max_pixels=1_500_000, default=(64, 64), source=DOCS
                ),
            }
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        said = {"prompt": task.prompt, "negative": task.negative_prompt, "cfg": task.guidance_scale}
        return {**said, "size": f"{task.size[0]}x{task.size[1]}"}


class UrlEncoded(Unusual):
    """A form without files."""

    id = "unusual.urlencoded"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {"prompt": PROMPT, "seed": Seed(0, 99, source=DOCS), "steps": Integer(1, 50, default=20, source=DOCS)}
        )
    }

    def encode(self, task: Any) -> Request:
        form = urllib.parse.urlencode({"text": task.prompt, "seed": task.seed, "num_steps": task.steps})
        return Request(self.model_id, form.encode())

    @classmethod
    def answer(cls, request: Request) -> Response:
        return Response(json.dumps({"images": [b64(png((64, 64)))]}).encode())


@attrs.frozen(kw_only=True)
class PipelineSettings(Settings):
    max_in_flight: int = attrs.field(default=1, converter=int)
    steps_at_once: int = attrs.field(default=1, converter=int)


class LocalPipeline(Unusual):
    """Paints in this process, as a local diffusion pipeline does; the body is its arguments."""

    id = "unusual.local"
    offline = True
    Settings = PipelineSettings
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {
                "prompt": PromptText(source=DOCS, required=True),
                "negative_prompt": NegativeText(source=DOCS),
                "size": SizeRule(64, 512, multiple_of=8, default=(64, 64), source=DOCS),
                "seed": Seed(0, 2**64 - 1, source=DOCS),
                "steps": Integer(1, 100, default=4, source=DOCS),
                "guidance_scale": Real(0.0, 20.0, default=5.0, source=DOCS),
            }
        ),
        Inpaint: TaskLimits(
            {"image": PICTURE, "prompt": PROMPT, "mask": MaskPicture(source=DOCS), "seed": Seed(0, 9, source=DOCS)}
        ),
    }

    def body(self, task: Any) -> dict[str, Any]:
        said: dict[str, Any] = {"prompt": task.prompt, "seed": task.seed}
        if isinstance(task, Inpaint):
            mask = task.mask if isinstance(task.mask, Mask) else Mask.from_alpha(task.image)
            return said | {"image": b64(task.image.data), "mask_image": b64(mask.png())}
        more = {
            "num_inference_steps": task.steps,
            "guidance_scale": task.guidance_scale,
            "negative_prompt": task.negative_prompt,
        }
        return said | more | {"width": task.size[0], "height": task.size[1]}

    def send(self, request: Request) -> Response:
        body = json.loads(request.body)
        if "image" not in body:
            return Response(json.dumps({"images": [b64(png((body["width"], body["height"])))]}).encode())
        image = opened(body["image"]).convert("RGB")
        painted = composite(inverted(image), image, self.opened_mask(body["mask_image"]))
        return Response(json.dumps({"images": [b64(png((1, 1), 0, painted))]}).encode())

    def opened_mask(self, text: str) -> PIL.Image.Image:
        """The mask of the body: white is painted."""
        return opened(text).convert("L")

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        return ()

    @classmethod
    def conformance(cls) -> Conformance:
        from limner.testing import Conformance

        return Conformance(model=cls(), reference_painter=LocalPipeline().send)


class LocalEdits(Unusual):
    """Varies and extends pictures in this process, and saves them in two formats."""

    id = "unusual.local-edits"
    offline = True
    Settings = PipelineSettings  # type: ignore[assignment]
    limits: ClassVar[Limits] = {
        Vary: TaskLimits(
            {
                "image": Pictures(PICTURE, 1, required=True, source=DOCS),
                "strength": Real(0.0, 1.0, default=0.5, source=DOCS),
            },
            options={
                "format": Choice(("png", "jpeg", "webp"), default="png", source=DOCS),
                "quality": Integer(1, 100, source=DOCS),
            },
        ),
        Outpaint: TaskLimits({"image": PICTURE, "expand": Expand(256, canvas=SizeRule(8, 512, source=DOCS), source=DOCS)}),
    }

    def check(self, task: Task) -> Iterable[Problem]:
        if "quality" in task.options and task.options.get("format", "png") == "png":
            yield Problem("options.quality", str(task.options["quality"]), "needs format='jpeg' or 'webp'", DOCS)

    def body(self, task: Any) -> dict[str, Any]:
        if isinstance(task, Outpaint):
            return {"image": b64(task.image.data), "border": list(task.expand)}
        return {"image": b64(task.image[0].data), "strength": task.strength, **task.options}

    def send(self, request: Request) -> Response:
        body = json.loads(request.body)
        picture = opened(body["image"]).convert("RGB")
        if "border" in body:
            return self.saved(self.extended(picture, *body["border"]), "png", None)
        return self.saved(self.varied(picture, body["strength"]), body["format"], body.get("quality"))

    def extended(self, picture: PIL.Image.Image, left: int, top: int, right: int, bottom: int) -> PIL.Image.Image:
        """The picture on a larger canvas."""
        import PIL.Image

        canvas = PIL.Image.new("RGB", (left + picture.width + right, top + picture.height + bottom), "white")
        canvas.paste(picture, (left, top))
        return canvas

    def varied(self, picture: PIL.Image.Image, strength: float) -> PIL.Image.Image:
        """The picture, departed from as far as strength says."""
        return blend(picture, inverted(picture), strength)

    def saved(self, picture: PIL.Image.Image, kind: str, quality: int | None) -> Response:
        """The answer."""
        buffer = io.BytesIO()
        picture.save(buffer, kind, **({} if quality is None else {"quality": quality}))
        return Response(json.dumps({"images": [b64(buffer.getvalue())]}).encode())

    def diagnose(self, *, live: bool = False) -> Iterable[Finding]:
        return ()

    @classmethod
    def conformance(cls) -> Conformance:
        from limner.testing import Conformance

        painter = LocalEdits().send
        return Conformance(model=cls(), vary_painter=painter, reference_painter=painter)


@attrs.frozen(kw_only=True)
class Adapter(Constraint):
    """The name of a fine-tuned part of the model, and how much of it: an object."""

    def wrong(self, value: Any) -> str | None:
        match dict(value) if isinstance(value, Mapping) else None:
            case {"name": str(name), "weight": int(weight) | float(weight), **others} if name and not others:
                return None if 0 <= weight <= 2 else "must have a weight from 0 to 2"
        return "must be an object with a name and a weight"

    def describe(self) -> str:
        return "an object with a name, and a weight from 0 to 2"

    def schema(self) -> Any:
        return {"type": "object", "required": ["name", "weight"]}


def adapters(constraint: Adapter) -> list[Any]:
    """Plain objects, as the documents have them."""
    return [{"name": "ink", "weight": 1.0}, {"name": "ink", "weight": 0.0}, {"name": "a", "weight": 2.0}]


class DataUrls(Seedless):
    """Its pictures come as data URLs; one that is damaged does not take the others with it. An option is an object."""

    id = "unusual.data-urls"
    limits: ClassVar[Limits] = {
        Generate: TaskLimits(
            {**Seedless.limits[Generate].parameters}, options={"adapter": Adapter(source=DOCS), "raw": Flag(source=DOCS)}
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        adapter = task.options.get("adapter")
        said = {"adapter": None if adapter is None else dict(adapter), "raw": task.options.get("raw")}
        return {**super().body(task), **said}

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        match parse_json(response.body):
            case {"images": [*urls]} if all(isinstance(url, str) for url in urls):
                return [self.picture(url) for url in urls]
        raise BadResponse("the answer has no images")

    def picture(self, url: str) -> Picture:
        try:
            return Picture(image=image_from_base64(url.partition(";base64,")[2]))
        except BadResponse as error:
            return Picture(outcome="failed", reason=error.message)

    @classmethod
    def answer(cls, request: Request) -> Response:
        images = parse_json(super().answer(request).body)["images"]
        return Response(json.dumps({"images": [f"data:image/png;base64,{image}" for image in images]}).encode())

    @classmethod
    def more(cls) -> dict[str, Any]:
        from hypothesis import strategies as st
        from limner.testing.constraints import values
        from limner.testing.ends import ends

        ends.register(adapters)
        values.register(Adapter, lambda constraint: st.sampled_from(adapters(constraint)))
        schema = super().more()["body_schema"]
        more = {"adapter": {"type": "object"}, "raw": {"type": "boolean"}}
        return {"body_schema": {**schema, "properties": {**schema["properties"], **more}}}


class LargePictures(Unusual):
    """Varies pictures of up to 4096 pixels a side."""

    id = "unusual.large-pictures"
    limits: ClassVar[Limits] = {Vary: TaskLimits({"image": Pictures(large_picture(4096), 1, required=True, source=DOCS)})}

    def body(self, task: Any) -> dict[str, Any]:
        return {"picture": b64(task.image[0].data)}

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {"body_problems": cls.problems}

    @classmethod
    def problems(cls, request: Request) -> list[str]:
        """What the documents say of a picture."""
        image = Image(base64.b64decode(json.loads(request.body)["picture"]))
        return [] if all(16 <= side <= 4096 for side in image.size) else [f"the picture is {image.size}"]


FORMATS = PictureLimit(("image/png", "image/jpeg", "image/webp"), size=SizeRule(8, 99, source=DOCS), source=DOCS)
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class ThreeFormats(Unusual):
    """Takes pictures of three formats, and names each by its suffix."""

    id = "unusual.three-formats"
    limits: ClassVar[Limits] = {Vary: TaskLimits({"image": Pictures(FORMATS, 1, required=True, source=DOCS)})}

    def body(self, task: Any) -> dict[str, Any]:
        return {"picture": b64(task.image[0].data), "kind": SUFFIXES[task.image[0].media_type]}

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {"body_problems": cls.problems}

    @classmethod
    def problems(cls, request: Request) -> list[str]:
        """What the documents say of a picture."""
        media_type = Image(base64.b64decode(json.loads(request.body)["picture"])).media_type
        return [] if media_type in SUFFIXES else [f"the picture is {media_type}"]


class LargeCanvases(Unusual):
    """Extends pictures of up to 4096 pixels a side, to canvases that may not be larger."""

    id = "unusual.large-canvases"
    SIZE = SizeRule(16, 4096, source=DOCS)
    limits: ClassVar[Limits] = {
        Outpaint: TaskLimits({"image": large_picture(4096), "expand": Expand(512, canvas=SIZE, source=DOCS)})
    }

    def body(self, task: Any) -> dict[str, Any]:
        sides = dict(zip(("left", "top", "right", "bottom"), task.expand, strict=True))
        return {"picture": b64(task.image.data), **sides}

    @classmethod
    def more(cls) -> dict[str, Any]:
        return {"body_problems": cls.problems}

    @classmethod
    def problems(cls, request: Request) -> list[str]:
        """What the documents say of a picture and of its canvas."""
        body = json.loads(request.body)
        width, height = Image(base64.b64decode(body["picture"])).size
        canvas = (width + body["left"] + body["right"], height + body["top"] + body["bottom"])
        fine = all(16 <= side <= 4096 for side in (width, height, *canvas))
        return [] if fine else [f"the picture is {width}x{height}, the canvas {canvas}"]


class MixedParts(Unusual):
    """Weighted texts and pictures are items of one list, the texts first."""

    id = "unusual.mixed-parts"
    limits: ClassVar[Limits] = {
        Vary: TaskLimits(
            {
                "image": Pictures(PICTURE, 3, required=True, source=DOCS),
                "prompt": PromptText(40, required=True, max_parts=4, weights=Real(0.0, 2.0, source=DOCS), source=DOCS),
            }
        )
    }

    def body(self, task: Any) -> dict[str, Any]:
        said = [WeightedText(task.prompt)] if isinstance(task.prompt, str) else task.prompt
        texts = [{"text": part.text, "weight": part.weight} for part in said]
        return {"parts": texts + [{"picture": b64(image.data)} for image in task.image]}

    @classmethod
    def more(cls) -> dict[str, Any]:
        words, weight = {"type": "string", "maxLength": 40}, {"minimum": 0, "maximum": 2}
        text = {"required": ["text"], "properties": {"text": words, "weight": weight}}
        texts = {"contains": text, "minContains": 1, "maxContains": 4}
        pictures = {"contains": {"required": ["picture"]}, "minContains": 1, "maxContains": 3}
        item = {"properties": {**text["properties"], "picture": {"type": "string"}}, "additionalProperties": False}  # type: ignore[dict-item]
        return {"body_schema": {"properties": {"parts": {"type": "array", "items": item, "allOf": [texts, pictures]}}}}


UNUSUAL: list[type[Unusual]] = [
    *(
        Seedless,
        OneSize,
        BatchOfTen,
        BatchOfThirty,
        AlphaMask,
        Multipart,
        RawBytes,
        FactsInHeaders,
        Job,
        ByAspect,
        LongPrompts,
        UrlEncoded,
    ),
    *(LocalPipeline, LocalEdits, DataUrls, LargePictures, LargeCanvases, ThreeFormats, MixedParts),
]
