"""The models and services, one line of data each: how they are named, where they are, what they accept."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import attrs
from limner import Lifecycle, Task
from limner.limits import Limits

from limner_bedrock_stability import limits

CARD = f"{limits.GUIDE}, model cards of Stability AI: active, no end-of-life date"
MODEL_LIST = f"{limits.GUIDE}, 'Supported foundation models in Amazon Bedrock'"
PROFILES = (
    f"{limits.GUIDE}, 'Supported Regions and models for inference profiles'; every sample of {limits.SERVICES} has us. "
    "before the id"
)

PROFILE = "us."
"""Before an image service's id: the inference profile by which alone it is called."""

GENERATION_REGIONS = ("us-west-2",)
SERVICE_REGIONS = ("us-east-1", "us-east-2", "us-west-2")

ACTIVE = Lifecycle(source=CARD)


@attrs.frozen
class Superseded(Lifecycle):
    """Where a newer version took a model's place; AWS documents no day."""

    def state(self, today: datetime.date | None = None) -> str:  # noqa: ARG002 - the day is not known
        """Return ``legacy``."""
        return "legacy"

    def notices(self, model: str) -> tuple[str, ...]:
        """Say what took its place."""
        return (f"{model} is superseded; use {self.replacement}",)


@attrs.frozen(kw_only=True)
class Service:
    """One model or image service.

    Attributes:
        name: the short name, as AWS's pages say it.
        id: what is called unless the caller names it otherwise.
        ids: the id's other documented spellings.
        limits: what it accepts.
        keys: its own names of uniform parameters and options, where they differ.
        has_mode: whether ``mode`` tells text to image from image to image. Not so for Ultra, whose page lists it for text to
            image alone, with one value that is the default.
        regions: where it can be called; empty where no document says so.
        aliases: short names besides ``stability-NAME``.
        lifecycle: where it stands in its life.
        source: the documents on id and regions.
    """

    name: str
    id: str
    ids: tuple[str, ...] = ()
    limits: Limits
    keys: Mapping[str, str] = attrs.field(factory=dict)
    has_mode: bool = False
    regions: tuple[str, ...] = GENERATION_REGIONS
    aliases: tuple[str, ...] = ()
    lifecycle: Lifecycle = ACTIVE
    source: str

    @property
    def bare_id(self) -> str:
        """The id without the prefix of an inference profile."""
        return self.id.removeprefix(PROFILE)

    @property
    def is_current(self) -> bool:
        """Whether it is what its name means today."""
        return not isinstance(self.lifecycle, Superseded)

    def does(self, task: type[Task]) -> bool:
        """Tell whether it does a task."""
        return task in self.limits


def _edit(name: str, model: str, accepted: Limits, **keys: str) -> Service:
    """One of the thirteen image services."""
    bare = f"stability.{model}-v1:0"
    return Service(
        name=name, id=PROFILE + bare, ids=(bare,), limits=accepted, keys=keys, regions=SERVICE_REGIONS, source=PROFILES
    )


def _older(newer: Service, id: str, source: str, accepted: Limits | None = None) -> Service:  # noqa: A002 - the field's name
    """A model that a newer one took the place of."""
    said = f"{limits.GUIDE}, 'Stability AI models': all but the current ones are being deprecated; no day is given"
    lifecycle = Superseded(replacement=newer.id, source=said)
    return attrs.evolve(
        newer, id=id, limits=accepted or newer.limits, aliases=(), regions=(), lifecycle=lifecycle, source=source
    )


_CORE = Service(name="core", id="stability.stable-image-core-v1:1", limits=limits.CORE_LIMITS, source=MODEL_LIST)
_SD35 = Service(
    name="sd3-5-large",
    id="stability.sd3-5-large-v1:0",
    limits=limits.SD35_LIMITS,
    has_mode=True,
    aliases=("sd3.5",),
    source=MODEL_LIST,
)
_ULTRA = Service(name="ultra", id="stability.stable-image-ultra-v1:1", limits=limits.ULTRA_LIMITS, source=MODEL_LIST)

SERVICES = (
    _CORE,
    _SD35,
    _ULTRA,
    _edit("control-sketch", "stable-image-control-sketch", limits.SKETCH_LIMITS, sketch_image="image"),
    _edit("control-structure", "stable-image-control-structure", limits.STRUCTURE_LIMITS, structure_image="image"),
    _edit("style-guide", "stable-image-style-guide", limits.STYLE_GUIDE_LIMITS, style_image="image"),
    _edit("style-transfer", "stable-style-transfer", limits.STYLE_TRANSFER_LIMITS, image="init_image"),
    _edit("inpaint", "stable-image-inpaint", limits.INPAINT_LIMITS),
    _edit("erase-object", "stable-image-erase-object", limits.ERASE_LIMITS),
    _edit("search-replace", "stable-image-search-replace", limits.SEARCH_LIMITS, mask_prompt="search_prompt"),
    _edit("search-recolor", "stable-image-search-recolor", limits.SEARCH_LIMITS, mask_prompt="select_prompt"),
    _edit("outpaint", "stable-outpaint", limits.OUTPAINT_LIMITS),
    _edit("remove-background", "stable-image-remove-background", limits.BACKGROUND_LIMITS),
    _edit("fast-upscale", "stable-fast-upscale", limits.FAST_LIMITS),
    _edit("conservative-upscale", "stable-conservative-upscale", limits.CONSERVATIVE_LIMITS),
    _edit("creative-upscale", "stable-creative-upscale", limits.CREATIVE_LIMITS),
    _older(_CORE, "stability.stable-image-core-v1:0", limits.CORE),
    _older(_ULTRA, "stability.stable-image-ultra-v1:0", limits.ULTRA),
    _older(_SD35, "stability.sd3-large-v1:0", limits.SD3, limits.SD3_LIMITS),
)
"""Every model and service; for each task, the one that is taken when nothing speaks against it stands first."""
