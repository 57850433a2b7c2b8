"""The contracts as JSON Schema (draft 2020-12), written from the providers' documents alone.

The files lie beside this module: ``sdxl.json``, ``titan-v1.json``, ``titan-v2.json``, ``nova-canvas.json`` and
``stability-*.json`` are whole contracts, the others are one mode or task each, or common to some. Every limit carries its
source in ``$comment``.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from limner_bedrock_emulator.model_ids import contract_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema.protocols import Validator


def validate(model_id: str, body: Mapping[str, Any]) -> list[str]:
    """Validate a request body against the documented schema of its model.

    Args:
        model_id: any identifier that names a served model (see :func:`~limner_bedrock_emulator.model_ids.contract_of`).
        body: the parsed JSON body. Pictures are only checked to be strings; the server also decodes them.

    Returns:
        The violations, each as the live service words it (``#/textToImageParams/text: expected maxLength: 512,
        actual: 536``); empty if the body is valid.

    Raises:
        limner_bedrock_emulator.refusals.RequestRefused: the identifier names no served model.
    """
    errors = _validator(contract_of(model_id)).iter_errors(body)
    return list(dict.fromkeys(text for error in errors for text in _texts(error)))


@cache
def schema(name: str) -> Mapping[str, Any]:
    """Return one schema file; ``name`` is without the suffix ``.json``."""
    loaded: Mapping[str, Any] = json.loads((files(__name__) / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def _is_integer(_: object, value: object) -> bool:
    """Return whether a value is an integer; the service's validator does not accept 10.0 as one."""
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_Validator: type[Validator] = extend(Draft202012Validator, type_checker=_TYPES)  # type: ignore[no-untyped-call]


@cache
def _validator(name: str) -> Validator:
    names = [file.name.removesuffix(".json") for file in files(__name__).iterdir() if file.name.endswith(".json")]
    resources = [(f"{file}.json", DRAFT202012.create_resource(_undeclared(file))) for file in names]
    registry: Registry[Any] = Registry().with_resources(resources)
    return _Validator(_undeclared(name), registry=registry)


def _undeclared(name: str) -> dict[str, Any]:
    """Return a schema without ``$schema``, which would make jsonschema use its own validator class at each reference."""
    return {key: value for key, value in schema(name).items() if key != "$schema"}


_JSON_TYPES = {"object": "JSONObject", "array": "JSONArray"}
_PYTHON_TYPES = {dict: "JSONObject", list: "JSONArray", bool: "Boolean", int: "Integer", float: "BigDecimal"}


def _found(value: object) -> str:
    return "Null" if value is None else _PYTHON_TYPES.get(type(value), "String")


_WORDS: dict[str, Callable[[Any, Any], str]] = {
    "type": lambda wanted, value: f"expected type: {_JSON_TYPES.get(wanted, wanted.capitalize())}, found: {_found(value)}",
    "minLength": lambda limit, value: f"expected minLength: {limit}, actual: {len(value)}",
    "maxLength": lambda limit, value: f"expected maxLength: {limit}, actual: {len(value)}",
    "pattern": lambda pattern, value: f"string [{value}] does not match pattern {pattern}",
    "minimum": lambda limit, value: f"{value} is not greater or equal to {limit}",
    "maximum": lambda limit, value: f"{value} is not less or equal to {limit}",
    "multipleOf": lambda factor, value: f"{value} is not a multiple of {factor}",
    "minItems": lambda limit, value: f"expected minimum item count: {limit}, found: {len(value)}",
    "maxItems": lambda limit, value: f"expected maximum item count: {limit}, found: {len(value)}",
    "enum": lambda _, value: f"{value} is not a valid enum value",
    "oneOf": lambda branches, value: (
        f"{sum(_Validator(branch).is_valid(value) for branch in branches)} subschemas matched instead of one"
    ),
    "not": lambda barred, _: f"subject must not be valid against schema {json.dumps(barred, separators=(',', ':'))}",
    "anyOf": lambda branches, _: f"no subschema matched out of the total {len(branches)} subschemas",
}
"""The message for each keyword, as the service's validator words it, from the limit and the value."""


def _texts(error: ValidationError) -> list[str]:
    """Return the message of one error; jsonschema reports each missing key, but each message names all."""
    where = "/".join(["#", *map(str, error.absolute_path)])
    keyword = str(error.validator)
    limit: Any = error.validator_value
    value: Any = error.instance
    within: Any = error.schema
    match keyword:
        case "required":
            said = [f"required key [{key}] not found" for key in limit if key not in value]
        case "additionalProperties":
            said = [f"extraneous key [{key}] is not permitted" for key in value if key not in within["properties"]]
        case "dependentRequired":
            absent = {key for has, keys in limit.items() if has in value for key in keys if key not in value}
            said = [f"property [{key}] is required" for key in sorted(absent)]
        case _:
            said = [_WORDS[keyword](limit, value)]
    return [f"{where}: {text}" for text in said]
