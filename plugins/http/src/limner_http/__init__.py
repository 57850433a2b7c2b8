"""limner-http: what plugins of REST providers share. It offers no model of its own.

Each name is imported when it is first used, since the module of a plugin that needs only the names of its declarations is
loaded in every run of limner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner_http.call import Answer as Answer
    from limner_http.call import Call as Call
    from limner_http.call import Stream as Stream
    from limner_http.downloads import download as download
    from limner_http.forms import Part as Part
    from limner_http.forms import multipart as multipart
    from limner_http.model import HttpModel as HttpModel
    from limner_http.payloads import dump_json as dump_json
    from limner_http.payloads import parse_json as parse_json
    from limner_http.payloads import picture_from_base64 as picture_from_base64
    from limner_http.polling import Pending as Pending
    from limner_http.polling import poll as poll
    from limner_http.services import Failure as Failure
    from limner_http.services import Said as Said
    from limner_http.services import Service as Service
    from limner_http.services import said_by_default as said_by_default
    from limner_http.settings import HttpSettings as HttpSettings
    from limner_http.sse import Event as Event

_NAMES = {
    "call": "Answer Call Stream",
    "downloads": "download",
    "forms": "Part multipart",
    "model": "HttpModel",
    "payloads": "dump_json parse_json picture_from_base64",
    "polling": "Pending poll",
    "services": "Failure Said Service said_by_default",
    "settings": "HttpSettings",
    "sse": "Event",
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'limner_http' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"limner_http.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
