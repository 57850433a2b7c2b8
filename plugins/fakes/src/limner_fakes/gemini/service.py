"""``generateContent`` on loopback, with the URLs of the Gemini API and of Vertex AI."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from limner_fakes.faults import BROKEN, Fault, spoil
from limner_fakes.gemini.contract import CLASSES, MODELS, model_of, pictures_of, problems
from limner_fakes.painters import Invert, Painter
from limner_fakes.pictures import FORMATS, Size, decoded, encoded, written
from limner_fakes.service import KEY, Answer, ReceivedRequest, Service

ADDRESS = re.compile(
    r"/v1(beta)?/models/[^/]+|/v1beta1/publishers/google/models/[^/]+"
    r"|/v1beta1/projects/[^/]+/locations/[a-z0-9-]+/publishers/google/models/[^/]+"
)
STRENGTH = 0.7
"""The strength of an edit by prompt; the service has no such parameter."""

_TYPE = "type.googleapis.com/google.rpc"
_WRONG_KEY = {"@type": f"{_TYPE}.ErrorInfo", "reason": "API_KEY_INVALID"}
_DAILY = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "10"}
_QUOTA = {"@type": f"{_TYPE}.QuotaFailure", "violations": [_DAILY]}
_WAIT = {"@type": f"{_TYPE}.RetryInfo", "retryDelay": "1s"}


def error(code: int, status: str, message: str, details: Sequence[Any] | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"code": code, "message": message, "status": status, **({"details": details} if details else {})}}


def _refusal(code: int, status: str, message: str, *details: Any) -> Answer:
    return Answer(code, error(code, status, message, details))


def good(data: bytes, media_type: str = "image/png") -> dict[str, Any]:
    """Return a response with a picture, after a picture from the model's thoughts, which is not a result."""
    return _good(encoded(data), media_type)


def _good(picture: str, media_type: str) -> dict[str, Any]:
    thought = {"thought": True, "inlineData": {"mimeType": "image/png", "data": _thought()}}
    final = {"inlineData": {"mimeType": media_type, "data": picture}, "thoughtSignature": "c2ln"}
    content = {"role": "model", "parts": [thought, final]}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], **_about(1290)}


def _about(tokens: int) -> dict[str, Any]:
    usage = {
        "promptTokenCount": 9,
        "candidatesTokenCount": tokens,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 39 + tokens,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": tokens}],
    }
    return {"usageMetadata": usage, "modelVersion": "gemini-nano-banana-2.1", "responseId": "resp-42"}


@functools.cache
def _thought() -> str:
    return encoded(written(Invert().paint("a thought", (8, 8), 0)))


_BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **_about(0)}
_UNSEEN = {"finishReason": "IMAGE_SAFETY", "finishMessage": "Unable to show the generated image.", "index": 0}
_FILTERED = {"candidates": [_UNSEEN], **_about(0)}


def answer(
    path: str, body: Any, headers: Mapping[str, str], painter: Painter | None = None, fault: Fault | None = None
) -> tuple[int, dict[str, Any]]:
    """Respond as the service does, with status and JSON."""
    if ADDRESS.fullmatch(path) is None or model_of(path) not in MODELS:
        return 404, error(404, "NOT_FOUND", f"{path} is not found")
    if not _key(path, headers):
        return 400, error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [_WRONG_KEY])
    wrong = problems(path, body)
    if wrong:
        return 400, error(400, "INVALID_ARGUMENT", "; ".join(wrong))
    media_type = _output(body).get("mimeType", "image/png")
    return 200, _good(spoil(encoded(paint(body, painter or Invert())), fault), media_type)


def _output(body: dict[str, Any]) -> dict[str, Any]:
    """Return what the file of the picture shall be."""
    found: dict[str, Any] = body["generationConfig"].get("imageConfig", {}).get("imageOutputOptions", {})
    return found


def _key(path: str, headers: Mapping[str, str]) -> str:
    """Return the access token for a project's URL, otherwise the API key."""
    if "/projects/" in path:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else ""
    return headers.get("x-goog-api-key", "")


def paint(body: dict[str, Any], painter: Painter) -> bytes:
    """Paint a picture with the requested ratio and size class, or vary the last picture in its own size."""
    pictures = pictures_of(body)
    prompt = body["contents"][0]["parts"][0]["text"]
    kind = FORMATS[_output(body).get("mimeType", "image/png")]
    if not pictures:
        return written(painter.paint(prompt, size_of(body["generationConfig"].get("imageConfig", {})), 0), kind)
    return written(painter.vary(decoded(pictures[-1]["data"]).convert("RGB"), prompt, STRENGTH, 0), kind)


def size_of(asked: Mapping[str, str]) -> Size:
    """Return a size of about this ratio and class; the exact pixels are not documented."""
    width, height = map(int, asked.get("aspectRatio", "1:1").split(":"))
    scale = CLASSES[asked.get("imageSize", "1K")] / math.sqrt(width * height)
    return round(width * scale), round(height * scale)


class GeminiService(Service):
    """The fake server."""

    name = "gemini"
    base_path = "/v1beta"
    model = "gemini"
    refusals: ClassVar = {
        "throttle": _refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", _WAIT),
        "quota": _refusal(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", _QUOTA, _WAIT),
        "access-denied": _refusal(403, "PERMISSION_DENIED", "The caller does not have permission."),
        "wrong-key": _refusal(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", _WRONG_KEY),
        "no-model": _refusal(404, "NOT_FOUND", "The model is not found for this API version."),
        "internal-error": _refusal(500, "INTERNAL", "An internal error has occurred."),
        "unavailable": _refusal(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "input-filtered": Answer(200, _BLOCKED),
        "filtered": Answer(200, _FILTERED),
    }
    broken: ClassVar = {**BROKEN, "no-picture": "the model only talks"}

    def settings(self) -> dict[str, str]:
        """Include a key."""
        return {**super().settings(), "api_key": KEY}

    def environment(self) -> dict[str, str]:
        """Return the environment variables that the ``google-genai`` client and limner's models read."""
        return {"GOOGLE_GEMINI_BASE_URL": self.address, "GEMINI_API_KEY": KEY}

    def makes_pictures(self, request: ReceivedRequest) -> bool:
        return request.method == "POST" and bool(model_of(request.path))

    def answer(self, request: ReceivedRequest, fault: Fault | None) -> Answer:
        if request.method == "GET" and ADDRESS.fullmatch(request.path):
            return self._model(request)
        if request.method == "GET" and re.fullmatch(r"/v1(beta)?/models", request.path):
            return self._models(request)
        status, said = answer(request.path, request.body, request.headers, self.painter, fault)
        if status == 200 and fault is not None and fault.name == "no-picture":
            talk = {"role": "model", "parts": [{"text": "What a nice idea!"}]}
            said = {"candidates": [{"content": talk, "finishReason": "STOP", "index": 0}], **_about(0)}
        return Answer(status, said)

    def _models(self, request: ReceivedRequest) -> Answer:
        if not _key(request.path, request.headers):
            return self.refusals["wrong-key"]
        return Answer(body={"models": [{"name": f"models/{name}"} for name in (*MODELS, "text-model")]})

    def _model(self, request: ReceivedRequest) -> Answer:
        name = request.path.rpartition("/")[2]
        if not _key(request.path, request.headers):
            return self.refusals["wrong-key"]
        return Answer(body={"name": f"models/{name}"}) if name in MODELS else self.refusals["no-model"]
