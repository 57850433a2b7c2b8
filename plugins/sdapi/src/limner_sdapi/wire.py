"""Answers of ``/sdapi/v1``, read with care: servers differ in what they leave out."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import attrs
from limner import BadResponse
from limner_http import parse_json

_SAID = (
    *("sd_model_name", "sd_model_hash", "sd_vae_name", "sampler_name", "steps", "cfg_scale", "denoising_strength"),
    *("width", "height", "clip_skip", "version"),
)


@attrs.frozen
class Answer:
    """An answer to one picture.

    Attributes:
        image: the picture in base64.
        info: what the server says of it; empty where it says nothing.
    """

    image: Any
    info: Mapping[str, Any]

    @property
    def seed(self) -> int | None:
        """The seed that was used."""
        seeds = self.info.get("all_seeds")
        found = seeds[0] if isinstance(seeds, list) and seeds else self.info.get("seed")
        return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None

    @property
    def metadata(self) -> dict[str, Any]:
        """What else is worth knowing."""
        return {name: self.info[name] for name in _SAID if isinstance(self.info.get(name), str | int | float)}

    def text(self, name: str) -> str:
        """Return a text of the server's; empty where there is none."""
        found = self.info.get(name)
        return found if isinstance(found, str) else ""


def read(body: bytes) -> Answer:
    """Read an answer of ``txt2img`` or ``img2img`` to a request for one picture.

    A server can put a grid first, and masks or maps of extensions behind the picture.

    Raises:
        BadResponse: it is not what is documented, or which of its pictures is the one cannot be told.
    """
    content = parse_json(body)
    images = content.get("images")
    if not isinstance(images, list) or not images:
        raise BadResponse("the answer has no list of pictures under images")
    info = _info(content.get("info"))
    first = info.get("index_of_first_image")
    if not isinstance(first, int) or isinstance(first, bool):
        if len(images) > 1:
            raise BadResponse(f"{len(images)} pictures were returned instead of 1, and the response does not identify it")
        first = 0
    if not 0 <= first < len(images):
        raise BadResponse(f"index_of_first_image is {first}, of {len(images)} pictures")
    return Answer(images[first], info)


def _info(said: Any) -> Mapping[str, Any]:
    """It is a text that holds JSON; empty at KoboldCpp."""
    if isinstance(said, dict):
        return said
    if isinstance(said, str) and said.strip():
        with contextlib.suppress(BadResponse):
            return parse_json(said)
    return {}


def read_single(body: bytes) -> Any:
    """Read an answer of ``extra-single-image`` or ``rembg``: the picture in base64."""
    return parse_json(body).get("image")
