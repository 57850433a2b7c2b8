"""The service: checks a request in Bedrock's order, paints the pictures, and sends the response.

Source: Amazon Bedrock API Reference, InvokeModel and InvokeModelWithResponseStream.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web
from limner_fakes.faults import HEADER
from limner_fakes.hosts import is_local
from limner_fakes.serving import reset

from limner_bedrock_emulator import eventstream, nova, sdxl, stability, titan, undocumented
from limner_bedrock_emulator.faults import REFUSALS, Faults
from limner_bedrock_emulator.model_ids import NOVA_CANVAS, SDXL, STABILITY, TITAN_V1, TITAN_V2, check_callable, contract_of
from limner_bedrock_emulator.refusals import (
    INTERNAL_ERROR,
    INVALID_API_KEY,
    MISSING_TOKEN,
    UNKNOWN_OPERATION,
    Refusal,
    RequestRefused,
    incomplete_signature,
    invalid,
    late_body,
    malformed,
    wrong_host,
)
from limner_bedrock_emulator.schemas import validate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from limner_fakes.faults import Fault
    from limner_fakes.painters import Painter

LARGEST_BODY = 25_000_000
LONGEST_MODEL_ID = 2048
SLOWEST_BODY = 60.0
"""Seconds within which a body must arrive."""

_STREAMED = {
    "InternalServerException": "internalServerException",
    "ModelErrorException": "modelStreamErrorException",
    "ModelTimeoutException": "modelTimeoutException",
    "ServiceUnavailableException": "serviceUnavailableException",
    "ThrottlingException": "throttlingException",
    "ValidationException": "validationException",
}
"""The exceptions that have a member in the response stream, and the member's name."""

_log = logging.getLogger(__name__)


class ReceivedRequest(NamedTuple):
    """A received request.

    Attributes:
        model_id: the identifier in the path, decoded.
        headers: the headers by lower-case name.
        body: the parsed JSON; ``None`` if it is not JSON.
        raw: the bytes of the body.
    """

    model_id: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes


class Service:
    """Responds to requests.

    Args:
        painter: the painter; can be replaced between requests.
        faults: the faults to simulate; can be replaced between requests.
        served: additional model identifiers, each with the model id that it stands for.
        observe: a function called with every request to a model.
        allow_undocumented: accept known undocumented keys, each with a warning.
    """

    def __init__(
        self,
        painter: Painter,
        faults: Faults,
        served: Mapping[str, str],
        observe: Callable[[ReceivedRequest], None] | None = None,
        *,
        allow_undocumented: bool = False,
    ) -> None:
        self.painter = painter
        self.faults = faults
        self._served = {identifier: _servable(model_id) for identifier, model_id in served.items()}
        self._observe = observe
        self._allow_undocumented = allow_undocumented

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        largest = LARGEST_BODY + 1  # releases of aiohttp differ by one here; _read checks exactly
        application = web.Application(middlewares=[_as_aws_answers], client_max_size=largest)
        application.router.add_post("/model/{model_id:.+}/invoke", self._invoke)
        application.router.add_post("/model/{model_id:.+}/invoke-with-response-stream", self._invoke_stream)
        return application

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        fault, data = await self._answer(request)
        if fault is not None and fault.name == "reset":
            return await reset(request, data, _headers("application/json"))
        return web.Response(body=data, content_type="application/json")

    async def _invoke_stream(self, request: web.Request) -> web.StreamResponse:
        try:
            fault, data = await self._answer(request)
        except FaultMet as met:
            if met.refusal.code not in _STREAMED:
                raise
            fault, frames = None, eventstream.exception(_STREAMED[met.refusal.code], _as_event(met.refusal))
        else:
            frames = b"".join(eventstream.chunks(data))
        if fault is not None and fault.name == "reset":
            return await reset(request, frames, _headers(eventstream.CONTENT_TYPE))
        headers = {"X-Amzn-Bedrock-Content-Type": "application/json"}
        return web.Response(body=frames, content_type=eventstream.CONTENT_TYPE, headers=headers)

    async def _answer(self, request: web.Request) -> tuple[Fault | None, bytes]:
        """Return the response's JSON and the fault that applies to its delivery."""
        _check_authorization(request)
        model_id = request.match_info["model_id"]
        raw = await _read(request)
        body = _parse(raw)
        if self._observe is not None:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self._observe(ReceivedRequest(model_id, headers, body, raw))
        _check_media_type(request)
        if len(model_id) > LONGEST_MODEL_ID:
            raise invalid(_constraint("modelId", LONGEST_MODEL_ID))
        contract = contract_of(model_id, self._served)
        if model_id not in self._served:
            check_callable(model_id)
        fault = self.faults.next(request.headers.getall(HEADER, []), body)
        if fault is not None and fault.name in REFUSALS:
            raise FaultMet(REFUSALS[fault.name])
        if fault is not None and fault.name == "hang":
            await asyncio.Event().wait()  # ends by cancellation when the client disconnects or the server stops
        data = await asyncio.to_thread(self._paint, self._served.get(model_id, model_id), contract, body, fault)
        if fault is not None and fault.name == "truncated-json":
            data = data[: len(data) // 2]
        return fault, data

    def _paint(self, model_id: str, contract: str, body: Any, fault: Fault | None) -> bytes:
        if not isinstance(body, dict):
            raise malformed()
        if self._allow_undocumented:
            body = _without_undocumented(contract, body)
        if contract.startswith(STABILITY):
            stability.check_fields(contract, body)
        violations = validate(model_id, titan.without_own_size(body) if contract in {TITAN_V1, TITAN_V2} else body)
        if contract == NOVA_CANVAS and not violations:
            violations = nova.size_problems(body)
        if violations:
            raise malformed(*violations)
        if contract.startswith(STABILITY):
            return json.dumps(stability.answer(contract, body, self.painter, fault)).encode()
        answer = {SDXL: sdxl.answer, NOVA_CANVAS: nova.answer}.get(contract, titan.answer)
        return json.dumps(answer(body, self.painter, fault)).encode()


class FaultMet(RequestRefused):
    """The refusal was simulated, so a stream sends it as an event."""


def _servable(model_id: str) -> str:
    """Return the id if it names a served model; raise ValueError otherwise."""
    try:
        contract_of(model_id)
    except RequestRefused as refused:
        raise ValueError(f"cannot serve as {model_id!r}: {refused}") from refused
    return model_id


@web.middleware
async def _as_aws_answers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse other hosts, add a request id to every response, and format refusals like AWS."""
    try:
        _check_host(request)
        response = await handler(request)
    except RequestRefused as refused:
        response = _refusal(refused.refusal)
    except web.HTTPException:  # no such path or method
        response = _refusal(UNKNOWN_OPERATION)
    except Exception:
        _log.exception("The emulator failed")
        response = _refusal(INTERNAL_ERROR)
    if not response.prepared:
        response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response


def _headers(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "x-amzn-RequestId": str(uuid.uuid4())}


def _refusal(refusal: Refusal) -> web.Response:
    headers = {"x-amzn-ErrorType": refusal.code, **refusal.headers}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def _as_event(refusal: Refusal) -> dict[str, Any]:
    """Return the body of an exception event; a model's error has different fields there."""
    if refusal.code == "ModelErrorException":
        status = refusal.fields["originalStatusCode"]
        return {"message": refusal.message, "originalMessage": refusal.message, "originalStatusCode": status}
    return refusal.body


def _check_host(request: web.Request) -> None:
    """Refuse a Host header that does not name this machine, before any other check."""
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not is_local(hosts[0]):
        address = request.transport.get_extra_info("sockname") if request.transport else ("127.0.0.1", 0)
        raise wrong_host(", ".join(hosts), "{}:{}".format(*address))


def _check_authorization(request: web.Request) -> None:
    """Refuse a request that has neither an API key nor the parts of AWS Signature Version 4; neither is verified."""
    authorization = request.headers.get("Authorization")
    if authorization is None:
        raise RequestRefused(MISSING_TOKEN)
    scheme, _, parameters = authorization.partition(" ")
    if scheme.lower() == "bearer":  # what an SDK sends for AWS_BEARER_TOKEN_BEDROCK
        if not parameters.strip():
            raise RequestRefused(INVALID_API_KEY)
        return
    given = {name.strip() for name, equals, value in (part.partition("=") for part in parameters.split(",")) if value}
    missing = [part for part in ("Credential", "SignedHeaders", "Signature") if part not in given]
    if scheme != "AWS4-HMAC-SHA256":
        missing = ["Credential", "SignedHeaders", "Signature"]
    if missing:
        raise incomplete_signature(missing)


def _check_media_type(request: web.Request) -> None:
    """Refuse a Content-Type other than JSON; botocore sends none by default, which Bedrock accepts."""
    if "Content-Type" in request.headers and request.content_type != "application/json":
        raise invalid("The provided Content-Type is invalid or not supported for this model.")


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(SLOWEST_BODY):
            raw = await request.read()
    except TimeoutError:
        raise late_body(SLOWEST_BODY) from None
    except web.HTTPRequestEntityTooLarge:
        raw = None
    except web.RequestPayloadError:  # invalid chunks
        raise malformed() from None
    if raw is None or len(raw) > LARGEST_BODY:
        raise invalid(_constraint("body", LARGEST_BODY))
    return raw


def _without_undocumented(contract: str, body: dict[str, Any]) -> dict[str, Any]:
    passing = undocumented.found(contract, body)
    for key, known in passing.items():
        _log.warning("limner-bedrock-emulator: %r is undocumented for %s; sent by %s; ignored", key, contract, known.sender)
    return {key: value for key, value in body.items() if key not in passing}


def _constraint(member: str, limit: int) -> str:
    return (
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}"
    )


def _parse(raw: bytes) -> Any:
    """Return the JSON value; ``None`` if it is invalid. NaN and infinities are not JSON."""
    try:
        return json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
