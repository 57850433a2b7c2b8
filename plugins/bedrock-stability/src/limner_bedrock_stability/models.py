"""A model class for each id, made from the table of services."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self, cast
from urllib.parse import urlsplit

import attrs
from limner import Picture, Problem, Request, Response, Settings, Task, TaskRefused
from limner_bedrock import BedrockModel
from limner_bedrock.identifiers import region_named_by

from limner_bedrock_stability.services import SERVICES, Service


class StabilityModel(BedrockModel):
    """What every model and service of Stability AI on Amazon Bedrock does.

    Attributes:
        service: its line of the table.
        named: the id by which it was asked for; of an image service, the profile is called in place of the bare id.
    """

    service: ClassVar[Service]

    def __init__(self, settings: Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        self.named = self.model_id
        if (
            self.service.id != self.service.bare_id == self.model_id.rpartition("/")[2]
        ):  # the id, or a foundation model's ARN
            region = self.settings.region or region_named_by(self.model_id)
            self.settings = attrs.evolve(self.settings, region=region)
            self.model_id = self.service.id

    def with_settings(self, **settings: Any) -> Self:
        """The same model with other settings."""
        made = super().with_settings(**settings)
        made.named = self.named
        return made

    def notices(self) -> tuple[str, ...]:
        """What a caller should know before calling: also that the profile is called in place of the id that was named."""
        instead = f"{self.named} cannot be called by itself, only by its inference profile; {self.model_id} is called"
        return (*super().notices(), *([instead] if self.named != self.model_id else []))

    def check(self, task: Task) -> Iterable[Problem]:
        """Say what is wrong between parameters that are each allowed."""
        from limner_bedrock_stability.mapping import problems

        return problems(task, self.service)

    def encode(self, task: Task) -> Request:
        """Write the task as the service's JSON."""
        from limner_bedrock.wire import write_body

        from limner_bedrock_stability.mapping import to_body

        return Request(self.model_id, write_body(to_body(task, self.service)))

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002 - the answer says it all
        """Read the service's answer."""
        from limner_bedrock.wire import read_answer

        from limner_bedrock_stability.mapping import to_pictures
        from limner_bedrock_stability.wire import Answer

        return to_pictures(read_answer(response.body, Answer))

    def send(self, request: Request) -> Response:
        """Call InvokeModel, where the service is.

        Raises:
            TaskRefused: as for every Bedrock model, or the region is none of the service's; nothing was sent.
            ProviderError: of the class that fits.
        """
        region, here = self._aws_region(request.model_id), self.service.regions
        if here and region is not None and region not in here:
            limit = f"the model is in {' and '.join(here)}; set region={here[-1]!r}"
            raise TaskRefused([Problem.of("setting region", region, limit, self.service.source)], request.model_id)
        return super().send(request)

    def _aws_region(self, model_id: str) -> str | None:
        """The region that would be called; ``None`` at an own endpoint, and where the call itself will say what is wrong."""
        from limner_bedrock.clients import client_for

        if self.settings.endpoint_url is not None:
            return None
        try:
            meta = client_for(self.settings, region_named_by(model_id)).meta
        except Exception:  # no region, no such profile, ...
            return None
        is_aws = (urlsplit(meta.endpoint_url).hostname or "").startswith(("bedrock-runtime.", "bedrock-runtime-fips."))
        return cast("str", meta.region_name) if is_aws else None


def _model(service: Service) -> type[StabilityModel]:
    names = (f"stability-{service.name}", *service.aliases) if service.is_current else ()
    content = {
        "__doc__": f"Stability AI's {service.name} on Amazon Bedrock, {service.id}.",
        "__module__": __name__,
        "service": service,
        "id": service.id,
        "ids": service.ids,
        "aliases": names,
        "limits": service.limits,
        "lifecycle": service.lifecycle,
    }
    return type(_class_name(service), (StabilityModel,), content)


def _class_name(service: Service) -> str:
    """Such as ``StableImageCoreV1_0`` of ``stability.stable-image-core-v1:0``."""
    return service.id.rpartition("stability.")[2].title().replace("-", "").replace(":", "_")


MODELS = tuple(map(_model, SERVICES))
"""A class for each id."""

globals().update({model.__name__: model for model in MODELS})  # so that they pickle
