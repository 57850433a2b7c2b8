"""BedrockModel: what the models of Amazon Bedrock have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import ClassVar

import limner

from limner_bedrock.identifiers import model_named_by
from limner_bedrock.settings import BedrockSettings

_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL")


class BedrockModel(limner.Model):
    """A model that is called by InvokeModel. A plugin gives ``id``, ``ids``, ``limits``, ``encode`` and ``decode``.

    Attributes:
        ids: every documented spelling of the model's id, with and without a version.
    """

    ids: ClassVar[tuple[str, ...]] = ()
    provider = "aws.bedrock"
    Settings: ClassVar[type[limner.Settings]] = BedrockSettings
    settings: BedrockSettings

    def __init__(self, settings: limner.Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if (self.settings.guardrail_id is None) != (self.settings.guardrail_version is None):
            missing = "guardrail_version" if self.settings.guardrail_version is None else "guardrail_id"
            source = "Amazon Bedrock API Reference, InvokeModel"
            raise limner.TaskRefused(
                [limner.Problem(f"setting {missing}", "", "guardrail_id and guardrail_version go together", source)]
            )

    @classmethod
    def matches(cls, model_id: str) -> bool:
        """Tell whether an id, a foundation model's ARN or a system-defined inference profile names this model."""
        return model_named_by(model_id) in {cls.id, *cls.ids}

    def notices(self) -> tuple[str, ...]:
        """What a caller should know before calling; nothing where AWS's life cycle does not hold: at an own endpoint."""
        own = self.settings.endpoint_url is not None or any(os.environ.get(name) for name in _ENDPOINT_VARIABLES)
        return () if own else super().notices()

    def diagnose(self, *, live: bool = False) -> Iterable[limner.Finding]:
        """Look for credentials, region and endpoint, and with ``live`` at AWS's own word on the model."""
        from limner_bedrock.diagnosing import diagnose

        return diagnose(self, live=live)

    def send(self, request: limner.Request) -> limner.Response:
        """Call InvokeModel and return its answer.

        Raises:
            TaskRefused: the body is larger than Bedrock takes, or a setting is missing or wrong; nothing was sent.
            ProviderError: of the class that fits, botocore's own error chained.
        """
        from limner_bedrock.transport import invoke

        return invoke(self.settings, request)
