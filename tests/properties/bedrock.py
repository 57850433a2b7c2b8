"""What the properties of the Bedrock plugins share: the models, how many examples, and the oracles, which others wrote."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from limner.images import Image
from limner.testing.constraints import expansions
from limner.testing.pictures import TINY
from limner.testing.strategies import images, masks, tasks_within, values
from limner_bedrock_emulator import nova, pictures, titan
from limner_bedrock_emulator.refusals import RequestRefused
from limner_bedrock_emulator.schemas import validate
from limner_bedrock_sdxl.plugin import Sdxl
from limner_bedrock_titan.plugin import NovaCanvas, TitanV1, TitanV2

MODELS = (Sdxl(), TitanV1(), TitanV2(), NovaCanvas())
CASES = [pytest.param(model, task, id=f"{model.aliases[-1]}-{task.kind}") for model in MODELS for task in model.limits]
EVERY_CASE = pytest.mark.parametrize(("model", "task_class"), CASES)

FEW = settings(
    max_examples=max(10, settings.default.max_examples * 2 // 5),
    suppress_health_check=[*settings.default.suppress_health_check, HealthCheck.data_too_large],
)
"""40 examples by the default profile: there are eighteen cases of each property."""

OPENAPI = Path(__file__).parents[3] / "shared" / "oracle" / "stability-v1-openapi.json"


@functools.cache
def within(model, task_class):
    return tasks_within(model, task_class)


def seeded(model, task):
    """The task as planned: with its seed drawn."""
    seed = getattr(task, "seed", 0)
    return task if seed is not None else attrs.evolve(task, seed=model.plan(task).task.seed)


def bodies(plan):
    return [json.loads(request.body) for request in plan.requests]


def held(task, name):
    """The value of a parameter, or of an option by ``options.NAME``."""
    return task.options.get(name.removeprefix("options.")) if name.startswith("options.") else getattr(task, name)


def with_value(task, name, value):
    """The task with one parameter or option set, or unset by None."""
    if name.startswith("options."):
        options = {key: held for key, held in task.options.items() if key != name.removeprefix("options.")}
        return attrs.evolve(task, options=options | ({} if value is None else {name.removeprefix("options."): value}))
    return attrs.evolve(task, **{name: value})


def constraints(model, task_class):
    """Every parameter and option, with its constraint."""
    limits = model.limits_of(task_class)
    return {**limits.parameters, **{f"options.{name}": limit for name, limit in limits.options.items()}}


def wrong_with(model, body):
    """What the separate oracles say: the schemas, then the pictures themselves."""
    wrong = [*validate(model.id, body), *_by_openapi(model, body)]
    try:
        _read_pictures(model, body)
    except RequestRefused as refused:
        wrong.append(str(refused))
    return wrong


def _read_pictures(model, body):
    if isinstance(model, Sdxl):
        if "init_image" in body:
            picture = pictures.read(body["init_image"], "#/init_image")
        if "mask_image" in body:
            pictures.same_size(pictures.read(body["mask_image"], "#/mask_image"), picture, "#/mask_image")
        return
    (params,) = (value for key, value in body.items() if key.endswith("Params"))
    dialect = nova.DIALECT if isinstance(model, NovaCanvas) else titan.TITAN
    read = dialect.read
    for key in ("image", "conditionImage", "referenceImage"):
        if key in params:
            picture = read(params[key], f"#/{key}")
    for text in params.get("images", ()):
        read(text, "#/images")
    if "referenceImage" in params:
        assert picture.mode == "RGB"
    if "maskImage" in params:
        mask = dialect.read_mask(params["maskImage"], "#/maskImage")
        pictures.same_size(mask, picture, "#/maskImage")
        pictures.black_and_white(mask, "#/maskImage")


def _by_openapi(model, body):
    """Hold SDXL's bodies against Stability's own specification too, where it is there."""
    if not isinstance(model, Sdxl) or not OPENAPI.exists():
        return []
    mode = "Masking" if "mask_source" in body else "ImageToImage" if "init_image" in body else "TextToImage"
    return [error.message for error in _openapi(f"{mode}RequestBody").iter_errors(body)]


@functools.cache
def _openapi(name):
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    return Draft202012Validator({"components": document["components"], "$ref": f"#/components/schemas/{name}"})


def another(task, name, limit):
    """A strategy of allowed values for one parameter that suit the rest of the task."""
    image = getattr(task, "image", None)
    if name == "expand":
        return expansions(image.size, limit)
    if name == "mask":
        return masks(image.size, grey=limit.grey)
    if name == "image" and isinstance(image, Image):
        return images([image.size], limit.formats)
    if name == "image" and isinstance(image, tuple):
        return images(TINY, limit.of.formats).map(lambda one: (one, *image[1:]))
    return values(limit)
