"""The models, and the hook that offers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from limner import Key, Model, Outpaint, Picture, Problem, Request, Response, Task, Vary, hookimpl
from limner_http import HttpModel

from limner_bfl.limits import (
    LIMITS_3,
    LIMITS_11,
    LIMITS_DEV,
    LIMITS_ERASE,
    LIMITS_EXPAND,
    LIMITS_FILL,
    LIMITS_FLEX,
    LIMITS_KLEIN,
    LIMITS_KONTEXT,
    LIMITS_OUTPAINT,
    LIMITS_PRO,
    LIMITS_ULTRA,
    MANY_PIXELS,
    OUTPAINT,
    PRICES_3,
    PRICES_KLEIN_4B,
    PRICES_KLEIN_9B,
    PRICES_MAX,
    PRICES_PRO,
    STEP,
)

if TYPE_CHECKING:
    from limner_http import Service

    from limner_bfl.mapping import Family


class _FluxModel(HttpModel):
    """What all models of the API have in common."""

    provider = "bfl"
    family: ClassVar[Family] = "flux-2"

    def api(self) -> Service:
        """Return BFL's API."""
        from limner_bfl.services import BFL

        return BFL

    @classmethod
    def api_keys(cls) -> Sequence[Key]:
        """Return BFL's key."""
        from limner_bfl.services import BFL

        return (BFL.key,)

    def encode(self, task: Task) -> Request:
        """Write the task as JSON."""
        from limner_bfl.mapping import to_request

        return to_request(task, self.family, self.model_id)

    def send(self, request: Request) -> Response:
        """Submit the task, ask for it until it is done, and download its picture.

        There is no request that cancels a task: one that is given up may be billed.

        Raises:
            ProviderError: of the class that fits.
        """
        from limner_bfl.running import run

        return run(self.call(), request)

    def decode(self, task: Task, response: Response) -> Sequence[Picture]:  # noqa: ARG002
        """Read the answer."""
        from limner_bfl.mapping import to_pictures

        return to_pictures(response.body)


class Flux2Pro(_FluxModel):
    """FLUX.2 pro."""

    id = "flux-2-pro"
    aliases = ("flux", "flux-pro", "flux-2")
    limits = LIMITS_PRO
    prices = PRICES_PRO

    def warnings(self, task: Task) -> Iterable[str]:
        """Warn of what third parties say is too much."""
        if isinstance(task, Vary):
            given = [image.size for image in task.image]
            made = task.size or given[0]
            pixels = sum(width * height for width, height in [*given, made])
            if pixels > MANY_PIXELS:
                yield f"the pictures and the result have {pixels:,} pixels; third parties state 9 megapixels for {self.id}"


class Flux2Max(_FluxModel):
    """FLUX.2 max."""

    id = "flux-2-max"
    aliases = ("flux-max",)
    limits = LIMITS_PRO
    prices = PRICES_MAX


class Flux2Flex(_FluxModel):
    """FLUX.2 flex: with steps and guidance."""

    id = "flux-2-flex"
    aliases = ("flux-flex",)
    limits = LIMITS_FLEX


class Flux2Klein4B(_FluxModel):
    """FLUX.2 klein, 4B."""

    id = "flux-2-klein-4b"
    aliases = ("flux-klein",)
    limits = LIMITS_KLEIN
    prices = PRICES_KLEIN_4B


class Flux2Klein9B(_FluxModel):
    """FLUX.2 klein, 9B."""

    id = "flux-2-klein-9b"
    limits = LIMITS_KLEIN
    prices = PRICES_KLEIN_9B


class Flux3Image(_FluxModel):
    """FLUX 3 Image: by aspect ratio and resolution, without a seed."""

    id = "flux-3-image"
    aliases = ("flux-3",)
    limits = LIMITS_3
    prices = PRICES_3
    family = "flux-3"


class FluxKontextPro(_FluxModel):
    """FLUX.1 kontext pro: edits by words."""

    id = "flux-kontext-pro"
    aliases = ("flux-kontext",)
    limits = LIMITS_KONTEXT
    family = "kontext"


class FluxKontextMax(_FluxModel):
    """FLUX.1 kontext max: edits by words; an account may run six tasks at once."""

    id = "flux-kontext-max"
    limits = LIMITS_KONTEXT
    family = "kontext"


class Flux11Pro(_FluxModel):
    """FLUX.1.1 pro."""

    id = "flux-pro-1.1"
    aliases = ("flux-1.1",)
    limits = LIMITS_11
    family = "flux-1"


class Flux11Ultra(_FluxModel):
    """FLUX.1.1 pro ultra: by aspect ratio."""

    id = "flux-pro-1.1-ultra"
    aliases = ("flux-ultra",)
    limits = LIMITS_ULTRA
    family = "kontext"


class FluxDev(_FluxModel):
    """FLUX.1 dev: with steps and guidance."""

    id = "flux-dev"
    limits = LIMITS_DEV
    family = "flux-1"


class FluxExpand(_FluxModel):
    """FLUX.1 expand: outpaint by pixels."""

    id = "flux-pro-1.0-expand"
    aliases = ("flux-expand",)
    limits = LIMITS_EXPAND
    family = "expand"


class FluxFill(_FluxModel):
    """FLUX.1 fill: inpaint."""

    id = "flux-pro-1.0-fill"
    aliases = ("flux-fill",)
    limits = LIMITS_FILL
    family = "fill"


class FluxErase(_FluxModel):
    """FLUX erase: removes what the mask covers; takes no prompt."""

    id = "flux-tools/erase-v1"
    aliases = ("flux-erase",)
    limits = LIMITS_ERASE
    family = "erase"


class FluxOutpainting(_FluxModel):
    """FLUX outpainting."""

    id = "flux-tools/outpainting-v1"
    aliases = ("flux-outpaint", "flux-outpainting")
    limits = LIMITS_OUTPAINT
    family = "outpaint"

    def check(self, task: Task) -> Iterator[Problem]:
        """Say where the picture cannot be put."""
        yield from super().check(task)
        if isinstance(task, Outpaint) and task.expand is not None and (task.expand[0] % STEP or task.expand[1] % STEP):
            yield Problem.of("expand", task.expand, f"must be multiples of {STEP} on the left and the top", OUTPAINT)


@hookimpl
def limner_models() -> Sequence[type[Model]]:
    """Offer the models."""
    return [
        Flux2Pro,
        Flux2Max,
        Flux2Flex,
        Flux2Klein4B,
        Flux2Klein9B,
        Flux3Image,
        FluxKontextPro,
        FluxKontextMax,
        Flux11Pro,
        Flux11Ultra,
        FluxDev,
        FluxExpand,
        FluxFill,
        FluxErase,
        FluxOutpainting,
    ]
