"""limner-http: what plugins of REST providers share. It offers no model of its own."""

from limner_http.call import Answer, Call
from limner_http.downloading import download
from limner_http.model import HttpModel
from limner_http.multipart import Part, multipart
from limner_http.payloads import dump_json, parse_json, picture_from_base64
from limner_http.polling import Pending, poll
from limner_http.services import Failure, Said, Service, said_by_default
from limner_http.settings import HttpSettings
from limner_http.sse import Event

__all__ = [
    "Answer",
    "Call",
    "Event",
    "Failure",
    "HttpModel",
    "HttpSettings",
    "Part",
    "Pending",
    "Said",
    "Service",
    "download",
    "dump_json",
    "multipart",
    "parse_json",
    "picture_from_base64",
    "poll",
    "said_by_default",
]
