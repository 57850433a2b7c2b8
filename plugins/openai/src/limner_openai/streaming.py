"""Answers that are streamed: unfinished pictures become progress, finished ones an answer like any other."""

from __future__ import annotations

from typing import Any

import limner
from limner_http import Answer, Call, Stream, dump_json, parse_json, picture_from_base64


def collect(call: Call, stream: Stream, wanted: int) -> bytes:
    """Read a stream to its end.

    Returns:
        The body of the answer that would have come without streaming.

    Raises:
        BadResponse: it ended before a picture was complete.
        ProviderError: the stream says so.
    """
    content: dict[str, Any] = {"data": []}
    for event in stream.events():
        if event.data == b"[DONE]":
            break
        said = parse_json(event.data)
        kind = str(said.get("type", event.name))
        if kind == "error" or "error" in said:
            call.refuse(stream.answer, event.data)
        if kind.endswith(".partial_image"):
            _report(said, wanted)
        elif kind.endswith(".completed"):
            _add(content, said)
    if not content["data"]:
        raise limner.BadResponse("the stream ended before a picture was complete; the call may have been billed")
    return dump_json(content)


def _report(said: dict[str, Any], wanted: int) -> None:
    try:
        preview = picture_from_base64(said.get("b64_json"), "the unfinished picture")
    except limner.BadResponse:
        return
    index = said.get("partial_image_index")
    step = index + 1 if isinstance(index, int) else None
    limner.progress(step, None if step is None else max(wanted, step), preview=preview, message="unfinished picture")


def _add(content: dict[str, Any], said: dict[str, Any]) -> None:
    """Add a finished picture; what its event says besides is about the whole answer."""
    item = {name: said[name] for name in ("b64_json", "url") if name in said}
    usage = said.get("usage")
    total = _summed(content.get("usage"), usage) if isinstance(usage, dict) else content.get("usage")
    said = {name: value for name, value in said.items() if name not in {"b64_json", "url", "type", "created_at", "usage"}}
    content |= {**said, "data": [*content["data"], item], **({} if total is None else {"usage": total})}


def _summed(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _summed(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one + other
    return other if one is None else one


def downloaded(call: Call, answer: Answer) -> bytes:
    """Put pictures that an answer names by URL into it; an answer without URLs stays as it is.

    Raises:
        ProviderError: none of them could be downloaded.
    """
    if b'"url"' not in answer.body:
        return answer.body
    from limner_http import download

    content = parse_json(answer.body)
    items = content.get("data")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and not item.get("b64_json") and _is_remote(item.get("url")):
            item["b64_json"] = download(call, item["url"]).body
    return dump_json(content)


def _is_remote(url: object) -> bool:
    return isinstance(url, str) and bool(url) and not url.startswith("data:")
