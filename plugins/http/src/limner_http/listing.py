"""The models that an API lists: nothing is billed, and the list is an untrusted input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from limner import BadResponse

if TYPE_CHECKING:
    from limner_http.model import HttpModel

_SECONDS = 20.0
_MAX_BYTES = 10_000_000
_MAX_NAME = 300
_MAX_NAMES = 10_000

_LISTS = ("data", "models")
_NAMES = ("id", "title", "name")


def listed_ids(model: HttpModel) -> tuple[str, ...]:
    """Ask the API of a model for its list of models: a JSON array, or an object that has one as ``data`` or ``models``.

    Raises:
        ProviderError: of the class that fits; BadResponse where the answer is no list.
    """
    brief = model.with_settings(timeout=min(_SECONDS, model.settings.timeout))
    found = _listed(brief.call().get(brief.api().models, max_bytes=_MAX_BYTES).body)
    names = (next((item[key] for key in _NAMES if _is_name(item.get(key))), "") for item in found if isinstance(item, dict))
    return tuple(dict.fromkeys(filter(None, names)))[:_MAX_NAMES]


def _listed(body: bytes) -> list[Any]:
    import orjson

    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadResponse(f"the answer is not JSON: {error.msg}, at byte {error.pos} of {len(body)}") from None
    if isinstance(content, dict):
        content = next((content[key] for key in _LISTS if key in content), content)
    if not isinstance(content, list):
        raise BadResponse("the answer is not a list of models")
    return content


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable()
