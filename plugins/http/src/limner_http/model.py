"""HttpModel: what the models of REST providers have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import limner

from limner_http.settings import HttpSettings

if TYPE_CHECKING:
    from limner_http.call import Call
    from limner_http.services import Service


class HttpModel(limner.Model):
    """A model that is called over HTTP. A plugin gives ``id``, ``service``, ``limits``, ``encode`` and ``decode``.

    Attributes:
        service: the provider's API.
    """

    service: ClassVar[Service]
    Settings: ClassVar[type[limner.Settings]] = HttpSettings
    settings: HttpSettings

    def api(self) -> Service:
        """Return the API that the settings choose; by default there is one."""
        return self.service

    @classmethod
    def api_keys(cls) -> Sequence[limner.Key]:
        """Return the key of ``service``; a model with several services overrides this."""
        return (cls.service.key,) if hasattr(cls, "service") and cls.service.key_name else ()

    def call(self) -> Call:
        """Start a call: its deadline begins now.

        Raises:
            AuthenticationFailed: there is no key, and one is needed.
        """
        from limner_http.call import Call

        return Call(self.api(), self.settings, self.model_id)

    def send(self, request: limner.Request) -> limner.Response:
        """Post a request and return the answer; a model that polls or downloads overrides this.

        Raises:
            ProviderError: of the class that fits.
        """
        return self.call().post(request).response()

    def notices(self) -> tuple[str, ...]:
        """What a caller should know before calling; nothing where the provider's life cycle does not hold: at an own URL."""
        return () if self.settings.base_url is not None else super().notices()

    def available_ids(self) -> Sequence[str] | None:
        """Ask the API which models it has, where it lists them."""
        if not self.api().models:
            return None
        from limner_http.listing import listed_ids

        return listed_ids(self)

    def diagnose(self, *, live: bool = False) -> Iterable[limner.Finding]:
        """Look for the key and the address, and with ``live`` ask the API for something that is free."""
        from limner_http.diagnostics import diagnose

        return diagnose(self, live=live)
