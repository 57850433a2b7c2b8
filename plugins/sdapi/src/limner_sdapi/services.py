"""Where ``/sdapi/v1`` is spoken, and what its errors mean."""

from __future__ import annotations

import base64
from typing import Any

import attrs
from limner import AuthenticationFailed, Key, ProviderUnavailable, RequestRejected, TaskRefused
from limner_http import Call, Failure, Said, Service, said_by_default

from limner_sdapi.settings import SdapiSettings

AUTH_VARIABLE = "SDAPI_AUTH"
LOGIN = Key("sdapi", (AUTH_VARIABLE,))

FAILURES = (
    Failure(
        AuthenticationFailed,
        "user and password are not accepted",
        f"set user and password, or {AUTH_VARIABLE}=user:password, as the server was started with",
        statuses=[401],
    ),
    Failure(
        RequestRejected,
        "the server does not have this endpoint",
        "start A1111 or Forge with --api and check base_url; stable-diffusion.cpp and KoboldCpp have no upscaling",
        statuses=[404, 405],
        text=r"^(not found|method not allowed|404.*|)$",
    ),
    Failure(
        ProviderUnavailable,
        "the server's graphics card is out of memory",
        "request a smaller picture, or start the server with --medvram",
        codes="OutOfMemoryError",
    ),
    Failure(
        ProviderUnavailable,
        "the checkpoint did not compute a picture",
        "start the server with --no-half-vae, or choose another VAE",
        codes="NansException",
    ),
    Failure(
        RequestRejected,
        "the server rejected the request",
        "correct what the message names",
        codes="AssertionError KeyError ValueError TypeError HTTPException",
        statuses=[400, 404, 422, 500],
    ),
)


def said(content: Any) -> Said:
    """Read an error: A1111's four keys, with the name of an exception as ``error``, or what is usual elsewhere."""
    if not isinstance(content, dict) or not isinstance(content.get("error"), str) or "detail" not in content:
        return said_by_default(content)
    texts = (said_by_default({"detail": content.get(name)}).text for name in ("errors", "detail"))
    return Said((content["error"],), next(filter(None, texts), ""))


SERVICE = Service(
    name="the sdapi server",
    base_url="http://127.0.0.1:7860",
    url_variable="SDAPI_BASE_URL",
    key_needed=False,
    failures=FAILURES,
    said=said,
    models="sdapi/v1/sd-models",
)
BASIC = attrs.evolve(SERVICE, key_format="Basic {}")


class SdapiCall(Call):
    """A call with HTTP Basic authentication where a user or a password is given."""

    def __init__(self, settings: SdapiSettings, model_id: str, **more: Any) -> None:
        login = login_of(settings)
        self._login = login
        service = SERVICE if login is None else BASIC
        if login is not None:
            settings = attrs.evolve(settings, api_key=base64.b64encode(login.encode()).decode())
        super().__init__(service, settings, model_id, **more)

    @property
    def secrets(self) -> tuple[str, ...]:
        password = (self._login or "").partition(":")[2]
        found = [secret for secret in (self._login or "", password) if len(secret) > 3]
        return tuple(sorted((*super().secrets, *found), key=len, reverse=True))


def login_of(settings: SdapiSettings) -> str | None:
    """Return ``user:password``: the settings', else the environment's, else the stored one; ``api_key`` replaces the latter.

    Raises:
        AuthenticationFailed: the key store is damaged.
    """
    if settings.user is not None or settings.password is not None:
        return f"{settings.user or ''}:{settings.password or ''}"
    if settings.api_key is not None:
        return None
    try:
        found = LOGIN.find()
    except TaskRefused as error:
        raise AuthenticationFailed("; ".join(map(str, error.problems))) from error
    return None if found is None else found.value
