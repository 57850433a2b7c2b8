"""The models, and the hook that offers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from limner import Model, Outpaint, Picture, Problem, Request, Response, Task, Vary, hookimpl
from limner_http import HttpModel

from limner_bfl.limits import (
    LIMITS_3,
    LIMITS_ERASE,
    LIMITS_FILL,
    LIMITS_FLEX,
    LIMITS_KLEIN,
    LIMITS_OUTPAINT,
    LIMITS_PRO,
    MANY_PIXELS,
    OUTPAINT,
    PRICES_3,
    PRICES_KLEIN_4B,
    PRICES_KLEIN_9B,
    PRICES_MAX,
    PRICES_PRO,
    STEP,
)
from limner_bfl.services import BFL

if TYPE_CHECKING:
    from limner_bfl.mapping import Family


class _FluxModel(HttpModel):
    """What all models of the API have in common."""

    service = BFL
    provider = "bfl"
    family: ClassVar[Family] = "flux-2"

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
        FluxFill,
        FluxErase,
        FluxOutpainting,
    ]
