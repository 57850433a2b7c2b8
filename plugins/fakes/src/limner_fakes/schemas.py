"""JSON Schemas in few words, and what a value has against one."""

from __future__ import annotations

import functools
from typing import Any

import jsonschema

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
LONGEST_MESSAGE = 200


def integer(least: int, most: int) -> Schema:
    """Take whole numbers of a range."""
    return {"type": "integer", "minimum": least, "maximum": most}


def number(least: float, most: float) -> Schema:
    """Take numbers of a range."""
    return {"type": "number", "minimum": least, "maximum": most}


def closed(required: str, **properties: Any) -> Schema:
    """Take an object with these keys and no others.

    Args:
        required: the names of those that must be there, with spaces between them.
        **properties: their schemas.
    """
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


def against(schema: Schema, value: Any) -> list[str]:
    """Say what a value has against a schema."""
    return [f"{error.json_path}: {_short(error.message)}" for error in _validator(_Key(schema)).iter_errors(value)]


def _short(message: str) -> str:
    """Leave out the middle, which quotes the value."""
    half = LONGEST_MESSAGE // 2
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:half]} ... {message[-half:]}"


class _Key:
    """A schema that is the same one as itself; they are never changed."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.schema is other.schema


@functools.lru_cache(64)
def _validator(key: _Key) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(key.schema)
