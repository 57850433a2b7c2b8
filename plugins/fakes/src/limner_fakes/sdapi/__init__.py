"""A fake of ``/sdapi/v1`` that refuses what a real server would silently ignore, truncate or misread.

It repaints the area that the mask selects, and silently replaces unknown names, as A1111 does.
"""

from limner_fakes.sdapi.answering import a1111_error, answer
from limner_fakes.sdapi.contract import LISTS, REMBG, REMBG_OF_SD_NEXT, UPSCALE, problems
from limner_fakes.sdapi.prompts import weights_of
from limner_fakes.sdapi.service import SdapiService

__all__ = [
    "LISTS",
    "REMBG",
    "REMBG_OF_SD_NEXT",
    "UPSCALE",
    "SdapiService",
    "a1111_error",
    "answer",
    "problems",
    "weights_of",
]
