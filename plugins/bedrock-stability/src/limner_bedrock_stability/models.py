"""A class for every model and image service: ids, limits, regions, and the JSON names of parameters."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import attrs
from limner import Lifecycle, Picture, Problem, Request, Response, Settings, Task, TaskRefused
from limner_bedrock import BedrockModel
from limner_bedrock.identifiers import region_named_by

from limner_bedrock_stability import limits as accepted

if TYPE_CHECKING:
    from limner_bedrock_stability.wire import Body

MODEL_CARDS = f"{accepted.GUIDE}, model cards of Stability AI: active, no end-of-life date"
MODEL_LIST = f"{accepted.GUIDE}, 'Supported foundation models in Amazon Bedrock'"
PROFILES = (
    f"{accepted.GUIDE}, 'Supported Regions and models for inference profiles'; every sample of {accepted.SERVICES} has us. "
    "before the id"
)
SUPERSEDED = f"{accepted.GUIDE}, 'Stability AI models': all but the current ones are being deprecated; no date is given"

PROFILE = "us."
"""The prefix of the inference profile through which alone an image service can be called."""


@attrs.frozen
class Superseded(Lifecycle):
    """The lifecycle of a model that a newer version replaces; AWS documents no date."""

    def state(self, today: datetime.date | None = None) -> str:  # noqa: ARG002 - no date is documented
        """Return ``legacy``."""
        return "legacy"

    def notices(self, model: str) -> tuple[str, ...]:
        """Name the replacement."""
        return (f"{model} is superseded; use {self.replacement}",)


class StabilityModel(BedrockModel):
    """What all models and image services of Stability AI on Amazon Bedrock share.

    Attributes:
        service: the short name on AWS's pages.
        keys: the JSON names of uniform parameters and options, where they differ.
        has_mode: whether ``mode`` distinguishes text-to-image from image-to-image. Ultra's page lists it only for
            text-to-image, with a single value, the default.
        regions: where the model can be called; empty if no document says so.
        source: the documents about id and regions.
        requested_id: the id that the caller gave, which for an image service may lack the profile's prefix.
    """

    service: ClassVar[str]
    keys: ClassVar[Mapping[str, str]] = MappingProxyType({})
    has_mode: ClassVar[bool] = False
    regions: ClassVar[tuple[str, ...]] = ("us-west-2",)
    source: ClassVar[str] = MODEL_LIST
    lifecycle: ClassVar[Lifecycle] = Lifecycle(source=MODEL_CARDS)

    def __init__(self, settings: Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        self.requested_id = self.model_id

    @classmethod
    def is_current(cls) -> bool:
        """Return whether no newer version replaces the model."""
        return not isinstance(cls.lifecycle, Superseded)

    def check(self, task: Task) -> Iterable[Problem]:
        """Report conflicts between parameters."""
        from limner_bedrock_stability.mapping import problems

        return problems(task, self.limits[type(task)])

    def to_body(self, task: Task) -> Body:
        """Map a task to the request body."""
        from limner_bedrock_stability.mapping import to_body

        return to_body(task, self.keys, has_mode=self.has_mode)

    def to_pictures(self, task: Task, body: bytes) -> Sequence[Picture]:  # noqa: ARG002 - the body is sufficient
        """Parse the response body."""
        from limner_bedrock_stability.mapping import to_pictures

        return to_pictures(body)

    def send(self, request: Request) -> Response:
        """Call InvokeModel in a region where the model is offered.

        Raises:
            TaskRefused: as for every Bedrock model, or the model is not offered in the region; nothing was sent.
            ProviderError: the matching subclass.
        """
        region = self._aws_region(request.model_id)
        if self.regions and region is not None and region not in self.regions:
            limit = f"the model is in {' and '.join(self.regions)}; set region={self.regions[-1]!r}"
            raise TaskRefused([Problem.of("setting region", region, limit, self.source)], request.model_id)
        return super().send(request)

    def _aws_region(self, model_id: str) -> str | None:
        """Return the AWS region of the call; ``None`` with a custom endpoint, or if the call itself will report an error."""
        from limner_bedrock.clients import client_for

        if self.settings.endpoint_url is not None:
            return None
        try:
            meta = client_for(self.settings, region_named_by(model_id)).meta
        except Exception:  # no region, no such profile, ...
            return None
        from urllib.parse import urlsplit

        is_aws = (urlsplit(meta.endpoint_url).hostname or "").startswith(("bedrock-runtime.", "bedrock-runtime-fips."))
        return cast("str", meta.region_name) if is_aws else None


# ---------------------------------------------------------------------------------------------- generation models


class StableImageCore(StabilityModel):
    """Stable Image Core."""

    service = "core"
    id = "stability.stable-image-core-v1:1"
    aliases: ClassVar[tuple[str, ...]] = ("stability-core",)
    limits = accepted.CORE_LIMITS


class StableDiffusion35Large(StabilityModel):
    """Stable Diffusion 3.5 Large."""

    service = "sd3-5-large"
    id = "stability.sd3-5-large-v1:0"
    aliases: ClassVar[tuple[str, ...]] = ("stability-sd3-5-large", "sd3.5")
    limits = accepted.SD35_LIMITS
    has_mode = True


class StableImageUltra(StabilityModel):
    """Stable Image Ultra."""

    service = "ultra"
    id = "stability.stable-image-ultra-v1:1"
    aliases: ClassVar[tuple[str, ...]] = ("stability-ultra",)
    limits = accepted.ULTRA_LIMITS


# ---------------------------------------------------------------------------------------------- superseded models


class StableImageCoreV10(StableImageCore):
    """Stable Image Core 1.0."""

    id = "stability.stable-image-core-v1:0"
    aliases = ()
    regions = ()
    lifecycle = Superseded(replacement=StableImageCore.id, source=SUPERSEDED)
    source = accepted.CORE


class StableImageUltraV10(StableImageUltra):
    """Stable Image Ultra 1.0."""

    id = "stability.stable-image-ultra-v1:0"
    aliases = ()
    regions = ()
    lifecycle = Superseded(replacement=StableImageUltra.id, source=SUPERSEDED)
    source = accepted.ULTRA


class StableDiffusion3Large(StableDiffusion35Large):
    """Stable Diffusion 3 Large."""

    id = "stability.sd3-large-v1:0"
    aliases = ()
    limits = accepted.SD3_LIMITS
    regions = ()
    lifecycle = Superseded(replacement=StableDiffusion35Large.id, source=SUPERSEDED)
    source = accepted.SD3


# ---------------------------------------------------------------------------------------------- image services


class ImageService(StabilityModel):
    """An image service: its bare id cannot be called, so that its inference profile is called instead."""

    regions = ("us-east-1", "us-east-2", "us-west-2")
    source = PROFILES

    def __init__(self, settings: Settings | None = None, *, model_id: str | None = None) -> None:
        super().__init__(settings, model_id=model_id)
        if self.model_id.rpartition("/")[2] in self.ids:  # the bare id, or a foundation model ARN with it
            region = self.settings.region or region_named_by(self.model_id)
            self.settings = attrs.evolve(self.settings, region=region)
            self.model_id = self.id

    def with_settings(self, **settings: Any) -> Self:
        """Return the same model with other settings."""
        model = super().with_settings(**settings)
        model.requested_id = self.requested_id
        return model

    def notices(self) -> tuple[str, ...]:
        """Return lifecycle notices, and whether the profile is called instead of the requested id."""
        if self.requested_id == self.model_id:
            return super().notices()
        instead = f"{self.requested_id} cannot be called directly, only through its inference profile; "
        return (*super().notices(), f"{instead}{self.model_id} is called")


class ControlSketch(ImageService):
    """Generate from a prompt and a sketch."""

    service = "control-sketch"
    ids = ("stability.stable-image-control-sketch-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-control-sketch",)
    limits = accepted.SKETCH_LIMITS
    keys = MappingProxyType({"sketch_image": "image"})


class ControlStructure(ImageService):
    """Generate from a prompt and the structure of an image."""

    service = "control-structure"
    ids = ("stability.stable-image-control-structure-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-control-structure",)
    limits = accepted.STRUCTURE_LIMITS
    keys = MappingProxyType({"structure_image": "image"})


class StyleGuide(ImageService):
    """Generate from a prompt and the style of an image."""

    service = "style-guide"
    ids = ("stability.stable-image-style-guide-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-style-guide",)
    limits = accepted.STYLE_GUIDE_LIMITS
    keys = MappingProxyType({"style_image": "image"})


class StyleTransfer(ImageService):
    """Apply the style of one image to another."""

    service = "style-transfer"
    ids = ("stability.stable-style-transfer-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-style-transfer",)
    limits = accepted.STYLE_TRANSFER_LIMITS
    keys = MappingProxyType({"image": "init_image"})


class InpaintService(ImageService):
    """Repaint what a mask selects."""

    service = "inpaint"
    ids = ("stability.stable-image-inpaint-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-inpaint",)
    limits = accepted.INPAINT_LIMITS


class EraseObject(ImageService):
    """Remove what a mask selects."""

    service = "erase-object"
    ids = ("stability.stable-image-erase-object-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-erase-object",)
    limits = accepted.ERASE_LIMITS


class SearchReplace(ImageService):
    """Replace what words select."""

    service = "search-replace"
    ids = ("stability.stable-image-search-replace-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-search-replace",)
    limits = accepted.SEARCH_LIMITS
    keys = MappingProxyType({"mask_prompt": "search_prompt"})


class SearchRecolor(ImageService):
    """Recolor what words select."""

    service = "search-recolor"
    ids = ("stability.stable-image-search-recolor-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-search-recolor",)
    limits = accepted.SEARCH_LIMITS
    keys = MappingProxyType({"mask_prompt": "select_prompt"})


class OutpaintService(ImageService):
    """Extend an image on its four sides."""

    service = "outpaint"
    ids = ("stability.stable-outpaint-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-outpaint",)
    limits = accepted.OUTPAINT_LIMITS


class BackgroundRemoval(ImageService):
    """Remove the background."""

    service = "remove-background"
    ids = ("stability.stable-image-remove-background-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-remove-background",)
    limits = accepted.BACKGROUND_LIMITS


class FastUpscale(ImageService):
    """Upscale without a prompt, fourfold."""

    service = "fast-upscale"
    ids = ("stability.stable-fast-upscale-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-fast-upscale",)
    limits = accepted.FAST_LIMITS


class ConservativeUpscale(ImageService):
    """Upscale with a prompt, preserving the image."""

    service = "conservative-upscale"
    ids = ("stability.stable-conservative-upscale-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-conservative-upscale",)
    limits = accepted.CONSERVATIVE_LIMITS


class CreativeUpscale(ImageService):
    """Upscale with a prompt, adding detail."""

    service = "creative-upscale"
    ids = ("stability.stable-creative-upscale-v1:0",)
    id = PROFILE + ids[0]
    aliases = ("stability-creative-upscale",)
    limits = accepted.CREATIVE_LIMITS


MODELS: tuple[type[StabilityModel], ...] = (
    StableImageCore,
    StableDiffusion35Large,
    StableImageUltra,
    ControlSketch,
    ControlStructure,
    StyleGuide,
    StyleTransfer,
    InpaintService,
    EraseObject,
    SearchReplace,
    SearchRecolor,
    OutpaintService,
    BackgroundRemoval,
    FastUpscale,
    ConservativeUpscale,
    CreativeUpscale,
    StableImageCoreV10,
    StableImageUltraV10,
    StableDiffusion3Large,
)
"""All classes. For each task, the router prefers the first one."""
