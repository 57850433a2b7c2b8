"""A task as a request of the Images API, and an answer as pictures. Pure."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import attrs
import limner
from limner import Generate, Image, Inpaint, Mask, Outpaint, RemoveBackground, Task, Vary, expand_canvas
from limner_http import Part, dump_json, multipart, parse_json, picture_from_base64

from limner_openai import wire
from limner_openai.dialects import Dialect
from limner_openai.limits import SIZE

if TYPE_CHECKING:
    import PIL.Image

GENERATIONS, EDITS = "images/generations", "images/edits"

REMOVE_BACKGROUND = (
    "Remove the background. Keep the main subject exactly as it is, with its shape, colours and details, "
    "and make everything else fully transparent."
)
"""The prompt of RemoveBackground: there is no call of its own for it."""

EXTRA_BEGIN, EXTRA_END = "<sd_cpp_extra_args>", "</sd_cpp_extra_args>"

_PARAMETERS = ("n", "seed", "steps", "guidance_scale", "negative_prompt", "strength")


def to_request(task: Task, dialect: Dialect, model_id: str, partial_images: int = 0) -> limner.Request:
    """Write a task that keeps the limits as a request."""
    fields = {"model": model_id, **_fields(task, dialect), **task.options, **dialect.fixed}
    if dialect.response_format:
        fields["response_format"] = dialect.response_format
    if partial_images:
        fields |= {"stream": True, "partial_images": partial_images}
    files = _files(task, dialect)
    if dialect.source_field and files:
        fields[dialect.source_field] = files[0].content
        files = []
    if not files:
        return limner.Request(model_id, dump_json(fields), path=GENERATIONS)
    body, content_type = multipart([*files, *(Part(name, _as_text(value)) for name, value in fields.items())])
    return limner.Request(model_id, body, path=EDITS, content_type=content_type)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------------------------------------- fields


def _fields(task: Task, dialect: Dialect) -> dict[str, Any]:
    if isinstance(task, RemoveBackground):
        size = wire.size(task.image.size) if SIZE.wrong(task.image.size) is None else "auto"
        return {"prompt": REMOVE_BACKGROUND, "background": "transparent", "output_format": "png", "size": size}
    said = {name: getattr(task, name, None) for name in _PARAMETERS}
    said = {name: value for name, value in said.items() if value is not None}
    inside = {name: said.pop(name) for name in dialect.in_prompt if name in said}
    prompt = _text(task.prompt) + _inside(inside, dialect)  # type: ignore[attr-defined]
    return {
        "prompt": prompt,
        **{dialect.names.get(name, name): value for name, value in said.items()},
        **_size(task, dialect),
    }


def _inside(values: Mapping[str, Any], dialect: Dialect) -> str:
    """Write parameters as the JSON that stable-diffusion.cpp takes out of a prompt."""
    if not values:
        return ""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *parents, last = dialect.in_prompt[name]
        place = tree
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    content = dump_json(tree).decode().replace("<", "\\u003c")
    return f" {EXTRA_BEGIN}{content}{EXTRA_END}"


def _size(task: Task, dialect: Dialect) -> dict[str, Any]:
    size = canvas_of(task).size if isinstance(task, Inpaint | Outpaint) else getattr(task, "size", None)
    if size is None:
        default = dialect.size_of_edits if isinstance(task, Vary) else ""
        return {"size": default} if default else {}
    return {"size": wire.size(size)} if dialect.size == "text" else {"width": size[0], "height": size[1]}


def _text(prompt: object) -> str:
    """The limits leave one text, without a weight."""
    assert isinstance(prompt, str)  # noqa: S101
    return prompt


# ---------------------------------------------------------------------------------------------- pictures


@singledispatch
def _files(task: Task, dialect: Dialect) -> list[Part]:
    """Write the pictures of a task as parts; their order is that of their meaning."""
    raise NotImplementedError(task.kind)


@_files.register
def _(task: Generate, dialect: Dialect) -> list[Part]:  # noqa: ARG001
    return []


@_files.register
def _(task: Vary, dialect: Dialect) -> list[Part]:
    name = dialect.image if len(task.image) == 1 else dialect.images
    return [_file(name, image) for image in task.image]


@_files.register
def _(task: RemoveBackground, dialect: Dialect) -> list[Part]:
    return [_file(dialect.image, task.image)]


@_files.register(Inpaint)
@_files.register(Outpaint)
def _(task: Inpaint | Outpaint, dialect: Dialect) -> list[Part]:
    canvas = canvas_of(task)
    image, written = canvas.image, canvas.mask.png()
    if dialect.mask_form == "alpha":
        image, written = canvas.with_hole(), alpha_mask(canvas.mask)
    return [_file(dialect.image, image), Part(dialect.mask, written, "mask.png", "image/png")]


@attrs.frozen
class Canvas:
    """What an edit sends: a picture, and a mask of what is edited.

    Attributes:
        image: the picture, or the larger canvas with the picture on it.
        mask: what is edited.
        expanded: whether something was added to the picture.
    """

    image: Image
    mask: Mask
    expanded: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size

    def with_hole(self) -> Image:
        """Return the picture, transparent where something was added."""
        if not self.expanded:
            return self.image
        from PIL import ImageChops

        picture = self.image.pil()
        alpha = picture.convert("RGBA").getchannel("A")
        picture = picture.convert("RGB")
        picture.putalpha(ImageChops.darker(alpha, self.mask.inverted().pil()))
        return Image(_png(picture))


def canvas_of(task: Inpaint | Outpaint) -> Canvas:
    """Work out what an edit sends."""
    if isinstance(task, Outpaint) and task.expand is not None:
        return Canvas(*expand_canvas(task.image, task.expand), expanded=True)
    assert isinstance(task.mask, Mask)  # noqa: S101 - the limits leave no other
    return Canvas(task.image, task.mask)


def alpha_mask(mask: Mask) -> bytes:
    """Write a mask as a PNG that is transparent and white where the picture is edited, and opaque and black elsewhere."""
    import PIL.Image

    level = mask.pil()
    kept = level.point(lambda value: 255 - value)
    return _png(PIL.Image.merge("RGBA", (level, level, level, kept)))


def _png(picture: PIL.Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _file(name: str, image: Image) -> Part:
    suffix = image.media_type.removeprefix("image/")
    return Part(name, image.data, f"image.{suffix}", image.media_type)


# ---------------------------------------------------------------------------------------------- answers


def to_pictures(body: bytes) -> limner.Decoded:
    """Read an answer.

    Raises:
        BadResponse: it is not what is documented.
    """
    answer = wire.read(parse_json(body))
    return limner.Decoded([_picture(item) for item in answer.data], usage=answer.usage, metadata=answer.metadata)


def _picture(item: wire.Item) -> limner.Picture:
    """One unreadable picture does not take the others with it."""
    if item.filtered:
        return limner.Picture(outcome="filtered", reason=item.reason or "the provider's content filter held it back")
    if item.b64_json is None:
        return limner.Picture(outcome="failed", reason=item.reason or "the response has no picture at this position")
    try:
        return limner.Picture(image=picture_from_base64(item.b64_json))
    except limner.BadResponse as error:
        return limner.Picture(outcome="failed", reason=error.message)
