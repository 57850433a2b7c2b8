"""Helpers that build JSON Schemas, and validation against a schema."""

from __future__ import annotations

import functools
from typing import Any

import jsonschema

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
LONGEST_MESSAGE = 200


def integer(least: int, most: int) -> Schema:
    """Return a schema for integers in a range."""
    return {"type": "integer", "minimum": least, "maximum": most}


def number(least: float, most: float) -> Schema:
    """Return a schema for numbers in a range."""
    return {"type": "number", "minimum": least, "maximum": most}


def closed(required: str, **properties: Any) -> Schema:
    """Return a schema for an object with these keys and no others.

    Args:
        required: the names of the required keys, separated by spaces.
        **properties: the schemas of the keys.
    """
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


def against(schema: Schema, value: Any) -> list[str]:
    """Return the violations of a schema by a value."""
    return [f"{error.json_path}: {_short(error.message)}" for error in _validator(_Key(schema)).iter_errors(value)]


def _short(message: str) -> str:
    """Shorten a message by its middle, which quotes the value."""
    half = LONGEST_MESSAGE // 2
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:half]} ... {message[-half:]}"


class _Key:
    """A schema compared by identity; schemas are never changed."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.schema is other.schema


@functools.lru_cache(64)
def _validator(key: _Key) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(key.schema)
