"""BedrockModel, the base class of every model on Amazon Bedrock."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import limner

from limner_bedrock.identifiers import model_named_by
from limner_bedrock.settings import BedrockSettings

if TYPE_CHECKING:
    from attrs import AttrsInstance

_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL")


class BedrockModel(limner.Model):
    """A model that is called through InvokeModel.

    A subclass defines ``id``, ``limits`` and the two mapping methods :meth:`to_body` and :meth:`to_pictures`. Import the
    module behind them inside the methods: a model that is not used then costs no time.

    Attributes:
        ids: other documented spellings of ``id``, such as the one without a version.
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
        """Return whether an id, a foundation model ARN or a system-defined inference profile names this model."""
        return model_named_by(model_id) in {cls.id, *cls.ids}

    def notices(self) -> tuple[str, ...]:
        """Return lifecycle notices; none with a custom endpoint, where AWS's lifecycle does not apply."""
        custom = self.settings.endpoint_url is not None or any(os.environ.get(name) for name in _ENDPOINT_VARIABLES)
        return () if custom else super().notices()

    def to_body(self, task: limner.Task) -> AttrsInstance | Mapping[str, Any]:
        """Map a task within the limits to the model's request body. Pure.

        Args:
            task: for one call.

        Returns:
            The JSON object, as a mapping or an attrs object with the provider's names. An attribute whose value and default
            are both ``None`` is left out, and images, masks and bytes become base64.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither to_body nor encode")

    def to_pictures(self, task: limner.Task, body: bytes) -> Sequence[limner.Picture]:
        """Parse a response body. Pure.

        Args:
            task: the task that :meth:`to_body` mapped.
            body: the response body, untrusted.

        Raises:
            BadResponse: the body is not what the provider documents.
            ProviderError: the body reports an error.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither to_pictures nor decode")

    def encode(self, task: limner.Task) -> limner.Request:
        """Write the body of :meth:`to_body` as JSON."""
        from limner_bedrock.wire import write_body

        return limner.Request(self.model_id, write_body(self.to_body(task)))

    def decode(self, task: limner.Task, response: limner.Response) -> Sequence[limner.Picture]:
        """Parse the response with :meth:`to_pictures`."""
        return self.to_pictures(task, response.body)

    def diagnose(self, *, live: bool = False) -> Iterable[limner.Finding]:
        """Check credentials, region and endpoint, and with ``live`` the model's status at AWS."""
        from limner_bedrock.diagnostics import diagnose

        return diagnose(self, live=live)

    def send(self, request: limner.Request) -> limner.Response:
        """Call InvokeModel and return its response.

        Raises:
            TaskRefused: the body exceeds Bedrock's limit, or a setting is missing or wrong; nothing was sent.
            ProviderError: the matching subclass, with botocore's error chained.
        """
        from limner_bedrock.transport import invoke

        return invoke(self.settings, request, replacement=self.lifecycle.replacement)
