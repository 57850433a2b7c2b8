"""The words that providers and other libraries have for the uniform parameters, to say which one is meant."""

from __future__ import annotations

from collections.abc import Iterable

_WORDS = {
    "prompt": {"text", "textprompt", "textprompts", "inputtext", "description"},
    "negative_prompt": {"negative", "negativetext", "negativeprompts"},
    "n": {"count", "numberofimages", "numimages", "numimagesperprompt", "numoutputs", "samples", "samplecount"}
    | {"batchsize", "batchcount", "niter"},
    "size": {"width", "height", "resolution", "dimensions", "imagesize", "aspectratio"},
    "seed": {"randomseed", "noiseseed"},
    "guidance_scale": {"cfg", "cfgscale", "guidance"},
    "steps": {"numinferencesteps", "inferencesteps", "samplingsteps", "numsteps"},
    "strength": {"imagestrength", "denoisingstrength", "similaritystrength", "promptstrength"},
    "image": {"images", "initimage", "inputimage", "sourceimage", "baseimage"},
    "mask": {"maskimage"},
    "expand": {"left", "top", "right", "bottom", "up", "down", "padding"},
}
"""Without underscores, in small letters."""


def parameter_meant_by(name: str, parameters: Iterable[str]) -> str | None:
    """Return the one of some uniform parameters that a word such as ``cfgScale`` means."""
    word = _plain(name)
    return next((known for known in parameters if word == _plain(known) or word in _WORDS.get(known, ())), None)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
