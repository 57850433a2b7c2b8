"""Converts a request to a model, a task, and the format of the response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
import limner
from limner import Generate, Image, Inpaint, Mask, Model, Task, TaskRefused, Vary
from limner.limits import Constraint, TaskLimits

from limner_server.bodies import Body
from limner_server.errors import wrong

HINTS = {"quality", "background", "style", "moderation", "input_fidelity", "complexity"}
"""OpenAI's own fields. ``auto`` is ignored, and ``fit=nearest`` drops fields that a model does not support."""
UNHEARD = {"user", "safety_identifier"}
"""Fields that are passed on if the model declares them, and otherwise silently ignored."""
_ANSWERING = {"response_format", "stream", "partial_images", "output_format", "output_compression"}
READ_BY_NAME = {"prompt", "image", "mask", "model", "n", "size"} | _ANSWERING
FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
OTHER_WORDS = {"num_inference_steps": "steps", "cfg_scale": "guidance_scale", "guidance": "guidance_scale"}
"""Field names of other servers with this API."""

_TEXTS = {"negative_prompt", "mask_prompt"}
_WHOLE = {"seed", "steps"}
_REAL = {"guidance_scale", "strength"}
_LONGEST_NAME = 300


@attrs.frozen
class Wanted:
    """The requested format of the response.

    Attributes:
        url: return URLs instead of base64.
        stream: return server-sent events.
        partial_images: the maximum number of unfinished pictures in a stream.
        output_format: ``png``, ``jpeg`` or ``webp``; ``None`` keeps the model's format.
        output_compression: 0 to 100, of JPEG and WebP; 100 is the best quality.
    """

    url: bool
    stream: bool
    partial_images: int
    output_format: str | None
    output_compression: int | None

    @classmethod
    def of(cls, body: Body) -> Wanted:
        """Read it from a request."""
        response_format = _text(body, "response_format")
        if response_format not in {None, "url", "b64_json"}:
            raise wrong("must be b64_json or url", "response_format")
        output_format = _said(body, "output_format")
        output_format = "jpeg" if output_format == "jpg" else output_format
        if output_format is not None and output_format not in FORMATS:
            raise wrong("must be png, jpeg or webp", "output_format")
        return cls(
            response_format == "url",
            _flag(body, "stream"),
            _whole(body, "partial_images", 0, 3) or 0,
            output_format,
            _whole(body, "output_compression", 0, 100),
        )


def model_name(body: Body) -> str | None:
    """Read the name of the model; ``None`` if the request names none."""
    name = _text(body, "model") or None
    if name is not None and len(name) > _LONGEST_NAME:
        raise wrong("no model name is this long", "model", "model_not_found", 404)
    return name


@attrs.frozen
class Asked:
    """The task of a request, and its dropped values.

    Attributes:
        task: the task.
        dropped: the reasons by name for values that the model does not support.
    """

    task: Task
    dropped: Mapping[str, tuple[Any, str]]


def generation(body: Body, model: Model, fit: str) -> Asked:
    """Read a request to generate pictures from a prompt."""
    for name in ("image", "images", "mask"):
        if body.fields.get(name) is not None or name in body.files:
            raise wrong("pictures belong to /v1/images/edits", name)
    prompt = _text(body, "prompt")
    if prompt is None:
        raise wrong("is required: say what should be seen", "prompt", "missing_required_parameter")
    return _asked(Generate, {"prompt": prompt}, body, model, fit)


def edit(body: Body, model: Model, fit: str) -> Asked:
    """Read a request to edit pictures: with a mask, by the picture's transparency, or as a whole. Decodes pictures."""
    images, prompt = _images(body), _text(body, "prompt") or None
    if "mask" in body.files:
        return _asked(Inpaint, {"image": _one(images), "prompt": prompt, "mask": _mask(body)}, body, model, fit)
    if body.fields.get("mask_prompt"):
        return _asked(Inpaint, {"image": _one(images), "prompt": prompt}, body, model, fit)
    if len(images) == 1 and Inpaint in model.limits and images[0].has_alpha:
        mask = _of_alpha(images[0], "image")
        if not mask.is_black:
            return _asked(Inpaint, {"image": images[0], "prompt": prompt, "mask": mask}, body, model, fit)
    return _asked(Vary, {"image": images, "prompt": prompt}, body, model, fit)


def variation(body: Body, model: Model, fit: str) -> Asked:
    """Read a request for variations of pictures."""
    return _asked(Vary, {"image": _images(body), "prompt": _text(body, "prompt") or None}, body, model, fit)


# ---------------------------------------------------------------------------------------------- pictures


def _images(body: Body) -> list[Image]:
    if not body.files.get("image"):
        raise wrong("is required: send a picture file", "image", "missing_required_parameter")
    return [_image(data, "image") for data in body.files["image"]]


def _image(data: bytes, name: str) -> Image:
    if data[:5].lower() in {b"http:", b"https", b"data:"}:
        raise wrong("is a URL, and URLs are not fetched; send the picture's file", name)
    try:
        return Image(data)
    except TaskRefused as refused:
        raise wrong(refused.problems[0].limit, name, "invalid_image") from refused


def _one(images: list[Image]) -> Image:
    if len(images) > 1:
        raise wrong("a mask belongs to one picture; send one", "image")
    return images[0]


def _mask(body: Body) -> Mask:
    masks = body.files["mask"]
    if len(masks) > 1:
        raise wrong("is given twice", "mask")
    picture = _image(masks[0], "mask")
    if not picture.has_alpha:
        wanted = "must be a picture with an alpha channel, transparent where to repaint; this one has none"
        raise wrong(wanted, "mask", "invalid_mask")
    mask = _of_alpha(picture, "mask")
    if mask.is_black:
        raise wrong("is opaque everywhere: transparent pixels mark what to repaint", "mask", "invalid_mask")
    return mask


def _of_alpha(picture: Image, name: str) -> Mask:
    try:
        return Mask.from_alpha(picture)
    except TaskRefused as refused:
        raise wrong(refused.problems[0].limit, name, "invalid_image") from refused


# ---------------------------------------------------------------------------------------------- the other fields


def _asked(kind: type[Task], arguments: dict[str, Any], body: Body, model: Model, fit: str) -> Asked:
    """Create the task; fields that are not its parameters are options."""
    limits = model.limits_of(kind)
    parameters = {field.name for field in attrs.fields(kind)}
    arguments |= {"n": _whole(body, "n"), "size": _size(body)}
    options: dict[str, Any] = {}
    dropped: dict[str, tuple[Any, str]] = {}
    for name, value in _further(body, limits):
        parameter = OTHER_WORDS.get(name, name) if name not in limits.options else name
        if parameter in parameters and parameter in {*_TEXTS, *_WHOLE, *_REAL, "preserve"}:
            arguments[parameter] = _typed(value, parameter, None) if body.is_form else value
            continue
        limit = limits.options.get(name)
        if body.is_form and isinstance(value, str):
            value = _typed(value, name, limit)  # noqa: PLW2901
        if fit == "nearest" and name in HINTS and limit is not None and limit.nearest(value) is None:
            why = limit.wrong(value)
            if why is not None:
                dropped[name] = value, why
                continue
        options[name] = value
    return Asked(kind(**arguments, options=options), dropped)


def _further(body: Body, limits: TaskLimits) -> list[tuple[str, Any]]:
    """Return the remaining fields and pictures; of the format fields, only those that the model supports."""
    found = list(_output(body, limits).items())
    for name, value in body.fields.items():
        silent = value is None or (name in HINTS and value == "auto")
        undeclared = name in UNHEARD and name not in limits.options
        if not (name in READ_BY_NAME or silent or undeclared):
            found.append((name, value))
    for name, files in body.files.items():
        if name not in {"image", "mask"}:
            pictures = [_image(data, name) for data in files]
            found.append((name, pictures[0] if len(pictures) == 1 else pictures))
    return found


def _output(body: Body, limits: TaskLimits) -> dict[str, Any]:
    """Return the format and compression that the model supports; the server converts to any other."""
    wanted = Wanted.of(body)
    asked = {"output_format": wanted.output_format, "output_compression": wanted.output_compression}
    made = {name: value for name, value in asked.items() if value is not None and name in limits.options}
    made = {name: value for name, value in made.items() if limits.options[name].wrong(value) is None}
    if made.get("output_format") == "png":  # has no compression setting
        made.pop("output_compression", None)
    return made if "output_format" in made else {}


def _typed(text: str, name: str, limit: Constraint | None) -> Any:
    """Convert a form's text to the expected type; invalid text stays text, which the limits then refuse."""
    kind = {**dict.fromkeys(_WHOLE, "integer"), **dict.fromkeys(_REAL, "number"), "preserve": "boolean"}.get(name)
    kind = kind if limit is None else limit.schema().get("type")
    try:
        match kind:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except (ValueError, KeyError):
        pass
    return text


def _said(body: Body, name: str) -> str | None:
    value = _text(body, name)
    return None if value in {"auto", ""} else value


def _text(body: Body, name: str) -> str | None:
    value = body.fields.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong("must be a text", name, "invalid_type")
    return value


def _flag(body: Body, name: str) -> bool:
    value = body.fields.get(name)
    if body.is_form and isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False, "": None}.get(value.lower(), value)
    if value is not None and not isinstance(value, bool):
        raise wrong("must be true or false", name, "invalid_type")
    return bool(value)


def _whole(body: Body, name: str, least: int | None = None, most: int | None = None) -> int | None:
    value = body.fields.get(name)
    if body.is_form and isinstance(value, str):
        value = None if value == "" else int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else value
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("must be a whole number", name, "invalid_type")
    if least is not None and most is not None and not least <= value <= most:
        raise wrong(f"must be {least} to {most}", name)
    return value


def _size(body: Body) -> tuple[int, int] | None:
    value = _said(body, "size")
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})[xX]([0-9]{1,5})", value)
    if match is None:
        raise wrong("must be WIDTHxHEIGHT in pixels, such as 1024x1024, or auto", "size")
    return int(match[1]), int(match[2])


def find_model(name: str | None, names: Mapping[str, str], **settings: Any) -> Model:
    """Find the model for a name.

    Raises:
        UnknownModel: no model has this name.
    """
    return limner.get_model(None if name is None else names.get(name, name), **settings)
